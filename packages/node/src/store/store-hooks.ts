/**
 * What a database is given: how it reaches its node, and the parts that all databases of a node
 * share.
 */
import type { AccessClock } from "./access.js";
import type { Database } from "./database.js";
import type { KeyHasher } from "./key-hash.js";
import type { MemoryTally } from "./memory-tally.js";
import type { FastRandom } from "./random.js";
import type { CollectionEnvironment } from "./types/environment.js";

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
  /** An expired key was deleted; what `modified` does is up to this hook as well. */
  expired(database: Database, key: string): void;
  /** A key has changed: WATCH, client-side caching. */
  modified(database: Database, key: string): void;
  /** A read found nothing: the `keymiss` notification. */
  missed(database: Database, key: string): void;
  /** A key that was not there was added: the `new` notification. */
  created(database: Database, key: string): void;
  /** A key was given an expiry. */
  expirySet(database: Database, key: string): void;
  /** A collection appeared under a free key: blocked clients may be served. */
  collectionAdded(database: Database, key: string): void;
  /**
   * A value is under its key no more: deleted, expired or overwritten. Nobody waits for a string to
   * go, so one that another of its length takes the place of is not reported.
   */
  gone(database: Database, key: string): void;
  /** All keys of a database were taken out or exchanged. */
  contentsReplaced(database: Database): void;
}

export interface DatabaseParts {
  readonly hooks: StoreHooks;
  readonly hasher: KeyHasher;
  readonly access: AccessClock;
  readonly random: FastRandom;
  /** What the keys of all of them take. */
  readonly tally: MemoryTally;
  /** What collections in these databases share. */
  readonly collections: CollectionEnvironment;
  /** True in a cluster: one table per slot. */
  readonly perSlot: boolean;
}
