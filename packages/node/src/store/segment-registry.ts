/**
 * Finds segments without a search: all of them by size class, for picking a key at random, and
 * those that hold keys with an expiry, for active expiry and for evicting volatile keys.
 *
 * Lists are dense (the last element fills a gap), so every operation is O(1) however many tables
 * and however few volatile keys there are. One registry serves all tables of a database.
 */
import type { FastRandom } from "./random.js";
import { EMPTY, NEVER } from "./segment.js";
import type { SlabSegment } from "./slab-segment.js";

/** Class `c` holds segments of 2^c to 2^(c+1) - 1 places. */
function sizeClassOf(places: number): number {
  return 31 - Math.clz32(places);
}

/** Tries before any key will do. At a fill of 1 in 32 places, 500 tries fail once in 10^7. */
const RANDOM_TRIES_MAX = 500;

export class SegmentRegistry {
  readonly #bySize: SlabSegment[][] = [];
  readonly volatile: SlabSegment[] = [];
  /**
   * The `earliestExpiry` of each of them, side by side: a pass of the expire cycle over 16384
   * segments takes 4 ms if it must look into each, and 0.06 ms here.
   */
  earliestExpiry = new Float64Array(16);
  /** The place that `pickPlace` chose in the segment it returned. */
  pickedPlace = 0;

  /** Adds a segment, or moves it to its class after its places have changed. */
  update(segment: SlabSegment): void {
    const sizeClass = sizeClassOf(segment.places);
    if (segment.sizeClass !== sizeClass) {
      this.#removeBySize(segment);
      while (this.#bySize.length <= sizeClass) this.#bySize.push([]);
      const list = this.#bySize[sizeClass] as SlabSegment[];
      segment.sizeClass = sizeClass;
      segment.sizeIndex = list.length;
      list.push(segment);
    }
    this.updateVolatile(segment);
  }

  /** To be called when a segment's volatile keys, or the bound of their expiries, have changed. */
  updateVolatile(segment: SlabSegment): void {
    if (segment.volatileCount > 0) {
      if (segment.volatileIndex < 0) this.#list(segment);
      this.earliestExpiry[segment.volatileIndex] = segment.earliestExpiry;
    } else if (segment.volatileIndex >= 0) {
      this.#unlist(segment);
    }
  }

  remove(segment: SlabSegment): void {
    this.#removeBySize(segment);
    if (segment.volatileIndex >= 0) this.#unlist(segment);
  }

  /**
   * A segment and, in `pickedPlace`, a place in it, such that every key is equally likely: a class
   * is chosen by the places it has, then any of those, until one is occupied.
   */
  pickPlace(random: FastRandom): SlabSegment | undefined {
    let total = 0;
    for (let c = 0; c < this.#bySize.length; c++) total += this.#placesInClass(c);
    if (total === 0) return undefined;
    let candidate: SlabSegment | undefined;
    for (let tries = 0; tries < RANDOM_TRIES_MAX; tries++) {
      let at = random.below(total);
      let sizeClass = 0;
      while (at >= this.#placesInClass(sizeClass)) at -= this.#placesInClass(sizeClass++);
      const list = this.#bySize[sizeClass] as SlabSegment[];
      const segment = list[at >>> (sizeClass + 1)] as SlabSegment;
      const place = at & ((2 << sizeClass) - 1);
      if (place < segment.places && segment.hashAt(place) !== EMPTY) {
        this.pickedPlace = place;
        return segment;
      }
      if (segment.count > 0) candidate = segment;
    }
    return candidate === undefined ? this.#firstOccupied() : this.#occupiedFrom(candidate, 0);
  }

  /** As `pickPlace` among keys with an expiry; only roughly equally likely. */
  pickVolatilePlace(random: FastRandom): SlabSegment | undefined {
    if (this.volatile.length === 0) return undefined;
    const segment = this.volatile[random.below(this.volatile.length)] as SlabSegment;
    const expires = segment.expires as Float64Array;
    let place = random.below(segment.places);
    while (expires[place] === NEVER) place = place + 1 === segment.places ? 0 : place + 1;
    this.pickedPlace = place;
    return segment;
  }

  #list(segment: SlabSegment): void {
    segment.volatileIndex = this.volatile.length;
    this.volatile.push(segment);
    if (this.volatile.length <= this.earliestExpiry.length) return;
    const grown = new Float64Array(2 * this.earliestExpiry.length);
    grown.set(this.earliestExpiry);
    this.earliestExpiry = grown;
  }

  #unlist(segment: SlabSegment): void {
    const last = this.volatile.pop() as SlabSegment;
    if (last !== segment) {
      this.volatile[segment.volatileIndex] = last;
      last.volatileIndex = segment.volatileIndex;
      this.earliestExpiry[last.volatileIndex] = last.earliestExpiry;
    }
    segment.volatileIndex = -1;
  }

  #placesInClass(sizeClass: number): number {
    return (this.#bySize[sizeClass] as SlabSegment[]).length * (2 << sizeClass);
  }

  #occupiedFrom(segment: SlabSegment, start: number): SlabSegment {
    let place = start;
    while (segment.hashAt(place) === EMPTY) place = place + 1 === segment.places ? 0 : place + 1;
    this.pickedPlace = place;
    return segment;
  }

  #firstOccupied(): SlabSegment | undefined {
    for (const list of this.#bySize) {
      for (const segment of list) if (segment.count > 0) return this.#occupiedFrom(segment, 0);
    }
    return undefined;
  }

  #removeBySize(segment: SlabSegment): void {
    if (segment.sizeClass < 0) return;
    const list = this.#bySize[segment.sizeClass] as SlabSegment[];
    const last = list.pop() as SlabSegment;
    if (last !== segment) {
      list[segment.sizeIndex] = last;
      last.sizeIndex = segment.sizeIndex;
    }
    segment.sizeClass = -1;
  }
}
