/**
 * LZF, the compression inside RDB strings. A compressed string is a row of instructions: a control
 * byte below 32 announces that many plus one literal bytes; any other is a copy, its upper three
 * bits the length minus two (seven: one more byte follows with the rest), its lower five bits and
 * the byte after it the distance minus one. This file refuses input that would read or write
 * outside its buffers; it does not know where the lengths come from.
 */

import { RdbError } from "./format.js";

const literalRunMax = 32;
const distanceMax = 1 << 13;
/** Three bits of length hold at most 6, an extra byte adds 255, and two are implied, plus one. */
const copyLengthMax = 7 + 255 + 2;

/**
 * The most a compressed string can grow: a copy of `copyLengthMax` bytes takes three. A header that
 * claims more is false, and is refused before memory is taken for it.
 */
export const lzfExpansionMax = copyLengthMax / 3;

/** Decompresses `source` whole into exactly `length` bytes, or throws. */
export function lzfDecompress(source: Uint8Array, length: number): Buffer {
  if (length > source.length * lzfExpansionMax) {
    throw new RdbError("corrupt", `an LZF string of ${source.length} bytes claims ${length}`);
  }
  const target = Buffer.allocUnsafe(length);
  lzfDecompressInto(source, { start: 0, end: source.length }, target, length);
  return target;
}

/** The same of a part of `source`, into the first `length` bytes of `target`. */
export function lzfDecompressInto(
  source: Uint8Array,
  { start, end }: { readonly start: number; readonly end: number },
  target: Uint8Array,
  length: number,
): void {
  let from = start;
  let to = 0;
  while (from < end) {
    const control = source[from++] as number;
    if (control < literalRunMax) {
      const run = control + 1;
      if (from + run > end || to + run > length) throw broken();
      for (let index = 0; index < run; index++) target[to++] = source[from++] as number;
      continue;
    }
    let run = control >>> 5;
    if (run === 7) {
      if (from >= end) throw broken();
      run += source[from++] as number;
    }
    run += 2;
    if (from >= end) throw broken();
    let reference = to - (((control & 0x1f) << 8) | (source[from++] as number)) - 1;
    if (reference < 0 || to + run > length) throw broken();
    // Byte by byte on purpose: a copy may overlap what it writes, that is how runs are stored.
    for (let index = 0; index < run; index++) target[to++] = target[reference++] as number;
  }
  if (to !== length) throw broken();
}

function broken(): RdbError {
  return new RdbError("corrupt", "an LZF string does not decompress to the length it claims");
}

const hashBits = 14;

/**
 * Compresses strings one after another. The table of positions is shared by all of them and never
 * cleared: each call writes positions above `#base`, so what an earlier call left is seen as old.
 * Clearing 64 KiB for every 30-byte value would cost more than compressing it.
 */
export class LzfCompressor {
  readonly #positions = new Int32Array(1 << hashBits).fill(-1);
  #base = 0;
  #target: Buffer = Buffer.allocUnsafe(4096);

  /**
   * The compressed form of `source` if it takes at most `lengthMax` bytes, else `undefined`. The
   * result lies in memory that the next call uses again.
   */
  compress(source: Uint8Array, lengthMax: number): Buffer | undefined {
    if (source.length < 4 || lengthMax < 4) return undefined;
    if (this.#base > 0x7fff_ffff - source.length - distanceMax) {
      this.#positions.fill(-1);
      this.#base = 0;
    }
    if (this.#target.length < lengthMax) {
      this.#target = Buffer.allocUnsafe(Math.max(lengthMax, this.#target.length * 2));
    }
    const length = this.#run(source, lengthMax);
    this.#base += source.length;
    return length === 0 ? undefined : this.#target.subarray(0, length);
  }

  #run(source: Uint8Array, lengthMax: number): number {
    const target = this.#target;
    const positions = this.#positions;
    const base = this.#base;
    const end = source.length;
    let from = 0;
    let to = 1; // The control byte of the first literal run.
    let literals = 0;
    while (from < end - 2) {
      const a = source[from] as number;
      const b = source[from + 1] as number;
      const c = source[from + 2] as number;
      const slot = (Math.imul((a << 16) | (b << 8) | c, 0x9e3779b1) >>> (32 - hashBits)) | 0;
      const reference = (positions[slot] as number) - base;
      positions[slot] = base + from;
      const distance = from - reference - 1;
      if (
        reference >= 0 &&
        distance < distanceMax &&
        source[reference] === a &&
        source[reference + 1] === b &&
        source[reference + 2] === c
      ) {
        let run = 3;
        const runMax = Math.min(end - from, copyLengthMax);
        while (run < runMax && source[reference + run] === source[from + run]) run++;
        // Up to three bytes for the copy and one for the next control byte; an empty literal run
        // gives its control byte back.
        if (to + 4 > lengthMax) return 0;
        if (literals === 0) to--;
        else target[to - literals - 1] = literals - 1;
        literals = 0;
        const code = run - 2;
        if (code < 7) {
          target[to++] = (code << 5) | (distance >>> 8);
        } else {
          target[to++] = (7 << 5) | (distance >>> 8);
          target[to++] = code - 7;
        }
        target[to++] = distance & 0xff;
        to++;
        from += run;
        continue;
      }
      if (to >= lengthMax) return 0;
      target[to++] = a;
      from++;
      literals++;
      if (literals === literalRunMax) {
        target[to - literals - 1] = literals - 1;
        literals = 0;
        to++;
      }
    }
    while (from < end) {
      if (to >= lengthMax) return 0;
      target[to++] = source[from++] as number;
      literals++;
      if (literals === literalRunMax) {
        target[to - literals - 1] = literals - 1;
        literals = 0;
        to++;
      }
    }
    if (literals === 0) to--;
    else target[to - literals - 1] = literals - 1;
    return to;
  }
}
