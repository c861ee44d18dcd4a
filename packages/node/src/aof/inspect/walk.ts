/**
 * Walks through one AOF file: its RDB part, its records, its annotations, each with its offset, and
 * a verdict on how it ends. Owns what a record needs to be understood (database, time, open
 * transaction) and where the file could be cut; executes nothing and holds one window of the file.
 */

import type { Argument } from "@slotlog/resp";
import type { Disk, DiskFile } from "../../ports.js";
import type { RdbEvent } from "../../rdb/index.js";
import { isBatchHeader } from "../batch-header.js";
import type { StreamPosition } from "../stream-position.js";
import { type BatchCounts, BatchReader } from "../batch-reader.js";
import { DamagedRecordError, RecordScanner } from "../record-scanner.js";
import { beginsHeader, hidesWholeRecords, isZeroFrom } from "../torn-end.js";
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
  /** The replication stream's offset at the end of its batch, -1 if no header says it. */
  readonly streamOffset: number;
  /** That offset behind the record itself; what replicas alone were sent may make it less. */
  readonly streamEnd: number;
  /** Cutting at `boundary` divides a batch, which must then be closed. */
  readonly dividesBatch: boolean;
}

export interface FileVisitor {
  rdb?(event: RdbEvent, file: AofSourceFile): void;
  record?(record: RecordAt): void;
  /** A `#TS:` line; `boundary` and `dividesBatch` as in `RecordAt`. */
  time?(seconds: number, boundary: number, dividesBatch: boolean): void;
  /** Asked between chunks: something to wait for. */
  pause?(): Promise<void> | undefined;
  /** Asked between chunks: true ends the walk, with the verdict on what was seen. */
  stopped?(): boolean;
  progress?(bytes: number): void;
}

export type FileVerdict =
  | { readonly kind: "whole" }
  /** Ends inside an item, inside a transaction of whole records, or in zero bytes. */
  | {
      readonly kind: "torn";
      readonly inside: "record" | "annotation" | "transaction" | "zeros";
    }
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
  readonly batches: BatchCounts;
  /** Cut at `boundary`, a batch is not whole. */
  readonly openBatch: boolean;
  /** Where the data set stands in the replication history at `boundary`, if that is known. */
  readonly position?: StreamPosition;
}

/** What goes on from file to file. */
export interface WalkState {
  /** Unix seconds of the last `#TS:` line. */
  readonly time: number;
  readonly batches: BatchReader;
}

export function newWalkState(): WalkState {
  return { time: -1, batches: new BatchReader(true) };
}

/** `state` is that of the file before. Rejects with a `DiskError` only. */
export async function walkFile(
  disk: Disk,
  source: AofSourceFile,
  visitor: FileVisitor,
  state: WalkState = newWalkState(),
): Promise<FileWalk> {
  const file = await disk.open(source.path, "read");
  try {
    return await walkOpenFile(file, source, visitor, state);
  } finally {
    await file.close();
  }
}

async function walkOpenFile(
  file: DiskFile,
  source: AofSourceFile,
  visitor: FileVisitor,
  state: WalkState,
): Promise<FileWalk> {
  const rdb = { bytes: 0, keys: 0, createdAt: -1 };
  const { batches } = state;
  batches.beginFile();
  if (await beginsWithRdb(file)) {
    const walked = await walkRdb(file, source, visitor);
    Object.assign(rdb, walked);
    batches.beginAt(walked.position);
    if (walked.failure !== undefined) {
      const { reason } = walked.failure;
      const verdict = { kind: "unreadable", offset: walked.failure.offset, reason } as const;
      return { ...new RecordWalk(source, visitor, 0, state).result(verdict, 0), ...about(rdb) };
    }
  }
  const scanner = new RecordScanner(rdb.bytes);
  const walk = new RecordWalk(source, visitor, rdb.bytes, state);
  let damage: DamagedRecordError | undefined;
  let stopped = false;
  while (damage === undefined && !stopped) {
    batches.beforeMove(scanner);
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
  if (!stopped) damage ??= batches.damageAtEnd;
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
  const why = grown ? undefined : await whyDamaged(file, scanner, walk);
  if (why !== undefined) {
    const reason = `a record reaches beyond the end of the file, but ${why}`;
    return { kind: "damaged", offset: scanner.offset, reason };
  }
  const first = await file.read(scanner.offset, 1);
  return { kind: "torn", inside: first[0] === 0x23 ? "annotation" : "record" };
}

async function whyDamaged(
  file: DiskFile,
  scanner: RecordScanner,
  { batches, boundary }: RecordWalk,
): Promise<string | undefined> {
  if (batches.isOpen && !batches.mayBeContinued) {
    const mayEnd = batches.end > scanner.endOffset || (await beginsHeader(file, scanner.offset));
    return mayEnd ? undefined : "its batch should end before";
  }
  return (await hidesWholeRecords(file, boundary)) ? "whole records stand behind it" : undefined;
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
  readonly batches: BatchReader;
  private readonly visitor: FileVisitor;
  private records = 0;
  private wholeRecords = 0;
  private firstTime = -1;
  private lastTime = -1;
  /** `boundary` and `wholeRecords` where the open batch began. */
  private beforeBatch: { readonly boundary: number; readonly wholeRecords: number };

  constructor(file: AofSourceFile, visitor: FileVisitor, start: number, state: WalkState) {
    this.file = file;
    this.visitor = visitor;
    this.boundary = start;
    this.time = state.time;
    this.batches = state.batches;
    this.beforeBatch = { boundary: start, wholeRecords: 0 };
  }

  get streamOffset(): number {
    return this.batches.offsetAtEnd;
  }

  get streamEnd(): number {
    const { end, offsetAtEnd } = this.batches;
    return offsetAtEnd < 0 ? -1 : offsetAtEnd - (end - this.end);
  }

  get dividesBatch(): boolean {
    return this.batches.isDividedAt(this.boundary);
  }

  /** All items that are whole in the window; returns what is wrong with the next, if anything. */
  take(scanner: RecordScanner): DamagedRecordError | undefined {
    for (;;) {
      this.offset = scanner.offset;
      try {
        const result = scanner.next();
        if (result === "more") return undefined;
        this.end = scanner.offset;
        if (result === "annotation") this.annotate(scanner);
        else this.accept(scanner);
      } catch (error) {
        if (error instanceof DamagedRecordError) return error;
        throw error;
      }
    }
  }

  result(verdict: FileVerdict, scanned: number): Omit<FileWalk, "keys" | "rdbBytes" | "rdbTime"> {
    const { batches, records, firstTime, lastTime } = this;
    // Of a batch that is damaged somewhere nothing is known to be good.
    const spoilt = verdict.kind === "damaged" && batches.isOpen;
    const boundary = spoilt ? this.beforeBatch.boundary : this.boundary;
    const wholeRecords = spoilt ? this.beforeBatch.wholeRecords : this.wholeRecords;
    // Annotations behind the last record of a whole file belong to it.
    const end = verdict.kind === "whole" && !this.inTransaction ? scanned : boundary;
    const position = batches.positionAt(end);
    return {
      verdict,
      records,
      wholeRecords,
      firstTime,
      lastTime,
      boundary: end,
      scanned,
      batches: { ...batches.counts },
      openBatch: batches.isDividedAt(end),
      ...(position !== undefined && { position }),
    };
  }

  private annotate(scanner: RecordScanner): void {
    const { annotation: line } = scanner;
    this.batches.takeAnnotation(scanner, this.offset);
    if (isBatchHeader(line)) {
      const { boundary, wholeRecords } = this;
      this.beforeBatch = { boundary, wholeRecords };
    }
    const seconds = /^#TS:(\d{1,15})$/.exec(line)?.[1];
    if (seconds === undefined) return;
    this.time = Number(seconds);
    if (this.firstTime < 0) this.firstTime = this.time;
    this.lastTime = this.time;
    this.visitor.time?.(this.time, this.boundary, this.dividesBatch);
  }

  private accept(scanner: RecordScanner): void {
    const { argv } = scanner;
    if (isBadSelect(argv)) {
      const database = String(argv[1]).slice(0, 40);
      throw new DamagedRecordError(this.offset, `SELECT of database '${database}'`);
    }
    this.records++;
    this.argv = argv;
    const name = String(argv[0]).toLowerCase();
    if (name === "multi") this.inTransaction = true;
    else if (name === "select" && argv.length === 2) this.db = Number(argv[1]);
    this.visitor.record?.(this);
    this.batches.takeRecord(scanner);
    if (name === "exec") this.inTransaction = false;
    if (this.inTransaction) return;
    this.boundary = this.end;
    this.wholeRecords = this.records;
  }
}
