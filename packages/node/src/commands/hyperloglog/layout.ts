/**
 * The bytes of a HyperLogLog as Redis stores them in a string: a header, then 16384 registers,
 * dense (6 bits each) or sparse (run lengths).
 *
 * Header: `HYLL`, one byte of encoding, three zero bytes, eight bytes of cached cardinality, lowest
 * first, whose top bit says that it is out of date. Sparse opcodes: `00xxxxxx` a run of 1 to 64
 * zeros; `01xxxxxx xxxxxxxx` one of 1 to 16384; `1vvvvvxx` a run of 1 to 4 registers of value 1 to
 * 32.
 */
import type { ByteString } from "../../store/byte-string.js";
import { type StringValue, stringLength } from "../../store/value.js";
import { byteOf } from "../string-bytes.js";

export const INDEX_BITS = 14;
export const REGISTER_COUNT = 1 << INDEX_BITS;
export const REGISTER_BITS = 6;
export const REGISTER_MAX = (1 << REGISTER_BITS) - 1;
export const HEADER_BYTES = 16;
export const DENSE_BYTES = HEADER_BYTES + (REGISTER_COUNT * REGISTER_BITS) / 8;

export const ENCODING_AT = 4;
export const DENSE = 0;
export const SPARSE = 1;
export const CARDINALITY_AT = 8;
/** The byte whose top bit marks the cached cardinality as out of date. */
export const STALE_AT = HEADER_BYTES - 1;
export const STALE_BIT = 0x80;

export const SPARSE_VALUE_MAX = 32;
export const VALUE_RUN_MAX = 4;
export const ZERO_RUN_MAX = 64;

/** All registers zero, in one opcode. */
export function emptySparse(): string {
  return "HYLL\x01\0\0\0\0\0\0\0\0\0\0\0\x7f\xff";
}

/** True if the value may be a HyperLogLog; sparse opcodes are looked at when they are read. */
export function isHyperLogLog(value: StringValue): boolean {
  if (typeof value === "number") return false;
  const length = stringLength(value);
  if (length < HEADER_BYTES) return false;
  for (let index = 0; index < ENCODING_AT; index += 1) {
    if (byteOf(value, index) !== "HYLL".charCodeAt(index)) return false;
  }
  const encoding = byteOf(value, ENCODING_AT);
  return encoding === SPARSE || (encoding === DENSE && length === DENSE_BYTES);
}

/** One run of equal registers. */
export interface Run {
  /** 0 for both kinds of zero runs. */
  value: number;
  length: number;
  /** Bytes of the opcode. */
  bytes: number;
}

/** Reads the opcode at `at` into `run`; a byte behind the end counts as 0, as in Redis. */
export function readRun(bytes: Uint8Array, at: number, end: number, run: Run): void {
  const first = bytes[at] as number;
  run.bytes = 1;
  run.value = 0;
  if ((first & 0x80) !== 0) {
    run.value = ((first >> 2) & 0x1f) + 1;
    run.length = (first & 0x3) + 1;
  } else if ((first & 0x40) === 0) {
    run.length = (first & 0x3f) + 1;
  } else {
    const second = at + 1 < end ? (bytes[at + 1] as number) : 0;
    run.length = (((first & 0x3f) << 8) | second) + 1;
    run.bytes = 2;
  }
}

/** The opcodes of a run: one byte, or two for zeros beyond 64. */
export function runBytes(value: number, length: number): readonly number[] {
  if (value > 0) return [0x80 | ((value - 1) << 2) | (length - 1)];
  if (length <= ZERO_RUN_MAX) return [length - 1];
  return [0x40 | ((length - 1) >> 8), (length - 1) & 0xff];
}

/** Marks the cached cardinality as out of date. */
export function markStale(bytes: ByteString): void {
  bytes.setByte(STALE_AT, bytes.byteAt(STALE_AT) | STALE_BIT);
}
