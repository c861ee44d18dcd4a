/**
 * All databases of a node, by number. It makes them over shared parts, exchanges and empties them,
 * and knows nothing of what is in them.
 */
import assert from "node:assert";
import { Database, type DatabaseParts } from "./database.js";
import type { SlotTables } from "./slot-tables.js";
import { EPOCH_MAX, SnapshotWalk, type SnapshotWalkOptions } from "./snapshot-walk.js";

export class DatabaseSet {
  readonly databases: readonly Database[];
  readonly parts: DatabaseParts;
  /** The last walk, and the epochs used since one was completed. */
  #walk: SnapshotWalk | undefined = undefined;
  #epoch = 0;
  #epochsUsed = 0;

  constructor(count: number, parts: DatabaseParts) {
    this.parts = parts;
    this.databases = Array.from({ length: count }, (_, index) => new Database(index, parts));
  }

  get count(): number {
    return this.databases.length;
  }

  /** The database of that number, or `undefined` if there is none. */
  get(index: number): Database | undefined {
    return this.databases[index];
  }

  /** Keys in all databases. */
  get size(): number {
    let size = 0;
    for (const database of this.databases) size += database.size;
    return size;
  }

  /** Database 0, which always exists. */
  get first(): Database {
    return this.databases[0] as Database;
  }

  /** SWAPDB: exchanges the contents of two databases in constant time. */
  swap(first: Database, second: Database): void {
    if (first !== second) first.swapWith(second);
  }

  /** FLUSHALL: takes everything out at once; returns what was in each database. */
  clear(): SlotTables[] {
    return this.databases.map((database) => database.clear());
  }

  /**
   * Begins a snapshot of everything as it is now; the caller calls `step` until it is finished.
   * Only one can be under way. Abandoned walks leave marks behind, of epochs that are not used
   * again until a complete walk has cleared them, or until all are used up: then they are cleared
   * here.
   */
  beginWalk(options: Omit<SnapshotWalkOptions, "epoch">): SnapshotWalk {
    const last = this.#walk;
    assert(last === undefined || last.finished, "two snapshots at once");
    if (last !== undefined && !last.abandoned) this.#epochsUsed = 0;
    if (++this.#epochsUsed > EPOCH_MAX) {
      for (const { tables } of this.databases) tables.clearEpochs();
      this.#epochsUsed = 1;
    }
    this.#epoch = (this.#epoch % EPOCH_MAX) + 1;
    const sources = this.databases
      .filter(({ size }) => size > 0)
      .map(({ index, tables }) => ({ database: index, tables }));
    this.#walk = new SnapshotWalk(sources, { ...options, epoch: this.#epoch });
    return this.#walk;
  }
}
