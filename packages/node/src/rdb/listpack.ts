/**
 * Listpacks: Redis' packed arrays of strings and integers. A six-byte header (total bytes, count;
 * 65535 means unknown), entries, and 0xff. An entry is an encoding byte with its data, followed by
 * the entry's length written so that it can be read backwards. Integers are read as their decimal
 * text, strings of digits are written as integers. Every length is checked against the bytes there
 * are; nothing here knows what the elements mean.
 */

import { byteString } from "./byte-string.js";
import { RdbError } from "./format.js";
import { canonicalInteger } from "./integer-text.js";
import type { Bytes } from "./values.js";

const headerBytes = 6;
const endByte = 0xff;
const countUnknown = 0xffff;

function corrupt(): RdbError {
  return new RdbError("corrupt", "a listpack contradicts its own lengths");
}

/** Bytes of the backward length of an entry of `length` bytes. The limits are Redis' own. */
function backwardLengthBytes(length: number): number {
  if (length <= 127) return 1;
  if (length < 16_383) return 2;
  if (length < 2_097_151) return 3;
  if (length < 268_435_455) return 4;
  return 5;
}

/** A cursor over the elements of one listpack. */
export class ListpackReader {
  readonly #bytes: Buffer;
  #at = headerBytes;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
    const total = bytes.length < headerBytes + 1 ? -1 : bytes.readUInt32LE(0);
    if (total !== bytes.length || bytes[total - 1] !== endByte) throw corrupt();
  }

  get atEnd(): boolean {
    return this.#bytes[this.#at] === endByte;
  }

  /** The element's bytes; an integer's decimal text. Throws at the end. */
  readBytes(): Bytes {
    const value = this.#read();
    return typeof value === "number" || typeof value === "bigint" ? value.toString() : value;
  }

  /** An integer; throws if the element is none. */
  readInteger(): number | bigint {
    const value = this.#read();
    if (typeof value === "number" || typeof value === "bigint") return value;
    throw corrupt();
  }

  /** An integer that is a plain JavaScript number from zero up, or throws. */
  readCount(): number {
    const value = this.#read();
    if (typeof value !== "number" || value < 0) throw corrupt();
    return value;
  }

  #read(): Bytes | number | bigint {
    const bytes = this.#bytes;
    const at = this.#at;
    const first = bytes[at] as number;
    if (first < 0x80) {
      this.#skip(1);
      return first;
    }
    if (first < 0xc0) return this.#string(1, first & 0x3f);
    if (first < 0xe0) {
      this.#need(2);
      const value = ((first & 0x1f) << 8) | (bytes[at + 1] as number);
      this.#skip(2);
      return value >= 1 << 12 ? value - (1 << 13) : value;
    }
    if (first < 0xf0) {
      this.#need(2);
      return this.#string(2, ((first & 0x0f) << 8) | (bytes[at + 1] as number));
    }
    switch (first) {
      case 0xf0:
        this.#need(5);
        return this.#string(5, bytes.readUInt32LE(at + 1));
      case 0xf1:
        this.#need(3);
        this.#skip(3);
        return bytes.readInt16LE(at + 1);
      case 0xf2:
        this.#need(4);
        this.#skip(4);
        return bytes.readIntLE(at + 1, 3);
      case 0xf3:
        this.#need(5);
        this.#skip(5);
        return bytes.readInt32LE(at + 1);
      case 0xf4: {
        this.#need(9);
        this.#skip(9);
        const value = bytes.readBigInt64LE(at + 1);
        const number = Number(value);
        return Number.isSafeInteger(number) ? number : value;
      }
      default:
        throw corrupt();
    }
  }

  #string(prefix: number, length: number): Bytes {
    this.#need(prefix + length);
    const start = this.#at + prefix;
    this.#skip(prefix + length);
    return byteString(this.#bytes, start, start + length);
  }

  /** Asserts that the entry's `length` bytes lie before the final byte. */
  #need(length: number): void {
    if (this.#at + length >= this.#bytes.length) throw corrupt();
  }

  #skip(length: number): void {
    const next = this.#at + length + backwardLengthBytes(length);
    if (next >= this.#bytes.length) throw corrupt();
    this.#at = next;
  }
}

/** Appends all elements of a listpack to `target`. */
export function listpackElements(bytes: Buffer, target: Bytes[]): void {
  const reader = new ListpackReader(bytes);
  while (!reader.atEnd) target.push(reader.readBytes());
}

/** Builds listpacks one after another in memory it keeps. */
export class ListpackWriter {
  #bytes: Buffer = Buffer.allocUnsafe(1024);
  #length = headerBytes;
  #count = 0;

  get count(): number {
    return this.#count;
  }

  /** Bytes the listpack would have if it were finished now. */
  get byteLength(): number {
    return this.#length + 1;
  }

  append(value: Bytes): void {
    if (typeof value === "string") {
      const integer = canonicalInteger(value);
      if (integer !== undefined) {
        this.appendInteger(integer);
        return;
      }
    }
    const length = value.length;
    this.#reserve(length + 10);
    const bytes = this.#bytes;
    let at = this.#length;
    if (length < 64) {
      bytes[at++] = 0x80 | length;
    } else if (length < 4096) {
      bytes[at++] = 0xe0 | (length >>> 8);
      bytes[at++] = length & 0xff;
    } else {
      bytes[at] = 0xf0;
      at = bytes.writeUInt32LE(length, at + 1);
    }
    if (typeof value === "string") bytes.write(value, at, length, "latin1");
    else value.copy(bytes, at);
    this.#finishEntry(at + length);
  }

  appendInteger(value: number | bigint): void {
    this.#reserve(16);
    const bytes = this.#bytes;
    const at = this.#length;
    if (typeof value === "bigint") {
      bytes[at] = 0xf4;
      this.#finishEntry(bytes.writeBigInt64LE(value, at + 1));
    } else if (value >= 0 && value <= 127) {
      bytes[at] = value;
      this.#finishEntry(at + 1);
    } else if (value >= -4096 && value <= 4095) {
      bytes[at] = 0xc0 | ((value >> 8) & 0x1f);
      bytes[at + 1] = value & 0xff;
      this.#finishEntry(at + 2);
    } else if (value >= -32_768 && value <= 32_767) {
      bytes[at] = 0xf1;
      this.#finishEntry(bytes.writeInt16LE(value, at + 1));
    } else if (value >= -8_388_608 && value <= 8_388_607) {
      bytes[at] = 0xf2;
      this.#finishEntry(bytes.writeIntLE(value, at + 1, 3));
    } else if (value >= -2_147_483_648 && value <= 2_147_483_647) {
      bytes[at] = 0xf3;
      this.#finishEntry(bytes.writeInt32LE(value, at + 1));
    } else {
      bytes[at] = 0xf4;
      this.#finishEntry(bytes.writeBigInt64LE(BigInt(value), at + 1));
    }
  }

  /** The finished listpack, valid until the next append; the writer starts anew. */
  finish(): Buffer {
    const bytes = this.#bytes;
    bytes[this.#length] = endByte;
    const total = this.#length + 1;
    bytes.writeUInt32LE(total, 0);
    bytes.writeUInt16LE(Math.min(this.#count, countUnknown), 4);
    this.#length = headerBytes;
    this.#count = 0;
    return bytes.subarray(0, total);
  }

  /** Writes the backward length of the entry that ends at `end`: seven bits a byte, high first. */
  #finishEntry(end: number): void {
    const bytes = this.#bytes;
    let length = end - this.#length;
    const size = backwardLengthBytes(length);
    for (let index = size - 1; index >= 0; index--) {
      bytes[end + index] = (length & 0x7f) | (index === 0 ? 0 : 0x80);
      length = Math.floor(length / 128);
    }
    this.#length = end + size;
    this.#count++;
  }

  #reserve(more: number): void {
    const needed = this.#length + more + 1;
    if (needed <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(needed, this.#bytes.length * 2));
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
  }
}
