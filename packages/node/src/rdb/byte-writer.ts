/**
 * RDB's primitives written into a list of chunks: bytes, lengths, strings with their integer and
 * LZF encodings, and the checksum over all of it. Chunks are handed out as they fill; nothing is
 * ever joined into one large buffer, and no memory of the caller is kept.
 */

import { writeLatin1 } from "@slotlog/resp";
import { Crc64 } from "./crc64.js";
import { largeStringBytes, lengthKind, stringEncoding } from "./format.js";
import { canonicalInteger } from "./integer-text.js";
import { LzfCompressor } from "./lzf.js";
import type { Bytes } from "./values.js";

const chunkBytes = 64 * 1024;
/** The longest header of a string: encoding byte and two lengths of nine bytes. */
const headerBytesMax = 19;
/** Redis compresses strings longer than this: shorter ones cannot win four bytes. */
const compressAboveBytes = 20;
/**
 * Longer strings are written as they are. Compression runs in one piece since its length comes
 * first, and one of a megabyte already takes several milliseconds of the loop.
 */
const compressBytesMax = 256 * 1024;
const wordValues = 4_294_967_296;

export interface ByteWriterOptions {
  /** `rdbcompression` */
  readonly compress: boolean;
  /** `rdbchecksum` */
  readonly checksum: boolean;
}

export class ByteWriter {
  readonly #compressor: LzfCompressor | undefined;
  readonly #checksum: Crc64 | undefined;
  #chunks: Buffer[] = [];
  #bytes: Buffer = Buffer.allocUnsafe(chunkBytes);
  /** Where the part of `#bytes` begins that is not handed out. */
  #start = 0;
  #at = 0;
  #chunkedBytes = 0;
  #takenBytes = 0;

  constructor(options: ByteWriterOptions) {
    this.#compressor = options.compress ? new LzfCompressor() : undefined;
    this.#checksum = options.checksum ? new Crc64() : undefined;
  }

  /** Bytes written that were not taken yet. */
  get pendingBytes(): number {
    return this.#chunkedBytes + this.#at - this.#start;
  }

  /** Bytes written since the beginning. */
  get writtenBytes(): number {
    return this.#takenBytes + this.pendingBytes;
  }

  /** Hands out all that was written; the memory is the caller's from now on. */
  take(): Buffer[] {
    this.#cut();
    const chunks = this.#chunks;
    this.#takenBytes += this.#chunkedBytes;
    this.#chunkedBytes = 0;
    this.#chunks = [];
    return chunks;
  }

  byte(value: number): void {
    this.#reserve(1);
    this.#bytes[this.#at++] = value;
  }

  /** Text of char codes below 256, as it is, shorter than 64 KiB. */
  text(text: string): void {
    this.#reserve(text.length);
    this.#write(text);
    this.#at += text.length;
  }

  /** Bytes as they are. They are copied. */
  raw(bytes: Uint8Array): void {
    if (bytes.length < largeStringBytes) {
      this.#reserve(bytes.length);
      this.#bytes.set(bytes, this.#at);
      this.#at += bytes.length;
      return;
    }
    this.#cut();
    this.#pushChunk(Buffer.from(bytes));
  }

  double(value: number): void {
    this.#reserve(8);
    this.#at = this.#bytes.writeDoubleLE(value, this.#at);
  }

  /** A signed 64-bit time. */
  time64(value: number): void {
    this.#reserve(8);
    this.#at = this.#bytes.writeInt32LE(Math.floor(value / wordValues), this.#at + 4) - 8;
    this.#at = this.#bytes.writeUInt32LE(value >>> 0, this.#at) + 4;
  }

  length(value: number): void {
    this.#reserve(9);
    const bytes = this.#bytes;
    if (value < 64) {
      bytes[this.#at++] = value;
    } else if (value < 16_384) {
      bytes[this.#at++] = (lengthKind.fourteen << 6) | (value >>> 8);
      bytes[this.#at++] = value & 0xff;
    } else if (value < wordValues) {
      bytes[this.#at] = 0x80;
      this.#at = bytes.writeUInt32BE(value, this.#at + 1);
    } else {
      bytes[this.#at] = 0x81;
      this.#at = bytes.writeUInt32BE(Math.floor(value / wordValues), this.#at + 1);
      this.#at = bytes.writeUInt32BE(value >>> 0, this.#at);
    }
  }

  /** A length of up to 64 bits; -1 is written as 2^64 - 1. */
  length64(value: bigint): void {
    const unsigned = BigInt.asUintN(64, value);
    if (unsigned < BigInt(wordValues)) {
      this.length(Number(unsigned));
      return;
    }
    this.#reserve(9);
    this.#bytes[this.#at] = 0x81;
    this.#at = this.#bytes.writeBigUInt64BE(unsigned, this.#at + 1);
  }

  /** A string in its shortest encoding. */
  string(value: Bytes | number): void {
    if (typeof value === "number") {
      if (!this.#integer(value)) this.#shortText(String(value));
    } else if (typeof value === "string") {
      // Eleven characters are the longest 32-bit integer, "-2147483648".
      if (value.length <= 11) {
        const integer = canonicalInteger(value);
        if (typeof integer === "number" && this.#integer(integer)) return;
      }
      if (value.length < largeStringBytes) this.#shortText(value);
      else this.blob(Buffer.from(value, "latin1"));
    } else {
      this.blob(value);
    }
  }

  /** Bytes as a string, compressed if that helps. */
  blob(bytes: Buffer): void {
    const length = bytes.length;
    if (
      this.#compressor !== undefined &&
      length > compressAboveBytes &&
      length <= compressBytesMax
    ) {
      const packed = this.#compressor.compress(bytes, length - 4);
      if (packed !== undefined) {
        this.#compressed(packed, length);
        return;
      }
    }
    this.length(length);
    this.raw(bytes);
  }

  /** Writes the checksum of all before it, or zeros if there is none. */
  checksum(): void {
    this.#cut();
    const sum = Buffer.alloc(8);
    this.#checksum?.writeTo(sum, 0);
    this.raw(sum);
  }

  /** The text is written first and compressed from there; if that helps, it is replaced. */
  #shortText(text: string): void {
    const length = text.length;
    this.#reserve(headerBytesMax + length);
    this.length(length);
    const start = this.#at;
    this.#write(text);
    if (this.#compressor !== undefined && length > compressAboveBytes) {
      const bytes = this.#bytes.subarray(start, start + length);
      const packed = this.#compressor.compress(bytes, length - 4);
      if (packed !== undefined) {
        this.#at = start - (length < 64 ? 1 : length < 16_384 ? 2 : 5);
        this.#compressed(packed, length);
        return;
      }
    }
    this.#at = start + length;
  }

  /** Writes char codes at the position without moving it. Up to 24 a loop beats the call. */
  #write(text: string): void {
    if (text.length > 24) {
      writeLatin1(this.#bytes, this.#at, text);
      return;
    }
    const bytes = this.#bytes;
    const at = this.#at;
    for (let index = 0; index < text.length; index++) bytes[at + index] = text.charCodeAt(index);
  }

  #compressed(packed: Buffer, plainLength: number): void {
    this.byte((lengthKind.encoded << 6) | stringEncoding.lzf);
    this.length(packed.length);
    this.length(plainLength);
    this.raw(packed);
  }

  /** Writes an integer of up to 32 bits in its encoding, or answers false. */
  #integer(value: number): boolean {
    if (value !== (value | 0)) return false;
    this.#reserve(5);
    const bytes = this.#bytes;
    const kind = lengthKind.encoded << 6;
    if (value >= -128 && value <= 127) {
      bytes[this.#at++] = kind | stringEncoding.int8;
      bytes[this.#at++] = value & 0xff;
    } else if (value >= -32_768 && value <= 32_767) {
      bytes[this.#at] = kind | stringEncoding.int16;
      this.#at = bytes.writeInt16LE(value, this.#at + 1);
    } else {
      bytes[this.#at] = kind | stringEncoding.int32;
      this.#at = bytes.writeInt32LE(value, this.#at + 1);
    }
    return true;
  }

  #reserve(count: number): void {
    if (this.#at + count <= this.#bytes.length) return;
    this.#cut();
    this.#bytes = Buffer.allocUnsafe(Math.max(chunkBytes, count));
    this.#start = 0;
    this.#at = 0;
  }

  /** Moves what was written since the last cut to the chunks. */
  #cut(): void {
    if (this.#at === this.#start) return;
    const chunk = this.#bytes.subarray(this.#start, this.#at);
    this.#start = this.#at;
    this.#pushChunk(chunk);
  }

  #pushChunk(chunk: Buffer): void {
    this.#checksum?.update(chunk, 0, chunk.length);
    this.#chunks.push(chunk);
    this.#chunkedBytes += chunk.length;
  }
}
