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
import { KeyTable } from "./key-table.js";
import { presizedArray } from "./presized-array.js";
import { EMPTY, EPOCH_MASK, Segment } from "./segment.js";
import { SegmentRegistry } from "./segment-registry.js";
import { SlotSet } from "./slot-set.js";
import type { SnapshotWalk } from "./snapshot-walk.js";

/** Hashes fit into 31 bits: a cursor is slot × 2^31 + hash, below 2^45. */
export const CURSOR_SLOT = 0x80000000;

export class SlotTables {
  /** Keys in all tables. */
  size = 0;
  readonly perSlot: boolean;
  readonly registry = new SegmentRegistry();
  /** The snapshot that must learn of changes before they happen, while one is being written. */
  walk: SnapshotWalk | undefined = undefined;
  /** The last key found or added; valid as long as that place holds the key. */
  segment = new Segment(0, 1);
  place = 0;
  readonly #hasher: KeyHasher;
  readonly #tables: (KeyTable | undefined)[];
  /**
   * Per slot the table's only segment, if it has but one: in a cluster nearly all are such, and
   * three of nine dependent cache misses of a look-up are saved.
   */
  readonly #roots: (Segment | undefined)[];
  readonly #occupied = new SlotSet();

  constructor(perSlot: boolean, hasher: KeyHasher) {
    this.perSlot = perSlot;
    this.#hasher = hasher;
    const length = perSlot ? SLOT_COUNT : 1;
    this.#tables = presizedArray(length, undefined);
    this.#roots = presizedArray(length, undefined);
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
    }
    return place;
  }

  /** As `find`, trying the place of the last key first. */
  again(key: string): number {
    return this.segment.entries[4 * this.place + 2] === key ? this.place : this.find(key);
  }

  /** Adds a key that is not there; leaves it in `segment` and `place`. */
  insert(key: string, value: unknown, meta: number): void {
    const hash = this.#hasher.hashOf(key);
    const slot = this.perSlot ? this.#hasher.slot : 0;
    let table = this.#tables[slot];
    if (table === undefined) {
      table = new KeyTable(slot, this.registry);
      this.#tables[slot] = table;
      this.#occupied.add(slot);
    }
    table.insert(key, hash, value, meta);
    if (this.#roots[slot] !== table.root) this.#roots[slot] = table.root;
    this.segment = table.atSegment;
    this.place = table.atPlace;
    this.size++;
  }

  /** Removes `key`, which is the one at `segment` and `place`. */
  remove(key: string): void {
    const table = this.tableOf(key) as KeyTable;
    const { slot } = table;
    table.removeAt(this.segment, this.place);
    this.size--;
    this.#roots[slot] = table.root;
    if (table.size === 0) this.detach(slot);
  }

  /** Sets the expiry of `key`, which is the one at `segment` and `place`. */
  setExpireAt(key: string, at: number): void {
    (this.tableOf(key) as KeyTable).setExpireAt(this.segment, this.place, at);
  }

  tableOf(key: string): KeyTable | undefined {
    return this.#tables[this.perSlot ? this.#hasher.slotOf(key) : 0];
  }

  /** The table of a slot, or the only one, if there is any key in it. */
  table(slot: number): KeyTable | undefined {
    return this.#tables[this.perSlot ? slot : 0];
  }

  /** The first slot from `slot` on that has keys, or -1. Without slots all keys are in slot 0. */
  nextSlot(slot: number): number {
    return this.#occupied.nextFrom(slot);
  }

  /** Takes a table out, in time proportional to its segments (a thousand keys each). */
  detach(slot: number): KeyTable | undefined {
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

  /** To be called when the segment of the last key found may live on in other hands. */
  forgetPlace(): void {
    this.segment = new Segment(0, 1);
    this.place = 0;
  }

  /** Appends about `count` entries that follow the cursor; returns the next one, 0 at the end. */
  collect(cursor: number, count: number, batch: EntryBatch): number {
    const first = Math.floor(cursor / CURSOR_SLOT);
    const wanted = batch.length + count;
    let slot = this.#occupied.nextFrom(first);
    let hash = slot === first ? cursor % CURSOR_SLOT : 0;
    while (slot >= 0) {
      const table = this.#tables[slot] as KeyTable;
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
      for (const { entries, places } of (this.#tables[slot] as KeyTable).segments()) {
        for (let place = 0; place < places; place++) {
          if (entries[4 * place] === EMPTY) continue;
          entries[4 * place + 1] = (entries[4 * place + 1] as number) & ~EPOCH_MASK;
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
      bytes += (this.#tables[slot] as KeyTable).overheadBytes;
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
