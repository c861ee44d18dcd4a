/**
 * An RDB file put in the place of the one before it: temporary file → write → fsync → rename →
 * fsync of the directory, so that a crash leaves the old or the new one, whole. Says in the log
 * what Redis says when a step fails, and removes what can never be used.
 */
import path from "node:path";
import { errnoText } from "../adapters/disk-error.js";
import type { Disk, Log } from "../ports.js";

export interface RdbFileTarget {
  readonly disk: Disk;
  readonly log: Log;
  readonly directory: string;
  /** `dbfilename` */
  readonly name: string;
  readonly temporaryName: string;
  /** `rdb-save-incremental-fsync`: syncs on the way, so that the last one is short. */
  readonly syncsOnTheWay: boolean;
}

const syncEveryBytes = 4 * 1024 * 1024;

/** Rejects with what went wrong, which is in the log already if it was the disk. */
export async function writeRdbFile(
  target: RdbFileTarget,
  chunks: AsyncIterable<Buffer>,
): Promise<number> {
  const { disk, directory, temporaryName } = target;
  const temporary = path.join(directory, temporaryName);
  const file = await disk.open(temporary, "truncate").catch((error: unknown) => {
    throw openFailed(target, error);
  });
  let bytes = 0;
  try {
    let unsynced = 0;
    for await (const chunk of chunks) {
      await file.write([chunk]);
      bytes += chunk.length;
      unsynced += chunk.length;
      if (!target.syncsOnTheWay || unsynced < syncEveryBytes) continue;
      unsynced = 0;
      await file.sync();
    }
    await file.sync();
    await file.close();
  } catch (error) {
    await file.close().catch(() => undefined);
    await disk.remove(temporary).catch(() => undefined);
    throw writeFailed(target, error);
  }
  try {
    await disk.rename(temporary, path.join(directory, target.name));
  } catch (error) {
    await disk.remove(temporary).catch(() => undefined);
    throw renameFailed(target, error);
  }
  await disk.syncDirectory(directory).catch((error: unknown) => {
    throw directoryFailed(target, error);
  });
  return bytes;
}

/** As `writeRdbFile`, without letting anything else run: SAVE and SHUTDOWN. */
export function writeRdbFileSync(target: RdbFileTarget, chunks: Iterable<Buffer>): number {
  const { disk, directory, temporaryName } = target;
  const temporary = path.join(directory, temporaryName);
  const file = attempt(
    () => disk.openSync(temporary, "truncate"),
    (error) => openFailed(target, error),
  );
  let bytes = 0;
  try {
    for (const chunk of chunks) {
      file.writeSync([chunk]);
      bytes += chunk.length;
    }
    file.syncSync();
  } catch (error) {
    file.closeSync();
    quietly(() => disk.removeSync(temporary));
    throw writeFailed(target, error);
  }
  file.closeSync();
  attempt(
    () => disk.renameSync(temporary, path.join(directory, target.name)),
    (error) => {
      quietly(() => disk.removeSync(temporary));
      return renameFailed(target, error);
    },
  );
  attempt(
    () => disk.syncDirectorySync(directory),
    (error) => directoryFailed(target, error),
  );
  return bytes;
}

function attempt<Result>(run: () => Result, onError: (error: unknown) => unknown): Result {
  try {
    return run();
  } catch (error) {
    throw onError(error);
  }
}

function quietly(run: () => void): void {
  try {
    run();
  } catch {
    // It stays behind; the next save replaces it.
  }
}

function openFailed({ log, directory, temporaryName }: RdbFileTarget, error: unknown): unknown {
  log.warning(
    `Failed opening the temp RDB file ${temporaryName} (in server root dir ${directory}) ` +
      `for saving: ${errnoText(error)}`,
  );
  return error;
}

function writeFailed({ log }: RdbFileTarget, error: unknown): unknown {
  if (isDiskError(error)) {
    log.warning(`Write error while saving DB to the disk(rdbSaveRio): ${errnoText(error)}`);
  }
  return error;
}

function renameFailed(target: RdbFileTarget, error: unknown): unknown {
  const { directory, log, name, temporaryName } = target;
  log.warning(
    `Error moving temp DB file ${temporaryName} on the final destination ${name} ` +
      `(in server root dir ${directory}): ${errnoText(error)}`,
  );
  return error;
}

function directoryFailed({ log }: RdbFileTarget, error: unknown): unknown {
  log.warning(`Failed to fsync directory while saving DB: ${errnoText(error)}`);
  return error;
}

function isDiskError(error: unknown): boolean {
  return error instanceof Error && "code" in error;
}
