/**
 * A small, fast, seeded generator for choices that need no secrecy: RANDOMKEY, SPOP, eviction
 * samples, LFU counters. The same seed gives the same choices. Not for ids, seeds or passwords.
 */

export class FastRandom {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 0;
  }

  /** A non-negative integer below 2^31 (mulberry32's mixing, its top 31 bits). */
  next31(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 1;
  }

  /** An integer from 0 to `bound - 1`; `bound` up to 2^31. Biased by at most `bound` in 2^31. */
  below(bound: number): number {
    return Math.floor((this.next31() / 0x80000000) * bound);
  }
}
