/**
 * RDB's primitives read from chunks as they come: bytes, lengths, strings. Every read either
 * succeeds or answers `undefined` and leaves the position where it was, so that it can be repeated
 * after the next `push`; only a long string keeps what has arrived of it. At most `headroomBytes`
 * are ever held back in own memory, and an announced length alone allocates at most 1 MiB.
 *
 * The checksum covers what was consumed, and is taken in whole chunks.
 */

import { latin1String } from "@slotlog/resp";
import { byteString, ownedByteString } from "./byte-string.js";
import { Crc64 } from "./crc64.js";
import { lengthKind, RdbError, type RdbLimits, stringEncoding } from "./format.js";
import { lzfDecompress, lzfDecompressInto } from "./lzf.js";
import { parseScore } from "./score.js";
import type { Bytes } from "./values.js";

const none: Buffer = Buffer.alloc(0);
/** Strings up to this wait in one piece for their rest; longer ones are filled as bytes arrive. */
const wholeStringBytesMax = 1024;
/** Compressed strings up to this are unpacked in memory of ours: no Buffer for each short value. */
const scratchBytes = 4096;
const firstFillBytesMax = 1024 * 1024;
const wordValues = 4_294_967_296;

export class ByteReader {
  readonly #limits: RdbLimits;
  readonly #checksum: Crc64 | undefined;
  readonly #scratch = Buffer.allocUnsafeSlow(scratchBytes);
  #bytes: Buffer = none;
  #at = 0;
  #end = 0;
  /** Where the part of `#bytes` begins that the checksum has not seen. */
  #unsummed = 0;
  /** Bytes consumed from chunks before the present one. */
  #consumedBefore = 0;

  /** What has arrived of a long string; `undefined` if none is under way. */
  #fill: Buffer | undefined;
  #filled = 0;
  #fillLength = 0;
  #fillPlainLength = -1;

  /** Set by `#header`: bytes of the header, of the payload, and of the plain text if compressed. */
  #headerBytes = 0;
  #payloadBytes = 0;
  #plainLength = -1;
  #integer = 0;

  constructor(limits: RdbLimits, options: { readonly checksum: boolean }) {
    this.#limits = limits;
    this.#checksum = options.checksum ? new Crc64() : undefined;
  }

  /** Bytes consumed since the beginning. */
  get consumedBytes(): number {
    return this.#consumedBefore + this.#at;
  }

  /** Borrows `chunk` until `park` is called. */
  push(chunk: Buffer): void {
    this.#settle();
    const left = this.#end - this.#at;
    this.#consumedBefore += this.#at;
    this.#bytes = left === 0 ? chunk : Buffer.concat([this.#bytes.subarray(this.#at), chunk]);
    this.#at = 0;
    this.#unsummed = 0;
    this.#end = this.#bytes.length;
  }

  /** Gives the borrowed chunk back: what is left of it moves to own memory. */
  park(): void {
    this.#settle();
    this.#consumedBefore += this.#at;
    this.#bytes = this.#at === this.#end ? none : Buffer.from(this.#bytes.subarray(this.#at));
    this.#end = this.#bytes.length;
    this.#at = 0;
    this.#unsummed = 0;
  }

  /** Takes all that was pushed and not consumed out of the reader. */
  takeRest(): Buffer {
    const rest = Buffer.from(this.#bytes.subarray(this.#at, this.#end));
    this.#end = this.#at;
    return rest;
  }

  /** Whether `count` bytes can be read now. */
  has(count: number): boolean {
    return this.#end - this.#at >= count;
  }

  /** The next byte; the caller has asked `has(1)`. */
  byte(): number {
    return this.#bytes[this.#at++] as number;
  }

  /** `count` bytes as a latin1 string; the caller has asked `has`. */
  text(count: number): string {
    this.#at += count;
    return this.#bytes.toString("latin1", this.#at - count, this.#at);
  }

  /** A double of eight bytes; the caller has asked `has(8)`. */
  double(): number {
    this.#at += 8;
    return this.#bytes.readDoubleLE(this.#at - 8);
  }

  /** A score of the first sorted-set format: a length byte and decimal text, or a special byte. */
  textDouble(): number | undefined {
    if (!this.has(1)) return undefined;
    const length = this.#bytes[this.#at] as number;
    if (length < 253 && !this.has(1 + length)) return undefined;
    this.#at++;
    if (length === 253) return Number.NaN;
    if (length === 254) return Number.POSITIVE_INFINITY;
    if (length === 255) return Number.NEGATIVE_INFINITY;
    return parseScore(this.text(length));
  }

  /** A signed 64-bit time; the caller has asked `has(8)`. Beyond 2^53 it loses its last digits. */
  time64(): number {
    this.#at += 8;
    return (
      this.#bytes.readInt32LE(this.#at - 4) * wordValues + this.#bytes.readUInt32LE(this.#at - 8)
    );
  }

  /** A signed 32-bit time; the caller has asked `has(4)`. */
  time32(): number {
    this.#at += 4;
    return this.#bytes.readInt32LE(this.#at - 4);
  }

  /** Compares the eight bytes at the position with the sum of all before; asked `has(8)`. */
  verifyChecksum(): { readonly stored: boolean; readonly equal: boolean } {
    this.#settle();
    const at = this.#at;
    let stored = false;
    for (let index = 0; index < 8; index++) stored ||= this.#bytes[at + index] !== 0;
    const equal = this.#checksum === undefined || this.#checksum.equals(this.#bytes, at);
    this.#at += 8;
    return { stored, equal };
  }

  /** A length. One beyond 2^53 is corrupt wherever this is used. */
  length(): number | undefined {
    if (this.#at === this.#end) return undefined;
    const first = this.#bytes[this.#at] as number;
    switch (first >>> 6) {
      case lengthKind.six:
        this.#at++;
        return first & 0x3f;
      case lengthKind.fourteen:
        if (!this.has(2)) return undefined;
        this.#at += 2;
        return ((first & 0x3f) << 8) | (this.#bytes[this.#at - 1] as number);
      case lengthKind.long:
        return this.#longLength(first);
      default:
        throw new RdbError("corrupt", "a length was expected where an encoded string begins");
    }
  }

  #longLength(first: number): number | undefined {
    if (first === 0x80) {
      if (!this.has(5)) return undefined;
      this.#at += 5;
      return this.#bytes.readUInt32BE(this.#at - 4);
    }
    if (first !== 0x81) throw new RdbError("corrupt", `unknown length encoding ${first}`);
    if (!this.has(9)) return undefined;
    const high = this.#bytes.readUInt32BE(this.#at + 1);
    const value = high * wordValues + this.#bytes.readUInt32BE(this.#at + 5);
    if (!Number.isSafeInteger(value)) throw new RdbError("corrupt", `a length of ${value}`);
    this.#at += 9;
    return value;
  }

  /** A length that may use all 64 bits: half of a stream id, or a counter that may be "-1". */
  length64(): bigint | undefined {
    if (this.#at < this.#end && this.#bytes[this.#at] === 0x81) {
      if (!this.has(9)) return undefined;
      this.#at += 9;
      return this.#bytes.readBigUInt64BE(this.#at - 8);
    }
    const value = this.length();
    return value === undefined ? undefined : BigInt(value);
  }

  /** A string; a number if it is stored as an integer. */
  string(): Bytes | number | undefined {
    if (this.#fill === undefined) {
      if (!this.#header()) return undefined;
      if (this.#payloadBytes < 0) {
        this.#at += this.#headerBytes;
        return this.#integer;
      }
      if (this.has(this.#headerBytes + this.#payloadBytes)) {
        const start = this.#at + this.#headerBytes;
        const end = start + this.#payloadBytes;
        this.#at = end;
        if (this.#plainLength < 0) return byteString(this.#bytes, start, end);
        if (this.#plainLength <= scratchBytes) {
          lzfDecompressInto(this.#bytes, { start, end }, this.#scratch, this.#plainLength);
          return latin1String(this.#scratch, 0, this.#plainLength);
        }
        const plain = lzfDecompress(this.#bytes.subarray(start, end), this.#plainLength);
        return ownedByteString(plain);
      }
    }
    const whole = this.#long();
    return whole === undefined ? undefined : ownedByteString(whole);
  }

  /** A string as bytes that stay valid until the next `push` or `park`; integers as their text. */
  blob(): Buffer | undefined {
    if (this.#fill === undefined) {
      if (!this.#header()) return undefined;
      if (this.#payloadBytes < 0) {
        this.#at += this.#headerBytes;
        return Buffer.from(String(this.#integer), "latin1");
      }
      if (this.has(this.#headerBytes + this.#payloadBytes)) {
        const start = this.#at + this.#headerBytes;
        this.#at = start + this.#payloadBytes;
        const bytes = this.#bytes.subarray(start, this.#at);
        return this.#plainLength < 0 ? bytes : lzfDecompress(bytes, this.#plainLength);
      }
    }
    return this.#long();
  }

  /** Parses a string's header without consuming it; false if it is not there yet. */
  #header(): boolean {
    const start = this.#at;
    if (start === this.#end) return false;
    const first = this.#bytes[start] as number;
    this.#plainLength = -1;
    if (first >>> 6 !== lengthKind.encoded) {
      const length = this.length();
      if (length === undefined) return false;
      this.#headerBytes = this.#at - start;
      this.#at = start;
      this.#payloadBytes = length;
      this.#checkLength(length);
      return true;
    }
    const encoding = first & 0x3f;
    if (encoding === stringEncoding.lzf) return this.#compressedHeader(start);
    this.#payloadBytes = -1;
    switch (encoding) {
      case stringEncoding.int8:
        this.#headerBytes = 2;
        if (!this.has(2)) return false;
        this.#integer = this.#bytes.readInt8(start + 1);
        return true;
      case stringEncoding.int16:
        this.#headerBytes = 3;
        if (!this.has(3)) return false;
        this.#integer = this.#bytes.readInt16LE(start + 1);
        return true;
      case stringEncoding.int32:
        this.#headerBytes = 5;
        if (!this.has(5)) return false;
        this.#integer = this.#bytes.readInt32LE(start + 1);
        return true;
      default:
        throw new RdbError("corrupt", `unknown string encoding ${encoding}`);
    }
  }

  #compressedHeader(start: number): boolean {
    this.#at = start + 1;
    const packed = this.length();
    const plain = packed === undefined ? undefined : this.length();
    this.#headerBytes = this.#at - start;
    this.#at = start;
    if (packed === undefined || plain === undefined) return false;
    this.#checkLength(packed);
    this.#checkLength(plain);
    this.#payloadBytes = packed;
    this.#plainLength = plain;
    return true;
  }

  #checkLength(length: number): void {
    const max = this.#limits.stringBytesMax;
    if (length > max)
      throw new RdbError("limit", `a string of ${length} bytes; the limit is ${max}`);
  }

  /** Goes on with a string that is longer than what is there; the header was parsed before. */
  #long(): Buffer | undefined {
    if (this.#fill === undefined) {
      if (this.#payloadBytes <= wholeStringBytesMax) return undefined;
      this.#at += this.#headerBytes;
      this.#fillLength = this.#payloadBytes;
      this.#fillPlainLength = this.#plainLength;
      this.#filled = 0;
      this.#fill = Buffer.allocUnsafe(Math.min(this.#fillLength, firstFillBytesMax));
    }
    const count = Math.min(this.#end - this.#at, this.#fillLength - this.#filled);
    const filled = this.#filled + count;
    if (filled > this.#fill.length) {
      const size = Math.min(this.#fillLength, Math.max(filled, this.#fill.length * 2));
      const larger = Buffer.allocUnsafe(size);
      this.#fill.copy(larger, 0, 0, this.#filled);
      this.#fill = larger;
    }
    this.#bytes.copy(this.#fill, this.#filled, this.#at, this.#at + count);
    this.#at += count;
    this.#filled = filled;
    if (filled < this.#fillLength) return undefined;
    const whole = this.#fill;
    this.#fill = undefined;
    return this.#fillPlainLength < 0 ? whole : lzfDecompress(whole, this.#fillPlainLength);
  }

  #settle(): void {
    this.#checksum?.update(this.#bytes, this.#unsummed, this.#at);
    this.#unsummed = this.#at;
  }
}
