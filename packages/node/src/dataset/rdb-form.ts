/**
 * A snapshot as an RDB: header, functions, then entries as the walk brings them. Old values that
 * the walk had queued may be of another database than those before: then the database is selected
 * again, which every reader of the format allows.
 */
import { RdbEncoder, type RdbEncoderOptions, type RdbHeader } from "../rdb/index.js";
import type { AccessClock } from "../store/access.js";
import { isNeutral, type SnapshotValue } from "../store/snapshot-walk.js";
import type { RdbCollection } from "../rdb/values.js";
import type { DatabaseCount, PartedEntry, SnapshotForm } from "./snapshot-form.js";

/** Which use statistics go with the keys: what the eviction policy goes by. */
export type UseStatistics = "none" | "lru" | "lfu";

export interface RdbFormOptions {
  readonly header: RdbHeader;
  readonly encoder: RdbEncoderOptions;
  /** Source code of the function libraries. */
  readonly functions: readonly string[];
  /** By database number; hints for the reader's tables. */
  readonly counts: readonly DatabaseCount[];
  readonly access: AccessClock;
  readonly statistics: UseStatistics;
}

interface MutableMeta {
  key: string;
  expireAt: number;
  idleSeconds?: number;
  frequency?: number;
}

export class RdbForm implements SnapshotForm {
  readonly #options: RdbFormOptions;
  readonly #encoder: RdbEncoder;
  readonly #announced = new Set<number>();
  #database = -1;
  /** Refilled for each key. */
  readonly #meta: MutableMeta = { key: "", expireAt: -1 };

  constructor(options: RdbFormOptions) {
    this.#options = options;
    this.#encoder = new RdbEncoder(options.encoder);
    this.#encoder.header(options.header);
    for (const code of options.functions) this.#encoder.function(code);
  }

  get pendingBytes(): number {
    return this.#encoder.pendingBytes;
  }

  takeChunks(): Buffer[] {
    return this.#encoder.takeChunks();
  }

  entry(
    database: number,
    key: string,
    value: SnapshotValue,
    expireAt: number,
    metaWord: number,
  ): void {
    const meta = this.#keyMeta(database, key, expireAt, metaWord);
    const encoder = this.#encoder;
    // RDB's integer encodings end at 32 bits; the encoder writes wider ones as text.
    if (typeof value !== "object") encoder.stringKey(meta, value);
    else if (value.type === "string") encoder.stringKey(meta, value.view());
    else encoder.key(meta, isNeutral(value) ? value : value.toNeutral());
  }

  beginParts({ count, database, expireAt, key, meta, type }: PartedEntry): void {
    this.#encoder.beginCollection(this.#keyMeta(database, key, expireAt, meta), type, count);
  }

  part(elements: RdbCollection): void {
    this.#encoder.part(elements);
  }

  endParts(): void {}

  end(): void {
    this.#encoder.end();
  }

  /** Selects the database; what goes in front of the key is only valid until the next call. */
  #keyMeta(database: number, key: string, expireAt: number, metaWord: number): MutableMeta {
    if (database !== this.#database) this.#select(database);
    const meta = this.#meta;
    const { access, statistics } = this.#options;
    meta.key = key;
    meta.expireAt = expireAt === Number.POSITIVE_INFINITY ? -1 : expireAt;
    if (statistics === "lru") meta.idleSeconds = access.idleMs(metaWord) / 1000;
    else if (statistics === "lfu") meta.frequency = access.frequency(metaWord);
    return meta;
  }

  #select(database: number): void {
    this.#database = database;
    this.#encoder.selectDb(database);
    if (this.#announced.has(database)) return;
    this.#announced.add(database);
    const count = this.#options.counts[database];
    if (count !== undefined) this.#encoder.resizeDb(count.keys, count.expires);
  }
}
