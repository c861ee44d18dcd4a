/**
 * Eviction: deletes keys until the data is within its limit, by the policy that `maxmemory-policy`
 * names, approximated as Redis does it.
 *
 * Nothing is sorted and no list of keys is kept: a few keys are drawn at random, and the best of
 * them join the best of the draws before in a pool of 16. It measures nothing (the tally tells
 * what there is and what a deletion gave back) and propagates nothing (the host is told of each
 * key). Its time per call is bounded; what is left to do is done by the calls that follow.
 */
import type { Clock } from "../ports.js";
import type { AccessClock } from "./access.js";
import type { Database } from "./database.js";
import { EntryBatch } from "./entry-batch.js";
import type { MemoryTally } from "./memory-tally.js";
import { NEVER } from "./segment.js";

/** Redis' EVPOOL_SIZE. */
const poolSize = 16;
/** The clock is read once per so many keys. */
const keysPerLook = 16;

export interface EvictionSettings {
  /** As CONFIG GET shows it: `allkeys-lru`, `volatile-ttl`, `noeviction`, … */
  readonly maxmemoryPolicy: string;
  readonly maxmemorySamples: number;
  readonly maxmemoryEvictionTenacity: number;
}

export interface EvictionHost {
  readonly config: EvictionSettings;
  readonly clock: Pick<Clock, "monotonic">;
  readonly databases: readonly Database[];
  readonly access: AccessClock;
  readonly tally: MemoryTally;
  /** The key was deleted to make room. */
  evicted(database: Database, key: string): void;
}

/** Whether the data is within the limit now, will be soon, or cannot be. */
export type EvictionResult = "fits" | "continues" | "full";

/** The time that one call may take, as Redis derives it from the tenacity (0 to 100). */
export function evictionTimeMs(tenacity: number): number {
  if (tenacity <= 10) return 0.05 * tenacity;
  if (tenacity >= 100) return Number.POSITIVE_INFINITY;
  // From 0.5 ms at 10 to about two minutes at 99.
  return 0.5 * 1.15 ** (tenacity - 10);
}

export class Evictor {
  readonly #host: EvictionHost;
  readonly #pool = new EvictionPool();
  readonly #batch = new EntryBatch(false);
  /** Random policies take a key of each database in turn. */
  #nextDatabase = 0;

  constructor(host: EvictionHost) {
    this.#host = host;
  }

  /** Deletes keys until the tally is at most `fullAt`, or the time is up, or none is left. */
  run(): EvictionResult {
    const { clock, config, tally } = this.#host;
    if (tally.bytes <= tally.fullAt) return "fits";
    const policy = config.maxmemoryPolicy;
    if (policy === "noeviction") return "full";
    const deadline = clock.monotonic() + evictionTimeMs(config.maxmemoryEvictionTenacity);
    for (let count = 1; tally.bytes > tally.fullAt; count += 1) {
      if (!this.#evictOne(policy)) return "full";
      if (count % keysPerLook === 0 && clock.monotonic() > deadline) {
        return tally.bytes > tally.fullAt ? "continues" : "fits";
      }
    }
    return "fits";
  }

  #evictOne(policy: string): boolean {
    const volatileOnly = policy.startsWith("volatile-");
    if (policy.endsWith("-random")) return this.#evictRandom(volatileOnly);
    for (;;) {
      if (!this.#fillPool(policy, volatileOnly)) return false;
      // Keys of the pool may be gone, or volatile no more, since they were drawn.
      while (this.#pool.length > 0) {
        const { key, database } = this.#pool.takeBest();
        if (volatileOnly && database.expireAt(key) < 0) continue;
        if (this.#evict(database, key)) return true;
      }
    }
  }

  #evictRandom(volatileOnly: boolean): boolean {
    const { databases } = this.#host;
    const batch = this.#batch;
    for (let tries = 0; tries < databases.length; tries += 1) {
      this.#nextDatabase = (this.#nextDatabase + 1) % databases.length;
      const database = databases[this.#nextDatabase] as Database;
      batch.clear();
      if (!database.sample(volatileOnly, batch)) continue;
      const key = batch.keys[0] as string;
      batch.clear();
      return this.#evict(database, key);
    }
    return false;
  }

  #evict(database: Database, key: string): boolean {
    if (!database.delete(key)) return false;
    this.#host.evicted(database, key);
    return true;
  }

  /** Draws keys of every database; false if there is none to draw. */
  #fillPool(policy: string, volatileOnly: boolean): boolean {
    const { config, databases } = this.#host;
    const batch = this.#batch;
    let found = false;
    for (const database of databases) {
      batch.clear();
      for (let count = config.maxmemorySamples; count > 0; count -= 1) {
        if (!database.sample(volatileOnly, batch)) break;
      }
      found ||= batch.length > 0;
      for (let index = 0; index < batch.length; index += 1) {
        const score = this.#score(policy, index);
        this.#pool.offer(database, batch.keys[index] as string, score);
      }
    }
    batch.clear();
    return found;
  }

  /** The higher, the sooner it goes. */
  #score(policy: string, index: number): number {
    const { access } = this.#host;
    const meta = this.#batch.metas[index] as number;
    if (policy === "volatile-ttl") {
      const at = this.#batch.expireAts[index] as number;
      return at === NEVER ? Number.NEGATIVE_INFINITY : -at;
    }
    return policy.endsWith("-lfu") ? 255 - access.frequency(meta) : access.idleMs(meta);
  }
}

/** The best candidates so far, the best one last. */
export class EvictionPool {
  readonly #keys: string[] = [];
  readonly #databases: Database[] = [];
  readonly #scores: number[] = [];

  get length(): number {
    return this.#keys.length;
  }

  /** Takes the candidate in if there is room or if it is better than the worst. */
  offer(database: Database, key: string, score: number): void {
    const scores = this.#scores;
    if (scores.length === poolSize && score <= (scores[0] as number)) return;
    for (let index = 0; index < scores.length; index += 1) {
      if (this.#keys[index] === key && this.#databases[index] === database) return;
    }
    let at = scores.length;
    while (at > 0 && (scores[at - 1] as number) >= score) at -= 1;
    scores.splice(at, 0, score);
    this.#keys.splice(at, 0, key);
    this.#databases.splice(at, 0, database);
    if (scores.length <= poolSize) return;
    scores.shift();
    this.#keys.shift();
    this.#databases.shift();
  }

  takeBest(): { readonly database: Database; readonly key: string; readonly score: number } {
    return {
      database: this.#databases.pop() as Database,
      key: this.#keys.pop() as string,
      score: this.#scores.pop() as number,
    };
  }
}
