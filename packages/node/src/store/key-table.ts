/**
 * A table of keys with JavaScript values: what client tracking and commands use that must not take
 * a V8 Map. The keyspace has a table of its own, `keyspace-table.ts`, and so have large
 * collections.
 */
import { HashTable, type SegmentKeeper } from "./hash-table.js";
import { Segment } from "./segment.js";

/** Nobody hears of these segments. */
const keeper: SegmentKeeper<Segment> = {
  make: (depth, places) => new Segment(depth, places),
  update: () => {},
  updateVolatile: () => {},
  remove: () => {},
};

export class KeyTable extends HashTable<Segment> {
  constructor(slot: number) {
    super(slot, keeper);
  }

  /** The value, or `undefined`. */
  get(key: string, hash: number): unknown {
    const segment = this.segmentFor(hash);
    const place = segment.find(key, hash);
    return place < 0 ? undefined : segment.entries[4 * place + 3];
  }

  /** Adds or overwrites; true if the key is new. Overwriting keeps the meta word. */
  set(key: string, hash: number, value: unknown): boolean {
    const segment = this.segmentFor(hash);
    const place = segment.find(key, hash);
    if (place < 0) {
      this.insert(key, hash, value, 0);
      return true;
    }
    segment.entries[4 * place + 3] = value;
    return false;
  }

  /** True if the key was there. */
  delete(key: string, hash: number): boolean {
    const segment = this.segmentFor(hash);
    const place = segment.find(key, hash);
    if (place < 0) return false;
    this.removeAt(segment, place);
    return true;
  }
}
