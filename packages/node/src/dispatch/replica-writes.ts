/**
 * Keys with an expiry that clients of a replica wrote (`replica-read-only no`). The primary knows
 * nothing of them and will never send their DEL, so the replica deletes them itself; all other
 * expired keys it leaves to its primary.
 *
 * It keeps their names only: what a key is now is asked when its turn comes.
 */
import type { Node } from "../node.js";
import type { Database } from "../store/database.js";
import { type Element, elementText } from "../store/types/element.js";
import { SetValue } from "../store/types/set.js";

/** Names that are looked at between two looks at the clock. */
const batchKeys = 32;

interface Written {
  readonly keys: SetValue;
  /** Where the next look goes on. */
  cursor: number;
}

export class ReplicaWrites {
  readonly #node: Node;
  /** By database. */
  readonly #written: (Written | undefined)[] = [];
  readonly #batch: Element[] = [];
  /** The key that is looked up now is ours to delete. */
  deleting = false;

  constructor(node: Node) {
    this.#node = node;
  }

  /** INFO slave_expires_tracked_keys */
  get size(): number {
    return this.#written.reduce((sum, written) => sum + (written?.keys.length ?? 0), 0);
  }

  /** A key was given an expiry: by a client's command, by the primary's, or by a file. */
  expirySet(database: Database, key: string): void {
    const { applier, dispatcher, role } = this.#node;
    if (!role.isReplica || applier.applying || dispatcher.running === undefined) return;
    const written = (this.#written[database.index] ??= {
      keys: new SetValue(database.collections, "hashtable"),
      cursor: 0,
    });
    written.keys.add(key);
  }

  /** The primary's data set took the place of this one, or there is no primary any more. */
  forget(): void {
    this.#written.length = 0;
  }

  /** Looks once at all the keys, as far as `outOfTime` allows; true if at all of them. */
  expire(outOfTime: () => boolean): boolean {
    // While writes are paused the data set stands still.
    if (this.#node.pause.mode !== undefined) return true;
    for (const [index, written] of this.#written.entries()) {
      const database = this.#node.databases.get(index);
      if (written === undefined || database === undefined) continue;
      do {
        this.#look(written, database);
        if (outOfTime()) return false;
      } while (written.cursor !== 0);
      if (written.keys.length === 0) this.#written[index] = undefined;
    }
    return true;
  }

  #look(written: Written, database: Database): void {
    const batch = this.#batch;
    written.cursor = written.keys.scan(written.cursor, batchKeys, batch);
    for (const element of batch) {
      const key = elementText(element);
      const lives = database.expireAt(key) >= 0 && !database.isLogicallyExpired(key);
      if (lives) continue;
      // Persisted, overwritten or deleted meanwhile: then there is nothing to expire.
      this.deleting = true;
      database.expireIfNeeded(key);
      this.deleting = false;
      written.keys.delete(key);
    }
    batch.length = 0;
  }
}
