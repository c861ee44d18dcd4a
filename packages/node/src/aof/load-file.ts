/**
 * Replays one file of an AOF: an RDB part if it begins with one, then records, with MULTI/EXEC put
 * together again. Owns the replay and the verdict on how the file ends; never changes the file.
 */

import type { Argument } from "@slotlog/resp";
import type { DiskFile } from "../ports.js";
import { isBatchHeader } from "./batch-header.js";
import type { StreamPosition } from "./stream-position.js";
import type { BatchReader } from "./batch-reader.js";
import { AofLoadError } from "./load-error.js";
import { DamagedRecordError, RecordScanner } from "./record-scanner.js";
import { beginsHeader, isZeroFrom } from "./torn-end.js";

/** What a data set is built from; the arguments are only valid during the call. */
export interface AofReplay {
  /** Applies one record to a database. Returns false if there is no such command. */
  execute(argv: readonly Argument[], db: number): boolean;
  /**
   * Loads the RDB at the beginning of the file; returns how many bytes it is long. Throws on
   * anything but a whole RDB.
   */
  loadRdb(file: DiskFile, onProgress: (bytes: number) => void): Promise<number>;
  /** What the RDB that `loadRdb` read says of its place in the replication history. */
  rdbPosition?(): StreamPosition | undefined;
}

export interface FileReplay {
  readonly records: number;
  readonly bytes: number;
  /** The database selected at the end. */
  readonly db: number;
  /** "torn": it ends inside a record, a transaction or an annotation, begun at `goodBytes`. */
  readonly end: "whole" | "torn";
  readonly goodBytes: number;
  /** The torn end is a transaction of whole records without its EXEC. */
  readonly unfinishedTransaction: boolean;
  /**
   * What the header of the batch with the torn end says: "beyond", the batch is longer than the
   * file; "within", it should be whole. `undefined` without a header that counts.
   */
  readonly tornBatch: "beyond" | "within" | undefined;
  /** A batch begins before `goodBytes` and does not end there: it must be closed. */
  readonly openBatch: boolean;
}

const signature = "REDIS";
const maximumDatabases = 2 ** 31 - 1;

/** Replays the file. Throws an `AofLoadError` on damage; a torn end is a result. */
export async function replayFile(
  file: DiskFile,
  name: string,
  replay: AofReplay & { readonly batches: BatchReader },
  onProgress: (bytes: number) => void,
): Promise<FileReplay> {
  const { batches } = replay;
  batches.beginFile();
  let start = 0;
  if ((await file.read(0, signature.length)).toString("latin1") === signature) {
    start = await loadRdbPart(file, name, replay, onProgress);
    batches.beginAt(replay.rdbPosition?.());
  }
  const scanner = new RecordScanner(start);
  const records = new RecordReplay(name, replay, start, batches);
  let damage: DamagedRecordError | undefined;
  while (damage === undefined) {
    batches.beforeMove(scanner);
    const room = scanner.room();
    const count = await file.readInto(room, scanner.endOffset);
    if (count === 0) break;
    scanner.fill(count);
    damage = records.replay(scanner, file);
    onProgress(scanner.offset);
  }
  damage ??= batches.damageAtEnd;
  if (damage === undefined) {
    const found = records.finish(scanner.endOffset, scanner.offset);
    const isCut = found.tornBatch === "within" && (await beginsHeader(file, scanner.offset));
    return isCut ? { ...found, tornBatch: undefined } : found;
  }
  if (await isZeroFrom(file, damage.offset)) {
    return { ...records.finish(file.size(), scanner.offset), tornBatch: undefined };
  }
  throw records.damaged(damage, file);
}

async function loadRdbPart(
  file: DiskFile,
  name: string,
  replay: AofReplay,
  onProgress: (bytes: number) => void,
): Promise<number> {
  try {
    return await replay.loadRdb(file, onProgress);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new AofLoadError(
      "SLOTLOG_AOF_BASE",
      `Error reading the RDB base file ${name}, AOF loading aborted: ${reason}`,
      { file: file.path, cause },
    );
  }
}

/** The client that a file's records come from: selected database and open transaction. */
class RecordReplay {
  private readonly name: string;
  private readonly target: AofReplay;
  private records = 0;
  private db = 0;
  private readonly batches: BatchReader;
  /** Behind the last record outside of a transaction, or the last EXEC. */
  private goodBytes: number;
  /** The same where the open batch began. */
  private goodBytesBeforeBatch: number;
  private queue: { readonly argv: readonly Argument[]; readonly db: number }[] | undefined;

  constructor(name: string, target: AofReplay, start: number, batches: BatchReader) {
    this.name = name;
    this.target = target;
    this.batches = batches;
    this.goodBytes = start;
    this.goodBytesBeforeBatch = start;
  }

  /** All items that are whole in the window; returns what is wrong with the next, if anything. */
  replay(scanner: RecordScanner, file: DiskFile): DamagedRecordError | undefined {
    try {
      for (;;) {
        const before = scanner.offset;
        const result = scanner.next();
        if (result === "more") return undefined;
        if (result === "annotation") {
          this.batches.takeAnnotation(scanner, before);
          if (isBatchHeader(scanner.annotation)) this.goodBytesBeforeBatch = this.goodBytes;
          continue;
        }
        this.take(scanner.argv, file, before);
        this.batches.takeRecord(scanner);
        if (this.queue === undefined) this.goodBytes = scanner.offset;
      }
    } catch (error) {
      if (error instanceof DamagedRecordError) return error;
      throw error;
    }
  }

  damaged(damage: DamagedRecordError, file: DiskFile): AofLoadError {
    // Of a batch that is damaged somewhere nothing is known to be good.
    const good = this.batches.isOpen ? this.goodBytesBeforeBatch : this.goodBytes;
    return new AofLoadError(
      "SLOTLOG_AOF_DAMAGED",
      `Bad file format reading the append only file ${this.name} at offset ${damage.offset} ` +
        `(${damage.message}); the last good record ends at offset ${good}`,
      { file: file.path, offset: damage.offset, cause: damage },
    );
  }

  /** `scanned` is where the last whole item ends. */
  finish(bytes: number, scanned: number): FileReplay {
    const unfinishedTransaction = this.queue !== undefined;
    const torn = unfinishedTransaction || scanned < bytes;
    // Annotations may stand between the last record and a torn one. They speak of what is cut.
    const goodBytes = torn ? this.goodBytes : bytes;
    const { batches } = this;
    const known = batches.isOpen && !batches.mayBeContinued;
    return {
      records: this.records,
      bytes,
      db: this.db,
      end: torn ? "torn" : "whole",
      goodBytes,
      unfinishedTransaction: unfinishedTransaction && scanned === bytes,
      tornBatch: !known ? undefined : batches.end > bytes ? "beyond" : "within",
      openBatch: batches.isDividedAt(goodBytes),
    };
  }

  private take(argv: readonly Argument[], file: DiskFile, offset: number): void {
    this.records++;
    const name = argv[0] as string;
    // Only the three names below matter here; their first letters spare all others the compare.
    switch (name.charCodeAt(0) | 0x20) {
      case 0x6d:
        if (name.toLowerCase() === "multi") return this.begin();
        break;
      case 0x65:
        if (name.toLowerCase() === "exec") return this.commit(file, offset);
        break;
      case 0x73:
        if (argv.length === 2 && name.toLowerCase() === "select")
          return this.select(argv, file, offset);
        break;
    }
    if (this.queue === undefined) this.execute(argv, this.db, file, offset);
    else this.queue.push({ argv: argv.slice(), db: this.db });
  }

  /** A MULTI inside of a transaction is an error that changes nothing, as for any client. */
  private begin(): void {
    this.queue ??= [];
  }

  private commit(file: DiskFile, offset: number): void {
    const queue = this.queue ?? [];
    this.queue = undefined;
    for (const { argv, db } of queue) this.execute(argv, db, file, offset);
  }

  private select(argv: readonly Argument[], file: DiskFile, offset: number): void {
    const db = Number(argv[1]);
    if (!Number.isInteger(db) || db < 0 || db > maximumDatabases) {
      throw new AofLoadError(
        "SLOTLOG_AOF_DAMAGED",
        `Bad file format reading the append only file ${this.name} at offset ${offset} ` +
          `(SELECT of database '${String(argv[1])}')`,
        { file: file.path, offset },
      );
    }
    this.db = db;
  }

  private execute(argv: readonly Argument[], db: number, file: DiskFile, offset: number): void {
    if (this.target.execute(argv, db)) return;
    throw new AofLoadError(
      "SLOTLOG_AOF_UNKNOWN_COMMAND",
      `Unknown command '${String(argv[0])}' reading the append only file ${this.name} ` +
        `at offset ${offset}`,
      { file: file.path, offset },
    );
  }
}
