/**
 * The one place where RDB bytes become values in memory: latin1 strings when short, Buffers with
 * memory of their own when large, and never a slice that keeps a larger buffer alive.
 */

import { latin1String } from "@slotlog/resp";
import { largeStringBytes } from "./format.js";
import type { Bytes } from "./values.js";

/** The bytes from `start` up to, not including, `end`. */
export function byteString(bytes: Buffer, start: number, end: number): Bytes {
  return end - start < largeStringBytes
    ? latin1String(bytes, start, end - start)
    : Buffer.from(bytes.subarray(start, end));
}

/** As `byteString` for the whole of a buffer that nobody else will use. */
export function ownedByteString(bytes: Buffer): Bytes {
  return bytes.length < largeStringBytes ? latin1String(bytes, 0, bytes.length) : bytes;
}
