/**
 * Walks through one AOF file: its RDB part, its records, its annotations, each with its offset, and
 * a verdict on how it ends. Owns what a record needs to be understood (database, time, open
 * transaction) and where the file could be cut; executes nothing and holds one window of the file.
 */

import type { Argument } from "@slotlog/resp";
import type { Disk, DiskFile } from "../../ports.js";
import type { RdbEvent } from "../../rdb/index.js";
import { DamagedRecordError, RecordScanner, type ScanResult } from "../record-scanner.js";
import { hidesWholeRecords, isZeroFrom } from "../torn-end.js";
import type { AofSourceFile } from "./source.js";
import { beginsWithRdb, walkRdb } from "./walk-rdb.js";

/** A record and what it means where it stands; only valid during the call. */
export interface RecordAt {
  readonly file: AofSourceFile;
  readonly argv: readonly Argument[];
  readonly offset: number;
  /** Behind its last byte. */
  readonly end: number;
  /** The database it works on; of a SELECT, the one it selects. */
  readonly db: number;
  /** Unix seconds from the last `#TS:` line, -1 if none has come yet. */
  readonly time: number;
  readonly inTransaction: boolean;
  /** Cut here, and the file holds everything before this record or its transaction. */
  readonly boundary: number;
}

export interface FileVisitor {
  rdb?(event: RdbEvent, file: AofSourceFile): void;
  record?(record: RecordAt): void;
  /** A `#TS:` line; `boundary` as in `RecordAt`. */
  time?(seconds: number, boundary: number): void;
  /** Asked between chunks: something to wait for. */
  pause?(): Promise<void> | undefined;
  /** Asked between chunks: true ends the walk, with the verdict on what was seen. */
  stopped?(): boolean;
  progress?(bytes: number): void;
}

export type FileVerdict =
  | { readonly kind: "whole" }
  /** Ends inside a record, inside a transaction of whole records, or in zero bytes. */
  | { readonly kind: "torn"; readonly inside: "record" | "transaction" | "zeros" }
  /** Bytes that no server wrote stand at `offset`. */
  | { readonly kind: "damaged"; readonly offset: number; readonly reason: string }
  /** The RDB part is damaged at `offset`, or of a kind that we cannot read. */
  | { readonly kind: "unreadable"; readonly offset: number; readonly reason: string };

export interface FileWalk {
  readonly verdict: FileVerdict;
  readonly records: number;
  /** Of them, those before `boundary`. */
  readonly wholeRecords: number;
  /** Keys of the RDB part, and its length. */
  readonly keys: number;
  readonly rdbBytes: number;
  /** Unix seconds when the RDB part was made, -1 if it does not say. */
  readonly rdbTime: number;
  /** `#TS:` lines, -1 if there are none. */
  readonly firstTime: number;
  readonly lastTime: number;
  /** Behind the last record outside of a transaction, or the last EXEC. */
  readonly boundary: number;
  /** Where the first item begins that is not whole; the end of the file if all are. */
  readonly scanned: number;
}

/** `time` is that of the file before. Rejects with a `DiskError` only. */
export async function walkFile(
  disk: Disk,
  source: AofSourceFile,
  visitor: FileVisitor,
  time = -1,
): Promise<FileWalk> {
  const file = await disk.open(source.path, "read");
  try {
    return await walkOpenFile(file, source, visitor, time);
  } finally {
    await file.close();
  }
}

async function walkOpenFile(
  file: DiskFile,
  source: AofSourceFile,
  visitor: FileVisitor,
  time: number,
): Promise<FileWalk> {
  const rdb = { bytes: 0, keys: 0, createdAt: -1 };
  if (await beginsWithRdb(file)) {
    const walked = await walkRdb(file, source, visitor);
    Object.assign(rdb, walked);
    if (walked.failure !== undefined) {
      const { reason } = walked.failure;
      const verdict = { kind: "unreadable", offset: walked.failure.offset, reason } as const;
      return { ...new RecordWalk(source, visitor, 0, time).result(verdict, 0), ...about(rdb) };
    }
  }
  const scanner = new RecordScanner(rdb.bytes);
  const walk = new RecordWalk(source, visitor, rdb.bytes, time);
  let damage: DamagedRecordError | undefined;
  let stopped = false;
  while (damage === undefined && !stopped) {
    const room = scanner.room();
    const wanted = Math.min(room.length, source.size - scanner.endOffset);
    const count = await file.readInto(room.subarray(0, Math.max(0, wanted)), scanner.endOffset);
    if (count === 0) break;
    scanner.fill(count);
    damage = walk.take(scanner);
    visitor.progress?.(scanner.offset);
    await visitor.pause?.();
    stopped = visitor.stopped?.() ?? false;
  }
  const grown = file.size() > source.size;
  const verdict = stopped ? whole : await judge(file, scanner, walk, { damage, grown });
  return { ...walk.result(verdict, scanner.offset), ...about(rdb) };
}

const whole: FileVerdict = { kind: "whole" };

function about(rdb: { bytes: number; keys: number; createdAt: number }): {
  keys: number;
  rdbBytes: number;
  rdbTime: number;
} {
  return { keys: rdb.keys, rdbBytes: rdb.bytes, rdbTime: rdb.createdAt };
}

/** As the loader judges (see `load-file.ts` and `loader.ts`), so that both say the same. */
async function judge(
  file: DiskFile,
  scanner: RecordScanner,
  walk: RecordWalk,
  seen: { readonly damage: DamagedRecordError | undefined; readonly grown: boolean },
): Promise<FileVerdict> {
  const { damage, grown } = seen;
  if (damage !== undefined) {
    if (await isZeroFrom(file, damage.offset)) return { kind: "torn", inside: "zeros" };
    return { kind: "damaged", offset: damage.offset, reason: damage.message };
  }
  if (scanner.offset === scanner.endOffset) {
    return walk.inTransaction ? { kind: "torn", inside: "transaction" } : whole;
  }
  // What is whole behind a record that was being written is what has been written since.
  if (!grown && (await hidesWholeRecords(file, walk.boundary))) {
    const reason = "a record reaches beyond the end of the file, but whole records stand behind it";
    return { kind: "damaged", offset: scanner.offset, reason };
  }
  return { kind: "torn", inside: "record" };
}

const databasesMax = 2 ** 31 - 1;

/** The loader stops there: in which database all that follows would be is not known. */
function isBadSelect(argv: readonly Argument[]): boolean {
  if (argv.length !== 2 || String(argv[0]).toLowerCase() !== "select") return false;
  const db = Number(argv[1]);
  return !Number.isInteger(db) || db < 0 || db > databasesMax;
}

/** The client that a file's records come from; it is also the record handed to the visitor. */
class RecordWalk implements RecordAt {
  readonly file: AofSourceFile;
  argv: readonly Argument[] = [];
  offset = 0;
  end = 0;
  db = 0;
  time: number;
  inTransaction = false;
  boundary: number;
  private readonly visitor: FileVisitor;
  private records = 0;
  private wholeRecords = 0;
  private firstTime = -1;
  private lastTime = -1;

  constructor(file: AofSourceFile, visitor: FileVisitor, start: number, time: number) {
    this.file = file;
    this.visitor = visitor;
    this.boundary = start;
    this.time = time;
  }

  /** All items that are whole in the window; returns what is wrong with the next, if anything. */
  take(scanner: RecordScanner): DamagedRecordError | undefined {
    for (;;) {
      this.offset = scanner.offset;
      let result: ScanResult;
      try {
        result = scanner.next();
      } catch (error) {
        if (error instanceof DamagedRecordError) return error;
        throw error;
      }
      if (result === "more") return undefined;
      this.end = scanner.offset;
      if (result === "annotation") this.annotate(scanner.annotation);
      else if (isBadSelect(scanner.argv)) {
        const database = String(scanner.argv[1]).slice(0, 40);
        return new DamagedRecordError(this.offset, `SELECT of database '${database}'`);
      } else this.accept(scanner.argv);
    }
  }

  result(verdict: FileVerdict, scanned: number): Omit<FileWalk, "keys" | "rdbBytes" | "rdbTime"> {
    const { records, wholeRecords, firstTime, lastTime, boundary } = this;
    // Annotations behind the last record of a whole file belong to it.
    const end = verdict.kind === "whole" && !this.inTransaction ? scanned : boundary;
    return { verdict, records, wholeRecords, firstTime, lastTime, boundary: end, scanned };
  }

  private annotate(line: string): void {
    const seconds = /^#TS:(\d{1,15})$/.exec(line)?.[1];
    if (seconds === undefined) return;
    this.time = Number(seconds);
    if (this.firstTime < 0) this.firstTime = this.time;
    this.lastTime = this.time;
    this.visitor.time?.(this.time, this.boundary);
  }

  private accept(argv: readonly Argument[]): void {
    this.records++;
    this.argv = argv;
    const name = String(argv[0]).toLowerCase();
    if (name === "multi") this.inTransaction = true;
    else if (name === "select" && argv.length === 2) this.db = Number(argv[1]);
    this.visitor.record?.(this);
    if (name === "exec") this.inTransaction = false;
    if (this.inTransaction) return;
    this.boundary = this.end;
    this.wholeRecords = this.records;
  }
}
