/**
 * Events of an RDB become keys: into the node's databases directly at the start, or into fresh ones
 * that replace the old in one step when a full synchronisation is complete.
 */
import type { RdbEvent, RdbKeyEvent, RdbValue } from "../rdb/index.js";
import { fromNeutral } from "../rdb/values-bridge.js";
import { DatabaseSet } from "../store/database-set.js";

export interface DatasetLoaderOptions {
  readonly databases: DatabaseSet;
  /** Unix ms: keys whose time was over by then are not kept; `undefined` keeps them. */
  readonly dropExpiredAt: number | undefined;
  loadFunction(code: string): void;
}

export class DatasetLoader {
  readonly #options: DatasetLoaderOptions;
  /** A collection that comes in parts: its key, and what has come. */
  #open: { readonly event: RdbKeyEvent; readonly parts: RdbValue[] } | undefined;
  keys = 0;
  readonly aux = new Map<string, string>();

  constructor(options: DatasetLoaderOptions) {
    this.#options = options;
  }

  apply(event: RdbEvent): void {
    switch (event.kind) {
      case "key":
        if (event.more) this.#open = { event, parts: [event.value] };
        else this.#add(event, event.value);
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

  #addPart(value: RdbValue, more: boolean): void {
    const open = this.#open;
    if (open === undefined) throw new Error("a part of no collection");
    open.parts.push(value);
    if (more) return;
    this.#open = undefined;
    this.#add(open.event, joined(open.parts));
  }

  #add(event: RdbKeyEvent, value: RdbValue): void {
    const { databases, dropExpiredAt } = this.#options;
    const database = databases.get(event.db);
    if (database === undefined) {
      throw new Error(`the data set uses database ${event.db}; 'databases' is ${databases.count}`);
    }
    const { expireAt } = event;
    if (dropExpiredAt !== undefined && expireAt !== -1 && expireAt < dropExpiredAt) return;
    const key = text(event.key);
    database.set(key, fromNeutral(value, database.collections));
    if (expireAt !== -1) database.setExpireAt(key, expireAt);
    this.keys += 1;
  }
}

function text(bytes: string | Buffer): string {
  return typeof bytes === "string" ? bytes : bytes.toString("latin1");
}

/** The parts of one collection as a whole. */
function joined(parts: readonly RdbValue[]): RdbValue {
  const last = parts.at(-1) as RdbValue;
  switch (last.type) {
    case "string":
      return last;
    case "list":
      return { type: "list", items: parts.flatMap((part) => (part.type === "list" ? part.items : [])) };
    case "set":
      return {
        type: "set",
        members: parts.flatMap((part) => (part.type === "set" ? part.members : [])),
      };
    case "hash":
      return { type: "hash", pairs: parts.flatMap((part) => (part.type === "hash" ? part.pairs : [])) };
    case "zset":
      return {
        type: "zset",
        members: parts.flatMap((part) => (part.type === "zset" ? part.members : [])),
        scores: parts.flatMap((part) => (part.type === "zset" ? part.scores : [])),
      };
    case "stream":
      return {
        ...last,
        entries: parts.flatMap((part) => (part.type === "stream" ? part.entries : [])),
      };
  }
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
  }
}
