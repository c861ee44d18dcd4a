/**
 * A snapshot of all databases without fork: every entry as it was when the walk began, while the
 * databases go on changing.
 *
 * The walk passes over the tables in hash order, in slices. An entry is done once the walk has
 * passed it, or once it is marked with the walk's epoch in its meta word. The first change of an
 * entry that is not done, creation and deletion included, marks it and queues what it was (nothing,
 * for a creation); `step` hands queued entries to the sink first. So memory grows with what is
 * changed ahead of the walk, up to `preimageBytesMax`: beyond that the walk is abandoned. Whole
 * tables that are taken out of the keyspace (FLUSHALL, SWAPDB, a lost slot) are walked where they
 * are.
 *
 * It trusts the database to call `beforeChange` and `created`. A sink that keeps a value beyond its
 * call is told by `changing` before it changes in place, and must have no such value left when it
 * calls `step`. The walk knows nothing of files or formats.
 */
import type { RdbCollection } from "../rdb/values.js";
import { ByteString } from "./byte-string.js";
import { EntryBatch } from "./entry-batch.js";
import { HASH_MAX } from "./key-hash.js";
import type { KeyspaceTable } from "./keyspace-table.js";
import { EPOCH_MASK, EPOCH_SHIFT } from "./segment.js";
import type { SlabSegment } from "./slab-segment.js";
import { CURSOR_SLOT, type SlotTables } from "./slot-tables.js";
import { frozenCopy, type Value } from "./value.js";

/** What a queued collection was, or a value that is still in place. */
export type SnapshotValue = Value | RdbCollection;

/** True for a collection that was queued in its neutral form. */
export function isNeutral(value: SnapshotValue): value is RdbCollection {
  return typeof value === "object" && value.type !== "string" && !("toNeutral" in value);
}

export interface SnapshotSink {
  /** `expireAt` is Unix ms or `NEVER`; `meta` the key's meta word, for LRU and LFU. */
  entry(database: number, key: string, value: SnapshotValue, expireAt: number, meta: number): void;
  /** A value that was handed over, perhaps, is going to change in place. */
  changing?(value: Value): void;
}

export interface SnapshotWalkOptions {
  /** 1 to `EPOCH_MAX`, different from that of the walks before; see `DatabaseSet.beginWalk`. */
  readonly epoch: number;
  readonly sink: SnapshotSink;
  readonly preimageBytesMax: number;
}

export interface WalkSource {
  readonly database: number;
  readonly tables: SlotTables;
}

/** Epochs fit into four bits; 0 is no mark. */
export const EPOCH_MAX = 15;

/** Entries that a step writes before it looks at the clock. */
const BATCH = 32;

/** What a queued entry costs beside its key and value: five array elements, a boxed double. */
const QUEUED_ENTRY_BYTES = 64;
/** A rough size of one element of a queued collection. */
const QUEUED_ELEMENT_BYTES = 64;

/** Behind every cursor: all live tables of a source are done. */
const END = Number.POSITIVE_INFINITY;

interface DetachedTable {
  readonly table: KeyspaceTable;
  /** What comes before this hash was done when the table left. */
  hash: number;
}

/** One database's contents, and what is queued of them. */
class Source {
  readonly database: number;
  readonly tables: SlotTables;
  /** Old values, in no order: the last one is written first. */
  readonly queue = new EntryBatch();
  readonly queueBytes: number[] = [];
  /** Tables taken out during the walk; few, since each is the loss of a slot. */
  readonly detached: DetachedTable[] = [];

  constructor(source: WalkSource) {
    this.database = source.database;
    this.tables = source.tables;
  }
}

export class SnapshotWalk {
  /** True once everything has been handed to the sink, or the walk was abandoned. */
  finished = false;
  /** True if the queue outgrew its limit, or somebody called `abandon`: there is no snapshot. */
  abandoned = false;
  /** Bytes of the queued old values, roughly. */
  preimageBytes = 0;
  /** Entries handed to the sink. */
  written = 0;
  readonly #epoch: number;
  readonly #sink: SnapshotSink;
  readonly #preimageBytesMax: number;
  readonly #sources: Source[];
  /** The source being walked, and the first cursor in it that is not done. */
  #current = 0;
  #cursor = 0;
  readonly #batch = new EntryBatch();

  constructor(sources: readonly WalkSource[], options: SnapshotWalkOptions) {
    this.#epoch = options.epoch << EPOCH_SHIFT;
    this.#sink = options.sink;
    this.#preimageBytesMax = options.preimageBytesMax;
    this.#sources = sources.map((source) => new Source(source));
    for (const { tables } of sources) tables.walk = this;
  }

  /** Hands entries to the sink until all are, or until `outOfTime`; true when finished. */
  step(outOfTime: () => boolean): boolean {
    while (!this.finished) {
      const queued = this.#sources.find(({ queue }) => queue.length > 0);
      const source = this.#sources[this.#current];
      if (queued !== undefined) this.#writeQueued(queued);
      else if (source !== undefined) this.#walkSome(source);
      else this.#end();
      if (outOfTime()) break;
    }
    return this.finished;
  }

  /** Gives up: nothing more is handed to the sink. */
  abandon(): void {
    if (this.finished) return;
    this.abandoned = true;
    this.#end();
  }

  /**
   * To be called before the entry at `tables.segment` and `tables.place` changes or goes. A value
   * that `detaches` (DEL, an overwrite) is nobody's any more and kept as it is; others are copied.
   */
  beforeChange(tables: SlotTables, slot: number, detaches: boolean): void {
    const source = this.#sourceOf(tables);
    if (source === undefined) return;
    const { segment, place } = tables;
    const meta = segment.metaAt(place);
    if ((meta & EPOCH_MASK) === this.#epoch) return;
    if (this.#isPassed(source, slot, segment.hashAt(place))) {
      if (!detaches) this.#sink.changing?.(segment.valueAt(place));
      return;
    }
    segment.setMetaAt(place, (meta & ~EPOCH_MASK) | this.#epoch);
    this.#enqueue(source, segment, place, detaches);
  }

  /** The meta word for a key that is being added to a slot. */
  created(tables: SlotTables, slot: number, hash: number, meta: number): number {
    const source = this.#sourceOf(tables);
    if (source === undefined || this.#isPassed(source, slot, hash)) return meta;
    return (meta & ~EPOCH_MASK) | this.#epoch;
  }

  /**
   * A table has left the keyspace; it does not change any more. True if the walk keeps it, and
   * condemns it once it has been walked.
   */
  keep(tables: SlotTables, table: KeyspaceTable): boolean {
    const source = this.#sourceOf(tables);
    if (source === undefined || this.#isPassed(source, table.slot, HASH_MAX)) return false;
    const begin = table.slot * CURSOR_SLOT;
    const inside = source === this.#sources[this.#current] && this.#cursor > begin;
    source.detached.push({ table, hash: inside ? this.#cursor - begin : 0 });
    return true;
  }

  #sourceOf(tables: SlotTables): Source | undefined {
    for (let index = this.#current; index < this.#sources.length; index++) {
      const source = this.#sources[index] as Source;
      if (source.tables === tables) return source;
    }
    return undefined;
  }

  #isPassed(source: Source, slot: number, hash: number): boolean {
    return source === this.#sources[this.#current] && slot * CURSOR_SLOT + hash < this.#cursor;
  }

  #enqueue(source: Source, segment: SlabSegment, place: number, detaches: boolean): void {
    const key = segment.keyAt(place);
    const value = segment.valueAt(place);
    let old: SnapshotValue = value;
    let bytes = QUEUED_ENTRY_BYTES + key.length;
    if (typeof value === "string") {
      bytes += value.length;
    } else if (value instanceof ByteString) {
      if (!detaches) old = value.share();
      bytes += value.length;
    } else if (typeof value === "object") {
      // Several times cheaper than the neutral form, which is made when it is written.
      if (!detaches) old = frozenCopy(value);
      bytes += value.length * QUEUED_ELEMENT_BYTES;
    }
    source.queue.push(key, old, segment.expireAt(place), segment.metaAt(place));
    source.queueBytes.push(bytes);
    this.preimageBytes += bytes;
    if (this.preimageBytes > this.#preimageBytesMax) this.abandon();
  }

  #writeQueued(source: Source): void {
    const { queue } = source;
    const kept = Math.max(0, queue.length - BATCH);
    for (let index = kept; index < queue.length; index++) this.#write(source, queue, index);
    queue.truncate(kept);
    for (const bytes of source.queueBytes.splice(kept)) this.preimageBytes -= bytes;
  }

  #walkSome(source: Source): void {
    const batch = this.#batch;
    batch.clear();
    const { tables, detached } = source;
    const taken = detached.at(-1);
    if (this.#cursor !== END) {
      const next = tables.collect(this.#cursor, BATCH, batch);
      // First the cursor: what is in the batch counts as done.
      this.#cursor = next === 0 ? END : next;
      for (let index = 0; index < batch.length; index++) {
        if (((batch.metas[index] as number) & EPOCH_MASK) !== 0) {
          this.#unmark(tables, batch.keys[index] as string);
        }
      }
    } else if (taken !== undefined) {
      taken.hash = taken.table.collect(taken.hash, BATCH, batch);
      if (taken.hash < 0) {
        detached.pop();
        tables.condemn(taken.table);
      }
    } else {
      tables.walk = undefined;
      this.#current++;
      this.#cursor = 0;
    }
    for (let index = 0; index < batch.length; index++) {
      const isDone = ((batch.metas[index] as number) & EPOCH_MASK) === this.#epoch;
      if (!isDone) this.#write(source, batch, index);
    }
    batch.clear();
  }

  /** Clears a mark behind the walk: this walk's, or one left by a walk that was abandoned. */
  #unmark(tables: SlotTables, key: string): void {
    const place = tables.find(key);
    if (place < 0) return;
    const { segment } = tables;
    segment.setMetaAt(place, segment.metaAt(place) & ~EPOCH_MASK);
  }

  #write(source: Source, batch: EntryBatch, index: number): void {
    this.written++;
    this.#sink.entry(
      source.database,
      batch.keys[index] as string,
      batch.values[index] as SnapshotValue,
      batch.expireAts[index] as number,
      (batch.metas[index] as number) & ~EPOCH_MASK,
    );
  }

  #end(): void {
    this.finished = true;
    for (const { tables, detached } of this.#sources) {
      if (tables.walk === this) tables.walk = undefined;
      for (const { table } of detached) tables.condemn(table);
    }
    this.#sources.length = 0;
    this.preimageBytes = 0;
  }
}
