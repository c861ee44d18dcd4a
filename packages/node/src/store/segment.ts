/**
 * A bounded piece of a key table: all keys whose hash begins with one prefix, kept in hash order.
 *
 * It is an array of places with gaps. A key's home is its hash scaled to the places; it lives there
 * or in the run of occupied places that begins at or before home, and places in use are always
 * sorted by hash. So a search is a short forward scan that one comparison per place ends (an empty
 * place compares greater than every hash), and growing, splitting and merging are plain passes in
 * order. Runs do not wrap: a few places behind the last home take what overflows.
 *
 * It owns the places and does no policy: when to grow, split or shrink is
 * the table's business. It refuses to overflow: `insertAt` returns -1 when there is no room.
 */

import type { EntryBatch } from "./entry-batch.js";
import { presizedArray } from "./presized-array.js";

/** Hash word of an empty place; greater than every hash. */
export const EMPTY = 0x7fffffff;

/**
 * Up to this many places there are no homes: the keys are a sorted list, searched from its start.
 * A tiny table wants every place usable, and at most 12 comparisons are as fast as homes.
 */
export const LIST_PLACES_MAX = 12;

/** No expiry: later than every time, so that one comparison decides. */
export const NEVER = Number.POSITIVE_INFINITY;

/** Meta word: bits 0-23 LRU clock or LFU, 24-27 encoding flag, 28-31 snapshot epoch. */
export const ACCESS_MASK = 0x00ffffff;
export const ENCODING_SHIFT = 24;
export const ENCODING_MASK = 0x0f000000;
export const EPOCH_SHIFT = 28;
export const EPOCH_MASK = 0xf0000000 | 0;

/** Places behind the last home. At 85% full a run overflows 16 places once in 250 tables. */
function overflowPlaces(places: number): number {
  return Math.min(24, 4 + (places >>> 4));
}

/**
 * Number of homes for so many places. Homes are 16-bit fractions; more places than that only occur
 * where keys share a hash prefix so long that splitting is refused; they then serve as overflow.
 */
export function homesFor(places: number): number {
  return places <= LIST_PLACES_MAX ? 1 : Math.min(65535, places - overflowPlaces(places));
}

function newEntries(places: number): unknown[] {
  // Filled at once so that V8 settles on one elements kind for all segments. One more empty place
  // ends every scan without a bounds check.
  const entries = presizedArray<unknown>(4 * places + 4, undefined);
  for (let at = 0; at < entries.length; at += 4) entries[at] = EMPTY;
  return entries;
}

export class Segment {
  /**
   * Four elements per place: hash (or `EMPTY`), meta word, key, value. V8 keeps 32-bit integers in
   * the array itself, so what a look-up needs lies in half a cache line. Typed arrays for the two
   * integers would save 8 bytes per place, and cost another two cache misses per look-up (measured
   * at 1 million keys over 16384 tables: a fifth slower), an allocation outside the heap per
   * growth, and 300 bytes per segment.
   */
  entries: unknown[];
  count = 0;
  places: number;
  /** Keys at which the table makes room before it inserts another. */
  growAt = 0;
  /** Homes; less than `places`. */
  #homes: number;
  /** Leading hash bits that all keys here share. */
  depth: number;
  constructor(depth: number, places: number) {
    this.depth = depth;
    this.places = places;
    this.#homes = homesFor(places);
    this.entries = newEntries(places);
  }

  #home(hash: number): number {
    return this.#homeAt(hash, this.depth);
  }

  #homeAt(hash: number, depth: number): number {
    // 16 bits behind the prefix, as a fraction of the homes.
    return Math.imul((hash << (depth + 1)) >>> 16, this.#homes) >>> 16;
  }

  /** Place of `key`, or `~place` where it would have to be inserted. */
  find(key: string, hash: number): number {
    const { entries } = this;
    let place = this.#home(hash);
    while ((entries[4 * place] as number) < hash) place++;
    while (entries[4 * place] === hash) {
      if (entries[4 * place + 2] === key) return place;
      place++;
    }
    return ~place;
  }

  /** The hash at a place, `EMPTY` if there is no key. */
  hashAt(place: number): number {
    return this.entries[4 * place] as number;
  }

  /** Appends the entry at a place. */
  collectAt(place: number, batch: EntryBatch): void {
    const { entries } = this;
    const at = 4 * place;
    batch.push(entries[at + 2] as string, entries[at + 3], NEVER, entries[at + 1] as number);
  }

  /** First occupied place with a hash not below `hash`, or `places`. */
  firstPlace(hash: number): number {
    const { entries } = this;
    let place = this.#home(hash);
    while (place < this.places) {
      const at = entries[4 * place] as number;
      if (at !== EMPTY && at >= hash) return place;
      place++;
    }
    return place;
  }

  /**
   * Puts a new key at the place that `find` named (not inverted), moving the rest of its run one
   * place on. False if the run has no room before the end: then nothing has changed.
   */
  insertAt(place: number, key: string, hash: number, value: unknown, meta: number): boolean {
    const { entries } = this;
    let gap = place;
    while ((entries[4 * gap] as number) !== EMPTY) gap++;
    if (gap >= this.places) return false;
    for (let to = 4 * gap; to > 4 * place; to -= 4) {
      entries[to] = entries[to - 4];
      entries[to + 1] = entries[to - 3];
      entries[to + 2] = entries[to - 2];
      entries[to + 3] = entries[to - 1];
    }
    entries[4 * place] = hash;
    entries[4 * place + 1] = meta;
    entries[4 * place + 2] = key;
    entries[4 * place + 3] = value;
    this.count++;
    return true;
  }

  /** Empties a place, moving back those behind it that are not at home. */
  removeAt(place: number): void {
    const { entries } = this;
    let hole = place;
    for (;;) {
      const next = hole + 1;
      const hash = entries[4 * next] as number;
      if (hash === EMPTY || this.#home(hash) === next) break;
      entries[4 * hole] = hash;
      entries[4 * hole + 1] = entries[4 * next + 1];
      entries[4 * hole + 2] = entries[4 * next + 2];
      entries[4 * hole + 3] = entries[4 * next + 3];
      hole = next;
    }
    entries[4 * hole] = EMPTY;
    entries[4 * hole + 2] = undefined;
    entries[4 * hole + 3] = undefined;
    this.count--;
  }

  /**
   * Moves everything of this segment from place `from` to before `to` into `target`, which is empty
   * or holds only smaller hashes, in order. False if `target` has no room: it is then to be thrown
   * away, this one is unchanged.
   */
  copyInto(target: Segment, from: number, to: number): boolean {
    const { entries } = this;
    let free = target.#lastPlace() + 1;
    for (let place = from; place < to; place++) {
      const hash = entries[4 * place] as number;
      if (hash === EMPTY) continue;
      const home = target.#home(hash);
      if (home > free) free = home;
      if (free >= target.places) return false;
      target.entries[4 * free] = hash;
      target.entries[4 * free + 1] = entries[4 * place + 1];
      target.entries[4 * free + 2] = entries[4 * place + 2];
      target.entries[4 * free + 3] = entries[4 * place + 3];
      target.count++;
      free++;
    }
    return true;
  }

  /** Lets go of everything, so that whoever remembers a place here finds no key. */
  retire(): void {
    this.entries = newEntries(0);
    this.count = 0;
    this.places = 0;
    this.#homes = 1;
  }

  /** Takes over the places of `other`, which has the same depth and is not used any more. */
  adopt(other: Segment): void {
    this.entries = other.entries;
    this.places = other.places;
    this.#homes = other.#homes;
    this.count = other.count;
  }

  /**
   * Bytes of the segment without keys and values: 6 fields of 8, the array and its elements'
   * header make 100; per place 32 of entries.
   */
  get overheadBytes(): number {
    return 100 + 32 * this.places;
  }

  #lastPlace(): number {
    let place = this.count === 0 ? -1 : this.places - 1;
    while (place >= 0 && this.entries[4 * place] === EMPTY) place--;
    return place;
  }
}
