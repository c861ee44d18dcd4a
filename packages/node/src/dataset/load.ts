/**
 * Events of an RDB become keys: into the node's databases directly at the start, or into fresh ones
 * that replace the old in one step when a full synchronisation is complete.
 */
import type { RdbEvent, RdbKeyEvent, RdbValue } from "../rdb/index.js";
import { fromNeutral } from "../rdb/values-bridge.js";
import { DatabaseSet } from "../store/database-set.js";
import type { Value } from "../store/value.js";
import { appendPart } from "./append-part.js";

export interface DatasetLoaderOptions {
  readonly databases: DatabaseSet;
  /** Unix ms: keys whose time was over by then are not kept; `undefined` keeps them. */
  readonly dropExpiredAt: number | undefined;
  loadFunction(code: string): void;
  /** Called for each key that is not kept for that reason. */
  onExpired?(database: number, key: string): void;
  /** A key that is there already is an error; by default the loaded one replaces it. */
  readonly refuseExisting?: boolean;
}

/** A collection that comes in parts: its key, and what has come of it. */
interface OpenCollection {
  readonly event: RdbKeyEvent;
  readonly value: Value;
}

export class DatasetLoader {
  readonly #options: DatasetLoaderOptions;
  #open: OpenCollection | undefined;
  keys = 0;
  /** Keys that were not kept since their time was over. */
  expired = 0;
  readonly aux = new Map<string, string>();

  constructor(options: DatasetLoaderOptions) {
    this.#options = options;
  }

  apply(event: RdbEvent): void {
    switch (event.kind) {
      case "key":
        if (event.more) this.#begin(event);
        else this.#add(event, this.#valueOf(event.value));
        return;
      case "part":
        this.#addPart(event.value, event.more);
        return;
      case "aux":
        this.aux.set(event.name, event.value);
        return;
      case "function":
        this.#options.loadFunction(text(event.code));
        return;
      case "version":
      case "selectDb":
      case "resizeDb":
      case "eof":
        return;
    }
  }

  #valueOf(neutral: RdbValue): Value {
    return fromNeutral(neutral, this.#options.databases.parts.collections);
  }

  #begin(event: RdbKeyEvent): void {
    this.#open = { event, value: this.#valueOf(event.value) };
  }

  #addPart(part: RdbValue, more: boolean): void {
    const open = this.#open;
    if (open === undefined) throw new Error("a part of no collection");
    if (!appendPart(open.value, part, !more)) {
      throw new Error(`a part of type ${part.type} in a value of another type`);
    }
    if (more) return;
    this.#open = undefined;
    this.#add(open.event, open.value);
  }

  #add(event: RdbKeyEvent, value: Value): void {
    const { databases, dropExpiredAt, refuseExisting } = this.#options;
    const database = databases.get(event.db);
    if (database === undefined) {
      throw new Error(`the data set uses database ${event.db}; 'databases' is ${databases.count}`);
    }
    const { expireAt, frequency, idleSeconds } = event;
    if (dropExpiredAt !== undefined && expireAt !== -1 && expireAt < dropExpiredAt) {
      this.expired += 1;
      this.#options.onExpired?.(event.db, text(event.key));
      return;
    }
    const key = text(event.key);
    if (refuseExisting === true && database.tables.find(key) >= 0) {
      throw new Error(`the key '${key}' exists already`);
    }
    database.set(key, value);
    if (expireAt !== -1) database.setExpireAt(key, expireAt);
    const { access } = databases.parts;
    if (frequency >= 0 && access.lfu) database.setAccess(key, access.fromFrequency(frequency));
    else if (idleSeconds >= 0 && !access.lfu) {
      database.setAccess(key, access.fromIdleMs(idleSeconds * 1000));
    }
    this.keys += 1;
  }
}

function text(bytes: string | Buffer): string {
  return typeof bytes === "string" ? bytes : bytes.toString("latin1");
}

/** Fresh databases that take the place of the node's at `commit`. */
export class ReplacementDataset {
  readonly #databases: DatabaseSet;
  readonly #fresh: DatabaseSet;
  readonly loader: DatasetLoader;

  constructor(options: DatasetLoaderOptions) {
    this.#databases = options.databases;
    this.#fresh = new DatabaseSet(options.databases.count, options.databases.parts);
    this.loader = new DatasetLoader({ ...options, databases: this.#fresh });
  }

  commit(): void {
    for (const [index, database] of this.#databases.databases.entries()) {
      const fresh = this.#fresh.get(index);
      if (fresh !== undefined) database.swapWith(fresh);
    }
    // What was there before is in the hands of nobody now.
    this.abandon();
  }

  /** What it holds is not going to be taken. */
  abandon(): void {
    for (const { size } of this.#fresh.databases) this.#databases.parts.tally.detached(size);
  }
}
