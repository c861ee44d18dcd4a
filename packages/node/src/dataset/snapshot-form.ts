/**
 * The form in which a snapshot is written: entries in, chunks out. `rdb-form.ts` makes an RDB,
 * `command-form.ts` the commands of an AOF base without RDB preamble. A form does no I/O.
 */
import type { RdbCollection } from "../rdb/values.js";
import type { SnapshotValue } from "../store/snapshot-walk.js";

export interface SnapshotForm {
  /** One key, whole. */
  entry(database: number, key: string, value: SnapshotValue, expireAt: number, meta: number): void;
  /** A key whose collection comes in parts: `count` elements, fields or members together. */
  beginParts(entry: PartedEntry): void;
  part(elements: RdbCollection): void;
  /** All parts were given. */
  endParts(): void;
  /** Bytes encoded and not taken yet. */
  readonly pendingBytes: number;
  /** Hands out what was encoded; the memory is the caller's. */
  takeChunks(): Buffer[];
  /** All entries were given. */
  end(): void;
}

export interface PartedEntry {
  readonly database: number;
  readonly key: string;
  readonly type: RdbCollection["type"];
  readonly count: number;
  readonly expireAt: number;
  readonly meta: number;
}

/** What a data set holds, told before its entries. */
export interface DatabaseCount {
  readonly keys: number;
  readonly expires: number;
}
