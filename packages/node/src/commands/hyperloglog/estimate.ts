/**
 * How many distinct elements the registers stand for: the estimator of Otmar Ertl, "New cardinality
 * estimation algorithms for HyperLogLog sketches", arXiv:1702.01284, section 4, which Redis uses.
 * It needs only how many registers have which value.
 */
import { eachRun } from "./dense.js";
import {
  DENSE,
  DENSE_BYTES,
  ENCODING_AT,
  HEADER_BYTES,
  INDEX_BITS,
  REGISTER_COUNT,
  REGISTER_MAX,
} from "./layout.js";

/** Hash bits that are left for the values. */
const VALUE_BITS = 64 - INDEX_BITS;
/** 0.5 / ln 2. */
const ALPHA = 0.7213475204444817;

/** `undefined` if the runs of a sparse one do not cover all registers exactly. */
export function cardinality(bytes: Uint8Array): number | undefined {
  const histogram = new Int32Array(REGISTER_MAX + 1);
  if (bytes[ENCODING_AT] === DENSE) {
    countDense(bytes, histogram);
  } else {
    let covered = 0;
    const coverage = eachRun(bytes, (_, { value, length }) => {
      histogram[value] = (histogram[value] as number) + length;
      covered += length;
    });
    if (coverage !== "exact") return undefined;
    histogram[0] = REGISTER_COUNT - covered;
  }
  return estimate(histogram);
}

/** As `cardinality`, of registers in a byte each. */
export function cardinalityOfRegisters(registers: Uint8Array): number {
  const histogram = new Int32Array(REGISTER_MAX + 1);
  for (const value of registers) histogram[value]! += 1;
  return estimate(histogram);
}

/** Three bytes hold four registers. */
function countDense(bytes: Uint8Array, histogram: Int32Array): void {
  for (let at = HEADER_BYTES; at < DENSE_BYTES; at += 3) {
    const three =
      (bytes[at] as number) | ((bytes[at + 1] as number) << 8) | ((bytes[at + 2] as number) << 16);
    histogram[three & 63]! += 1;
    histogram[(three >> 6) & 63]! += 1;
    histogram[(three >> 12) & 63]! += 1;
    histogram[three >> 18]! += 1;
  }
}

function estimate(histogram: Int32Array): number {
  const m = REGISTER_COUNT;
  let z = m * tau((m - (histogram[VALUE_BITS + 1] as number)) / m);
  for (let value = VALUE_BITS; value >= 1; value -= 1) {
    z = (z + (histogram[value] as number)) * 0.5;
  }
  z += m * sigma((histogram[0] as number) / m);
  return Math.round((ALPHA * m * m) / z);
}

function sigma(share: number): number {
  if (share === 1) return Number.POSITIVE_INFINITY;
  let x = share;
  let y = 1;
  let z = share;
  let previous: number;
  do {
    x *= x;
    previous = z;
    z += x * y;
    y += y;
  } while (previous !== z);
  return z;
}

function tau(share: number): number {
  if (share === 0 || share === 1) return 0;
  let x = share;
  let y = 1;
  let z = 1 - share;
  let previous: number;
  do {
    x = Math.sqrt(x);
    previous = z;
    y *= 0.5;
    z -= (1 - x) ** 2 * y;
  } while (previous !== z);
  return z / 3;
}
