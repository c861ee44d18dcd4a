/**
 * All databases of a node, by number. It makes them over shared parts, exchanges and empties them,
 * and knows nothing of what is in them.
 */
import { Database, type DatabaseParts, type DetachedTables } from "./database.js";

export class DatabaseSet {
  readonly databases: readonly Database[];
  readonly parts: DatabaseParts;

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
  clear(): DetachedTables[] {
    return this.databases.map((database) => database.clear());
  }
}
