/**
 * Which clients watch which keys (WATCH). It grows with watchers, never with the data: a key that
 * nobody watches costs one comparison when it changes.
 */
import type { Client } from "../net/client.js";

export class WatchTable {
  /** Per database: watched key to those who watch it. */
  readonly #watchers: (Map<string, Set<Client>> | undefined)[] = [];
  #count = 0;

  add(client: Client, database: number, key: string, expired: boolean): void {
    if (client.watched.some((watch) => watch.database === database && watch.key === key)) return;
    client.watched.push({ database, key, expired });
    const keys = (this.#watchers[database] ??= new Map<string, Set<Client>>());
    const clients = keys.get(key);
    if (clients === undefined) keys.set(key, new Set([client]));
    else clients.add(client);
    this.#count += 1;
  }

  /** UNWATCH, and whatever ends a client's transaction. */
  removeAll(client: Client): void {
    if (client.watched.length === 0) return;
    for (const { database, key } of client.watched) {
      const keys = this.#watchers[database];
      const clients = keys?.get(key);
      clients?.delete(client);
      if (clients?.size === 0) keys?.delete(key);
      this.#count -= 1;
    }
    client.watched = [];
  }

  get isEmpty(): boolean {
    return this.#count === 0;
  }

  /** Number of clients that watch something, for `INFO clients`. */
  get clientCount(): number {
    const clients = new Set<Client>();
    for (const keys of this.#watchers) {
      for (const watchers of keys?.values() ?? []) {
        for (const client of watchers) clients.add(client);
      }
    }
    return clients.size;
  }

  /** Number of watched keys, for `INFO clients`. */
  get keyCount(): number {
    return this.#watchers.reduce((sum, keys) => sum + (keys?.size ?? 0), 0);
  }

  /** A key changed. */
  touch(database: number, key: string): void {
    if (this.#count === 0) return;
    const clients = this.#watchers[database]?.get(key);
    if (clients === undefined) return;
    for (const client of clients) {
      const watch = client.watched.find((w) => w.database === database && w.key === key);
      // A key that had expired when it was watched is gone for its watcher already: that it is now
      // deleted for good changes nothing.
      if (watch?.expired === true && this.#isGone(database, key)) continue;
      client.watchBroken = true;
    }
  }

  /**
   * All keys of a database went at once (FLUSHDB, SWAPDB, a full synchronisation). `affected` is
   * asked for each watch; `expired` says that the key had expired when it was watched. The answer
   * "expired" means that an expired key took the place of no key, which changes nothing.
   */
  touchDatabase(
    database: number,
    affected: (key: string, expired: boolean) => boolean | "expired",
  ): void {
    for (const [key, clients] of this.#watchers[database] ?? []) {
      for (const client of clients) {
        const watch = client.watched.find((w) => w.database === database && w.key === key);
        const change = affected(key, watch?.expired === true);
        if (change === "expired") {
          if (watch !== undefined) watch.expired = true;
        } else if (change) client.watchBroken = true;
      }
    }
  }

  /** Set by the composition root: whether a key does not exist any more. */
  #isGone: (database: number, key: string) => boolean = () => false;
  setExistence(isGone: (database: number, key: string) => boolean): void {
    this.#isGone = isGone;
  }
}
