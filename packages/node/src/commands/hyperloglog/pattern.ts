/**
 * Which register an element raises, and to what: MurmurHash64A of its bytes with Redis' seed. The
 * low 14 bits choose one of 16384 registers; the value is the position of the lowest set bit in the
 * other 50, counted from 1 (51 if there is none).
 *
 * 64-bit words are kept in two halves, since a BigInt per multiplication would cost ten times more.
 */
import { INDEX_BITS } from "./layout.js";

const SEED = 0xadc83b19;
/** Murmur's multiplier 0xc6a4a7935bd1e995. */
const M_HIGH = 0xc6a4a793;
const M_LOW = 0x5bd1e995;
/** Its shift of 47 takes the upper half's top bits to the lower half. */
const SHIFT = 47 - 32;

/** The upper 32 bits of the product of two unsigned 32-bit numbers. */
function productHigh(a: number, b: number): number {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  const first = aHigh * bLow + ((aLow * bLow) >>> 16);
  const second = aLow * bHigh + (first & 0xffff);
  return (aHigh * bHigh + (first >>> 16) + (second >>> 16)) | 0;
}

function lowestBit(word: number): number {
  return 31 - Math.clz32(word & -word);
}

/** Holds the results of the last `hash`, so that hashing allocates nothing. */
export class ElementPattern {
  register = 0;
  value = 0;
  /** The hash so far, and the word that is mixed in. */
  #high = 0;
  #low = 0;
  #wordHigh = 0;
  #wordLow = 0;

  hash(element: string): void {
    const { length } = element;
    const whole = length & ~7;
    this.#high = 0;
    this.#low = length;
    this.#multiply();
    this.#low ^= SEED;
    for (let at = 0; at < whole; at += 8) {
      this.#wordLow = wordAt(element, at, 4);
      this.#wordHigh = wordAt(element, at + 4, 4);
      this.#mixWord();
    }
    const left = length - whole;
    if (left > 0) {
      this.#low ^= wordAt(element, whole, Math.min(4, left));
      this.#high ^= left > 4 ? wordAt(element, whole + 4, left - 4) : 0;
      this.#multiply();
    }
    // The shift by 47 leaves nothing of the lower half.
    this.#low ^= this.#high >>> SHIFT;
    this.#multiply();
    this.#low ^= this.#high >>> SHIFT;
    this.#take();
  }

  #take(): void {
    const mask = (1 << INDEX_BITS) - 1;
    this.register = this.#low & mask;
    const low = (this.#low >>> INDEX_BITS) | (this.#high << (32 - INDEX_BITS));
    // A bit behind the last one, so that there always is one.
    const high = (this.#high >>> INDEX_BITS) | (1 << (32 - INDEX_BITS));
    this.value = low === 0 ? 33 + lowestBit(high) : 1 + lowestBit(low);
  }

  /** The hash times Murmur's multiplier. */
  #multiply(): void {
    const { low, high } = times(this.#high, this.#low);
    this.#low = low;
    this.#high = high;
  }

  #mixWord(): void {
    let { low, high } = times(this.#wordHigh, this.#wordLow);
    low ^= high >>> SHIFT;
    ({ low, high } = times(high, low));
    this.#low ^= low;
    this.#high ^= high;
    this.#multiply();
  }
}

/** V8 removes the object, since both uses are inlined. */
function times(high: number, low: number): { readonly high: number; readonly low: number } {
  return {
    high: (productHigh(low, M_LOW) + Math.imul(high, M_LOW) + Math.imul(low, M_HIGH)) | 0,
    low: Math.imul(low, M_LOW),
  };
}

/** `count` bytes from `at` on, the first one lowest. */
function wordAt(text: string, at: number, count: number): number {
  let word = 0;
  for (let index = 0; index < count; index += 1) word |= text.charCodeAt(at + index) << (8 * index);
  return word;
}
