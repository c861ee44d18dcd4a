/**
 * The contents of one database: a key table per cluster slot, or a single one, and what finds its
 * way over all of them (the occupied slots, the registry of segments).
 *
 * It is the unit that FLUSHDB drops and SWAPDB exchanges. It finds, adds and removes keys and
 * remembers the place of the last one found, so that several operations on one key search once. It
 * does not expire, count uses or report changes: that is the database's business.
 */
import type { EntryBatch } from "./entry-batch.js";
import { type KeyHasher, SLOT_COUNT } from "./key-hash.js";
import { KeyspaceKeeper, KeyspaceTable } from "./keyspace-table.js";
import { presizedArray } from "./presized-array.js";
import { EMPTY, EPOCH_MASK } from "./segment.js";
import { SegmentRegistry } from "./segment-registry.js";
import { Slab } from "./slab.js";
import { SlabSegment } from "./slab-segment.js";
import { SlotSet } from "./slot-set.js";
import type { SnapshotWalk } from "./snapshot-walk.js";
import type { Value } from "./value.js";

/** Hashes fit into 31 bits: a cursor is slot × 2^31 + hash, below 2^45. */
export const CURSOR_SLOT = 0x80000000;

export class SlotTables {
  /** Keys in all tables. */
  size = 0;
  readonly perSlot: boolean;
  readonly registry = new SegmentRegistry();
  /** The snapshot that must learn of changes before they happen, while one is being written. */
  walk: SnapshotWalk | undefined = undefined;
  /** The last key found or added. */
  segment: SlabSegment;
  place = 0;
  /** Which key that is; `undefined` once it may stand at another place, or nowhere. */
  #last: string | undefined = undefined;
  /** Keys and values. */
  readonly slab: Slab;
  readonly #keeper: KeyspaceKeeper;
  /** Tables that were taken out, whose entries are still to be let go of. */
  readonly #condemned: Generator<SlabSegment>[] = [];
  readonly #hasher: KeyHasher;
  readonly #tables: (KeyspaceTable | undefined)[];
  /**
   * Per slot the table's only segment, if it has but one: in a cluster nearly all are such, and
   * three of nine dependent cache misses of a look-up are saved.
   */
  readonly #roots: (SlabSegment | undefined)[];
  readonly #occupied = new SlotSet();

  constructor(perSlot: boolean, hasher: KeyHasher) {
    this.perSlot = perSlot;
    this.#hasher = hasher;
    const length = perSlot ? SLOT_COUNT : 1;
    this.#tables = presizedArray(length, undefined);
    this.#roots = presizedArray(length, undefined);
    this.slab = new Slab(hasher);
    this.#keeper = new KeyspaceKeeper(this.slab, this.registry);
    this.segment = new SlabSegment(this.slab, 0, 1);
    this.segment.retire();
  }

  /** Place of the key in `segment`; if negative, both remember the key found before. */
  find(key: string): number {
    const hash = this.#hasher.hashOf(key);
    const slot = this.perSlot ? this.#hasher.slot : 0;
    let segment = this.#roots[slot];
    if (segment === undefined) {
      const table = this.#tables[slot];
      if (table === undefined) return -1;
      segment = table.segmentFor(hash);
    }
    const place = segment.find(key, hash);
    if (place >= 0) {
      this.segment = segment;
      this.place = place;
      this.#last = key;
    }
    return place;
  }

  /** As `find`, trying the place of the last key first. */
  again(key: string): number {
    return this.#last === key ? this.place : this.find(key);
  }

  /** Adds a key that is not there; leaves it in `segment` and `place`. */
  insert(key: string, value: Value, meta: number): void {
    const hash = this.#hasher.hashOf(key);
    const slot = this.perSlot ? this.#hasher.slot : 0;
    let table = this.#tables[slot];
    if (table === undefined) {
      table = new KeyspaceTable(slot, this.#keeper);
      this.#tables[slot] = table;
      this.#occupied.add(slot);
    }
    table.insert(key, hash, value, meta);
    if (this.#roots[slot] !== table.root) this.#roots[slot] = table.root;
    this.segment = table.atSegment;
    this.place = table.atPlace;
    this.#last = key;
    this.size++;
    if (this.#condemned.length > 0) this.#reclaim();
  }

  /** Removes `key`, which is the one at `segment` and `place`. */
  remove(key: string): void {
    const table = this.tableOf(key) as KeyspaceTable;
    const { slot } = table;
    table.removeAt(this.segment, this.place);
    this.#last = undefined;
    this.size--;
    this.#roots[slot] = table.root;
    if (table.size > 0) return;
    this.detach(slot);
    for (const segment of table.segments()) segment.retire();
  }

  /** Sets the expiry of `key`, which is the one at `segment` and `place`. */
  setExpireAt(key: string, at: number): void {
    (this.tableOf(key) as KeyspaceTable).setExpireAt(this.segment, this.place, at);
  }

  tableOf(key: string): KeyspaceTable | undefined {
    return this.#tables[this.perSlot ? this.#hasher.slotOf(key) : 0];
  }

  /** The table of a slot, or the only one, if there is any key in it. */
  table(slot: number): KeyspaceTable | undefined {
    return this.#tables[this.perSlot ? slot : 0];
  }

  /** The first slot from `slot` on that has keys, or -1. Without slots all keys are in slot 0. */
  nextSlot(slot: number): number {
    return this.#occupied.nextFrom(slot);
  }

  /**
   * Takes a table out, in time proportional to its segments (a thousand keys each). Its entries
   * stay as they are until `condemn`.
   */
  detach(slot: number): KeyspaceTable | undefined {
    const table = this.#tables[slot];
    if (table === undefined) return undefined;
    table.unregister();
    this.#tables[slot] = undefined;
    this.#roots[slot] = undefined;
    this.#occupied.remove(slot);
    this.size -= table.size;
    this.forgetPlace();
    return table;
  }

  /** Nobody reads a table any more that was taken out: later insertions free its memory. */
  condemn(table: KeyspaceTable): void {
    this.#condemned.push(table.segments());
  }

  /** Frees a segment's keys: about a thousand. */
  #reclaim(): void {
    const { value: segment } = (this.#condemned.at(-1) as Generator<SlabSegment>).next();
    if (segment === undefined) this.#condemned.pop();
    else segment.release();
  }

  /** The key at a place may have moved, or gone. */
  forgetPlace(): void {
    this.#last = undefined;
  }

  /** Appends about `count` entries that follow the cursor; returns the next one, 0 at the end. */
  collect(cursor: number, count: number, batch: EntryBatch): number {
    const first = Math.floor(cursor / CURSOR_SLOT);
    const wanted = batch.length + count;
    let slot = this.#occupied.nextFrom(first);
    let hash = slot === first ? cursor % CURSOR_SLOT : 0;
    while (slot >= 0) {
      const table = this.#tables[slot] as KeyspaceTable;
      const next = table.collect(hash, Math.max(1, wanted - batch.length), batch);
      if (next >= 0) return slot * CURSOR_SLOT + next;
      slot = this.#occupied.nextFrom(slot + 1);
      hash = 0;
      if (slot >= 0 && batch.length >= wanted) return slot * CURSOR_SLOT;
    }
    return 0;
  }

  /** Removes all marks that snapshots have left in meta words. */
  clearEpochs(): void {
    for (let slot = this.nextSlot(0); slot >= 0; slot = this.nextSlot(slot + 1)) {
      for (const segment of (this.#tables[slot] as KeyspaceTable).segments()) {
        for (let place = 0; place < segment.places; place++) {
          if (segment.hashAt(place) === EMPTY) continue;
          segment.setMetaAt(place, segment.metaAt(place) & ~EPOCH_MASK);
        }
      }
    }
  }

  /** Keys with an expiry. */
  get volatileSize(): number {
    let count = 0;
    for (const segment of this.registry.volatile) count += segment.volatileCount;
    return count;
  }

  /** Bytes of the tables without keys and values. */
  get overheadBytes(): number {
    let bytes = 16 * this.#tables.length + SLOT_COUNT / 8;
    for (let slot = this.nextSlot(0); slot >= 0; slot = this.nextSlot(slot + 1)) {
      bytes += (this.#tables[slot] as KeyspaceTable).overheadBytes;
    }
    return bytes;
  }
}

/** The cursor that a client's decimal text spells, or `undefined` if it is no unsigned integer. */
export function parseCursor(text: string): number | undefined {
  if (!/^[0-9]{1,20}$/.test(text)) return undefined;
  const cursor = Number(text);
  // Not one of ours if it exceeds the slots: behind the end.
  return cursor < SLOT_COUNT * CURSOR_SLOT ? cursor : SLOT_COUNT * CURSOR_SLOT;
}
