/**
 * The rewrite of the AOF: a new base with the state at the cut, a new increment from there on, and
 * a manifest that names both. At every step a crash leaves a manifest whose files are whole; until
 * the last one the old files are what counts.
 */
import type { Disk, DiskFile } from "../ports.js";
import type { AofDirectory } from "./directory.js";
import {
  lastIncrement,
  type Manifest,
  temporaryIncrementName,
  withNextBase,
  withNextIncrement,
  withoutIncrementsBefore,
} from "./manifest.js";
import type { AofWriter } from "./writer.js";

/** The data set as RDB chunks. It shows the moment of the call, however slowly it is read. */
export type Snapshot = AsyncIterable<Buffer> | Iterable<Buffer>;

/** What the base is: an RDB, or records (`aof-use-rdb-preamble no`). */
export type BaseFormat = "rdb" | "aof";

export interface RewriteOptions {
  readonly directory: AofDirectory;
  readonly writer: AofWriter;
  /** Default "rdb". */
  readonly format?: BaseFormat;
  /**
   * Called once, synchronously with the cut: hands what is logged so far to the writer.
   */
  flushLog(): void;
  /** Called right behind the cut, before anything changes. Never read if the cut fails. */
  snapshot(): Snapshot;
  /** `aof-disable-auto-gc`: superseded files stay. */
  readonly keepHistory?: boolean;
}

/**
 * The base is synced in steps, since one fsync of gigabytes at its end would hold up the fsyncs of
 * the increment for seconds. (Redis does so every 4 MB.)
 */
const syncEveryBytes = 16 * 1024 * 1024;

/** Resolves when the new base counts and the old files are gone. */
export async function rewriteAppendOnly(options: RewriteOptions): Promise<void> {
  const { directory, writer } = options;
  await writer.prepareIncrement();
  options.flushLog();
  const cut = writer.cutIncrement();
  // It is awaited below, unless the snapshot cannot even begin.
  cut.catch(() => undefined);
  const snapshot = options.snapshot();
  // All before this increment end where the base begins. Later ones may join it while we write.
  const keepFrom = await cut;
  const bytes = await writeBase(directory, snapshot);
  const format = options.format ?? "rdb";
  await commitBase(directory, (manifest) =>
    withoutIncrementsBefore(withNextBase(manifest, directory.appendFilename, format), keepFrom),
  );
  writer.noteRewrite(bytes);
  if (options.keepHistory !== true) await directory.removeHistory();
}

export interface RewriteOfflineOptions {
  readonly directory: AofDirectory;
  readonly format?: BaseFormat;
  snapshot(): Snapshot;
  readonly keepHistory?: boolean;
}

/**
 * BGREWRITEAOF in a node that runs without an AOF: the snapshot becomes a base, and what the
 * directory held before becomes history, as Redis does it.
 */
export async function rewriteOffline(options: RewriteOfflineOptions): Promise<void> {
  const { directory } = options;
  await directory.load();
  await directory.disk.makeDirectory(directory.path);
  await directory.disk.syncDirectory(directory.dataDirectory);
  await writeBase(directory, options.snapshot());
  await commitBase(directory, (manifest) =>
    withoutIncrementsBefore(
      withNextBase(manifest, directory.appendFilename, options.format ?? "rdb"),
      Number.POSITIVE_INFINITY,
    ),
  );
  if (options.keepHistory !== true) await directory.removeHistory();
}

export interface EnableOptions {
  readonly directory: AofDirectory;
  /** Synchronously: makes the writer for this file and sends it all that is logged from now on. */
  openWriter(file: DiskFile): AofWriter;
  /** Called right behind `openWriter`. */
  snapshot(): Snapshot;
  /** It came to nothing: the writer is about to be closed and must get no more. */
  dropWriter?(writer: AofWriter): void;
  /** Default "rdb". */
  readonly format?: BaseFormat;
  readonly keepHistory?: boolean;
}

/**
 * Turns the AOF on in a node that runs without (CONFIG SET appendonly yes). Records gather in a
 * temporary increment that no manifest names until the base stands; an AOF that was there before
 * stays in force till then, and becomes history. On rejection nothing is in force that was not.
 */
export async function enableAppendOnly(options: EnableOptions): Promise<AofWriter> {
  const { directory } = options;
  const { disk, appendFilename } = directory;
  const format = options.format ?? "rdb";
  await directory.load();
  await disk.makeDirectory(directory.path);
  await disk.syncDirectory(directory.dataDirectory);
  const temporary = directory.pathOf(temporaryIncrementName(appendFilename));
  const file = await disk.open(temporary, "truncate");
  try {
    // What an earlier attempt left in it must not come back after a power loss.
    await file.sync();
  } catch (error) {
    await file.close().catch(() => undefined);
    throw error;
  }
  const writer = options.openWriter(file);
  try {
    const bytes = await writeBase(directory, options.snapshot());
    const next = withNextIncrement(directory.manifest, appendFilename);
    const increment = lastIncrement(next);
    await disk.rename(temporary, directory.pathOf(increment.name));
    await commitBase(directory, (manifest) =>
      withoutIncrementsBefore(
        withNextBase(withNextIncrement(manifest, appendFilename), appendFilename, format),
        increment.sequence,
      ),
    );
    writer.noteRewrite(bytes);
  } catch (error) {
    options.dropWriter?.(writer);
    await writer.close().catch(() => undefined);
    await removeQuietly(disk, temporary);
    throw error;
  }
  if (options.keepHistory !== true) await directory.removeHistory();
  return writer;
}

/** Writes the snapshot to the temporary base, durably; returns its length. */
async function writeBase(directory: AofDirectory, snapshot: Snapshot): Promise<number> {
  const { disk } = directory;
  const temporary = temporaryBase(directory);
  const file = await disk.open(temporary, "truncate");
  let bytes = 0;
  let unsynced = 0;
  try {
    for await (const chunk of snapshot) {
      await file.write([chunk]);
      bytes += chunk.length;
      unsynced += chunk.length;
      if (unsynced < syncEveryBytes) continue;
      unsynced = 0;
      await file.sync();
    }
    await file.sync();
  } catch (error) {
    await file.close().catch(() => undefined);
    // A full disk needs the room of what can never be used.
    await removeQuietly(disk, temporary);
    throw error;
  }
  await file.close();
  return bytes;
}

/** Gives the base its name, then puts it into force with `change`. */
async function commitBase(
  directory: AofDirectory,
  change: (manifest: Manifest) => Manifest,
): Promise<void> {
  const { disk, log } = directory;
  const name = change(directory.manifest).base?.name ?? "";
  await disk.rename(temporaryBase(directory), directory.pathOf(name));
  await disk.syncDirectory(directory.path);
  log.notice(`Successfully renamed the temporary AOF base file into ${name}`);
  await directory.replaceManifest(change);
  log.notice("Background AOF rewrite finished successfully");
}

function temporaryBase(directory: AofDirectory): string {
  return directory.pathOf(`temp-rewriteaof-${directory.appendFilename}.rdb`);
}

async function removeQuietly(disk: Disk, path: string): Promise<void> {
  await disk.remove(path).catch(() => undefined);
}
