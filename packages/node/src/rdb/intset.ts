/**
 * Intsets: the width of an integer in bytes (2, 4 or 8), the count, then the integers in ascending
 * order, all least significant byte first.
 */

import { RdbError } from "./format.js";
import type { Bytes } from "./values.js";

const headerBytes = 8;

/** Appends the decimal texts of all members to `target`. */
export function intsetElements(bytes: Buffer, target: Bytes[]): void {
  const width = bytes.length < headerBytes ? 0 : bytes.readUInt32LE(0);
  const known = width === 2 || width === 4 || width === 8;
  if (!known || bytes.length !== headerBytes + width * bytes.readUInt32LE(4)) {
    throw new RdbError("corrupt", "an intset contradicts its own lengths");
  }
  for (let at = headerBytes; at < bytes.length; at += width) {
    if (width === 8) target.push(bytes.readBigInt64LE(at).toString());
    else target.push((width === 2 ? bytes.readInt16LE(at) : bytes.readInt32LE(at)).toString());
  }
}

/** An intset of `members`, which are distinct; it sorts them. */
export function encodeIntset(members: readonly (number | bigint)[]): Buffer {
  const sorted = [...members].sort((left, right) => (left < right ? -1 : left > right ? 1 : 0));
  const low = sorted[0] ?? 0;
  const high = sorted[sorted.length - 1] ?? 0;
  const width =
    low >= -32_768 && high <= 32_767 ? 2 : low >= -2_147_483_648 && high <= 2_147_483_647 ? 4 : 8;
  const bytes = Buffer.allocUnsafe(headerBytes + width * sorted.length);
  bytes.writeUInt32LE(width, 0);
  let at = bytes.writeUInt32LE(sorted.length, 4);
  for (const member of sorted) {
    if (width === 8) at = bytes.writeBigInt64LE(BigInt(member), at);
    else at = bytes.writeIntLE(Number(member), at, width);
  }
  return bytes;
}
