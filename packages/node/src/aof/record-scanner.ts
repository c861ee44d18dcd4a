/**
 * Records and annotation lines from the bytes of an AOF file, with the exact offset of each. Owns
 * the window over the file; executes nothing.
 *
 * It is not the decoder of client connections: a file has annotation lines (`#`), no inline
 * commands, needs the offset behind every record to cut a torn tail, and must call damage what a
 * server forgives a client (any two bytes for a line end). Redis' loader forgives those too, but
 * `redis-check-aof` does not, and nothing ever wrote such a file.
 */

import { type Argument, largeArgumentBytes, latin1String, NameCache } from "@slotlog/resp";
import type { Crc64 } from "../rdb/crc64.js";

/** With its line end, as Redis' loader and `redis-check-aof` have it. */
export const annotationBytesMax = 1023;

/** "more": the window ends inside the next item. */
export type ScanResult = "record" | "annotation" | "more";

/** What stands at this offset was never written by a server. */
export class DamagedRecordError extends Error {
  readonly offset: number;

  constructor(offset: number, message: string) {
    super(message);
    this.name = "DamagedRecordError";
    this.offset = offset;
  }
}

/** Larger than any value that a server accepts by default, and longer than any header needs. */
export interface ScanLimits {
  readonly bulkBytesMax: number;
  readonly argumentCountMax: number;
}

const defaultLimits: ScanLimits = {
  bulkBytesMax: 512 * 1024 * 1024,
  argumentCountMax: 2 ** 31 - 1,
};
const carriageReturn = 0x0d;
const lineFeed = 0x0a;
const asterisk = 0x2a;
const dollar = 0x24;
const hash = 0x23;
const digitZero = 0x30;

const incomplete = -1;

export class RecordScanner {
  /** The record that `next` found; reused by the next call. */
  readonly argv: Argument[] = [];
  /** The annotation line that `next` found, without its line end. */
  annotation = "";
  private readonly limits: ScanLimits;
  private readonly names = new NameCache();
  private readonly windowBytes: number;
  private window: Buffer;
  private filled = 0;
  /** Where the next item begins, in the window and in the file. */
  private at = 0;
  private windowOffset: number;
  /** Bytes that the item at `at` is known to need. */
  private needed = 1;
  /** Where the number just read ended. */
  private cursor = 0;

  constructor(startOffset = 0, limits: Partial<ScanLimits> = {}, windowBytes = 1024 * 1024) {
    this.windowOffset = startOffset;
    this.windowBytes = windowBytes;
    this.window = Buffer.allocUnsafeSlow(windowBytes);
    this.limits = { ...defaultLimits, ...limits };
  }

  /** File offset behind the last item that was returned. */
  get offset(): number {
    return this.windowOffset + this.at;
  }

  /** File offset behind the last byte that was given. */
  get endOffset(): number {
    return this.windowOffset + this.filled;
  }

  /** Memory for the next bytes of the file; tell `fill` how many there were. */
  room(): Buffer {
    this.window.copyWithin(0, this.at, this.filled);
    this.windowOffset += this.at;
    this.filled -= this.at;
    this.at = 0;
    // A record larger than the window gets what it announced, or twice as much as it has, so that
    // growing costs no more than the record is long.
    if (this.filled === this.window.length) {
      const size = Math.max(this.needed + this.windowBytes, this.filled * 2);
      const grown = Buffer.allocUnsafeSlow(size);
      this.window.copy(grown, 0, 0, this.filled);
      this.window = grown;
    }
    return this.window.subarray(this.filled);
  }

  fill(bytes: number): void {
    this.filled += bytes;
  }

  /** Bytes of the file that are still in the window: those of items found since `room`. */
  addTo(checksum: Crc64, start: number, end: number): void {
    checksum.update(this.window, start - this.windowOffset, end - this.windowOffset);
  }

  /** The next item, or "more". Throws a `DamagedRecordError`. */
  next(): ScanResult {
    if (this.at >= this.filled) return "more";
    const first = this.window[this.at];
    if (first === asterisk) return this.scanRecord();
    if (first === hash) return this.scanAnnotation();
    throw this.damage(this.at, "neither a record nor an annotation begins here");
  }

  private scanRecord(): ScanResult {
    const count = this.scanNumber(this.at + 1);
    if (count === incomplete) return "more";
    if (count < 1 || count > this.limits.argumentCountMax) {
      throw this.damage(this.at, "invalid argument count");
    }
    const { argv, window } = this;
    let position = this.cursor;
    for (let index = 0; index < count; index++) {
      if (position >= this.filled) return this.wants(position + 1);
      if (window[position] !== dollar) throw this.damage(position, "an argument was expected");
      const length = this.scanNumber(position + 1);
      if (length === incomplete) return "more";
      if (length > this.limits.bulkBytesMax) throw this.damage(position, "invalid argument length");
      const start = this.cursor;
      const end = start + length;
      if (end + 2 > this.filled) return this.wants(end + 2);
      if (window[end] !== carriageReturn || window[end + 1] !== lineFeed) {
        // At the very byte, so that a torn end filled with zeros is seen to be zeros from here on.
        const wrong = window[end] === carriageReturn ? end + 1 : end;
        throw this.damage(wrong, "an argument does not end where its length says");
      }
      argv[index] =
        index === 0
          ? this.names.lookup(window, start, length)
          : length < largeArgumentBytes
            ? latin1String(window, start, length)
            : Buffer.from(window.subarray(start, end));
      position = end + 2;
    }
    argv.length = count;
    this.at = position;
    this.needed = 1;
    return "record";
  }

  /** The number at `start` up to its line end, or `incomplete`; leaves `cursor` behind the line. */
  private scanNumber(start: number): number {
    const { window, filled } = this;
    let value = 0;
    let position = start;
    for (;;) {
      if (position >= filled) return this.lacks(position + 2);
      const digit = (window[position] ?? 0) - digitZero;
      if (digit < 0 || digit > 9) break;
      value = value * 10 + digit;
      // 16 digits are more than any length, and still exact.
      if (++position - start > 16) throw this.damage(start, "a number is too long");
    }
    if (position === start || window[position] !== carriageReturn) {
      throw this.damage(position, "a number was expected");
    }
    if (position + 1 >= filled) return this.lacks(position + 2);
    if (window[position + 1] !== lineFeed)
      throw this.damage(position + 1, "a line end was expected");
    this.cursor = position + 2;
    return value;
  }

  private scanAnnotation(): ScanResult {
    const limit = this.at + annotationBytesMax;
    const newline = this.window.subarray(this.at, Math.min(this.filled, limit)).indexOf(lineFeed);
    if (newline < 0) {
      if (this.filled >= limit) throw this.damage(this.at, "an annotation is too long");
      return this.wants(this.filled + 1);
    }
    const end = this.at + newline;
    const text = this.window[end - 1] === carriageReturn ? end - 1 : end;
    this.annotation = this.window.toString("latin1", this.at, text);
    this.at = end + 1;
    this.needed = 1;
    return "annotation";
  }

  private wants(windowPosition: number): "more" {
    this.needed = windowPosition - this.at;
    return "more";
  }

  private lacks(windowPosition: number): number {
    this.needed = windowPosition - this.at;
    return incomplete;
  }

  private damage(windowPosition: number, message: string): DamagedRecordError {
    return new DamagedRecordError(this.windowOffset + windowPosition, message);
  }
}
