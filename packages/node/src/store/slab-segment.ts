/**
 * A bounded piece of a keyspace table: the keys whose hash begins with one prefix, in hash order.
 *
 * Places and their order are those of `segment.ts`. A place is two words, the hash and the
 * reference of the key's entry in the slab, and the places are a block of the slab themselves: a
 * look-up reads one cache line here and one in the entry, and growing leaves no garbage. Beside
 * them are expiries, where some key has one. When to grow, split or merge is the table's business.
 */
import type { EntryBatch } from "./entry-batch.js";
import { EMPTY, homesFor, NEVER } from "./segment.js";
import type { Slab } from "./slab.js";
import { CHUNK_MASK, CHUNK_SHIFT, PAGE_WORDS } from "./slab-pages.js";
import type { Value } from "./value.js";

/** Places that are no block of the slab: they have an array of their own. */
const NO_BLOCK = -1;

/** Two words per place, and one more empty place that ends every search. */
function wordsFor(places: number): number {
  return 2 * places + 1;
}

export class SlabSegment {
  count = 0;
  places: number;
  /** Keys at which the table makes room before it inserts another. */
  growAt = 0;
  /** Leading hash bits that all keys here share. */
  depth: number;
  /** Per place, once any key here has had one: expiry in Unix ms, or `NEVER`. */
  expires: Float64Array | undefined = undefined;
  /** Keys here with an expiry. */
  volatileCount = 0;
  /** No key here expires before this time; it may be too early, never too late. */
  earliestExpiry = NEVER;
  /** Where the registry keeps this segment; see `segment-registry.ts`. */
  sizeClass = -1;
  sizeIndex = -1;
  volatileIndex = -1;
  readonly #slab: Slab;
  /** Homes; less than `places`. */
  #homes: number;
  /** The places begin at `#base` of `#words`: a chunk of the slab, or an array of their own. */
  #words: Int32Array;
  #base: number;
  /** Reference of the block, or `NO_BLOCK`; a number beyond 31 bits is rare. */
  #block: number;
  #hasBlock: boolean;

  constructor(slab: Slab, depth: number, places: number) {
    this.#slab = slab;
    this.depth = depth;
    this.places = places;
    this.#homes = homesFor(places);
    const length = wordsFor(places);
    this.#hasBlock = length <= PAGE_WORDS;
    if (this.#hasBlock) {
      this.#block = slab.pages.allocate(length);
      this.#words = slab.pages.words[this.#block >>> CHUNK_SHIFT] as Int32Array;
      this.#base = this.#block & CHUNK_MASK;
    } else {
      // Only hashes that share a long prefix come to this, which takes an attacker.
      this.#block = NO_BLOCK;
      this.#words = new Int32Array(length);
      this.#base = 0;
    }
    const end = this.#base + length;
    for (let at = this.#base; at < end; at += 2) this.#words[at] = EMPTY;
  }

  #homeAt(hash: number): number {
    // 16 bits behind the prefix, as a fraction of the homes.
    return Math.imul((hash << (this.depth + 1)) >>> 16, this.#homes) >>> 16;
  }

  /** Place of `key`, or `~place` where it would have to be inserted. */
  find(key: string, hash: number): number {
    const words = this.#words;
    const base = this.#base;
    let at = base + 2 * this.#homeAt(hash);
    while ((words[at] as number) < hash) at += 2;
    while (words[at] === hash) {
      if (this.#slab.isKey(words[at + 1] as number, key)) return (at - base) >> 1;
      at += 2;
    }
    return ~((at - base) >> 1);
  }

  /** The hash at a place, `EMPTY` if there is no key. */
  hashAt(place: number): number {
    return this.#words[this.#base + 2 * place] as number;
  }

  /** The entry of the key at a place. */
  referenceAt(place: number): number {
    return this.#words[this.#base + 2 * place + 1] as number;
  }

  keyAt(place: number): string {
    return this.#slab.key(this.referenceAt(place));
  }

  valueAt(place: number): Value {
    return this.#slab.value(this.referenceAt(place));
  }

  setValueAt(place: number, value: Value): void {
    const at = this.#base + 2 * place + 1;
    const before = this.#words[at] as number;
    const after = this.#slab.setValue(before, value);
    if (after !== before) this.#words[at] = after;
  }

  metaAt(place: number): number {
    return this.#slab.meta(this.referenceAt(place));
  }

  setMetaAt(place: number, meta: number): void {
    this.#slab.setMeta(this.referenceAt(place), meta);
  }

  /** First occupied place with a hash not below `hash`, or `places`. */
  firstPlace(hash: number): number {
    const words = this.#words;
    for (let place = this.#homeAt(hash); place < this.places; place++) {
      const at = words[this.#base + 2 * place] as number;
      if (at !== EMPTY && at >= hash) return place;
    }
    return this.places;
  }

  /**
   * Adds a new key at the place that `find` named (not inverted), moving the rest of its run one
   * place on. False if the run has no room before the end: then nothing has changed.
   */
  insertAt(place: number, key: string, hash: number, value: unknown, meta: number): boolean {
    const words = this.#words;
    const base = this.#base;
    let gap = place;
    while (words[base + 2 * gap] !== EMPTY) gap++;
    if (gap >= this.places) return false;
    const at = base + 2 * place;
    for (let to = base + 2 * gap; to > at; to -= 2) {
      words[to] = words[to - 2] as number;
      words[to + 1] = words[to - 1] as number;
    }
    if (this.expires !== undefined) {
      this.expires.copyWithin(place + 1, place, gap);
      this.expires[place] = NEVER;
    }
    words[at] = hash;
    words[at + 1] = this.#slab.add(key, value as Value, meta);
    this.count++;
    return true;
  }

  /** Removes the key at a place, moving back those behind it that are not at home. */
  removeAt(place: number): void {
    const words = this.#words;
    const base = this.#base;
    const { expires } = this;
    if (expires !== undefined && expires[place] !== NEVER) this.volatileCount--;
    this.#slab.remove(words[base + 2 * place + 1] as number);
    let hole = place;
    for (;;) {
      const next = hole + 1;
      const hash = words[base + 2 * next] as number;
      if (hash === EMPTY || this.#homeAt(hash) === next) break;
      words[base + 2 * hole] = hash;
      words[base + 2 * hole + 1] = words[base + 2 * next + 1] as number;
      if (expires !== undefined) expires[hole] = expires[next] as number;
      hole = next;
    }
    words[base + 2 * hole] = EMPTY;
    if (expires !== undefined) expires[hole] = NEVER;
    this.count--;
  }

  expireAt(place: number): number {
    return this.expires === undefined ? NEVER : (this.expires[place] as number);
  }

  /** Sets or, with `NEVER`, removes an expiry. The array stays until the next rebuild. */
  setExpireAt(place: number, at: number): void {
    if (this.expires === undefined) {
      if (at === NEVER) return;
      this.expires = new Float64Array(this.places).fill(NEVER);
    }
    const { expires } = this;
    const before = expires[place] as number;
    if (before === NEVER && at !== NEVER) this.volatileCount++;
    else if (before !== NEVER && at === NEVER) this.volatileCount--;
    expires[place] = at;
    if (at < this.earliestExpiry) this.earliestExpiry = at;
  }

  /** Appends the entry at a place. */
  collectAt(place: number, batch: EntryBatch): void {
    const reference = this.referenceAt(place);
    const slab = this.#slab;
    const value = batch.withValues ? slab.value(reference) : undefined;
    batch.push(slab.key(reference), value, this.expireAt(place), slab.meta(reference));
  }

  /** Appends up to `limit` entries that expire before `now`. */
  collectExpired(now: number, limit: number, batch: EntryBatch): void {
    const { expires } = this;
    if (expires === undefined) return;
    for (let place = 0; place < this.places && batch.length < limit; place++) {
      if ((expires[place] as number) < now) this.collectAt(place, batch);
    }
  }

  /** Recomputes the bound after expired keys have been removed. */
  refreshEarliestExpiry(): void {
    let earliest = NEVER;
    if (this.expires !== undefined) {
      for (const at of this.expires) if (at < earliest) earliest = at;
    }
    this.earliestExpiry = earliest;
  }

  /**
   * Puts everything of this segment from place `from` to before `to` into `target`, which is empty
   * or holds only smaller hashes, in order. False if `target` has no room: it is then to be
   * retired, this one is unchanged. Entries stay where they are, and belong to both until one goes.
   */
  copyInto(target: SlabSegment, from: number, to: number): boolean {
    const words = this.#words;
    const base = this.#base;
    const { expires } = this;
    const put = target.#words;
    let free = target.#lastPlace() + 1;
    for (let place = from; place < to; place++) {
      const hash = words[base + 2 * place] as number;
      if (hash === EMPTY) continue;
      const home = target.#homeAt(hash);
      if (home > free) free = home;
      if (free >= target.places) return false;
      put[target.#base + 2 * free] = hash;
      put[target.#base + 2 * free + 1] = words[base + 2 * place + 1] as number;
      if (expires !== undefined) {
        const at = expires[place] as number;
        if (at !== NEVER) target.setExpireAt(free, at);
      }
      target.count++;
      free++;
    }
    return true;
  }

  /** Lets go of the places, not of the entries: whoever remembers a place here finds no key. */
  retire(): void {
    this.#freeBlock();
    this.#words = NOWHERE;
    this.#base = 0;
    this.expires = undefined;
    this.count = 0;
    this.volatileCount = 0;
    this.places = 0;
    this.#homes = 1;
  }

  /** Lets go of the entries and the places. */
  release(): void {
    for (let place = 0; place < this.places; place++) {
      if (this.hashAt(place) !== EMPTY) this.#slab.remove(this.referenceAt(place));
    }
    this.retire();
  }

  /** Takes over the places of `other`, which has the same depth and is not used any more. */
  adopt(other: SlabSegment): void {
    this.#freeBlock();
    this.#words = other.#words;
    this.#base = other.#base;
    this.#block = other.#block;
    this.#hasBlock = other.#hasBlock;
    this.#homes = other.#homes;
    this.expires = other.expires;
    this.places = other.places;
    this.volatileCount = other.volatileCount;
    this.earliestExpiry = other.earliestExpiry;
    this.count = other.count;
  }

  /** Bytes without entries: 17 fields of 8, a boxed double; per place 8, and 8 of expiry. */
  get overheadBytes(): number {
    return 170 + this.places * (this.expires === undefined ? 8 : 16);
  }

  #freeBlock(): void {
    if (this.#hasBlock) this.#slab.pages.free(this.#block, wordsFor(this.places));
    this.#hasBlock = false;
  }

  #lastPlace(): number {
    let place = this.count === 0 ? -1 : this.places - 1;
    while (place >= 0 && this.hashAt(place) === EMPTY) place--;
    return place;
  }
}

const NOWHERE = new Int32Array([EMPTY]);
