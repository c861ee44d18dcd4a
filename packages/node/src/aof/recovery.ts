/**
 * Writing the end of the log again after a write or fsync failed. Owns the order of steps that
 * keeps every crash in between harmless; decides nothing about when to try (see `writer.ts`).
 *
 * What was written but not durable is written again *in place*: the bytes are the same at the same
 * offsets, so nothing is lost if we are killed half way, and nothing can be applied twice.
 */

import { separateBatch } from "./batch-header.js";
import type { AofDirectory } from "./directory.js";
import type { LogPoint } from "./log-core.js";
import type { DiskFile } from "../ports.js";
import { lastIncrement, withNextIncrement } from "./manifest.js";
import type { TailBuffer } from "./tail-buffer.js";

const copyBytes = 1024 * 1024;

/** The increment that is written now, and the log position of its first byte. */
export interface CurrentIncrement {
  readonly file: DiskFile;
  /** Subtracted from a position it gives the offset in the file; negative for an older file. */
  readonly startPosition: number;
}

export interface NextIncrement extends CurrentIncrement {
  /** It begins with a copy of the old one, which is history now. */
  readonly replacesOld: boolean;
}

export interface TailRange {
  readonly from: LogPoint;
  /** Between `from` and here nothing is torn, and `kill -9` must not lose it. */
  readonly written: LogPoint;
  readonly to: LogPoint;
}

/** Writes the range again at its own offsets and makes it durable. */
export async function rewriteInPlace(
  increment: CurrentIncrement,
  tail: TailBuffer,
  range: TailRange,
): Promise<void> {
  const { file, startPosition } = increment;
  const heldFrom = Math.min(Math.max(range.from.position, tail.start), range.to.position);
  // What the tail no longer holds is read back; usually from the page cache, which is all there is.
  for (let at = range.from.position; at < heldFrom; ) {
    const length = Math.min(copyBytes, heldFrom - at);
    const bytes = await file.read(at - startPosition, length);
    if (bytes.length !== length) throw new Error(`${file.path}: shorter than what was written`);
    file.seek(at - startPosition);
    await file.write([bytes]);
    at += length;
  }
  file.seek(heldFrom - startPosition);
  await file.write(tail.spans(heldFrom, range.to.position));
  await file.sync();
}

/**
 * The file cannot be written any more: ends it at the last good point and continues in a new
 * increment. Only what nobody was told of may be cut, since a crash can come before the new
 * increment counts, and the cut must be durable, or a power loss could bring back what the new one
 * repeats. Where that cannot be had, the good part is copied into the new increment and the old
 * file becomes history, so that in no case the same record stands in two files that are loaded.
 */
export async function continueInNewIncrement(
  directory: AofDirectory,
  increment: CurrentIncrement,
  tail: TailBuffer,
  range: TailRange,
): Promise<NextIncrement> {
  const { from, to } = range;
  // What the tail no longer holds is read back from the old file, as far as that was written.
  const heldFrom = Math.max(from.position, tail.start);
  const goodBytes = from.position - increment.startPosition;
  const present = lastIncrement(directory.manifest);
  const info = lastIncrement(withNextIncrement(directory.manifest, directory.appendFilename));
  const file = await directory.disk.open(directory.pathOf(info.name), "truncate");
  try {
    const mayCut = range.written.position === from.position;
    const cut = mayCut && (await isCut(increment.file, goodBytes));
    // Every file is loaded with database 0 selected, and records in the tail rely on their SELECT.
    if (cut) await file.write([beginning(from)]);
    else await copyStart(increment.file, file, heldFrom - increment.startPosition);
    const startPosition = heldFrom - file.writePosition;
    await file.write(tail.spans(heldFrom, to.position));
    await file.sync();
    await directory.replaceManifest((manifest) => {
      const grown = withNextIncrement(manifest, directory.appendFilename);
      if (cut) return grown;
      return {
        ...grown,
        history: [{ ...present, type: "h" as const }, ...grown.history],
        increments: grown.increments.filter((other) => other.sequence !== present.sequence),
      };
    });
    return { file, startPosition, replacesOld: !cut };
  } catch (error) {
    await file.close().catch(() => undefined);
    throw error;
  }
}

async function isCut(file: DiskFile, length: number): Promise<boolean> {
  try {
    await file.truncate(length);
    await file.sync();
    return true;
  } catch {
    return false;
  }
}

async function copyStart(source: DiskFile, target: DiskFile, length: number): Promise<void> {
  for (let at = 0; at < length; ) {
    const bytes = await source.read(at, Math.min(copyBytes, length - at));
    if (bytes.length === 0) throw new Error(`${source.path}: shorter than what was written`);
    await target.write([bytes]);
    at += bytes.length;
  }
}

/** Headers in the tail run on from the last one in the old file. */
function beginning({ db, chain }: LogPoint): Buffer {
  const select = selectRecord(db);
  return chain === "" ? select : separateBatch(select, chain);
}

export function selectRecord(db: number): Buffer {
  const text = String(db);
  return Buffer.from(`*2\r\n$6\r\nSELECT\r\n$${text.length}\r\n${text}\r\n`, "latin1");
}
