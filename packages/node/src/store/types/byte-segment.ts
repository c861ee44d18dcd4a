/**
 * A bounded piece of a `ByteTable`: the entries whose hash begins with one prefix, in hash order.
 *
 * Places and their order are those of `segment.ts`: an entry lives at its home, its hash scaled to
 * the places, or in the run behind it, always sorted by hash, and an empty place ends every search.
 * A place is two numbers, the hash and where the entry is. When to grow, split or merge is the
 * table's business.
 */
import { EMPTY } from "../segment.js";
import { blockWords, CHUNK_MASK, CHUNK_SHIFT, PAGE_WORDS, type SlabPages } from "../slab-pages.js";
import type { BlockAccount } from "./block-memory.js";
import { ByteEntries } from "./byte-entries.js";

/** Holes that are not worth compacting. */
const HOLES_MIN = 1024;

/** Places behind the last home, for the last run. */
function overflowPlaces(places: number): number {
  return Math.min(24, 4 + (places >>> 4));
}

export interface SegmentShape {
  readonly depth: number;
  readonly width: number;
  /** At least so many. */
  readonly places: number;
  /** Bytes of entries that are going to come. */
  readonly expected: number;
}

export class ByteSegment {
  /** Leading hash bits that all entries here share. */
  readonly depth: number;
  /** Texts per entry: a member, or a field and its value, or a member and its score. */
  readonly width: number;
  places: number;
  count = 0;
  /** Tables that have it: one that is going to change it takes a copy while there are others. */
  owners = 1;
  /** Entries at which the table makes room before it inserts another. */
  growAt = 0;
  entries: ByteEntries;
  /** Hash and offset per place from `#base` on, and one more empty place. */
  #slots: Int32Array = NO_SLOTS;
  #base = 0;
  #homes: number;
  /** The block of `#slots`; `undefined` if they are too many for one, or given up. */
  #block: number | undefined = undefined;
  #slab: SlabPages;
  readonly #account: BlockAccount;

  constructor(shape: SegmentShape, account: BlockAccount) {
    const { depth, width, expected } = shape;
    this.#account = account;
    this.#slab = account.memory.openSlab();
    this.depth = depth;
    this.width = width;
    this.places = this.#makeSlots(shape.places);
    this.#homes = Math.max(1, Math.min(65535, this.places - overflowPlaces(this.places)));
    this.entries = new ByteEntries(expected, this.#slab, account);
  }

  #home(hash: number): number {
    return Math.imul((hash << (this.depth + 1)) >>> 16, this.#homes) >>> 16;
  }

  /** Empty places: as many as asked for, and what else its block has room for. */
  #makeSlots(wanted: number): number {
    const needed = 2 * wanted + 2;
    const isBlock = needed <= PAGE_WORDS;
    const words = isBlock ? blockWords(needed) & ~1 : needed;
    if (isBlock) {
      this.#block = this.#account.allocate(this.#slab, words);
      this.#slots = this.#slab.words[this.#block >>> CHUNK_SHIFT] as Int32Array;
      this.#base = this.#block & CHUNK_MASK;
    } else {
      this.#slots = new Int32Array(words);
      this.#account.bytes += 4 * words;
    }
    const end = this.#base + words;
    for (let at = this.#base; at < end; at += 2) this.#slots[at] = EMPTY;
    return (words >>> 1) - 1;
  }

  #releaseSlots(): void {
    const words = 2 * this.places + 2;
    if (this.#block !== undefined) this.#account.free(this.#slab, this.#block, words);
    else if (this.#slots !== NO_SLOTS) this.#account.bytes -= 4 * words;
    this.#block = undefined;
    this.#slots = NO_SLOTS;
    this.#base = 0;
  }

  /** The hash of the entry at a place, `EMPTY` if there is none. */
  hashAt(place: number): number {
    return this.#slots[this.#base + 2 * place] as number;
  }

  /** Where the entry at a place is in `entries`. */
  offsetAt(place: number): number {
    return this.#slots[this.#base + 2 * place + 1] as number;
  }

  #put(place: number, hash: number, offset: number): void {
    this.#slots[this.#base + 2 * place] = hash;
    this.#slots[this.#base + 2 * place + 1] = offset;
  }

  /** Place of the entry, or `~place` where it would have to be inserted. */
  find(text: string, hash: number): number {
    const { entries } = this;
    const slots = this.#slots;
    const base = this.#base;
    let at = base + 2 * this.#home(hash);
    while ((slots[at] as number) < hash) at += 2;
    while (slots[at] === hash) {
      if (entries.equals(slots[at + 1] as number, text)) return (at - base) >>> 1;
      at += 2;
    }
    return ~((at - base) >>> 1);
  }

  /** First occupied place with a hash not below `hash`, or `places`. */
  firstPlace(hash: number): number {
    const { places } = this;
    let place = this.#home(hash);
    for (; place < places; place++) {
      const found = this.hashAt(place);
      if (found !== EMPTY && found >= hash) return place;
    }
    return place;
  }

  /** False if the run at the place that `find` named has no room before the end. */
  hasRoomAt(place: number): boolean {
    return this.#gapFrom(place) < this.places;
  }

  /** Adds an entry at a place that has room. */
  insertAt(place: number, hash: number, text: string, value: string | number | undefined): void {
    const base = this.#base;
    const gap = this.#gapFrom(place);
    if (gap > place) {
      this.#slots.copyWithin(base + 2 * place + 2, base + 2 * place, base + 2 * gap);
    }
    this.#put(place, hash, this.entries.append(text, value));
    this.count++;
  }

  /** The first text of an entry. */
  textAt(place: number): string {
    return this.entries.read(this.offsetAt(place));
  }

  /** The second text of an entry that has two. */
  valueAt(place: number): string {
    const { entries } = this;
    entries.skip(this.offsetAt(place));
    return entries.read(entries.end);
  }

  /** The number of an entry that has one. */
  numberAt(place: number): number {
    const { entries } = this;
    entries.skip(this.offsetAt(place));
    return entries.readNumber(entries.end);
  }

  setNumberAt(place: number, value: number): void {
    const { entries } = this;
    entries.skip(this.offsetAt(place));
    entries.overwriteNumber(entries.end, value);
  }

  /** Appends all texts of an entry; what is a number goes into `numbers`, if there is such. */
  readAt(place: number, into: (string | number)[], numbers?: number[]): void {
    const { entries } = this;
    into.push(entries.read(this.offsetAt(place)));
    if (this.width === 1) return;
    if (numbers === undefined) into.push(entries.read(entries.end));
    else numbers.push(entries.readNumber(entries.end));
  }

  setValueAt(place: number, value: string): void {
    const { entries } = this;
    const begin = this.offsetAt(place);
    entries.skip(begin);
    if (entries.overwrite(entries.end, value)) return;
    const text = entries.read(begin);
    this.#dropEntry(begin);
    this.#put(place, this.hashAt(place), entries.append(text, value));
    this.#compactIfSparse();
  }

  /** Empties a place, moving back those behind it that are not at home. */
  removeAt(place: number): void {
    this.#dropEntry(this.offsetAt(place));
    let hole = place;
    for (;;) {
      const hash = this.hashAt(hole + 1);
      if (hash === EMPTY || this.#home(hash) === hole + 1) break;
      this.#put(hole, hash, this.offsetAt(hole + 1));
      hole++;
    }
    this.#put(hole, EMPTY, 0);
    this.count--;
    this.#compactIfSparse();
  }

  /**
   * Moves the entries from place `from` to before `to` into `target`, which holds only smaller
   * hashes. False if it has no room: it is then to be thrown away.
   */
  copyInto(target: ByteSegment, from: number, to: number): boolean {
    let free = target.#lastPlace() + 1;
    for (let place = from; place < to; place++) {
      const hash = this.hashAt(place);
      if (hash === EMPTY) continue;
      free = Math.max(free, target.#home(hash));
      if (free >= target.places) return false;
      const offset = target.entries.copyFrom(this.entries, this.offsetAt(place), this.width);
      target.#put(free, hash, offset);
      target.count++;
      free++;
    }
    return true;
  }

  /** Of the same entries at the same places. */
  copy(account: BlockAccount): ByteSegment {
    const { depth, width, places } = this;
    const copy = new ByteSegment({ depth, width, places, expected: 0 }, account);
    const from = this.#base;
    copy.#slots.set(this.#slots.subarray(from, from + 2 * places + 2), copy.#base);
    copy.entries = this.entries.copy(copy.#slab, account);
    copy.count = this.count;
    copy.growAt = this.growAt;
    return copy;
  }

  /** Takes over the places of `other`, which has the same depth and is not used any more. */
  adopt(other: ByteSegment): void {
    this.release();
    this.places = other.places;
    this.entries = other.entries;
    this.#homes = other.#homes;
    this.#slots = other.#slots;
    this.#base = other.#base;
    this.#block = other.#block;
    this.#slab = other.#slab;
    this.count = other.count;
  }

  /** One owner less. Without any there is no memory, and who remembers a place finds no entry. */
  release(): void {
    if (this.owners > 1) {
      this.owners--;
      return;
    }
    this.#releaseSlots();
    this.entries.release();
    this.places = 0;
    this.#homes = 1;
    this.count = 0;
  }

  /** Bytes of entries without holes. */
  get liveBytes(): number {
    return this.entries.used - this.entries.holes;
  }

  #gapFrom(place: number): number {
    let gap = place;
    while (this.hashAt(gap) !== EMPTY) gap++;
    return gap;
  }

  #dropEntry(begin: number): void {
    const { entries } = this;
    entries.drop(begin);
    if (this.width === 2) entries.drop(entries.end);
  }

  /** Writes the entries anew once holes are most of the arena. */
  #compactIfSparse(): void {
    const { entries } = this;
    if (entries.holes < HOLES_MIN || entries.holes < entries.used >>> 1) return;
    const expected = this.liveBytes + (this.liveBytes >>> 3);
    const compact = new ByteEntries(expected, this.#slab, this.#account);
    for (let place = 0; place < this.places; place++) {
      const hash = this.hashAt(place);
      if (hash === EMPTY) continue;
      this.#put(place, hash, compact.copyFrom(entries, this.offsetAt(place), this.width));
    }
    entries.release();
    this.entries = compact;
  }

  #lastPlace(): number {
    let place = this.count === 0 ? -1 : this.places - 1;
    while (place >= 0 && this.hashAt(place) === EMPTY) place--;
    return place;
  }
}

/** No places, and the end of every search. */
const NO_SLOTS = new Int32Array([EMPTY, 0]);
