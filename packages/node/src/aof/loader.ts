/**
 * Loads the data set that an append-only directory holds: finds the files (taking over the single
 * file of Redis 6), replays them in order, and decides about torn ends. It deletes nothing and
 * never turns an unreadable AOF into an empty start.
 */

import path from "node:path";
import { errnoText } from "../adapters/disk-error.js";
import type { DiskFile } from "../ports.js";
import { closingLine } from "./batch-header.js";
import type { StreamPosition } from "./stream-position.js";
import { BatchReader, DamagedBatchError } from "./batch-reader.js";
import type { AofDirectory } from "./directory.js";
import { isEmptyRdb } from "./empty-rdb.js";
import { AofLoadError } from "./load-error.js";
import { type AofReplay, type FileReplay, replayFile } from "./load-file.js";
import { type AofFileInfo, manifestName } from "./manifest.js";
import { hidesWholeRecords } from "./torn-end.js";

export interface AofLoadOptions extends AofReplay {
  readonly directory: AofDirectory;
  /** `aof-load-truncated` */
  readonly loadTruncated: boolean;
  /** `aof-checksum`; default true. */
  readonly verify?: boolean;
  /** Monotonic milliseconds, for the log lines. */
  readonly monotonic: () => number;
  readonly onProgress?: (progress: AofLoadProgress) => void;
}

export interface AofLoadProgress {
  readonly file: string;
  readonly loadedBytes: number;
  readonly totalBytes: number;
}

export interface AofLoadResult {
  /** "absent": there is no AOF yet. "empty": there is one, and it holds no byte. */
  readonly status: "absent" | "empty" | "loaded";
  readonly truncated: boolean;
  readonly records: number;
  readonly baseBytes: number;
  /** Base and increments together. */
  readonly totalBytes: number;
  /** Where the data set stands in the replication history; `undefined` if that is not known. */
  readonly position?: StreamPosition;
  /** The running checksum at the end of the last file, if it has one. */
  readonly chain?: string;
}

const nothing = { truncated: false, records: 0, baseBytes: 0, totalBytes: 0 };

/** Loads everything. Throws an `AofLoadError`, a `ManifestError` or a `DiskError`. */
export async function loadAppendOnly(options: AofLoadOptions): Promise<AofLoadResult> {
  const { directory } = options;
  await directory.load();
  await takeOverSingleFile(directory);
  const files = filesInOrder(directory);
  if (files.length === 0) {
    await refuseFilesWithoutManifest(directory);
    return { status: "absent", ...nothing };
  }
  const sizes = await Promise.all(files.map((info) => sizeOf(directory, info)));
  const totalBytes = sizes.reduce((sum, size) => sum + size, 0);
  if (totalBytes === 0) return { status: "empty", ...nothing };
  const lastWithData = sizes.findLastIndex((size) => size > 0);
  const batches = new BatchReader(options.verify ?? true);
  const replay = { ...options, batches };

  let loadedBytes = 0;
  let keptBytes = 0;
  let records = 0;
  let truncated = false;
  let position: StreamPosition | undefined;
  for (const [index, info] of files.entries()) {
    if (sizes[index] === 0) continue;
    const started = options.monotonic();
    const before = loadedBytes;
    const replayed = await loadOne(replay, info, index === lastWithData, (bytes) => {
      const progress = { file: info.name, loadedBytes: before + bytes, totalBytes };
      options.onProgress?.(progress);
    });
    loadedBytes += replayed.bytes;
    keptBytes += replayed.goodBytes;
    records += replayed.records;
    truncated ||= replayed.end === "torn";
    position = batches.positionAt(replayed.goodBytes);
    const seconds = ((options.monotonic() - started) / 1000).toFixed(3);
    const kind = info.type === "b" ? "base" : "incr";
    directory.log.notice(`DB loaded from ${kind} file ${info.name}: ${seconds} seconds`);
  }
  const baseBytes = files[0]?.type === "b" ? (sizes[0] ?? 0) : 0;
  // A later file may be the one that is continued, and it is empty.
  const chain = sizes.at(-1) === 0 ? undefined : batches.chain;
  return {
    status: "loaded",
    truncated,
    records,
    baseBytes,
    totalBytes: keptBytes,
    ...(position === undefined ? {} : { position }),
    ...(chain === undefined ? {} : { chain }),
  };
}

function filesInOrder(directory: AofDirectory): readonly AofFileInfo[] {
  const { base, increments } = directory.manifest;
  return base === undefined ? increments : [base, ...increments];
}

async function sizeOf(directory: AofDirectory, info: AofFileInfo): Promise<number> {
  const file = directory.pathOf(info.name);
  const size = await directory.disk.fileSize(file);
  if (size !== undefined) return size;
  throw new AofLoadError(
    "SLOTLOG_AOF_UNREADABLE",
    `The append log file ${info.name} doesn't exist: the manifest names it, but ${file} is ` +
      `missing. Bring it back; if it is lost for good, remove its line from the manifest.`,
    { file },
  );
}

interface Replay extends AofLoadOptions {
  readonly batches: BatchReader;
}

/** Replays one file; a torn end is cut off if it may be. */
async function loadOne(
  options: Replay,
  info: AofFileInfo,
  isLast: boolean,
  onProgress: (bytes: number) => void,
): Promise<FileReplay> {
  const { directory } = options;
  const oldStyle = info.name === directory.appendFilename;
  const file = await openToLoad(directory, info);
  try {
    if ((await file.read(0, 5)).toString("latin1") === "REDIS") {
      directory.log.notice(
        oldStyle
          ? "Reading RDB preamble from AOF file..."
          : "Reading RDB base file on AOF loading...",
      );
    }
    const replayed = await replayFile(file, info.name, options, onProgress);
    if (replayed.end === "torn") await cutTornEnd(options, info, file, replayed, isLast);
    if (replayed.openBatch && isLast) await closeBatch(file, replayed.goodBytes);
    return replayed;
  } catch (error) {
    if (error instanceof AofLoadError) throw withRepair(error, directory);
    throw error;
  } finally {
    await file.close();
  }
}

async function openToLoad(directory: AofDirectory, info: AofFileInfo): Promise<DiskFile> {
  const file = directory.pathOf(info.name);
  try {
    return await directory.disk.open(file, "update");
  } catch (cause) {
    throw new AofLoadError(
      "SLOTLOG_AOF_UNREADABLE",
      `Can't open the append log file ${info.name} for reading: ${errnoText(cause)}`,
      { file, cause },
    );
  }
}

async function cutTornEnd(
  options: AofLoadOptions,
  info: AofFileInfo,
  file: DiskFile,
  replayed: FileReplay,
  isLast: boolean,
): Promise<void> {
  const { log } = options.directory;
  const { goodBytes, tornBatch, unfinishedTransaction } = replayed;
  const refuse = (message: string): AofLoadError =>
    new AofLoadError("SLOTLOG_AOF_TRUNCATED", message, { file: file.path, offset: goodBytes });
  if (unfinishedTransaction) {
    log.warning(`Revert incomplete MULTI/EXEC transaction in AOF file ${info.name}`);
  } else if (tornBatch !== "beyond") {
    const within = tornBatch === "within" ? "its batch should end before" : undefined;
    const hidden = (await hidesWholeRecords(file, goodBytes))
      ? "whole records stand behind it"
      : "";
    const why = within ?? hidden;
    if (why !== "") {
      throw new AofLoadError(
        "SLOTLOG_AOF_DAMAGED",
        `Bad file format reading the append only file ${info.name} at offset ${goodBytes} ` +
          `(a record reaches beyond the end of the file, but ${why})`,
        { file: file.path, offset: goodBytes },
      );
    }
  }
  if (!options.loadTruncated) {
    throw refuse(
      `Unexpected end of file reading the append only file ${info.name}: the last whole record ` +
        `ends at offset ${goodBytes}. Setting 'aof-load-truncated' to yes cuts it there at start`,
    );
  }
  if (!isLast) {
    throw refuse(
      `The append only file ${info.name} is truncated at offset ${goodBytes}. ` +
        `Fatal error: the truncated file is not the last file`,
    );
  }
  log.warning(`!!! Warning: short read while loading the AOF file ${info.name}!!!`);
  log.warning(`!!! Truncating the AOF ${info.name} at offset ${goodBytes} !!!`);
  await file.truncate(goodBytes);
  // Else a crash could bring the torn end back in front of what is appended now.
  await file.sync();
  log.warning(`AOF ${info.name} loaded anyway because aof-load-truncated is enabled`);
}

/**
 * What follows must not be taken for the rest of a batch that was cut. The next header says so too,
 * so a disk that is full is no reason not to start.
 */
async function closeBatch(file: DiskFile, end: number): Promise<void> {
  try {
    file.seek(end);
    await file.write([closingLine]);
    await file.sync();
  } catch {
    // But what is left of the line would be in front of that header.
    await file.truncate(end);
  }
}

/** The error with the command that mends the directory, where one does. */
function withRepair(error: AofLoadError, directory: AofDirectory): AofLoadError {
  if (error.code !== "SLOTLOG_AOF_DAMAGED" && error.code !== "SLOTLOG_AOF_TRUNCATED") return error;
  const manifest = directory.pathOf(manifestName(directory.appendFilename));
  const backup = `ake a backup of ${directory.path}, then run "slotlog aof repair ${manifest}"`;
  const hint =
    error.cause instanceof DamagedBatchError
      ? `A start with "--aof-checksum no" takes the records as they are, as redis-server would. ` +
        `To cut the file there, m${backup}.`
      : `M${backup} (redis-check-aof --fix does the same).`;
  return new AofLoadError(error.code, `${error.message}. ${hint}`, {
    file: error.file,
    cause: error,
    ...(error.offset === undefined ? {} : { offset: error.offset }),
  });
}

/**
 * An AOF written by Redis 6 or older is one file in the data directory. As Redis 7 does: a manifest
 * that names it as base comes first, then the file moves, so that a crash in between is repeated
 * here at the next start.
 */
async function takeOverSingleFile(directory: AofDirectory): Promise<void> {
  const { disk, manifest, appendFilename } = directory;
  const single = path.join(directory.dataDirectory, appendFilename);
  if ((await disk.fileSize(single)) === undefined) return;
  const { base, increments } = manifest;
  const target = directory.pathOf(appendFilename);
  const interrupted =
    base?.name === appendFilename &&
    increments.length === 0 &&
    (await disk.fileSize(target)) === undefined;
  if (!interrupted && (base !== undefined || increments.length > 0)) return;
  if (!interrupted) await refuseFilesWithoutManifest(directory);
  await disk.makeDirectory(directory.path);
  await disk.syncDirectory(directory.dataDirectory);
  await directory.replaceManifest((current) => ({
    ...current,
    base: { name: appendFilename, sequence: 1, type: "b" },
    baseSequence: 1,
  }));
  await disk.rename(single, target);
  await disk.syncDirectory(directory.path);
  await disk.syncDirectory(directory.dataDirectory);
  directory.log.notice(
    `Successfully migrated an old-style AOF file (${appendFilename}) into the AOF directory ` +
      `(${directory.directoryName}).`,
  );
}

/**
 * Without a manifest Redis starts empty and appends to what it finds. A crash during the very first
 * start leaves an empty base and an empty increment, which are fine; anything else is somebody's
 * data whose manifest is lost.
 */
async function refuseFilesWithoutManifest(directory: AofDirectory): Promise<void> {
  const { disk, appendFilename } = directory;
  for (const name of (await disk.list(directory.path)) ?? []) {
    if (!name.startsWith(`${appendFilename}.`)) continue;
    if (!/^\d+\.(?:incr\.aof|base\.(?:aof|rdb))$/.test(name.slice(appendFilename.length + 1))) {
      continue;
    }
    const file = directory.pathOf(name);
    const size = (await disk.fileSize(file)) ?? 0;
    if (size === 0) continue;
    const small = name.endsWith(".rdb") && size < 1024;
    if (small && isEmptyRdb((await disk.readFile(file)) ?? Buffer.alloc(0))) continue;
    throw new AofLoadError(
      "SLOTLOG_AOF_NO_MANIFEST",
      `${directory.path} holds data (${name}) but no ${manifestName(appendFilename)}. Bring the ` +
        `manifest back, or move the directory away to start empty.`,
      { file },
    );
  }
}
