/**
 * The form in which a snapshot is written: entries in, chunks out. `rdb-form.ts` makes an RDB,
 * `command-form.ts` the commands of an AOF base without RDB preamble. A form does no I/O.
 */
import type { SnapshotSink } from "../store/snapshot-walk.js";

export interface SnapshotForm extends SnapshotSink {
  /** Bytes encoded and not taken yet. */
  readonly pendingBytes: number;
  /** Hands out what was encoded; the memory is the caller's. */
  takeChunks(): Buffer[];
  /** All entries were given. */
  end(): void;
}

/** What a data set holds, told before its entries. */
export interface DatabaseCount {
  readonly keys: number;
  readonly expires: number;
}
