/**
 * Ziplists, the packed arrays of Redis before 7: total bytes, offset of the last entry, count, then
 * entries, then 0xff. An entry begins with the length of the one before it (one byte, or 0xfe and
 * four). Read only: we never write them.
 */

import { byteString } from "./byte-string.js";
import { RdbError } from "./format.js";
import type { Bytes } from "./values.js";

const headerBytes = 10;
const endByte = 0xff;

function corrupt(): RdbError {
  return new RdbError("corrupt", "a ziplist contradicts its own lengths");
}

/** Appends all elements to `target`, integers as their decimal text. */
export function ziplistElements(bytes: Buffer, target: Bytes[]): void {
  const end = bytes.length - 1;
  if (end < headerBytes || bytes.readUInt32LE(0) !== bytes.length || bytes[end] !== endByte) {
    throw corrupt();
  }
  let at = headerBytes;
  while (at < end) {
    at += bytes[at] === 0xfe ? 5 : 1;
    if (at >= end) throw corrupt();
    at = readEntry(bytes, at, end, target);
  }
}

/** Reads the entry whose encoding byte is at `at`; returns where the next entry begins. */
function readEntry(bytes: Buffer, at: number, end: number, target: Bytes[]): number {
  const first = bytes[at] as number;
  if (first < 0xc0) {
    const prefix = first < 0x40 ? 1 : first < 0x80 ? 2 : 5;
    if (at + prefix > end) throw corrupt();
    const length =
      prefix === 1
        ? first
        : prefix === 2
          ? ((first & 0x3f) << 8) | (bytes[at + 1] as number)
          : bytes.readUInt32BE(at + 1);
    const start = at + prefix;
    const next = start + length;
    if (next > end) throw corrupt();
    target.push(byteString(bytes, start, next));
    return next;
  }
  // 0xf1 to 0xfd hold the integers 0 to 12 in the byte itself.
  if (first > 0xf0 && first < 0xfe) {
    target.push(String(first - 0xf1));
    return at + 1;
  }
  const width = integerWidth(first);
  const next = at + 1 + width;
  if (next > end) throw corrupt();
  target.push(
    width === 8
      ? bytes.readBigInt64LE(at + 1).toString()
      : bytes.readIntLE(at + 1, width).toString(),
  );
  return next;
}

function integerWidth(encoding: number): number {
  switch (encoding) {
    case 0xfe:
      return 1;
    case 0xc0:
      return 2;
    case 0xf0:
      return 3;
    case 0xd0:
      return 4;
    case 0xe0:
      return 8;
    default:
      throw corrupt();
  }
}
