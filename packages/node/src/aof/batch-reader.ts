/**
 * Verifies the batches of an AOF while its records are read, and keeps the place in the replication
 * history that their headers tell. Owns the running checksum and the verdict on each batch; knows
 * no record. Something is wrong with a batch: a `DamagedRecordError` at its header.
 */

import type { Argument } from "@slotlog/resp";
import { Crc64 } from "../rdb/crc64.js";
import { type BatchHeader, isBatchHeader, parseBatchHeader } from "./batch-header.js";
import type { StreamPosition } from "./stream-position.js";
import { DamagedRecordError, type RecordScanner } from "./record-scanner.js";

/** What was found in one file. */
export interface BatchCounts {
  /** Batches whose checksum was verified. */
  verified: number;
  /** Batches that end before their length, where a file was cut and then written on. */
  cutShort: number;
  /** Records that no header speaks of. */
  uncovered: number;
}

/** The records may all be readable, but they are not those that the header speaks of. */
export class DamagedBatchError extends DamagedRecordError {}

/** No batch is open: no record ends before it. */
const none = -1;

export class BatchReader {
  counts: BatchCounts = { verified: 0, cutShort: 0, uncovered: 0 };
  readonly #verifies: boolean;
  #checksum = new Crc64();
  /** Up to where the open batch is in the checksum. */
  #checkedTo = 0;
  #header: BatchHeader | undefined;
  /** The open batch: its header, its first byte, and behind its last one. */
  #headerStart = 0;
  #start = 0;
  #end = none;
  #records = 0;
  /**
   * The open batch holds a SELECT behind its first record. A redis-server begins with one when it
   * writes on behind a batch that it has cut, so what does not fit the header may be its records.
   */
  #mayBeContinued = false;
  /** The last batch does not have its checksum, but may be such a one: what follows tells. */
  #suspect: DamagedBatchError | undefined;
  #chain: string | undefined;
  #replicationId = "";
  #position: StreamPosition | undefined;

  constructor(verifies: boolean) {
    this.#verifies = verifies;
  }

  /** The next file: its checksum begins anew, its place in the history does not. */
  beginFile(): void {
    this.counts = { verified: 0, cutShort: 0, uncovered: 0 };
    this.#checksum = new Crc64();
    this.#chain = undefined;
    this.#end = none;
    this.#suspect = undefined;
  }

  /** The file has ended: what is wrong with its last batch, if that is only known now. */
  get damageAtEnd(): DamagedRecordError | undefined {
    return this.#suspect;
  }

  /** What the RDB at the beginning of the file says. */
  beginAt(position: StreamPosition | undefined): void {
    this.#position = position;
    this.#replicationId = position?.id ?? "";
  }

  /** A batch is open: the file was not read to its end yet, or it ends before the batch does. */
  get isOpen(): boolean {
    return this.#end !== none;
  }

  /** Behind the last byte of the open batch. */
  get end(): number {
    return this.#end;
  }

  /** The running checksum behind the last batch, if it is known. */
  get chain(): string | undefined {
    return this.isOpen ? undefined : this.#chain;
  }

  /** Records of another server may stand in the open batch. */
  get mayBeContinued(): boolean {
    return this.isOpen && this.#mayBeContinued;
  }

  /** The stream's offset at the end of the open batch, -1 if its header does not say. */
  get offsetAtEnd(): number {
    return this.isOpen ? (this.#header?.replicationOffset ?? -1) : -1;
  }

  /** A batch is open that begins before `offset`: cut there, and it is not whole. */
  isDividedAt(offset: number): boolean {
    return this.isOpen && this.#headerStart < offset;
  }

  /** Where the data set stands if the records up to `offset` of this file are applied. */
  positionAt(offset: number): StreamPosition | undefined {
    return this.isOpen && offset > this.#start ? undefined : this.#position;
  }

  /** Behind every record; `scanner` stands there. */
  takeRecord(scanner: RecordScanner): void {
    if (this.#end !== none) {
      if (this.#records++ > 0 && isSelect(scanner.argv)) this.#mayBeContinued = true;
      if (scanner.offset >= this.#end) this.#finish(scanner);
      return;
    }
    if (this.#suspect !== undefined) {
      // Where we write there is a header: these are records of another server, from the SELECT on.
      this.#suspect = undefined;
      this.counts.cutShort++;
    }
    this.counts.uncovered++;
    this.#position = undefined;
  }

  /** Behind every annotation, which began at `start`. */
  takeAnnotation(scanner: RecordScanner, start: number): void {
    const line = scanner.annotation;
    if (isBatchHeader(line)) this.#begin(line, start, scanner);
    else if (this.isOpen && scanner.offset >= this.#end) this.#finish(scanner);
  }

  /** Before the scanner's window moves on, and what it held is gone. */
  beforeMove(scanner: RecordScanner): void {
    if (this.isOpen && this.#verifies) this.#checkTo(scanner, scanner.offset);
  }

  #begin(line: string, start: number, scanner: RecordScanner): void {
    if (this.#suspect !== undefined) throw this.#suspect;
    const header = parseBatchHeader(line);
    if (header === undefined) {
      // What it would say of the records behind it is not known.
      if (this.#verifies) throw new DamagedRecordError(start, unknownForm(line));
      this.#end = none;
      this.#chain = undefined;
      return;
    }
    if (this.isOpen) {
      if (this.#verifies && header.seed === undefined)
        throw this.#damage("is not as long as its header says");
      this.counts.cutShort++;
      this.#position = this.positionAt(start);
    }
    this.#header = header;
    this.#records = 0;
    this.#mayBeContinued = false;
    this.#headerStart = start;
    this.#start = scanner.offset;
    this.#checkedTo = scanner.offset;
    this.#end = scanner.offset + header.length;
    if (this.#verifies) {
      if (header.seed !== undefined) this.#checksum.continueFrom(header.seed);
      const checked = Buffer.from(line.slice(0, header.checkedChars), "latin1");
      this.#checksum.update(checked, 0, checked.length);
    }
    if (header.length === 0) this.#finish(scanner);
  }

  #finish(scanner: RecordScanner): void {
    const header = this.#header as BatchHeader;
    if (this.#verifies) {
      if (scanner.offset !== this.#end) {
        this.#leaveContinued(this.#damage("is not as long as its header says"));
        this.counts.cutShort++;
        return;
      }
      this.#checkTo(scanner, this.#end);
    }
    // Who writes checksums writes them in every header of a file.
    if (this.#verifies && header.checksum === undefined && this.counts.verified > 0) {
      throw this.#damage("has no checksum, and those before it have one");
    }
    if (!this.#verifies || header.checksum === undefined) {
      // Nobody vouches for it, nor for the place that it tells.
      if (header.length > 0) this.#position = undefined;
      this.#end = none;
      return;
    }
    if (header.checksum !== this.#checksum.toDecimal()) {
      const damage = this.#damage("does not have the checksum of its header");
      this.#leaveContinued(damage);
      this.#suspect = damage;
      return;
    }
    this.counts.verified++;
    this.#chain = header.next ?? header.checksum;
    if (header.next !== undefined) this.#checksum.continueFrom(header.next);
    this.#end = none;
    this.#place(header);
  }

  /** Closes a batch that another server may have cut and continued; throws if it has not. */
  #leaveContinued(damage: DamagedBatchError): void {
    if (!this.#mayBeContinued) throw damage;
    this.#position = undefined;
    this.#chain = undefined;
    this.#end = none;
  }

  /** A header without an offset and without records says nothing. */
  #place({ length, replicationId, replicationOffset, streamDatabase }: BatchHeader): void {
    if (replicationId !== undefined) this.#replicationId = replicationId;
    if (replicationOffset === undefined) {
      if (length > 0) this.#position = undefined;
      return;
    }
    const id = this.#replicationId;
    this.#position = id === "" ? undefined : { id, offset: replicationOffset, streamDatabase };
  }

  #checkTo(scanner: RecordScanner, offset: number): void {
    const end = Math.min(offset, this.#end);
    if (end <= this.#checkedTo) return;
    scanner.addTo(this.#checksum, this.#checkedTo, end);
    this.#checkedTo = end;
  }

  #damage(what: string): DamagedBatchError {
    const bytes = this.#end - this.#start;
    return new DamagedBatchError(
      this.#headerStart,
      `the batch of ${bytes} bytes at offset ${this.#start} ${what}`,
    );
  }
}

function isSelect(argv: readonly Argument[]): boolean {
  return argv.length === 2 && String(argv[0]).toLowerCase() === "select";
}

function unknownForm(line: string): string {
  return `a batch header of an unknown form: ${line.slice(0, 80)}`;
}
