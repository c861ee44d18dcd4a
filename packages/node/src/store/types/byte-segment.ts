/**
 * A bounded piece of a `ByteTable`: the entries whose hash begins with one prefix, in hash order.
 *
 * Places and their order are those of `segment.ts`: an entry lives at its home, its hash scaled to
 * the places, or in the run behind it, always sorted by hash, and an empty place ends every search.
 * A place is two numbers, the hash and where the entry stands in the arena. When to grow, split or
 * merge is the table's business.
 */
import { EMPTY } from "../segment.js";
import type { ArenaPool } from "./arena-pool.js";
import { ByteEntries, encodedBytes } from "./byte-entries.js";

/** Holes that are not worth compacting. */
const HOLES_MIN = 1024;

/** Places behind the last home, for the last run. */
function overflowPlaces(places: number): number {
  return Math.min(24, 4 + (places >>> 4));
}

export interface SegmentShape {
  readonly depth: number;
  readonly width: number;
  readonly places: number;
  /** Bytes of the arena. */
  readonly capacity: number;
}

export class ByteSegment {
  /** Leading hash bits that all entries here share. */
  readonly depth: number;
  /** Texts per entry: a member, or a field and its value, or a member and its score. */
  readonly width: number;
  places: number;
  count = 0;
  /** Entries at which the table makes room before it inserts another. */
  growAt = 0;
  /** Hash and offset per place, and one more empty place. */
  slots: Int32Array;
  entries: ByteEntries;
  #homes: number;
  readonly #pool: ArenaPool;

  constructor(shape: SegmentShape, pool: ArenaPool) {
    const { depth, width, places, capacity } = shape;
    this.#pool = pool;
    this.depth = depth;
    this.width = width;
    this.places = places;
    this.#homes = Math.max(1, Math.min(65535, places - overflowPlaces(places)));
    this.slots = emptySlots(places, pool);
    this.entries = new ByteEntries(capacity, pool);
  }

  #home(hash: number): number {
    return Math.imul((hash << (this.depth + 1)) >>> 16, this.#homes) >>> 16;
  }

  /** Place of the entry, or `~place` where it would have to be inserted. */
  find(text: string, hash: number): number {
    const { slots, entries } = this;
    let place = this.#home(hash);
    while ((slots[2 * place] as number) < hash) place++;
    while (slots[2 * place] === hash) {
      if (entries.equals(slots[2 * place + 1] as number, text)) return place;
      place++;
    }
    return ~place;
  }

  /** First occupied place with a hash not below `hash`, or `places`. */
  firstPlace(hash: number): number {
    const { slots, places } = this;
    let place = this.#home(hash);
    for (; place < places; place++) {
      const at = slots[2 * place] as number;
      if (at !== EMPTY && at >= hash) return place;
    }
    return place;
  }

  /** False if the run at the place that `find` named has no room before the end. */
  hasRoomAt(place: number): boolean {
    return this.#gapFrom(place) < this.places;
  }

  /** Adds an entry at a place that has room. */
  insertAt(place: number, hash: number, text: string, value: string | number | undefined): void {
    const { slots, entries } = this;
    const gap = this.#gapFrom(place);
    slots.copyWithin(2 * place + 2, 2 * place, 2 * gap);
    slots[2 * place] = hash;
    slots[2 * place + 1] = entries.used;
    entries.append(text);
    if (typeof value === "number") entries.appendNumber(value);
    else if (value !== undefined) entries.append(value);
    this.count++;
  }

  /** The first text of an entry. */
  textAt(place: number): string {
    return this.entries.read(this.slots[2 * place + 1] as number);
  }

  /** The second text of an entry that has two. */
  valueAt(place: number): string {
    const { entries } = this;
    entries.skip(this.slots[2 * place + 1] as number);
    return entries.read(entries.end);
  }

  /** The number of an entry that has one. */
  numberAt(place: number): number {
    const { entries } = this;
    entries.skip(this.slots[2 * place + 1] as number);
    return entries.readNumber(entries.end);
  }

  setNumberAt(place: number, value: number): void {
    const { entries } = this;
    entries.skip(this.slots[2 * place + 1] as number);
    entries.overwriteNumber(entries.end, value);
  }

  /** Appends all texts of an entry; what is a number goes into `numbers`, if there is such. */
  readAt(place: number, into: (string | number)[], numbers?: number[]): void {
    const { entries } = this;
    into.push(entries.read(this.slots[2 * place + 1] as number));
    if (this.width === 1) return;
    if (numbers === undefined) into.push(entries.read(entries.end));
    else numbers.push(entries.readNumber(entries.end));
  }

  setValueAt(place: number, value: string): void {
    const { entries, slots } = this;
    const begin = slots[2 * place + 1] as number;
    entries.skip(begin);
    if (entries.overwrite(entries.end, value)) return;
    const text = entries.read(begin);
    this.#dropEntry(begin);
    slots[2 * place + 1] = entries.used;
    entries.append(text);
    entries.append(value);
    this.#compactIfSparse();
  }

  /** Empties a place, moving back those behind it that are not at home. */
  removeAt(place: number): void {
    const { slots } = this;
    this.#dropEntry(slots[2 * place + 1] as number);
    let hole = place;
    for (;;) {
      const hash = slots[2 * hole + 2] as number;
      if (hash === EMPTY || this.#home(hash) === hole + 1) break;
      slots[2 * hole] = hash;
      slots[2 * hole + 1] = slots[2 * hole + 3] as number;
      hole++;
    }
    slots[2 * hole] = EMPTY;
    this.count--;
    this.#compactIfSparse();
  }

  /**
   * Moves the entries from place `from` to before `to` into `target`, which holds only smaller
   * hashes. False if it has no room: it is then to be thrown away.
   */
  copyInto(target: ByteSegment, from: number, to: number): boolean {
    const { slots } = this;
    let free = target.#lastPlace() + 1;
    for (let place = from; place < to; place++) {
      const hash = slots[2 * place] as number;
      if (hash === EMPTY) continue;
      free = Math.max(free, target.#home(hash));
      if (free >= target.places) return false;
      const begin = slots[2 * place + 1] as number;
      target.slots[2 * free] = hash;
      target.slots[2 * free + 1] = target.entries.copyFrom(this.entries, begin, this.width);
      target.count++;
      free++;
    }
    return true;
  }

  copy(): ByteSegment {
    const { depth, width, places } = this;
    const copy = new ByteSegment({ depth, width, places, capacity: 0 }, this.#pool);
    copy.slots.set(this.slots);
    copy.entries = this.entries.copy();
    copy.count = this.count;
    copy.growAt = this.growAt;
    return copy;
  }

  /** Takes over the places of `other`, which has the same depth and is not used any more. */
  adopt(other: ByteSegment): void {
    this.release();
    this.places = other.places;
    this.#homes = other.#homes;
    this.slots = other.slots;
    this.entries = other.entries;
    this.count = other.count;
  }

  /** Lets go of the memory: whoever remembers a place here finds no entry. */
  release(): void {
    this.#pool.give(this.slots.buffer as ArrayBuffer);
    this.entries.release();
    this.slots = NO_SLOTS;
    this.places = 0;
    this.#homes = 1;
    this.count = 0;
  }

  /** Bytes of entries without holes. */
  get liveBytes(): number {
    return this.entries.used - this.entries.holes;
  }

  /** Bytes of everything: about 400 for the objects and the two buffers' headers. */
  get memoryBytes(): number {
    return 400 + 8 * this.places + this.entries.capacity + this.entries.longBytes;
  }

  /** What an entry will take. */
  static entryBytes(text: string, value: string | undefined): number {
    return encodedBytes(text) + (value === undefined ? 0 : encodedBytes(value));
  }

  #gapFrom(place: number): number {
    const { slots } = this;
    let gap = place;
    while (slots[2 * gap] !== EMPTY) gap++;
    return gap;
  }

  #dropEntry(begin: number): void {
    const { entries } = this;
    entries.drop(begin);
    if (this.width === 2) entries.drop(entries.end);
  }

  /** Writes the entries anew once holes are most of the arena. */
  #compactIfSparse(): void {
    const { entries, slots } = this;
    if (entries.holes < HOLES_MIN || entries.holes < entries.used >>> 1) return;
    const capacity = this.liveBytes + (this.liveBytes >>> 3);
    const compact = new ByteEntries(capacity, this.#pool);
    for (let at = 0; at < 2 * this.places; at += 2) {
      if (slots[at] === EMPTY) continue;
      slots[at + 1] = compact.copyFrom(entries, slots[at + 1] as number, this.width);
    }
    entries.release();
    this.entries = compact;
  }

  #lastPlace(): number {
    let place = this.count === 0 ? -1 : this.places - 1;
    while (place >= 0 && this.slots[2 * place] === EMPTY) place--;
    return place;
  }
}

/** No places, and the end of every search. */
const NO_SLOTS = new Int32Array([EMPTY, 0]);

function emptySlots(places: number, pool: ArenaPool): Int32Array {
  const length = 2 * places + 2;
  const slots = new Int32Array(pool.take(4 * length), 0, length);
  for (let at = 0; at < length; at += 2) slots[at] = EMPTY;
  return slots;
}
