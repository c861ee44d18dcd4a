/**
 * A hash table of texts for large sets, hashes and sorted sets: extendible hashing as in
 * `key-table.ts`, with segments that keep bytes instead of objects. Growing and shrinking are
 * pieces of about a thousand entries; a scan is a position in hash order, which neither of them
 * moves.
 *
 * It trusts the caller's hash and knows no encodings.
 */
import { HASH_BITS } from "../key-hash.js";
import type { FastRandom } from "../random.js";
import { EMPTY } from "../segment.js";
import { BlockAccount, type BlockHolder, type BlockMemory } from "./block-memory.js";
import { ByteSegment } from "./byte-segment.js";

const PLACES_FIRST = 16;
/** Segments split at 768 to 1279 entries, each at its own number, so that not all split at once. */
const SPLIT_AT_MIN = 768;
const SPLIT_AT_SPREAD = 512;
/** Buddies merge when the result is well below every split. */
const MERGE_AT_MAX = 384;
/** A directory has at most so many entries per segment; then segments grow instead of splitting. */
const DIRECTORY_SLACK_MAX = 16;
/** Places per 1024 that are used before a segment grows. */
const FULLNESS = 850;
/** No segment has more places, unless entries share a long hash prefix; `pick` weighs by it. */
const PLACES_MAX = 1664;
/** Tries of `pick` before any entry will do; about one in five succeeds. */
const RANDOM_TRIES_MAX = 2000;
/** What V8 has for the table, for a place in the directory, and for a segment: three objects. */
const TABLE_BYTES = 160;
const POINTER_BYTES = 8;
const SEGMENT_BYTES = 320;

export class ByteTable implements BlockHolder {
  size = 0;
  /** Where `pick` left the entry. */
  atSegment: ByteSegment;
  atPlace = 0;
  /** Texts per entry. */
  readonly #width: number;
  readonly #account: BlockAccount;
  #depth = 0;
  #directory: ByteSegment[];
  #segmentCount = 1;
  /** Segments that need the directory to be as deep as it is. */
  #deepestCount = 1;

  /** A table of members, or of fields with values, which are all texts or all numbers. */
  constructor(withValues: boolean, memory: BlockMemory) {
    this.#width = withValues ? 2 : 1;
    this.#account = new BlockAccount(memory);
    const first = this.#newSegment(0, PLACES_FIRST, 256);
    setGrowAt(first);
    this.#directory = [first];
    this.atSegment = first;
  }

  has(text: string, hash: number): boolean {
    return this.#segmentFor(hash).find(text, hash) >= 0;
  }

  /** The value of a field, `undefined` if there is none. */
  value(text: string, hash: number): string | undefined {
    const segment = this.#segmentFor(hash);
    const place = segment.find(text, hash);
    return place < 0 ? undefined : segment.valueAt(place);
  }

  /** The number of a member, `undefined` if there is none. */
  number(text: string, hash: number): number | undefined {
    const segment = this.#segmentFor(hash);
    const place = segment.find(text, hash);
    return place < 0 ? undefined : segment.numberAt(place);
  }

  /** Adds a member, or a field with its value, which may be there; true if it is new. */
  set(text: string, hash: number, value: string | number | undefined): boolean {
    let segment = this.#ownSegmentFor(hash);
    let place = segment.find(text, hash);
    if (place >= 0) {
      if (typeof value === "number") segment.setNumberAt(place, value);
      else if (value !== undefined) segment.setValueAt(place, value);
      return false;
    }
    while (segment.count >= segment.growAt || !segment.hasRoomAt(~place)) {
      segment = this.#makeRoom(segment, hash);
      place = segment.find(text, hash);
    }
    segment.insertAt(~place, hash, text, value);
    this.size++;
    return true;
  }

  /** True if it was there. */
  delete(text: string, hash: number): boolean {
    const place = this.#segmentFor(hash).find(text, hash);
    if (place < 0) return false;
    this.#removeAt(hash, place);
    return true;
  }

  /**
   * Appends the texts of the entries that follow in hash order, beginning with hash `from`: `count`
   * entries, and those that share the last one's hash. Values that are numbers go into `numbers`.
   * Returns where to go on, or -1 at the end.
   */
  collect(from: number, count: number, into: (string | number)[], numbers?: number[]): number {
    let hash = from;
    let left = count;
    for (;;) {
      const segment = this.#segmentFor(hash);
      let last = -1;
      for (let place = segment.firstPlace(hash); place < segment.places; place++) {
        const at = segment.hashAt(place);
        if (at === EMPTY) continue;
        if (left <= 0 && at !== last) return at;
        segment.readAt(place, into, numbers);
        last = at;
        left--;
      }
      hash = this.#endOf(segment, hash);
      if (hash < 0 || left <= 0) return hash;
    }
  }

  /** Appends all texts of all entries. */
  collectAll(into: (string | number)[]): void {
    this.collect(0, Number.POSITIVE_INFINITY, into);
  }

  /** All segments, in hash order. */
  *segments(): Generator<ByteSegment> {
    for (let index = 0; index < this.#directory.length; ) {
      const segment = this.#directory[index] as ByteSegment;
      yield segment;
      index += 1 << (this.#depth - segment.depth);
    }
  }

  /**
   * Chooses an entry, each equally likely, and leaves it in `atSegment` and `atPlace`; the table
   * must not be empty. See `KeyTable.pickPlace`.
   */
  pick(random: FastRandom): void {
    for (let tries = 0; tries < RANDOM_TRIES_MAX; tries++) {
      const segment = this.#directory[random.below(this.#directory.length)] as ByteSegment;
      let limit = segment.places;
      if (this.#directory.length > 1) limit = PLACES_MAX << (this.#depth - segment.depth);
      const place = random.below(limit);
      if (place < segment.places && segment.hashAt(place) !== EMPTY) {
        this.atSegment = segment;
        this.atPlace = place;
        return;
      }
    }
    for (const segment of this.segments()) {
      if (segment.count === 0) continue;
      this.atSegment = segment;
      this.atPlace = segment.firstPlace(0);
      return;
    }
  }

  /** Removes what `pick` chose. */
  removePicked(): void {
    this.#removeAt(this.atSegment.hashAt(this.atPlace), this.atPlace);
  }

  /** An independent table of the same entries. Both have the segments that neither changes. */
  copy(): ByteTable {
    const copy = new ByteTable(this.#width === 2, this.#account.memory);
    copy.releasePiece();
    for (const segment of this.segments()) segment.owners++;
    copy.size = this.size;
    copy.#directory = this.#directory.slice();
    copy.#depth = this.#depth;
    copy.#segmentCount = this.#segmentCount;
    copy.#deepestCount = this.#deepestCount;
    return copy;
  }

  /** Frees the last segment's memory; false if there is none left. Then the table is lost. */
  releasePiece(): boolean {
    const directory = this.#directory;
    const segment = directory.pop();
    if (segment === undefined) return false;
    while (directory.at(-1) === segment) directory.pop();
    segment.release();
    return true;
  }

  /** Frees all memory of a table that is not used any more. */
  release(): void {
    while (this.releasePiece());
  }

  /** Of everything, in bytes. */
  get memoryBytes(): number {
    const objects = TABLE_BYTES + SEGMENT_BYTES * this.#segmentCount;
    return objects + POINTER_BYTES * this.#directory.length + this.#account.bytes;
  }

  /** Whose blocks are this table's, and those of what belongs to it. */
  get account(): BlockAccount {
    return this.#account;
  }

  get blockBytes(): number {
    return this.#account.bytes;
  }

  #segmentFor(hash: number): ByteSegment {
    return this.#directory[hash >>> (HASH_BITS - this.#depth)] as ByteSegment;
  }

  /** As `#segmentFor`, to be changed. */
  #ownSegmentFor(hash: number): ByteSegment {
    const segment = this.#segmentFor(hash);
    if (segment.owners === 1) return segment;
    const copy = segment.copy(this.#account);
    this.#replace(copy, hash);
    segment.release();
    return copy;
  }

  /** Puts a segment into the directory that has the depth of the one there. */
  #replace(segment: ByteSegment, hash: number): void {
    const span = 1 << (this.#depth - segment.depth);
    const base = (hash >>> (HASH_BITS - this.#depth)) & ~(span - 1);
    this.#directory.fill(segment, base, base + span);
  }

  #removeAt(hash: number, place: number): void {
    const segment = this.#ownSegmentFor(hash);
    segment.removeAt(place);
    this.size--;
    if (segment.count <= segment.places >>> 2) this.#shrink(segment, hash);
  }

  /** First hash behind the range of the segment that contains `hash`, or -1 behind the last one. */
  #endOf(segment: ByteSegment, hash: number): number {
    const shift = HASH_BITS - segment.depth;
    const next = (hash >>> shift) + 1;
    return next === 1 << segment.depth ? -1 : next << shift;
  }

  /** Grows or splits the segment in which `hash` finds no room; returns the one to try next. */
  #makeRoom(segment: ByteSegment, hash: number): ByteSegment {
    const prefix = hash >>> (HASH_BITS - segment.depth);
    const mixed = Math.imul(prefix * 2 + segment.depth, 0x85ebca6b) >>> 16;
    const splitAt = SPLIT_AT_MIN + (mixed & (SPLIT_AT_SPREAD - 1));
    if (segment.count >= splitAt && this.#maySplit(segment)) {
      this.#split(segment, hash);
      return this.#segmentFor(hash);
    }
    const grown = Math.ceil(segment.places * 1.4);
    const enough = Math.ceil((splitAt * 1024) / FULLNESS) + 1;
    const places =
      segment.count < splitAt && segment.places < enough ? Math.min(grown, enough) : grown;
    segment.adopt(this.#copyOf(segment, 0, segment.places, segment.depth, places));
    setGrowAt(segment);
    // More places than were asked for would have all split at the same few sizes.
    if (segment.count < splitAt) segment.growAt = Math.min(segment.growAt, splitAt);
    return segment;
  }

  #copyOf(
    source: ByteSegment,
    from: number,
    to: number,
    depth: number,
    places: number,
  ): ByteSegment {
    // Room for a few more entries of the same size.
    const share = (to - from) / source.places;
    const expected = Math.ceil(source.liveBytes * share * 1.15) + 64;
    for (let wanted = places; ; wanted += 4 + (wanted >>> 3)) {
      const target = this.#newSegment(depth, wanted, expected);
      if (source.copyInto(target, from, to)) return target;
      target.release();
    }
  }

  #maySplit(segment: ByteSegment): boolean {
    if (segment.depth < this.#depth) return true;
    return 2 ** (this.#depth + 1) <= DIRECTORY_SLACK_MAX * (this.#segmentCount + 1);
  }

  #split(segment: ByteSegment, hash: number): void {
    if (segment.depth === this.#depth) this.#doubleDirectory();
    const depth = segment.depth + 1;
    const shift = HASH_BITS - depth;
    const middle = ((hash >>> shift) | 1) << shift;
    const cut = segment.firstPlace(middle);
    const low = this.#half(segment, 0, cut, depth);
    const high = this.#half(segment, cut, segment.places, depth);
    segment.release();
    const half = 1 << (this.#depth - depth);
    const base = (hash >>> (HASH_BITS - this.#depth)) & ~(2 * half - 1);
    this.#directory.fill(low, base, base + half);
    this.#directory.fill(high, base + half, base + 2 * half);
    this.#segmentCount++;
    if (depth === this.#depth) this.#deepestCount += 2;
  }

  #half(source: ByteSegment, from: number, to: number, depth: number): ByteSegment {
    let count = 0;
    for (let place = from; place < to; place++) if (source.hashAt(place) !== EMPTY) count++;
    const half = this.#copyOf(source, from, to, depth, roomFor(count));
    setGrowAt(half);
    return half;
  }

  #newSegment(depth: number, places: number, expected: number): ByteSegment {
    return new ByteSegment({ depth, width: this.#width, places, expected }, this.#account);
  }

  #doubleDirectory(): void {
    const old = this.#directory;
    const directory = new Array<ByteSegment>(2 * old.length);
    for (let index = 0; index < old.length; index++) {
      directory[2 * index] = old[index] as ByteSegment;
      directory[2 * index + 1] = old[index] as ByteSegment;
    }
    this.#directory = directory;
    this.#depth++;
    this.#deepestCount = 0;
  }

  /**
   * Returns memory of a segment that has become sparse: merges it with its buddy or rebuilds it.
   */
  #shrink(sparse: ByteSegment, hash: number): void {
    let segment = sparse;
    while (segment.depth > 0) {
      const buddy = this.#segmentFor(hash ^ (1 << (HASH_BITS - segment.depth)));
      if (buddy.depth !== segment.depth || buddy.count + segment.count > MERGE_AT_MAX) break;
      segment = this.#merge(segment, buddy, hash);
    }
    if (segment !== sparse) return;
    const places = Math.max(PLACES_FIRST, roomFor(segment.count));
    if (places >= segment.places >>> 1) return;
    segment.adopt(this.#copyOf(segment, 0, segment.places, segment.depth, places));
    setGrowAt(segment);
  }

  #merge(segment: ByteSegment, buddy: ByteSegment, hash: number): ByteSegment {
    const bit = 1 << (HASH_BITS - segment.depth);
    const low = (hash & bit) === 0 ? segment : buddy;
    const high = low === segment ? buddy : segment;
    const depth = segment.depth - 1;
    const expected = low.liveBytes + high.liveBytes + 64;
    let places = roomFor(low.count + high.count);
    let merged = this.#newSegment(depth, places, expected);
    while (!low.copyInto(merged, 0, low.places) || !high.copyInto(merged, 0, high.places)) {
      places += 4 + (places >>> 3);
      merged.release();
      merged = this.#newSegment(depth, places, expected);
    }
    low.release();
    high.release();
    setGrowAt(merged);
    this.#replace(merged, hash);
    this.#segmentCount--;
    if (depth + 1 === this.#depth) {
      this.#deepestCount -= 2;
      while (this.#depth > 0 && this.#deepestCount === 0) this.#halveDirectory();
    }
    return merged;
  }

  #halveDirectory(): void {
    const half = this.#directory.length >>> 1;
    const directory = new Array<ByteSegment>(half);
    this.#depth--;
    for (let index = 0; index < half; index++) {
      const segment = this.#directory[2 * index] as ByteSegment;
      directory[index] = segment;
      if (segment.depth === this.#depth) this.#deepestCount++;
    }
    this.#directory = directory;
  }
}

function setGrowAt(segment: ByteSegment): void {
  segment.growAt = (segment.places * FULLNESS) >>> 10;
}

/** Places for so many entries with some room to grow. */
function roomFor(count: number): number {
  return Math.ceil(count * 1.35) + 6;
}
