/** Registers in 6 bits each, lowest bits first, and the way from sparse to dense. */
import type { ByteString } from "../../store/byte-string.js";
import {
  DENSE,
  DENSE_BYTES,
  ENCODING_AT,
  HEADER_BYTES,
  readRun,
  REGISTER_BITS,
  REGISTER_COUNT,
  REGISTER_MAX,
  type Run,
} from "./layout.js";

export function getDense(bytes: Uint8Array, register: number): number {
  const bit = register * REGISTER_BITS;
  const at = HEADER_BYTES + (bit >> 3);
  const shift = bit & 7;
  // The last register ends with its byte: what is behind it does not matter.
  const next = at + 1 < bytes.length ? (bytes[at + 1] as number) : 0;
  return (((bytes[at] as number) | (next << 8)) >> shift) & REGISTER_MAX;
}

export function setDense(bytes: Uint8Array, register: number, value: number): void {
  const bit = register * REGISTER_BITS;
  const at = HEADER_BYTES + (bit >> 3);
  const shift = bit & 7;
  const mask = REGISTER_MAX << shift;
  const shifted = value << shift;
  bytes[at] = ((bytes[at] as number) & ~mask) | shifted;
  if (mask > 0xff) bytes[at + 1] = ((bytes[at + 1] as number) & ~(mask >> 8)) | (shifted >> 8);
}

/** Raises a register; false if it is as high already. */
export function raiseDense(bytes: ByteString, register: number, value: number): boolean {
  const memory = bytes.writable(DENSE_BYTES);
  if (value <= getDense(memory, register)) return false;
  setDense(memory, register, value);
  return true;
}

/** Makes a sparse one dense; false if its runs do not cover all registers. */
export function makeDense(bytes: ByteString): boolean {
  if (bytes.byteAt(ENCODING_AT) === DENSE) return true;
  const sparse = bytes.view();
  const dense = Buffer.alloc(DENSE_BYTES);
  sparse.copy(dense, 0, 0, HEADER_BYTES);
  dense[ENCODING_AT] = DENSE;
  const coverage = eachRun(sparse, (from, { value, length }) => {
    for (let index = 0; index < length; index += 1) setDense(dense, from + index, value);
  });
  if (coverage === "wrong") return false;
  dense.copy(bytes.writable(DENSE_BYTES));
  bytes.length = DENSE_BYTES;
  return true;
}

/**
 * How the runs fit: `exact`, or `overrun` if values follow behind the last register, which Redis
 * overlooks where it reads values and minds where it counts, or `wrong`.
 */
export type Coverage = "exact" | "overrun" | "wrong";

/**
 * Visits the runs of values of a sparse one; what is wrong may be known only after some of them.
 */
export function eachRun(sparse: Uint8Array, visit: (from: number, run: Run) => void): Coverage {
  const run: Run = { value: 0, length: 0, bytes: 0 };
  let register = 0;
  for (let at = HEADER_BYTES; at < sparse.length; at += run.bytes) {
    readRun(sparse, at, sparse.length, run);
    if (run.value > 0) {
      if (register + run.length > REGISTER_COUNT) {
        return register === REGISTER_COUNT ? "overrun" : "wrong";
      }
      visit(register, run);
    }
    register += run.length;
  }
  return register === REGISTER_COUNT ? "exact" : "wrong";
}
