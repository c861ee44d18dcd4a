/**
 * A hash table for any number of keys that never does more than a bounded piece of work at once:
 * extendible hashing. The leading bits of a key's hash choose a segment through the directory; a
 * segment that is full splits in two, a directory that is too coarse doubles (a copy of pointers,
 * one per some thousand keys). There is no second table and no allocation larger than a segment.
 *
 * Hash order is the order of everything: segments are ranges of hashes and sorted inside, so a scan
 * is a position in hash order that no growing or shrinking moves: it returns every key that is
 * present from its begin to its end exactly once.
 *
 * It serves the keyspace (`keyspace-table.ts`) and tables of values (`key-table.ts`) alike, which
 * differ in how a segment keeps its keys. It does not know what values are, does not expire, and
 * trusts the caller's hash (see `key-hash.ts`).
 */
import type { EntryBatch } from "./entry-batch.js";
import { HASH_BITS } from "./key-hash.js";
import { presizedArray } from "./presized-array.js";
import type { FastRandom } from "./random.js";
import { EMPTY, LIST_PLACES_MAX } from "./segment.js";

/** Places of a table's first segment. */
const PLACES_FIRST = 4;

/**
 * Places of a segment that splits when it is full instead of growing: from 980 to 1619, different
 * from segment to segment. All segments of a table fill at the same pace, and with one size all
 * would split in the same turn. Splitting about 1,000 keys takes 20-50 µs; smaller segments would
 * only make directories larger.
 */
const PLACES_SPLIT_MIN = 980;
const PLACES_SPLIT_SPREAD = 640;

/** Buddies merge when the result is well below every split threshold. */
const MERGE_AT_MAX = 384;

/**
 * A directory has at most this many times as many entries as segments (random hashes stay below 8).
 * Beyond it keys share long hash prefixes, which takes an attacker who knows the seed: then a
 * segment grows instead of splitting.
 */
const DIRECTORY_SLACK_MAX = 16;

/**
 * No segment has more places, unless keys share a long prefix or hashes are very uneven.
 * `pickPlace` needs it to weigh segments.
 */
const PLACES_MAX = 1664;

/** Tries of `pickPlace` before any key will do; about one in five succeeds. */
const RANDOM_TRIES_MAX = 2000;

/** What a table wants of its segments; `S` is the segment itself. */
export interface TableSegment<S> {
  count: number;
  readonly places: number;
  growAt: number;
  depth: number;
  hashAt(place: number): number;
  find(key: string, hash: number): number;
  firstPlace(hash: number): number;
  insertAt(place: number, key: string, hash: number, value: unknown, meta: number): boolean;
  removeAt(place: number): void;
  collectAt(place: number, batch: EntryBatch): void;
  copyInto(target: S, from: number, to: number): boolean;
  adopt(other: S): void;
  retire(): void;
  readonly overheadBytes: number;
}

/** Who makes a table's segments and hears what becomes of them. */
export interface SegmentKeeper<S> {
  make(depth: number, places: number): S;
  /** A segment is new, or its places have changed. */
  update(segment: S): void;
  /** A key was removed. */
  updateVolatile(segment: S): void;
  remove(segment: S): void;
}

export class HashTable<S extends TableSegment<S>> {
  /** Keys. */
  size = 0;
  /** Counts insertions and removals: unchanged means that places found are still right. */
  changes = 0;
  /** Where `insert` and `pickPlace` left the key. */
  atSegment: S;
  atPlace = 0;
  /** The only segment while there is no second one: a short cut past the directory. */
  root: S | undefined;
  /** The cluster slot, for the keyspace's tables; others may pass anything. */
  readonly slot: number;
  /** Leading hash bits that index the directory. */
  #depth = 0;
  #directory: S[];
  #segmentCount = 1;
  /** Segments that need the directory to be as deep as it is. */
  #deepestCount = 1;
  /** How full segments of this table get before they grow, in 1/1024. */
  readonly #fullness: number;
  readonly #keeper: SegmentKeeper<S>;

  constructor(slot: number, keeper: SegmentKeeper<S>) {
    this.slot = slot;
    this.#keeper = keeper;
    // From 78% to 90%: tables of different slots that fill at the same pace grow in different
    // turns. The multiplier spreads neighbouring slots over the range.
    this.#fullness = 800 + ((Math.imul(slot + 1, 0x9e3779b1) >>> 25) & 127);
    const first = keeper.make(0, PLACES_FIRST);
    this.#setGrowAt(first);
    this.#directory = [first];
    this.root = first;
    this.atSegment = first;
    keeper.update(first);
  }

  segmentFor(hash: number): S {
    return this.#directory[hash >>> (HASH_BITS - this.#depth)] as S;
  }

  /** Adds a key that is not there; leaves it in `atSegment` and `atPlace`. */
  insert(key: string, hash: number, value: unknown, meta: number): void {
    let segment = this.segmentFor(hash);
    while (segment.count >= segment.growAt) segment = this.#makeRoom(segment, hash);
    let place = ~segment.find(key, hash);
    while (!segment.insertAt(place, key, hash, value, meta)) {
      segment = this.#makeRoom(segment, hash);
      place = ~segment.find(key, hash);
    }
    this.size++;
    this.changes++;
    this.atSegment = segment;
    this.atPlace = place;
  }

  /** Removes what is at a place of one of this table's segments. */
  removeAt(segment: S, place: number): void {
    const hash = segment.hashAt(place);
    segment.removeAt(place);
    this.size--;
    this.changes++;
    this.#keeper.updateVolatile(segment);
    const shrinkAt = segment.places <= LIST_PLACES_MAX ? 2 : segment.places >>> 2;
    if (segment.count <= shrinkAt) this.#shrink(segment, hash);
  }

  /**
   * Appends to `batch` what follows in hash order, beginning with hash `from`: `count` entries, and
   * those that share the last one's hash. Returns where to go on, or -1 at the end.
   */
  collect(from: number, count: number, batch: EntryBatch): number {
    let hash = from;
    let left = count;
    for (;;) {
      const segment = this.segmentFor(hash);
      let last = -1;
      for (let place = segment.firstPlace(hash); place < segment.places; place++) {
        const at = segment.hashAt(place);
        if (at === EMPTY) continue;
        if (left <= 0 && at !== last) return at;
        segment.collectAt(place, batch);
        last = at;
        left--;
      }
      hash = this.#endOf(segment, hash);
      if (hash < 0 || left <= 0) return hash;
    }
  }

  /**
   * Chooses a key such that each is equally likely and leaves it in `atSegment` and `atPlace`;
   * false if there is none. A random hash prefix finds a segment in proportion to the range it
   * covers; it is accepted in proportion to its places for that range, then a place is drawn.
   */
  pickPlace(random: FastRandom): boolean {
    if (this.size === 0) return false;
    for (let tries = 0; tries < RANDOM_TRIES_MAX; tries++) {
      const segment = this.#directory[random.below(this.#directory.length)] as S;
      let limit = segment.places;
      if (this.#directory.length > 1) limit = PLACES_MAX << (this.#depth - segment.depth);
      const place = random.below(limit);
      if (place < segment.places && segment.hashAt(place) !== EMPTY) {
        this.atSegment = segment;
        this.atPlace = place;
        return true;
      }
    }
    return this.#pickFirst(random.below(this.#directory.length));
  }

  /** All segments, in hash order. */
  *segments(): Generator<S> {
    for (let index = 0; index < this.#directory.length; ) {
      const segment = this.#directory[index] as S;
      yield segment;
      index += 1 << (this.#depth - segment.depth);
    }
  }

  /** Removes the table's segments from its registry: it leaves the keyspace. */
  unregister(): void {
    for (const segment of this.segments()) this.#keeper.remove(segment);
  }

  /** Bytes of the table itself, without keys and values. */
  get overheadBytes(): number {
    let bytes = 120 + 8 * this.#directory.length;
    for (const segment of this.segments()) bytes += segment.overheadBytes;
    return bytes;
  }

  /** First hash behind the range of a segment that contains `hash`, or -1 behind the last one. */
  #endOf(segment: S, hash: number): number {
    const shift = HASH_BITS - segment.depth;
    const next = (hash >>> shift) + 1;
    return next === 1 << segment.depth ? -1 : next << shift;
  }

  #pickFirst(start: number): boolean {
    for (let index = 0; index < this.#directory.length; index++) {
      const segment = this.#directory[(start + index) % this.#directory.length] as S;
      if (segment.count === 0) continue;
      let place = 0;
      while (segment.hashAt(place) === EMPTY) place++;
      this.atSegment = segment;
      this.atPlace = place;
      return true;
    }
    return false;
  }

  #setGrowAt(segment: S): void {
    segment.growAt =
      segment.places <= LIST_PLACES_MAX ? segment.places : (segment.places * this.#fullness) >>> 10;
  }

  /** Grows or splits the segment in which `hash` finds no room; returns the one to try next. */
  #makeRoom(segment: S, hash: number): S {
    const { places, count } = segment;
    const fullPlaces = this.#fullPlaces(hash, segment.depth);
    // Half full is too early to split: a run of uneven hashes has reached the end.
    if (places >= fullPlaces && count >= places >>> 1 && this.#maySplit(segment)) {
      this.#split(segment, hash);
      return this.segmentFor(hash);
    }
    // A list of up to 12 places grows by four, to fill whole cache lines.
    if (places < LIST_PLACES_MAX) this.#rebuild(segment, Math.min(places + 4, LIST_PLACES_MAX));
    else if (places >= fullPlaces) this.#rebuild(segment, places + (places >>> 2));
    else this.#rebuild(segment, Math.min(grownPlaces(places), fullPlaces));
    return segment;
  }

  /** Places at which the segment of this hash and depth stops growing and will split. */
  #fullPlaces(hash: number, depth: number): number {
    const prefix = hash >>> (HASH_BITS - depth);
    const mixed = Math.imul(prefix * 2 + depth + this.slot, 0x85ebca6b) >>> 16;
    return PLACES_SPLIT_MIN + (mixed % PLACES_SPLIT_SPREAD);
  }

  /** Gives a segment so many places, or a few more if its keys do not fit. */
  #rebuild(segment: S, places: number): void {
    segment.adopt(this.#copyOf(segment, 0, segment.places, segment.depth, places));
    this.#setGrowAt(segment);
    this.#keeper.update(segment);
  }

  #copyOf(source: S, from: number, to: number, depth: number, places: number): S {
    for (let wanted = places; ; wanted += 4 + (wanted >>> 3)) {
      const target = this.#keeper.make(depth, wanted);
      if (source.copyInto(target, from, to)) return target;
      target.retire();
    }
  }

  #maySplit(segment: S): boolean {
    if (segment.depth < this.#depth) return true;
    return 2 ** (this.#depth + 1) <= DIRECTORY_SLACK_MAX * (this.#segmentCount + 1);
  }

  /** The upper half moves to a new segment; both halves get the places they need for now. */
  #split(segment: S, hash: number): void {
    if (segment.depth === this.#depth) this.#doubleDirectory();
    const depth = segment.depth + 1;
    const shift = HASH_BITS - depth;
    const middle = ((hash >>> shift) | 1) << shift;
    const cut = segment.firstPlace(middle);
    const half = roomFor(segment.count >>> 1);
    const high = this.#copyOf(segment, cut, segment.places, depth, half);
    const low = this.#copyOf(segment, 0, cut, depth, half);
    segment.adopt(low);
    segment.depth = depth;
    for (const part of [segment, high]) {
      this.#setGrowAt(part);
      this.#keeper.update(part);
    }
    const span = 1 << (this.#depth - depth);
    const base = (hash >>> (HASH_BITS - this.#depth)) & ~(2 * span - 1);
    this.#directory.fill(high, base + span, base + 2 * span);
    this.#segmentCount++;
    if (depth === this.#depth) this.#deepestCount += 2;
  }

  #doubleDirectory(): void {
    const old = this.#directory;
    const directory = presizedArray(2 * old.length, old[0] as S);
    for (let index = 0; index < old.length; index++) {
      directory[2 * index] = old[index] as S;
      directory[2 * index + 1] = old[index] as S;
    }
    this.#directory = directory;
    this.root = undefined;
    this.#depth++;
    this.#deepestCount = 0;
  }

  /** Gives back memory of a sparse segment: merges it with its buddy or rebuilds it. */
  #shrink(sparse: S, hash: number): void {
    let segment = sparse;
    while (segment.depth > 0) {
      const buddy = this.segmentFor(hash ^ (1 << (HASH_BITS - segment.depth)));
      if (buddy.depth !== segment.depth || buddy.count + segment.count > MERGE_AT_MAX) break;
      segment = this.#merge(segment, buddy, hash);
    }
    if (segment !== sparse) return;
    const places = Math.max(PLACES_FIRST, roomFor(segment.count));
    if (places < segment.places >>> 1) this.#rebuild(segment, places);
  }

  #merge(segment: S, buddy: S, hash: number): S {
    const bit = 1 << (HASH_BITS - segment.depth);
    const low = (hash & bit) === 0 ? segment : buddy;
    const high = low === segment ? buddy : segment;
    const depth = segment.depth - 1;
    let places = roomFor(low.count + high.count);
    let merged = this.#keeper.make(depth, places);
    while (!low.copyInto(merged, 0, low.places) || !high.copyInto(merged, 0, high.places)) {
      places += 4 + (places >>> 3);
      merged.retire();
      merged = this.#keeper.make(depth, places);
    }
    this.#setGrowAt(merged);
    const span = 1 << (this.#depth - depth);
    const base = (hash >>> (HASH_BITS - this.#depth)) & ~(span - 1);
    this.#directory.fill(merged, base, base + span);
    this.#keeper.remove(low);
    this.#keeper.remove(high);
    low.retire();
    high.retire();
    this.#keeper.update(merged);
    this.#segmentCount--;
    if (depth + 1 === this.#depth) {
      this.#deepestCount -= 2;
      while (this.#depth > 0 && this.#deepestCount === 0) this.#halveDirectory();
    }
    return merged;
  }

  #halveDirectory(): void {
    const half = this.#directory.length >>> 1;
    const directory = presizedArray(half, this.#directory[0] as S);
    this.#depth--;
    for (let index = 0; index < half; index++) {
      const segment = this.#directory[2 * index] as S;
      directory[index] = segment;
      if (segment.depth === this.#depth) this.#deepestCount++;
    }
    this.#directory = directory;
    if (half === 1) this.root = directory[0];
  }
}

/**
 * The next size of a segment. Doubling would leave two places of five empty on average; steps of a
 * quarter leave less than one of four empty, which is 11 bytes less per key (measured at 1 million
 * keys, once the collector has taken the outgrown arrays: 186 against 198 MB resident).
 */
function grownPlaces(places: number): number {
  return places < 24 ? 2 * places : places + (places >>> 2);
}

/** Places for so many keys with some room to grow. */
function roomFor(count: number): number {
  return Math.ceil(count * 1.35) + 2;
}
