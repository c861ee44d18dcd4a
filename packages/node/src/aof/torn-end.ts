/**
 * Tells a torn end from damage, in the two cases where the scanner alone cannot. A write that was
 * cut short leaves a prefix of a record. A length whose digit was damaged also makes a record reach
 * beyond the end of the file, and cutting there would silently throw away all records behind it.
 */

import type { DiskFile } from "../ports.js";
import { headerPrefix } from "./batch-header.js";
import { DamagedRecordError, RecordScanner } from "./record-scanner.js";

/** How much of the file's end is looked through, and from how many places. */
const searchBytesMax = 64 * 1024 * 1024;
const candidatesMax = 64;

/**
 * True if somewhere behind `goodBytes` whole records begin that run exactly to the end of the file.
 * A value that itself holds records and was torn just at the end of one is taken for damage too:
 * stopping is the harmless mistake.
 */
export async function hidesWholeRecords(file: DiskFile, goodBytes: number): Promise<boolean> {
  const size = file.size();
  const start = Math.max(goodBytes, size - searchBytesMax);
  const rest = await file.read(start, size - start);
  let at = -1;
  for (let candidates = 0; candidates < candidatesMax; candidates++) {
    // The torn record itself has no line end in front of it here.
    at = rest.indexOf("\n*", at + 1, "latin1");
    if (at < 0) return false;
    if (isWholeRecords(rest.subarray(at + 1))) return true;
  }
  return false;
}

/**
 * True if the file holds nothing but zero bytes from `offset` to its end: a power loss after the
 * file grew and before its data arrived. No record or annotation begins with a zero byte.
 */
export async function isZeroFrom(file: DiskFile, offset: number): Promise<boolean> {
  for (let at = offset; ; ) {
    const bytes = await file.read(at, 256 * 1024);
    if (bytes.length === 0) return at > offset;
    if (bytes.some((byte) => byte !== 0)) return false;
    at += bytes.length;
  }
}

/**
 * True if a batch header stands there, or as much of one as there is. Within a batch that means
 * that the batch was cut there, and that the header behind it was torn in its turn.
 */
export async function beginsHeader(file: DiskFile, offset: number): Promise<boolean> {
  const found = (await file.read(offset, headerPrefix.length)).toString("latin1");
  return found !== "" && headerPrefix.startsWith(found);
}

function isWholeRecords(bytes: Buffer): boolean {
  const scanner = new RecordScanner(0, {}, 64);
  let given = 0;
  try {
    for (;;) {
      while (scanner.next() !== "more") continue;
      if (given === bytes.length) return scanner.offset === bytes.length;
      const room = scanner.room();
      const count = bytes.copy(room, 0, given);
      scanner.fill(count);
      given += count;
    }
  } catch (error) {
    if (error instanceof DamagedRecordError) return false;
    throw error;
  }
}
