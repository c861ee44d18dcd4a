/**
 * Stream ids as sixteen latin1 char codes (see `StreamIdBytes`) and what they stand for: two
 * unsigned 64-bit integers. In practice both are below 2^53, so numbers are the fast path and
 * bigints the exact one.
 */

import type { StreamIdBytes } from "./values.js";

const wordValues = 4_294_967_296;

/** The id of two numbers, both safe integers from zero up. */
export function streamIdOf(milliseconds: number, sequence: number): StreamIdBytes {
  const a = Math.floor(milliseconds / wordValues);
  const b = milliseconds >>> 0;
  const c = Math.floor(sequence / wordValues);
  const d = sequence >>> 0;
  return String.fromCharCode(
    a >>> 24,
    (a >>> 16) & 0xff,
    (a >>> 8) & 0xff,
    a & 0xff,
    b >>> 24,
    (b >>> 16) & 0xff,
    (b >>> 8) & 0xff,
    b & 0xff,
    c >>> 24,
    (c >>> 16) & 0xff,
    (c >>> 8) & 0xff,
    c & 0xff,
    d >>> 24,
    (d >>> 16) & 0xff,
    (d >>> 8) & 0xff,
    d & 0xff,
  );
}

/** The id of any two unsigned 64-bit integers; larger ones wrap, as Redis' arithmetic does. */
export function streamIdOfBig(milliseconds: bigint, sequence: bigint): StreamIdBytes {
  const bytes = Buffer.allocUnsafe(16);
  bytes.writeBigUInt64BE(BigInt.asUintN(64, milliseconds), 0);
  bytes.writeBigUInt64BE(BigInt.asUintN(64, sequence), 8);
  return bytes.toString("latin1");
}

export const zeroStreamId: StreamIdBytes = "\0".repeat(16);

function word(id: StreamIdBytes, at: number): number {
  return (
    ((id.charCodeAt(at) << 24) |
      (id.charCodeAt(at + 1) << 16) |
      (id.charCodeAt(at + 2) << 8) |
      id.charCodeAt(at + 3)) >>>
    0
  );
}

/** Both parts are below 2^53: their top byte is 0, and the next one has five bits. */
export function isSafeStreamId(id: StreamIdBytes): boolean {
  return (
    id.charCodeAt(0) === 0 &&
    id.charCodeAt(1) < 0x20 &&
    id.charCodeAt(8) === 0 &&
    id.charCodeAt(9) < 0x20
  );
}

/** Exact up to 2^53 - 1; use `streamIdParts` when more is possible. */
export function streamIdMilliseconds(id: StreamIdBytes): number {
  return word(id, 0) * wordValues + word(id, 4);
}

/** Exact up to 2^53 - 1; use `streamIdParts` when more is possible. */
export function streamIdSequence(id: StreamIdBytes): number {
  return word(id, 8) * wordValues + word(id, 12);
}

export function streamIdParts(id: StreamIdBytes): { milliseconds: bigint; sequence: bigint } {
  return {
    milliseconds: (BigInt(word(id, 0)) << 32n) | BigInt(word(id, 4)),
    sequence: (BigInt(word(id, 8)) << 32n) | BigInt(word(id, 12)),
  };
}

/** As commands spell it: `1526919030474-55`. */
export function formatStreamId(id: StreamIdBytes): string {
  const { milliseconds, sequence } = streamIdParts(id);
  return `${milliseconds}-${sequence}`;
}
