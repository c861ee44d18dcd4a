/** What happens in a node when its keyspace changes: the answers to the store's hooks. */
import { ReplicaWrites } from "./dispatch/replica-writes.js";
import type { Client } from "./net/client.js";
import type { Node } from "./node.js";
import type { Database, ExpiredKeys, StoreHooks } from "./store/database.js";

export class KeyspaceHooks implements StoreHooks {
  readonly #node: Node;
  readonly replicaWrites: ReplicaWrites;
  noTouch = false;
  /** Of the key that changed last, while replies wait for replicas. */
  changedSlot = 0;

  constructor(node: Node) {
    this.#node = node;
    this.replicaWrites = new ReplicaWrites(node);
  }

  now(): number {
    return this.#node.dispatcher.now;
  }

  get expiredKeys(): ExpiredKeys {
    const node = this.#node;
    if (node.applier.applying) return "show";
    if (this.replicaWrites.deleting) return "delete";
    // While writes are paused the data set stands still: an expired key waits for its DEL.
    return node.role.isReplica || node.pause.mode !== undefined ? "hide" : "delete";
  }

  expired(database: Database, key: string): void {
    const node = this.#node;
    node.stats.expiredKeys += 1;
    node.propagate(database.index, [node.config.lazyfreeLazyExpire ? "UNLINK" : "DEL", key]);
    node.notifyKeyspaceEvent("x", "expired", key, database.index);
    this.#changed(database, key, undefined);
  }

  modified(database: Database, key: string): void {
    this.#changed(database, key, this.#node.dispatcher.running);
  }

  /** `by` is whose command changed it: nobody's, when its time was over. */
  #changed(database: Database, key: string, by: Client | undefined): void {
    const node = this.#node;
    node.watches.touch(database.index, key);
    if (node.tracking.active) node.tracking.changed(key, by);
    if (node.readsWait) node.holds.changed(database.slotOf(key));
    if (node.gate.confirms) this.changedSlot = database.slotOf(key);
  }

  missed(database: Database, key: string): void {
    this.#node.notifyKeyspaceEvent("m", "keymiss", key, database.index);
  }

  created(database: Database, key: string): void {
    if (!this.#node.loading) this.#node.notifyKeyspaceEvent("n", "new", key, database.index);
  }

  expirySet(database: Database, key: string): void {
    this.replicaWrites.expirySet(database, key);
  }

  collectionAdded(database: Database, key: string): void {
    this.#node.blocked.keyReady(database, key);
  }

  gone(database: Database, key: string): void {
    this.#node.blocked.keyGone(database, key);
  }

  contentsReplaced(database: Database): void {
    this.#node.blocked.databaseReplaced(database);
    if (this.#node.readsWait) this.#node.holds.allChanged();
  }
}
