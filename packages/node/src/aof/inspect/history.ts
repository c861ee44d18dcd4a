/**
 * Every change of one key, in order: the records that name it, and those that change all keys of
 * its database. Owns which records concern a key; follows no value to another name.
 */

import type { Disk } from "../../ports.js";
import { type BaseKey, BaseKeyReader } from "./base-keys.js";
import { KeyFinder, nameOf, textOf } from "./keys.js";
import { type AofWalk, walkAof } from "./replay-order.js";
import type { AofSource, AofSourceFile } from "./source.js";
import type { RecordAt } from "./walk.js";

export interface HistorySink {
  record(record: RecordAt): void;
  baseKey(file: AofSourceFile, key: BaseKey): void;
  pause?(): Promise<void> | undefined;
  stopped?(): boolean;
  progress?(bytes: number): void;
}

export interface HistoryOptions {
  readonly disk: Disk;
  readonly source: AofSource;
  /** A byte string. */
  readonly key: string;
  /** Only what happens in this database; undefined: in any. */
  readonly db: number | undefined;
  readonly sink: HistorySink;
}

/** Rejects with a `DiskError` or a `MissingFileError`; damage is told by the result. */
export function keyHistory(options: HistoryOptions): Promise<AofWalk> {
  const { disk, source, key, db, sink } = options;
  const finder = new KeyFinder();
  let current: AofSourceFile | undefined;
  const reader = new BaseKeyReader({
    wants: (keyDb, found) => (db === undefined || keyDb === db) && textOf(found) === key,
    key: (found) => {
      if (current !== undefined) sink.baseKey(current, found);
    },
  });
  return walkAof(disk, source, {
    file: (file) => {
      current = file;
    },
    rdb: (event) => reader.take(event),
    record: (record) => {
      if (concerns(record, { key, db, finder })) sink.record(record);
    },
    pause: () => sink.pause?.(),
    stopped: () => sink.stopped?.() ?? false,
    progress: (bytes) => sink.progress?.(bytes),
  });
}

interface Subject {
  readonly key: string;
  readonly db: number | undefined;
  readonly finder: KeyFinder;
}

function concerns(record: RecordAt, { key, db, finder }: Subject): boolean {
  const { argv } = record;
  const here = db === undefined || record.db === db;
  const name = nameOf(argv);
  switch (name) {
    case "flushall":
      return true;
    case "flushdb":
      return here;
    case "swapdb":
      return db === undefined || Number(argv[1]) === db || Number(argv[2]) === db;
    case "move":
      return (here || Number(argv[2]) === db) && finder.names(argv, key);
    case "copy":
      return (here || copyTarget(record) === db) && finder.names(argv, key);
    default:
      return here && finder.names(argv, key);
  }
}

function copyTarget({ argv, db }: RecordAt): number {
  const at = argv.findIndex((word, index) => index > 2 && textOf(word).toLowerCase() === "db");
  return at < 0 ? db : Number(argv[at + 1]);
}
