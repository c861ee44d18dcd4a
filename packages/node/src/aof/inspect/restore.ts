/**
 * Writes the data set of an earlier moment to a new directory, on which any server starts: base and
 * increments up to the cut, and a manifest, which comes last, so that what was interrupted is never
 * taken for whole. Never writes to the source or to a directory that holds something.
 */

import path from "node:path";
import { errorCode } from "../../adapters/disk-error.js";
import type { Disk } from "../../ports.js";
import { closingLine } from "../batch-header.js";
import { emptyManifest, formatManifest, type Manifest, manifestName } from "../manifest.js";
import { replaceFile } from "../replace-file.js";
import { copyFile } from "./copy-file.js";
import type { CutPoint } from "./cut-point.js";
import type { AofSource, AofSourceFile } from "./source.js";

export interface RestoreOptions {
  readonly disk: Disk;
  readonly source: AofSource;
  readonly cut: CutPoint;
  /** Becomes the `dir` of the server that is started on it. */
  readonly target: string;
  readonly onProgress?: (bytes: number) => void;
}

export interface Restored {
  readonly directory: string;
  readonly files: readonly { readonly name: string; readonly bytes: number }[];
  readonly bytes: number;
}

/** The target is no directory, or holds something. */
export class RestoreTargetError extends Error {
  readonly code = "SLOTLOG_AOF_TARGET";

  constructor(message: string) {
    super(message);
    this.name = "RestoreTargetError";
  }
}

interface Kept {
  readonly file: AofSourceFile;
  readonly bytes: number;
  /** What it is called in the new directory. */
  readonly name: string;
}

/** Throws a `RestoreTargetError` unless `target` is empty or absent. */
export async function refuseFilledTarget(disk: Disk, target: string): Promise<void> {
  let names: readonly string[] | undefined;
  try {
    names = await disk.list(target);
  } catch (error) {
    if (errorCode(error) !== "ENOTDIR") throw error;
    throw new RestoreTargetError(`${target} is no directory`);
  }
  if (names === undefined || names.length === 0) return;
  throw new RestoreTargetError(`${target} is not empty: nothing is ever written over`);
}

export async function restoreAof(options: RestoreOptions): Promise<Restored> {
  const { disk, source } = options;
  const target = path.resolve(options.target);
  await refuseFilledTarget(disk, target);
  const directory = path.join(target, source.directoryName);
  await disk.makeDirectory(directory);
  const kept = keptFiles(source, options.cut);
  let before = 0;
  for (const { file, bytes, name } of kept) {
    const start = before;
    await copyFile(disk, {
      from: file.path,
      to: path.join(directory, name),
      bytes,
      ...(file === options.cut.file && options.cut.dividesBatch && { end: closingLine }),
      onProgress: (done) => options.onProgress?.(start + done),
    });
    before += bytes;
  }
  const content = Buffer.from(formatManifest(manifestOf(source, kept)), "latin1");
  await replaceFile(disk, { directory, name: manifestName(source.appendFilename), content });
  await disk.syncDirectory(target);
  await disk.syncDirectory(path.dirname(target));
  const files = kept.map(({ name, bytes }) => ({ name, bytes }));
  return { directory: target, files, bytes: before };
}

function keptFiles(source: AofSource, cut: CutPoint): Kept[] {
  const last = source.files.indexOf(cut.file);
  return source.files.slice(0, last + 1).map((file, index) => ({
    file,
    bytes: index === last ? cut.bytes : file.size,
    // The one file of Redis 6 becomes the base, which servers read whatever it holds.
    name: file.role === "single" ? `${source.appendFilename}.1.base.aof` : file.name,
  }));
}

function manifestOf(source: AofSource, kept: readonly Kept[]): Manifest {
  const { manifest } = source;
  if (manifest === undefined) {
    const name = kept[0]?.name ?? "";
    return { ...emptyManifest, base: { name, sequence: 1, type: "b" }, baseSequence: 1 };
  }
  const names = new Set(kept.map(({ name }) => name));
  const increments = manifest.increments.filter(({ name }) => names.has(name));
  return { ...manifest, history: [], increments };
}
