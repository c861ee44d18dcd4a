/**
 * Where a piece of a large hash or set keeps its texts: one after the other in a byte arena, so
 * that a million members are not a million objects for the garbage collector to mark.
 *
 * An entry is a text (a set's member), or two (a field and its value; a sorted set's member and its
 * score, the eight bytes of a double). A text is its length and its bytes: one byte of length below
 * 128, two up to `INLINE_MAX`; longer texts stay V8 strings in a list beside the arena, and the
 * entry holds their index there, so that growing the arena never copies them. What is dropped
 * leaves a hole; the owner compacts when holes outweigh the rest.
 */
import { Buffer } from "node:buffer";
import { latin1String, writeLatin1 } from "@slotlog/resp";
import type { ArenaPool } from "./arena-pool.js";

/** Longest text in the arena. A thousand of these are a megabyte, which copies in under 1 ms. */
const INLINE_MAX = 1023;
/** First byte of a text beside the arena; a two-byte length begins with 0x80 to 0x83. */
const LONG_MARK = 0xff;
const LONG_BYTES = 5;
/** Below this a loop over chars beats leaving JavaScript. */
const LOOP_MAX = 24;
/** A double with its length in front. */
const NUMBER_BYTES = 9;

/** Bytes that a text takes in the arena. */
export function encodedBytes(text: string): number {
  const { length } = text;
  if (length > INLINE_MAX) return LONG_BYTES;
  return length < 0x80 ? length + 1 : length + 2;
}

export class ByteEntries {
  /** Bytes in use, holes included. */
  used = 0;
  /** Bytes of holes. */
  holes = 0;
  /** Behind the text that was read, compared or skipped last. */
  end = 0;
  #bytes: Buffer;
  #long: (string | undefined)[] | undefined = undefined;

  readonly #pool: ArenaPool;

  constructor(capacity: number, pool: ArenaPool) {
    this.#pool = pool;
    this.#bytes = Buffer.from(pool.take(capacity));
  }

  /** Lets go of the arena; there is nothing in it any more. */
  release(): void {
    this.#pool.give(this.#bytes.buffer as ArrayBuffer);
    this.#bytes = Buffer.alloc(0);
    this.#long = undefined;
    this.used = 0;
    this.holes = 0;
  }

  /** Bytes that this holds outside of V8's heap. */
  get capacity(): number {
    return this.#bytes.length;
  }

  /** Bytes of the texts beside the arena. */
  get longBytes(): number {
    let bytes = 0;
    for (const text of this.#long ?? []) bytes += 16 + (text?.length ?? 0);
    return bytes;
  }

  /** Appends a text; the first one of an entry begins at the `used` before the call. */
  append(text: string): void {
    const { length } = text;
    this.#reserve(encodedBytes(text));
    if (length > INLINE_MAX) {
      this.#appendLong(text);
      return;
    }
    const bytes = this.#bytes;
    let at = this.used;
    if (length < 0x80) {
      bytes[at++] = length;
    } else {
      bytes[at++] = 0x80 | (length >>> 8);
      bytes[at++] = length & 0xff;
    }
    if (length <= LOOP_MAX) {
      for (let index = 0; index < length; index++) bytes[at + index] = text.charCodeAt(index);
    } else {
      writeLatin1(bytes, at, text);
    }
    this.used = at + length;
  }

  /** Appends a number, as a text of eight bytes. */
  appendNumber(value: number): void {
    this.#reserve(NUMBER_BYTES);
    this.#bytes[this.used] = NUMBER_BYTES - 1;
    this.#bytes.writeDoubleLE(value, this.used + 1);
    this.used += NUMBER_BYTES;
  }

  /** The number at `offset`. */
  readNumber(offset: number): number {
    return this.#bytes.readDoubleLE(offset + 1);
  }

  /** Writes over the number at `offset`. */
  overwriteNumber(offset: number, value: number): void {
    this.#bytes.writeDoubleLE(value, offset + 1);
  }

  /** True if the text at `offset` is this one; leaves `end`. */
  equals(offset: number, text: string): boolean {
    const bytes = this.#bytes;
    const { length } = text;
    let at = offset;
    const head = bytes[at++] as number;
    if (head === LONG_MARK) {
      this.end = offset + LONG_BYTES;
      return length > INLINE_MAX && this.#longAt(at) === text;
    }
    const stored = head < 0x80 ? head : ((head & 0x7f) << 8) | (bytes[at++] as number);
    this.end = at + stored;
    if (stored !== length) return false;
    for (let index = 0; index < length; index++) {
      if (bytes[at + index] !== text.charCodeAt(index)) return false;
    }
    return true;
  }

  /** The text at `offset`; leaves `end`. */
  read(offset: number): string {
    const bytes = this.#bytes;
    let at = offset;
    const head = bytes[at++] as number;
    if (head === LONG_MARK) {
      this.end = offset + LONG_BYTES;
      return this.#longAt(at);
    }
    const length = head < 0x80 ? head : ((head & 0x7f) << 8) | (bytes[at++] as number);
    this.end = at + length;
    return latin1String(bytes, at, length);
  }

  /** Passes the text at `offset`: leaves `end`. */
  skip(offset: number): void {
    const bytes = this.#bytes;
    const head = bytes[offset] as number;
    if (head === LONG_MARK) this.end = offset + LONG_BYTES;
    else if (head < 0x80) this.end = offset + 1 + head;
    else this.end = offset + 2 + (((head & 0x7f) << 8) | (bytes[offset + 1] as number));
  }

  /** Lets go of the text at `offset`, which becomes a hole; leaves `end`. */
  drop(offset: number): void {
    if (this.#bytes[offset] === LONG_MARK) {
      (this.#long as (string | undefined)[])[this.#bytes.readUInt32LE(offset + 1)] = undefined;
    }
    this.skip(offset);
    this.holes += this.end - offset;
  }

  /** Writes over the text at `offset` if the new one is as long; false if it is not. */
  overwrite(offset: number, text: string): boolean {
    const bytes = this.#bytes;
    const { length } = text;
    let at = offset;
    const head = bytes[at++] as number;
    if (head === LONG_MARK) return false;
    const stored = head < 0x80 ? head : ((head & 0x7f) << 8) | (bytes[at++] as number);
    if (stored !== length) return false;
    for (let index = 0; index < length; index++) bytes[at + index] = text.charCodeAt(index);
    return true;
  }

  /** Appends `texts` texts of another arena as they stand; returns where they begin here. */
  copyFrom(source: ByteEntries, offset: number, texts: number): number {
    const begin = this.used;
    let at = offset;
    let plainFrom = offset;
    for (let left = texts; left > 0; left--) {
      if (source.#bytes[at] === LONG_MARK) {
        this.#copyBytes(source, plainFrom, at);
        this.#reserve(LONG_BYTES);
        this.#appendLong(source.#longAt(at + 1));
        plainFrom = at + LONG_BYTES;
      }
      source.skip(at);
      at = source.end;
    }
    this.#copyBytes(source, plainFrom, at);
    return begin;
  }

  /** The same bytes at the same offsets. */
  copy(): ByteEntries {
    const copy = new ByteEntries(this.used, this.#pool);
    this.#bytes.copy(copy.#bytes, 0, 0, this.used);
    copy.used = this.used;
    copy.holes = this.holes;
    copy.#long = this.#long?.slice();
    return copy;
  }

  #copyBytes(source: ByteEntries, from: number, to: number): void {
    const bytes = to - from;
    if (bytes === 0) return;
    this.#reserve(bytes);
    if (bytes <= LOOP_MAX * 2) {
      const target = this.#bytes;
      for (let at = from, put = this.used; at < to; ) target[put++] = source.#bytes[at++] as number;
    } else {
      source.#bytes.copy(this.#bytes, this.used, from, to);
    }
    this.used += bytes;
  }

  #appendLong(text: string): void {
    this.#long ??= [];
    this.#bytes[this.used] = LONG_MARK;
    this.#bytes.writeUInt32LE(this.#long.length, this.used + 1);
    this.#long.push(text);
    this.used += LONG_BYTES;
  }

  #longAt(at: number): string {
    return (this.#long as string[])[this.#bytes.readUInt32LE(at)] as string;
  }

  #reserve(bytes: number): void {
    const needed = this.used + bytes;
    if (needed <= this.#bytes.length) return;
    const outgrown = this.#bytes;
    const capacity = Math.max(needed, outgrown.length + (needed >>> 2) + 64);
    this.#bytes = Buffer.from(this.#pool.take(capacity));
    outgrown.copy(this.#bytes, 0, 0, this.used);
    this.#pool.give(outgrown.buffer as ArrayBuffer);
  }
}
