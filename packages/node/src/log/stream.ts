/**
 * The log stream: every change of the data set as RESP records, made once, for the AOF and the
 * replicas alike. It owns the batch of the present turn and the offset at its end.
 *
 * It refuses to know who reads it. Offsets count bytes of this stream since the process started;
 * the replication offset is another number (the replicas' stream also carries PING and GETACK).
 */
import { type Argument, commandByteLength, encodeCommand, writeCommand } from "@slotlog/resp";

const multi = Buffer.from("*1\r\n$5\r\nMULTI\r\n", "latin1");
const exec = Buffer.from("*1\r\n$4\r\nEXEC\r\n", "latin1");

/** A batch begins with this much memory; a turn of 50 clients rarely needs more. */
const batchBytesInitial = 256 * 1024;
/** Below this, a byte loop is faster than the call into `copy` (measured: about 60 ns a call). */
const loopCopyBytesMax = 64;
/** A batch larger than this gives its memory back at the end of the turn. */
const batchBytesKept = 4 * 1024 * 1024;

export class LogStream {
  /** False while nobody reads the stream: records are then not made at all. */
  active = false;
  /** Bytes appended since the process started, the present turn's included. */
  offset = 0;

  #batch = Buffer.allocUnsafeSlow(batchBytesInitial);
  #length = 0;

  /** Bytes of the caller's buffer that stand for the stream's end but were not copied yet. */
  #borrowed: Buffer | undefined;
  #borrowedStart = 0;
  #borrowedEnd = 0;

  /** The database that the last record was for; -1 makes the next one name its own. */
  #database = -1;

  /** Records for replicas only, by their place in the batch. */
  #inserts: { at: number; readonly bytes: Buffer }[] = [];

  #inUnit = false;
  #recordsInUnit = 0;
  #unitStart = 0;

  /** The database that replicas were last told, where it was only them that were told. */
  #replicaDatabase = -1;

  /** The database that the last record was for. */
  get database(): number {
    return Math.max(this.#database, this.#replicaDatabase, 0);
  }

  /** The next record will be preceded by SELECT: a new reader starts here. */
  forgetDatabase(): void {
    this.#database = -1;
    this.#replicaDatabase = -1;
  }

  /**
   * Begins a unit: what is appended until `endUnit` is wrapped in MULTI/EXEC if it is more than
   * one record, so that no reader sees half of it.
   */
  beginUnit(): void {
    this.#inUnit = true;
    this.#recordsInUnit = 0;
  }

  endUnit(): void {
    this.#inUnit = false;
    if (this.#recordsInUnit < 2) return;
    this.#flushBorrowed();
    this.#copy(exec, 0, exec.length);
    this.offset += exec.length;
  }

  get inUnit(): boolean {
    return this.#inUnit;
  }

  /** A unit is open and has records: what was appended must not be taken away yet. */
  get unitHasRecords(): boolean {
    return this.#inUnit && this.#recordsInUnit > 0;
  }

  /**
   * Appends a record that stands encoded in `source`. The bytes are only read when `seal` is
   * called or another record cannot join them: until then `source` must not change.
   */
  appendEncoded(database: number, source: Buffer, start: number, end: number): void {
    this.#beforeRecord(database);
    if (this.#borrowed === source && this.#borrowedEnd === start) {
      this.#borrowedEnd = end;
    } else {
      this.#flushBorrowed();
      this.#borrowed = source;
      this.#borrowedStart = start;
      this.#borrowedEnd = end;
    }
    this.offset += end - start;
  }

  /** A record that replicas get and the AOF does not (PUBLISH), at this place of the stream. */
  appendForReplicas(database: number, argv: readonly Argument[]): void {
    this.#flushBorrowed();
    if (database !== this.#database && database !== this.#replicaDatabase) {
      // Replicas and the AOF now stand in different databases: the next record names its own.
      this.#database = -1;
      this.#replicaDatabase = database;
      this.#inserts.push({ at: this.#length, bytes: encodeCommand(["SELECT", String(database)]) });
    }
    this.#inserts.push({ at: this.#length, bytes: encodeCommand(argv) });
  }

  /** The turn as replicas get it, in order. */
  forEachReplicaPart(visit: (bytes: Buffer) => void): void {
    const batch = this.batch();
    let from = 0;
    for (const { at, bytes } of this.#inserts) {
      if (at > from) visit(batch.subarray(from, at));
      visit(bytes);
      from = at;
    }
    if (batch.length > from) visit(from === 0 ? batch : batch.subarray(from));
  }

  append(database: number, argv: readonly Argument[]): void {
    this.#beforeRecord(database);
    this.#flushBorrowed();
    const bytes = commandByteLength(argv);
    this.#reserve(bytes);
    this.#length = writeCommand(this.#batch, this.#length, argv);
    this.offset += bytes;
  }

  /** Copies what was borrowed: the caller is about to reuse its buffer. */
  seal(): void {
    this.#flushBorrowed();
  }

  /** The bytes of this turn; valid until `reset`. */
  batch(): Buffer {
    this.#flushBorrowed();
    return this.#batch.subarray(0, this.#length);
  }

  get batchBytes(): number {
    return this.#length + (this.#borrowedEnd - this.#borrowedStart);
  }

  /** The turn's batch was handed to all readers. */
  reset(): void {
    this.#length = 0;
    if (this.#inserts.length > 0) this.#inserts = [];
    if (this.#batch.length > batchBytesKept) {
      this.#batch = Buffer.allocUnsafeSlow(batchBytesInitial);
    }
  }

  #beforeRecord(database: number): void {
    // A MULTI stands in front of the SELECT of its first record, as Redis writes them.
    if (this.#inUnit && this.#recordsInUnit === 0) this.#unitStart = this.offset;
    if (database !== this.#database) {
      this.#database = database;
      this.#replicaDatabase = -1;
      this.#flushBorrowed();
      const select = ["SELECT", String(database)];
      const bytes = commandByteLength(select);
      if (this.#recordsInUnit === 1 && this.#inUnit) this.#openTransaction();
      this.#reserve(bytes);
      this.#length = writeCommand(this.#batch, this.#length, select);
      this.offset += bytes;
    }
    if (!this.#inUnit) return;
    this.#recordsInUnit += 1;
    if (this.#recordsInUnit === 2) this.#openTransaction();
  }

  /** Puts MULTI in front of the unit's first record, which was already appended. */
  #openTransaction(): void {
    if (this.#recordsInUnit === 1) this.#recordsInUnit = 2;
    this.#flushBorrowed();
    const unitBytes = this.offset - this.#unitStart;
    this.#reserve(multi.length);
    const at = this.#length - unitBytes;
    this.#batch.copyWithin(at + multi.length, at, this.#length);
    multi.copy(this.#batch, at);
    for (const insert of this.#inserts) if (insert.at > at) insert.at += multi.length;
    this.#length += multi.length;
    this.offset += multi.length;
  }

  #flushBorrowed(): void {
    const source = this.#borrowed;
    if (source === undefined) return;
    this.#borrowed = undefined;
    this.#copy(source, this.#borrowedStart, this.#borrowedEnd);
    this.#borrowedStart = 0;
    this.#borrowedEnd = 0;
  }

  #copy(source: Buffer, start: number, end: number): void {
    const bytes = end - start;
    this.#reserve(bytes);
    const target = this.#batch;
    let at = this.#length;
    if (bytes <= loopCopyBytesMax) {
      for (let i = start; i < end; i += 1) target[at++] = source[i] as number;
    } else {
      source.copy(target, at, start, end);
    }
    this.#length += bytes;
  }

  #reserve(bytes: number): void {
    const needed = this.#length + bytes;
    if (needed <= this.#batch.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(needed, this.#batch.length * 2));
    this.#batch.copy(grown, 0, 0, this.#length);
    this.#batch = grown;
  }
}
