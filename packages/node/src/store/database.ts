/**
 * One numbered database as command bodies see it: keys, values, expiry, use statistics.
 *
 * It holds one key table per slot (in a cluster) or a single one, deletes or hides what has
 * expired, and reports what happened through `StoreHooks`. It does not know commands, replies or
 * the log: that a change is propagated is the caller's business, except for keys that expire, which
 * `hooks.expired` reports so that their DEL can be logged.
 *
 * Lookups allocate nothing. The place of the last key found is remembered and checked against the
 * key, so that `lookupWrite`, `replace`, `setExpireAt` on one key search once.
 */
import type { AccessClock } from "./access.js";
import { EntryBatch } from "./entry-batch.js";
import { type KeyHasher, SLOT_COUNT } from "./key-hash.js";
import { KeyTable } from "./key-table.js";
import type { FastRandom } from "./random.js";
import {
  ACCESS_MASK,
  ENCODING_MASK,
  ENCODING_SHIFT,
  EPOCH_MASK,
  NEVER,
  Segment,
} from "./segment.js";
import { SegmentRegistry } from "./segment-registry.js";
import { SlotSet } from "./slot-set.js";
import { type EncodingFlag, encodingOf, type Value } from "./value.js";

/**
 * What becomes of keys whose time is over when somebody looks at them: a primary deletes them; a
 * replica hides them from its clients and waits for the primary's DEL; the replication link and the
 * loader see them as if nothing had happened.
 */
export type ExpiredKeys = "delete" | "hide" | "show";

/** How a database reaches its node. Hooks must not change the keyspace. */
export interface StoreHooks {
  /** Unix ms, the same throughout a command. */
  now(): number;
  readonly expiredKeys: ExpiredKeys;
  /** True while lookups must not count as uses (OBJECT, DEBUG, CLIENT NO-TOUCH). */
  readonly noTouch: boolean;
  /** An expired key was deleted. */
  expired(database: Database, key: string): void;
  /** A key has changed: WATCH, client-side caching. */
  modified(database: Database, key: string): void;
  /** A read found nothing: the `keymiss` notification. */
  missed(database: Database, key: string): void;
  /** A collection appeared under a key: blocked clients may be served. */
  collectionAdded(database: Database, key: string): void;
}

export interface DatabaseParts {
  readonly hooks: StoreHooks;
  readonly hasher: KeyHasher;
  readonly access: AccessClock;
  readonly random: FastRandom;
  /** True in a cluster: one table per slot. */
  readonly perSlot: boolean;
}

/** The keys of a database, taken out of it as a whole. */
export interface DetachedTables {
  readonly tables: readonly (KeyTable | undefined)[];
  readonly size: number;
}

/** Hashes fit into 31 bits: a cursor is slot × 2^31 + hash, at most 2^45. */
const CURSOR_SLOT = 0x80000000;

/** Expired keys that one step of the cycle deletes before it looks at the clock. */
const EXPIRE_BATCH = 32;

export class Database {
  readonly index: number;
  /** Keys, expired ones that nobody has looked at included. */
  size = 0;
  /** Lookups for reading that found a key, and that did not (INFO keyspace_hits, _misses). */
  hits = 0;
  misses = 0;
  readonly #perSlot: boolean;
  readonly #hooks: StoreHooks;
  readonly #hasher: KeyHasher;
  readonly #access: AccessClock;
  readonly #random: FastRandom;
  #tables: (KeyTable | undefined)[];
  /**
   * Per slot the table's only segment, if it has but one: in a cluster nearly all are such, and three
   * of nine dependent cache misses of a look-up are saved.
   */
  #roots: (Segment | undefined)[];
  #occupied = new SlotSet();
  #registry = new SegmentRegistry();
  /** The last key found; valid if that place still holds the key. */
  #segment = new Segment(0, 1);
  #place = 0;
  /** Where the expire cycle goes on in the registry's list. */
  #expireCursor = 0;

  constructor(index: number, parts: DatabaseParts) {
    this.index = index;
    this.#perSlot = parts.perSlot;
    this.#hooks = parts.hooks;
    this.#hasher = parts.hasher;
    this.#access = parts.access;
    this.#random = parts.random;
    this.#tables = emptyTables(parts.perSlot);
    this.#roots = emptyTables(parts.perSlot);
  }

  /** The value for reading: counts as a use and in the statistics; expired keys do not exist. */
  lookupRead(key: string): Value | undefined {
    const place = this.#find(key);
    if (place < 0 || this.#isGone(key, place)) {
      this.misses++;
      this.#hooks.missed(this, key);
      return undefined;
    }
    this.hits++;
    const segment = this.#segment;
    if (!this.#hooks.noTouch) this.#touchPlace(segment, place);
    return segment.entries[4 * place + 3] as Value;
  }

  /**
   * The value for changing it in place, which this call announces. Counts as a use, not in the
   * statistics.
   */
  lookupWrite(key: string): Value | undefined {
    const place = this.#find(key);
    if (place < 0 || this.#isGone(key, place)) return undefined;
    const segment = this.#segment;
    if (!this.#hooks.noTouch) this.#touchPlace(segment, place);
    return segment.entries[4 * place + 3] as Value;
  }

  /** The value, without counting as a use or in the statistics. */
  peek(key: string): Value | undefined {
    const place = this.#find(key);
    if (place < 0 || this.#isGone(key, place)) return undefined;
    return this.#segment.entries[4 * place + 3] as Value;
  }

  exists(key: string): boolean {
    return this.peek(key) !== undefined;
  }

  /** Adds or overwrites. An overwritten key loses its expiry unless `keepTtl`. */
  set(key: string, value: Value, keepTtl = false, flag: EncodingFlag = 0): void {
    const place = this.#again(key);
    if (place < 0) {
      this.#insert(key, value, flag);
      return;
    }
    const segment = this.#segment;
    if (!keepTtl && segment.expireAt(place) !== NEVER) this.#setExpiry(key, place, NEVER);
    this.#overwrite(key, place, value, flag);
  }

  /** Gives an existing key a new value; its expiry stays. */
  replace(key: string, value: Value, flag: EncodingFlag = 0): void {
    const place = this.#again(key);
    if (place < 0) this.#insert(key, value, flag);
    else this.#overwrite(key, place, value, flag);
  }

  /** True if there was something to delete; an expired key counts, as in Redis' dbDelete. */
  delete(key: string): boolean {
    const place = this.#again(key);
    if (place < 0) return false;
    this.#remove(key, place);
    return true;
  }

  /** Unix ms, or -1 if the key has no expiry or does not exist. */
  expireAt(key: string): number {
    const place = this.#again(key);
    if (place < 0) return -1;
    const at = this.#segment.expireAt(place);
    return at === NEVER ? -1 : at;
  }

  /** Sets the expiry, whatever time it is; false if the key does not exist. */
  setExpireAt(key: string, atMs: number): boolean {
    const place = this.#again(key);
    if (place < 0) return false;
    this.#setExpiry(key, place, atMs);
    return true;
  }

  /** Removes the expiry; false if there was none. */
  persist(key: string): boolean {
    const place = this.#again(key);
    if (place < 0 || this.#segment.expireAt(place) === NEVER) return false;
    this.#setExpiry(key, place, NEVER);
    return true;
  }

  signalModified(key: string): void {
    this.#hooks.modified(this, key);
  }

  /** True if the key is gone because its time is over (deleted now, on a primary). */
  expireIfNeeded(key: string): boolean {
    const place = this.#find(key);
    return place >= 0 && this.#isGone(key, place);
  }

  /** True if the key's time is over, deleted or not; never deletes. */
  isLogicallyExpired(key: string): boolean {
    const place = this.#find(key);
    return place >= 0 && this.#segment.expireAt(place) < this.#hooks.now();
  }

  /** Counts as a use (TOUCH); false if the key does not exist. */
  touch(key: string): boolean {
    const place = this.#find(key);
    if (place < 0 || this.#isGone(key, place)) return false;
    this.#touchPlace(this.#segment, place);
    return true;
  }

  /** OBJECT ENCODING, or `undefined` if the key does not exist. */
  encoding(key: string): string | undefined {
    const value = this.peek(key);
    if (value === undefined) return undefined;
    const meta = this.#segment.entries[4 * this.#place + 1] as number;
    return encodingOf(value, (meta & ENCODING_MASK) >>> ENCODING_SHIFT);
  }

  /** OBJECT IDLETIME in ms, or -1 if the key does not exist. */
  idleMs(key: string): number {
    if (this.peek(key) === undefined) return -1;
    return this.#access.idleMs(this.#segment.entries[4 * this.#place + 1] as number);
  }

  /** OBJECT FREQ, or -1 if the key does not exist. */
  frequency(key: string): number {
    if (this.peek(key) === undefined) return -1;
    return this.#access.frequency(this.#segment.entries[4 * this.#place + 1] as number);
  }

  /** Sets the access bits, as `AccessClock` makes them for RESTORE and for RDB files. */
  setAccess(key: string, bits: number): void {
    const place = this.#again(key);
    if (place < 0) return;
    const at = 4 * place + 1;
    const { entries } = this.#segment;
    entries[at] = ((entries[at] as number) & ~ACCESS_MASK) | (bits & ACCESS_MASK);
  }

  /** The cluster slot of a key, which the next lookup of the same key need not compute again. */
  slotOf(key: string): number {
    return this.#hasher.slotOf(key);
  }

  slotSize(slot: number): number {
    return this.#tables[this.#perSlot ? slot : 0]?.size ?? 0;
  }

  /** Up to `count` keys of a slot, in hash order. */
  keysInSlot(slot: number, count: number): string[] {
    const table = this.#tables[slot];
    if (table === undefined || count <= 0) return [];
    const batch = new EntryBatch();
    table.collect(0, count, batch);
    if (batch.length > count) batch.keys.length = count;
    return batch.keys;
  }

  /** A key that has not expired, each equally likely; `undefined` if there is none. */
  randomKey(): string | undefined {
    // Redis gives up after 100 tries where it may not delete what has expired, and returns it.
    for (let tries = 0; ; tries++) {
      const segment = this.#registry.pickPlace(this.#random);
      if (segment === undefined) return undefined;
      const place = this.#registry.pickedPlace;
      const key = segment.entries[4 * place + 2] as string;
      this.#segment = segment;
      this.#place = place;
      if (!this.#isGone(key, place) || (tries === 100 && this.#hooks.expiredKeys === "hide")) {
        return key;
      }
    }
  }

  /**
   * Appends one randomly chosen key (one with an expiry, if `volatileOnly`) to `batch`, expired or
   * not, for eviction; false if there is none.
   */
  sample(volatileOnly: boolean, batch: EntryBatch): boolean {
    const segment = volatileOnly
      ? this.#registry.pickVolatilePlace(this.#random)
      : this.#registry.pickPlace(this.#random);
    if (segment === undefined) return false;
    const place = this.#registry.pickedPlace;
    batch.push(
      segment.entries[4 * place + 2] as string,
      segment.entries[4 * place + 3],
      segment.expireAt(place),
      segment.entries[4 * place + 1] as number,
    );
    return true;
  }

  /**
   * One step of a scan: appends about `count` entries that follow the cursor to `batch`, without
   * expired ones, and returns the next cursor, 0 at the end. Every key that exists from the first
   * step to the last is returned exactly once.
   */
  scan(cursor: number, count: number, batch: EntryBatch): number {
    const first = batch.length;
    const next = this.#collect(cursor, count, batch);
    this.#dropExpired(batch, first);
    return next;
  }

  /**
   * Visits all entries, expired ones included, by slot and hash. The visitor may change the
   * database: what is deleted before its turn is not visited, and values are those of the visit.
   * `expireAt` is `NEVER` (infinity) for keys without expiry.
   */
  forEach(visit: (key: string, value: Value, expireAt: number) => void): void {
    const batch = new EntryBatch();
    let cursor = 0;
    do {
      batch.clear();
      cursor = this.#collect(cursor, 512, batch);
      for (let index = 0; index < batch.length; index++) {
        const key = batch.keys[index] as string;
        const place = this.#find(key);
        if (place < 0) continue;
        const segment = this.#segment;
        visit(key, segment.entries[4 * place + 3] as Value, segment.expireAt(place));
      }
    } while (cursor !== 0);
  }

  /** Takes out all keys at once, whatever their number. */
  clear(): DetachedTables {
    const detached = { tables: this.#tables, size: this.size };
    this.#tables = emptyTables(this.#perSlot);
    this.#roots = emptyTables(this.#perSlot);
    this.#occupied = new SlotSet();
    this.#registry = new SegmentRegistry();
    this.size = 0;
    this.#forgetPlace();
    return detached;
  }

  /** Takes a slot's table out, in time proportional to its segments (thousands of keys each). */
  detachSlot(slot: number): KeyTable | undefined {
    const table = this.#tables[slot];
    if (table === undefined) return undefined;
    table.unregister();
    this.#tables[slot] = undefined;
    this.#roots[slot] = undefined;
    this.#occupied.remove(slot);
    this.size -= table.size;
    this.#forgetPlace();
    return table;
  }

  /** SWAPDB: exchanges all keys with another database of the same node. */
  swapWith(other: Database): void {
    [this.#tables, other.#tables] = [other.#tables, this.#tables];
    [this.#roots, other.#roots] = [other.#roots, this.#roots];
    [this.#occupied, other.#occupied] = [other.#occupied, this.#occupied];
    [this.#registry, other.#registry] = [other.#registry, this.#registry];
    [this.size, other.size] = [other.size, this.size];
    this.#forgetPlace();
    other.#forgetPlace();
  }

  /** Keys with an expiry. */
  get volatileSize(): number {
    let count = 0;
    for (const segment of this.#registry.volatile) count += segment.volatileCount;
    return count;
  }

  /**
   * Deletes keys whose time is over, until all are gone or `outOfTime` says to stop; the next call
   * goes on where this one stopped. Segments know a lower bound of their expiries, so a pass over
   * keys that live on costs one comparison per segment and nothing needs to be sampled.
   */
  expireCycle(outOfTime: () => boolean): ExpireCycleResult {
    const result = { examined: 0, expired: 0, finished: true };
    if (this.#hooks.expiredKeys !== "delete") return result;
    const now = this.#hooks.now();
    const batch = new EntryBatch();
    let left = this.#registry.volatile.length;
    for (let steps = 1; left > 0; steps++) {
      const segments = this.#registry.volatile;
      if (segments.length === 0) break;
      if (this.#expireCursor >= segments.length) this.#expireCursor = 0;
      const segment = segments[this.#expireCursor] as Segment;
      const due = segment.earliestExpiry < now;
      if (due) {
        batch.clear();
        segment.collectExpired(now, EXPIRE_BATCH, batch);
        for (const key of batch.keys) this.#expire(key, this.#find(key));
        result.expired += batch.length;
      }
      // A full batch may have left expired keys: stay. Else the segment is done; if it was the last
      // of its keys that went, another segment has moved to this place of the list.
      if (!due || batch.length < EXPIRE_BATCH) {
        result.examined += segment.volatileCount;
        if (due) segment.refreshEarliestExpiry();
        if (segments[this.#expireCursor] === segment) this.#expireCursor++;
        left--;
      }
      if ((due || (steps & 63) === 0) && outOfTime()) {
        result.finished = left === 0;
        break;
      }
    }
    return result;
  }

  #collect(cursor: number, count: number, batch: EntryBatch): number {
    let slot = this.#occupied.nextFrom(Math.floor(cursor / CURSOR_SLOT));
    let hash = slot === Math.floor(cursor / CURSOR_SLOT) ? cursor % CURSOR_SLOT : 0;
    const wanted = batch.length + count;
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

  /** Removes from the batch, from index `first` on, what is expired; deletes it on a primary. */
  #dropExpired(batch: EntryBatch, first: number): void {
    let kept = first;
    for (let index = first; index < batch.length; index++) {
      const at = batch.expireAts[index] as number;
      if (at !== NEVER && this.expireIfNeeded(batch.keys[index] as string)) continue;
      if (kept !== index) batch.move(index, kept);
      kept++;
    }
    if (kept !== batch.length) batch.truncate(kept);
  }

  #touchPlace(segment: Segment, place: number): void {
    const at = 4 * place + 1;
    const meta = segment.entries[at] as number;
    const touched = this.#access.touched(meta);
    if (touched !== meta) segment.entries[at] = touched;
  }

  /** Place of the key in `#segment`, or negative. */
  #find(key: string): number {
    const hash = this.#hasher.hashOf(key);
    const slot = this.#perSlot ? this.#hasher.slot : 0;
    let segment = this.#roots[slot];
    if (segment === undefined) {
      const table = this.#tables[slot];
      if (table === undefined) return -1;
      segment = table.segmentFor(hash);
    }
    const place = segment.find(key, hash);
    if (place >= 0) {
      this.#segment = segment;
      this.#place = place;
    }
    return place;
  }

  /** As `#find`, trying the place of the last key found first. */
  #again(key: string): number {
    return this.#segment.entries[4 * this.#place + 2] === key ? this.#place : this.#find(key);
  }

  #isGone(key: string, place: number): boolean {
    const expires = this.#segment.expires;
    if (expires === undefined) return false;
    const at = expires[place] as number;
    if (at === NEVER || this.#hooks.now() <= at) return false;
    const mode = this.#hooks.expiredKeys;
    if (mode === "delete") this.#expire(key, place);
    return mode !== "show";
  }

  #expire(key: string, place: number): void {
    this.#remove(key, place);
    this.#hooks.expired(this, key);
    this.#hooks.modified(this, key);
  }

  /** The table of the key that was found last. */
  #tableOf(key: string): KeyTable {
    return this.#tables[this.#perSlot ? this.#hasher.slotOf(key) : 0] as KeyTable;
  }

  #insert(key: string, value: Value, flag: EncodingFlag): void {
    const hash = this.#hasher.hashOf(key);
    const slot = this.#perSlot ? this.#hasher.slot : 0;
    let table = this.#tables[slot];
    if (table === undefined) {
      table = new KeyTable(slot, this.#registry);
      this.#tables[slot] = table;
      this.#occupied.add(slot);
    }
    table.insert(key, hash, value, (flag << ENCODING_SHIFT) | this.#access.initial());
    if (this.#roots[slot] !== table.root) this.#roots[slot] = table.root;
    this.#segment = table.atSegment;
    this.#place = table.atPlace;
    this.size++;
    if (typeof value === "object" && value.type !== "string") {
      this.#hooks.collectionAdded(this, key);
    }
  }

  #overwrite(key: string, place: number, value: Value, flag: EncodingFlag): void {
    const segment = this.#segment;
    segment.entries[4 * place + 3] = value;
    const at = 4 * place + 1;
    const meta = segment.entries[at] as number;
    // As in Redis, an LRU policy takes a new value for a use, an LFU policy keeps the counter.
    const access = this.#access.lfu ? meta & ACCESS_MASK : this.#access.initial();
    segment.entries[at] = (meta & EPOCH_MASK) | (flag << ENCODING_SHIFT) | access;
    if (typeof value === "object" && value.type !== "string") {
      this.#hooks.collectionAdded(this, key);
    }
  }

  #setExpiry(key: string, place: number, at: number): void {
    this.#tableOf(key).setExpireAt(this.#segment, place, at);
  }

  #remove(key: string, place: number): void {
    const table = this.#tableOf(key);
    table.removeAt(this.#segment, place);
    this.size--;
    const { slot } = table;
    this.#roots[slot] = table.root;
    if (table.size === 0) {
      table.unregister();
      this.#tables[slot] = undefined;
      this.#roots[slot] = undefined;
      this.#occupied.remove(slot);
    }
  }

  #forgetPlace(): void {
    this.#segment = new Segment(0, 1);
    this.#place = 0;
  }
}

export interface ExpireCycleResult {
  /** Keys with an expiry that were considered and live on. */
  examined: number;
  /** Keys deleted. */
  expired: number;
  /** True if a whole pass was completed. */
  finished: boolean;
}

function emptyTables<T>(perSlot: boolean): (T | undefined)[] {
  return new Array<T | undefined>(perSlot ? SLOT_COUNT : 1).fill(undefined);
}

/** The cursor of a client's decimal text, or `undefined` if it is not an unsigned 64-bit integer. */
export function parseCursor(text: string): number | undefined {
  if (!/^[0-9]{1,20}$/.test(text)) return undefined;
  const cursor = Number(text);
  // Not one of ours if it exceeds the slots: behind the end.
  return cursor < SLOT_COUNT * CURSOR_SLOT ? cursor : SLOT_COUNT * CURSOR_SLOT;
}
