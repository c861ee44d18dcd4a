/**
 * A set of slots as a bitmap: 16384 bits, for stepping over empty tables without looking at them.
 */
import { SLOT_COUNT } from "./key-hash.js";

export class SlotSet {
  readonly #bits = new Uint32Array(SLOT_COUNT / 32);

  add(slot: number): void {
    this.#bits[slot >>> 5] = (this.#bits[slot >>> 5] as number) | (1 << (slot & 31));
  }

  remove(slot: number): void {
    this.#bits[slot >>> 5] = (this.#bits[slot >>> 5] as number) & ~(1 << (slot & 31));
  }

  /** The smallest member not below `slot`, or -1. */
  nextFrom(slot: number): number {
    if (slot >= SLOT_COUNT) return -1;
    let word = slot >>> 5;
    let bits = (this.#bits[word] as number) & (-1 << (slot & 31));
    while (bits === 0) {
      if (++word === this.#bits.length) return -1;
      bits = this.#bits[word] as number;
    }
    return word * 32 + (31 - Math.clz32(bits & -bits));
  }
}
