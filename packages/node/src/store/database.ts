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
import { ExpireCycle, type ExpireCycleResult } from "./expire-cycle.js";
import type { KeyHasher } from "./key-hash.js";
import type { MemoryTally } from "./memory-tally.js";
import type { FastRandom } from "./random.js";
import { ACCESS_MASK, ENCODING_MASK, ENCODING_SHIFT, EPOCH_MASK, NEVER } from "./segment.js";
import { SlabView } from "./slab.js";
import type { SlabSegment } from "./slab-segment.js";
import { SlotTables } from "./slot-tables.js";
import type { DatabaseParts, StoreHooks } from "./store-hooks.js";
import type { CollectionEnvironment } from "./types/environment.js";
import { type EncodingFlag, encodingOf, type Value } from "./value.js";

export type { DatabaseParts, ExpiredKeys, StoreHooks } from "./store-hooks.js";

export class Database {
  readonly index: number;
  /** For the collections that commands create. */
  readonly collections: CollectionEnvironment;
  /** Lookups for reading that found a key, and that did not (INFO keyspace_hits, _misses). */
  hits = 0;
  misses = 0;
  /** What `lookupView` found. */
  readonly view = new SlabView();
  readonly #hooks: StoreHooks;
  readonly #hasher: KeyHasher;
  readonly #access: AccessClock;
  readonly #random: FastRandom;
  readonly #tally: MemoryTally;
  readonly #expireCycle = new ExpireCycle();
  #tables: SlotTables;

  constructor(index: number, parts: DatabaseParts) {
    this.index = index;
    this.collections = parts.collections;
    this.#hooks = parts.hooks;
    this.#hasher = parts.hasher;
    this.#access = parts.access;
    this.#random = parts.random;
    this.#tally = parts.tally;
    this.#tables = new SlotTables(parts.perSlot, parts.hasher);
  }

  /** Keys, expired ones that nobody has looked at included. */
  get size(): number {
    return this.#tables.size;
  }

  /** Keys with an expiry. */
  get volatileSize(): number {
    return this.#tables.volatileSize;
  }

  /** The value for reading: counts as a use and in the statistics; expired keys do not exist. */
  lookupRead(key: string): Value | undefined {
    const place = this.#findToRead(key);
    return place < 0 ? undefined : this.#tables.segment.valueAt(place);
  }

  /**
   * As `lookupRead`, but a short string stays where it is: the answer is `view`, which tells its
   * place until the next change of the keyspace.
   */
  lookupView(key: string): Value | SlabView | undefined {
    const place = this.#findToRead(key);
    if (place < 0) return undefined;
    const { segment, slab } = this.#tables;
    const reference = segment.referenceAt(place);
    return slab.viewValue(reference, this.view) ? this.view : slab.value(reference);
  }

  /** As `lookupRead`, without counting as a use (EXISTS, TYPE, TTL). */
  inspect(key: string): Value | undefined {
    const value = this.peek(key);
    if (value === undefined) {
      this.misses++;
      this.#hooks.missed(this, key);
    } else {
      this.hits++;
    }
    return value;
  }

  /**
   * The value for changing it in place, which this call announces. Counts as a use, not in the
   * statistics.
   */
  lookupWrite(key: string): Value | undefined {
    const place = this.#tables.find(key);
    if (place < 0 || this.#isGone(key, place)) return undefined;
    const segment = this.#tables.segment;
    if (!this.#hooks.noTouch) this.#touchPlace(segment, place);
    const value = segment.valueAt(place);
    // Other strings cannot be changed in place: `set` and `replace` announce their change.
    if (typeof value === "object") {
      this.#announce(key, false);
      this.#tally.changing(value);
    }
    return value;
  }

  /** The value, without counting as a use or in the statistics. */
  peek(key: string): Value | undefined {
    return this.exists(key) ? this.#tables.segment.valueAt(this.#tables.place) : undefined;
  }

  exists(key: string): boolean {
    const place = this.#tables.find(key);
    return place >= 0 && !this.#isGone(key, place);
  }

  /** Adds or overwrites. An overwritten key loses its expiry unless `keepTtl`. */
  set(key: string, value: Value, keepTtl = false, flag: EncodingFlag = 0): void {
    const place = this.#tables.again(key);
    if (place < 0) {
      this.#insert(key, value, flag);
      return;
    }
    const segment = this.#tables.segment;
    if (!keepTtl && segment.expireAt(place) !== NEVER) this.#setExpiry(key, NEVER);
    this.#overwrite(key, place, value, flag);
  }

  /**
   * As `lookupWrite` and `set`, searching once and without a look at the old value: deletes what
   * has expired, counts as a use, and overwrites whatever is there, its expiry included.
   */
  assign(key: string, value: Value, flag: EncodingFlag = 0): void {
    const place = this.#tables.find(key);
    if (place < 0 || this.#isGone(key, place)) {
      this.set(key, value, false, flag);
      return;
    }
    const { segment } = this.#tables;
    // Without an LFU counter the new value sets the time of use itself.
    if (this.#access.lfu && !this.#hooks.noTouch) this.#touchPlace(segment, place);
    if (segment.expires !== undefined && segment.expireAt(place) !== NEVER) {
      this.#setExpiry(key, NEVER);
    }
    this.#overwrite(key, place, value, flag);
  }

  /** Gives an existing key a new value; its expiry stays. */
  replace(key: string, value: Value, flag: EncodingFlag = 0): void {
    const place = this.#tables.again(key);
    if (place < 0) this.#insert(key, value, flag);
    else this.#overwrite(key, place, value, flag);
  }

  /** True if there was something to delete; an expired key counts, as in Redis' dbDelete. */
  delete(key: string): boolean {
    const place = this.#tables.again(key);
    if (place < 0) return false;
    this.#remove(key);
    return true;
  }

  /** Unix ms, or -1 if the key has no expiry or does not exist. */
  expireAt(key: string): number {
    const place = this.#tables.again(key);
    if (place < 0) return -1;
    const at = this.#tables.segment.expireAt(place);
    return at === NEVER ? -1 : at;
  }

  /** Sets the expiry, whatever time it is; false if the key does not exist. */
  setExpireAt(key: string, atMs: number): boolean {
    if (this.#tables.again(key) < 0) return false;
    this.#setExpiry(key, atMs);
    this.#hooks.expirySet(this, key);
    return true;
  }

  /** Removes the expiry; false if there was none. */
  persist(key: string): boolean {
    const place = this.#tables.again(key);
    if (place < 0 || this.#tables.segment.expireAt(place) === NEVER) return false;
    this.#setExpiry(key, NEVER);
    return true;
  }

  signalModified(key: string): void {
    this.#hooks.modified(this, key);
  }

  /** True if the key is gone because its time is over (deleted now, on a primary). */
  expireIfNeeded(key: string): boolean {
    const place = this.#tables.find(key);
    return place >= 0 && this.#isGone(key, place);
  }

  /** True if the key's time is over, deleted or not; never deletes. */
  isLogicallyExpired(key: string): boolean {
    const place = this.#tables.find(key);
    return place >= 0 && this.#tables.segment.expireAt(place) < this.#hooks.now();
  }

  /** Counts as a use (TOUCH); false if the key does not exist. */
  touch(key: string): boolean {
    if (!this.exists(key)) return false;
    this.#touchPlace(this.#tables.segment, this.#tables.place);
    return true;
  }

  /** OBJECT ENCODING, or `undefined` if the key does not exist. */
  encoding(key: string): string | undefined {
    const value = this.peek(key);
    return value === undefined ? undefined : encodingOf(value, this.encodingFlag(key));
  }

  /** The flag under which the key's value was stored, for storing it again elsewhere. */
  encodingFlag(key: string): EncodingFlag {
    if (this.#tables.again(key) < 0) return 0;
    return ((this.#lastMeta & ENCODING_MASK) >>> ENCODING_SHIFT) as EncodingFlag;
  }

  /**
   * Gives an existing key another name, which must be free, in this or another database: its value,
   * expiry and use statistics go with it.
   */
  transfer(key: string, target: Database, newKey: string): void {
    const place = this.#tables.again(key);
    const segment = this.#tables.segment;
    const value = segment.valueAt(place);
    const meta = segment.metaAt(place);
    const expireAt = segment.expireAt(place);
    const flag = this.encodingFlag(key);
    this.#announce(key, false);
    target.#insert(newKey, value, flag);
    target.setAccess(newKey, meta & ACCESS_MASK);
    if (expireAt !== NEVER) target.setExpireAt(newKey, expireAt);
    this.delete(key);
  }

  /** OBJECT IDLETIME in ms, or -1 if the key does not exist. */
  idleMs(key: string): number {
    return this.exists(key) ? this.#access.idleMs(this.#lastMeta) : -1;
  }

  /** OBJECT FREQ, or -1 if the key does not exist. */
  frequency(key: string): number {
    return this.exists(key) ? this.#access.frequency(this.#lastMeta) : -1;
  }

  /** Sets the access bits, as `AccessClock` makes them for RESTORE and for RDB files. */
  setAccess(key: string, bits: number): void {
    const place = this.#tables.again(key);
    if (place < 0) return;
    const { segment } = this.#tables;
    segment.setMetaAt(place, (segment.metaAt(place) & ~ACCESS_MASK) | (bits & ACCESS_MASK));
  }

  /** The cluster slot of a key, which the next lookup of the same key need not compute again. */
  slotOf(key: string): number {
    return this.#hasher.slotOf(key);
  }

  slotSize(slot: number): number {
    return this.#tables.table(slot)?.size ?? 0;
  }

  /** Up to `count` keys of a slot, in hash order. */
  keysInSlot(slot: number, count: number): string[] {
    const table = this.#tables.table(slot);
    if (table === undefined || count <= 0) return [];
    const batch = new EntryBatch(false);
    table.collect(0, count, batch);
    return batch.keys.slice(0, count);
  }

  /** A key that has not expired, each equally likely; `undefined` if there is none. */
  randomKey(): string | undefined {
    // Redis gives up after 100 tries where it may not delete what has expired, and returns it.
    for (let tries = 0; ; tries++) {
      const segment = this.#tables.registry.pickPlace(this.#random);
      if (segment === undefined) return undefined;
      const place = this.#tables.registry.pickedPlace;
      const key = segment.keyAt(place);
      this.#tables.segment = segment;
      this.#tables.place = place;
      this.#tables.forgetPlace();
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
      ? this.#tables.registry.pickVolatilePlace(this.#random)
      : this.#tables.registry.pickPlace(this.#random);
    if (segment === undefined) return false;
    const place = this.#tables.registry.pickedPlace;
    segment.collectAt(place, batch);
    return true;
  }

  /**
   * One step of a scan: appends about `count` entries that follow the cursor to `batch`, without
   * expired ones, and returns the next cursor, 0 at the end. Every key that exists from the first
   * step to the last is returned exactly once.
   */
  scan(cursor: number, count: number, batch: EntryBatch): number {
    const first = batch.length;
    const next = this.#tables.collect(cursor, count, batch);
    this.#dropExpired(batch, first);
    return next;
  }

  /**
   * Visits all entries, expired ones included, by slot and hash. The visitor may change the
   * database: what is deleted before its turn is not visited, and values are those of the visit.
   * `expireAt` is `NEVER` (infinity) for keys without expiry.
   */
  forEach(visit: (key: string, value: Value, expireAt: number) => void): void {
    const batch = new EntryBatch(false);
    let cursor = 0;
    do {
      batch.clear();
      cursor = this.#tables.collect(cursor, 512, batch);
      for (let index = 0; index < batch.length; index++) {
        const key = batch.keys[index] as string;
        const place = this.#tables.find(key);
        if (place < 0) continue;
        const segment = this.#tables.segment;
        visit(key, segment.valueAt(place), segment.expireAt(place));
      }
    } while (cursor !== 0);
  }

  /** Takes out all keys at once, whatever their number. */
  clear(): SlotTables {
    const detached = this.#tables;
    this.#tally.detached(detached.size);
    this.#tables = new SlotTables(detached.perSlot, this.#hasher);
    this.#hooks.contentsReplaced(this);
    return detached;
  }

  /**
   * Takes all keys of a slot out, in time proportional to their segments (a thousand keys each);
   * returns their number.
   */
  detachSlot(slot: number): number {
    const tables = this.#tables;
    const table = tables.detach(slot);
    if (table === undefined) return 0;
    if (tables.walk?.keep(tables, table) !== true) tables.condemn(table);
    this.#tally.detached(table.size);
    return table.size;
  }

  /** SWAPDB: exchanges all keys with another database of the same node. */
  swapWith(other: Database): void {
    [this.#tables, other.#tables] = [other.#tables, this.#tables];
    this.#hooks.contentsReplaced(this);
    this.#hooks.contentsReplaced(other);
  }

  /** What a snapshot walks. */
  get tables(): SlotTables {
    return this.#tables;
  }

  /** Deletes keys whose time is over, as far as `outOfTime` allows; only on a primary. */
  expireCycle(outOfTime: () => boolean): ExpireCycleResult {
    if (this.#hooks.expiredKeys !== "delete") return { examined: 0, expired: 0, finished: true };
    const { registry } = this.#tables;
    return this.#expireCycle.run(registry, this.#hooks.now(), this.#expireByKey, outOfTime);
  }

  readonly #expireByKey = (key: string): void => {
    if (this.#tables.find(key) >= 0) this.#expire(key);
  };

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

  /** The meta word of the key found last. */
  get #lastMeta(): number {
    return this.#tables.segment.metaAt(this.#tables.place);
  }

  /** Place of the key in `segment`, as `lookupRead` counts it; negative if there is none. */
  #findToRead(key: string): number {
    const place = this.#tables.find(key);
    if (place < 0 || this.#isGone(key, place)) {
      this.misses++;
      this.#hooks.missed(this, key);
      return -1;
    }
    this.hits++;
    if (!this.#hooks.noTouch) this.#touchPlace(this.#tables.segment, place);
    return place;
  }

  #touchPlace(segment: SlabSegment, place: number): void {
    const { slab } = this.#tables;
    const reference = segment.referenceAt(place);
    const meta = slab.meta(reference);
    const touched = this.#access.touched(meta);
    if (touched !== meta) slab.setMeta(reference, touched);
  }

  #isGone(key: string, place: number): boolean {
    const expires = this.#tables.segment.expires;
    if (expires === undefined) return false;
    const at = expires[place] as number;
    if (at === NEVER || this.#hooks.now() <= at) return false;
    const mode = this.#hooks.expiredKeys;
    if (mode === "delete") this.#expire(key);
    return mode !== "show";
  }

  #expire(key: string): void {
    this.#remove(key);
    this.#hooks.expired(this, key);
  }

  #insert(key: string, value: Value, flag: EncodingFlag): void {
    const tables = this.#tables;
    let meta = (flag << ENCODING_SHIFT) | this.#access.initial();
    if (tables.walk !== undefined) {
      const hash = this.#hasher.hashOf(key);
      meta = tables.walk.created(tables, tables.perSlot ? this.#hasher.slot : 0, hash, meta);
    }
    tables.insert(key, value, meta);
    this.#tally.added(key, value);
    this.#hooks.created(this, key);
    if (typeof value === "object" && value.type !== "string") {
      this.#hooks.collectionAdded(this, key);
    }
  }

  #overwrite(key: string, place: number, value: Value, flag: EncodingFlag): void {
    const { segment, slab } = this.#tables;
    const reference = segment.referenceAt(place);
    const isSame = typeof value === "object" && slab.objectValue(reference) === value;
    // What stays goes on being changed.
    this.#announce(key, !isSame);
    // As in Redis, an LRU policy takes a new value for a use, an LFU policy keeps the counter.
    const { lfu } = this.#access;
    const kept = lfu ? EPOCH_MASK | ACCESS_MASK : EPOCH_MASK;
    const bits = (flag << ENCODING_SHIFT) | (lfu ? 0 : this.#access.initial());
    if (slab.overwrite(reference, value, bits, kept)) return;
    slab.setMeta(reference, (slab.meta(reference) & kept) | bits);
    if (isSame) return;
    this.#tally.replaced(slab, reference, value);
    segment.setValueAt(place, value);
    this.#hooks.gone(this, key);
  }

  #setExpiry(key: string, at: number): void {
    this.#announce(key, false);
    this.#tables.setExpireAt(key, at);
  }

  #remove(key: string): void {
    this.#announce(key, true);
    const tables = this.#tables;
    this.#tally.removed(key, tables.slab, tables.segment.referenceAt(tables.place));
    tables.remove(key);
    this.#hooks.gone(this, key);
  }

  /**
   * Tells a snapshot that the key found last is going to change. `detaches`: its value leaves the
   * keyspace and nobody will change it any more, so that the snapshot may keep it as it is.
   */
  #announce(key: string, detaches: boolean): void {
    const tables = this.#tables;
    if (tables.walk === undefined) return;
    tables.walk.beforeChange(tables, tables.perSlot ? this.#hasher.slotOf(key) : 0, detaches);
  }
}
