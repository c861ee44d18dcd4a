/**
 * Opens the AOF for appending once the data set is loaded, and makes the first files of a new node:
 * an empty base and an empty increment, as a real server does.
 */

import type { DiskFile } from "../ports.js";
import type { AofDirectory } from "./directory.js";
import { emptyRdb } from "./empty-rdb.js";
import { type AofFileInfo, type Manifest, withNextBase, withNextIncrement } from "./manifest.js";
import { replaceFile } from "./replace-file.js";

export interface AofOpenOptions {
  readonly directory: AofDirectory;
  /** `aof-use-rdb-preamble`: the base is an RDB. */
  readonly useRdbPreamble: boolean;
  /** Unix milliseconds. */
  readonly now: number;
  /** What the base's `used-mem` field says. */
  readonly usedMemoryBytes: number;
}

export interface OpenedAof {
  /** The increment to append to, open at its end; the manifest names it, durably. */
  readonly file: DiskFile;
  readonly baseBytes: number;
  /** The base and all increments before `file`. */
  readonly olderBytes: number;
}

export async function openForAppend(options: AofOpenOptions): Promise<OpenedAof> {
  const { directory } = options;
  const { disk, log, appendFilename } = directory;
  await disk.makeDirectory(directory.path);
  await disk.syncDirectory(directory.dataDirectory);
  let next: Manifest = directory.manifest;
  if (next.base === undefined && next.increments.length === 0) {
    next = withNextBase(next, appendFilename, options.useRdbPreamble ? "rdb" : "aof");
    const name = next.base?.name ?? "";
    const content = options.useRdbPreamble
      ? emptyRdb({
          createdAt: Math.floor(options.now / 1000),
          usedMemoryBytes: options.usedMemoryBytes,
        })
      : Buffer.alloc(0);
    await replaceFile(disk, { directory: directory.path, name, content });
    log.notice(`Creating AOF base file ${name} on server start`);
  }
  const isNew = next.increments.length === 0;
  if (isNew) next = withNextIncrement(next, appendFilename);
  const name = next.increments.at(-1)?.name ?? "";
  const file = await disk.open(directory.pathOf(name), "append");
  try {
    // What a killed process left was loaded and may be read from now on, but its last records and
    // even its manifest need not be durable. Nor need an increment before the last be: a change to
    // the next one that failed half way went on with the old file.
    await syncFiles(directory, next.increments.slice(0, -1));
    await file.sync();
    await disk.syncDirectory(directory.path);
    if (next !== directory.manifest) {
      await directory.replaceManifest(() => next);
    }
  } catch (error) {
    await file.close();
    throw error;
  }
  log.notice(`${isNew ? "Creating" : "Opening"} AOF incr file ${name} on server start`);
  const baseBytes = await sizeOf(directory, next.base);
  let olderBytes = baseBytes;
  for (const info of next.increments.slice(0, -1)) olderBytes += await sizeOf(directory, info);
  return { file, baseBytes, olderBytes };
}

async function syncFiles(directory: AofDirectory, infos: readonly AofFileInfo[]): Promise<void> {
  for (const { name } of infos) {
    const file = await directory.disk.open(directory.pathOf(name), "update");
    try {
      await file.sync();
    } finally {
      await file.close();
    }
  }
}

async function sizeOf(directory: AofDirectory, info: AofFileInfo | undefined): Promise<number> {
  if (info === undefined) return 0;
  return (await directory.disk.fileSize(directory.pathOf(info.name))) ?? 0;
}
