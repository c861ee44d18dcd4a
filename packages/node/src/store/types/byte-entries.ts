/**
 * Where a piece of a large hash or set keeps its texts: one after the other in blocks outside of
 * V8's heap, so that a million members are not a million objects for the garbage collector to mark.
 *
 * An entry is a text (a set's member), or two (a field and its value; a sorted set's member and its
 * score, the eight bytes of a double). A text is its length and its bytes: one byte of length below
 * 128, two up to `INLINE_MAX`; longer texts stay V8 strings in a list beside the blocks, and the
 * entry holds their index there. What is dropped leaves a hole; the owner compacts when holes
 * outweigh the rest.
 *
 * An entry is named by an offset, a page and a byte in it, and is never on two pages. A page is a
 * block. All but the last have the same size, so that growing copies nothing but the last one, and
 * what one piece frees is what the next one needs.
 */
import type { Buffer } from "node:buffer";
import { latin1String, writeLatin1 } from "@slotlog/resp";
import { CHUNK_MASK, CHUNK_SHIFT, type SlabPages } from "../slab-pages.js";
import type { BlockAccount } from "./block-memory.js";

/** Longest text in a page: an entry of two takes half a page at most. */
const INLINE_MAX = 1022;
/** First byte of a text beside the pages; a two-byte length begins with 0x80 to 0x83. */
const LONG_MARK = 0xff;
const LONG_BYTES = 5;
/** Below this a loop over chars beats leaving JavaScript. */
const LOOP_MAX = 24;
/** A double with its length in front. */
const NUMBER_BYTES = 9;
/** What V8 has for a text beside the pages, but for its chars: a header and a place in the list. */
const LONG_OVERHEAD_BYTES = 24;

const PAGE_SHIFT = 12;
/** Of every page but the last, which doubles until it has as many. */
const PAGE_BYTES = 1 << PAGE_SHIFT;
const PAGE_MASK = PAGE_BYTES - 1;
const PAGE_BYTES_MIN = 256;

/** Bytes that a text takes in a page. */
export function encodedBytes(text: string): number {
  const { length } = text;
  if (length > INLINE_MAX) return LONG_BYTES;
  return length < 0x80 ? length + 1 : length + 2;
}

/** Bytes that an entry of these texts takes. */
export function entryBytes(text: string, value: string | number | undefined): number {
  if (value === undefined) return encodedBytes(text);
  return encodedBytes(text) + (typeof value === "number" ? NUMBER_BYTES : encodedBytes(value));
}

export class ByteEntries {
  /** Bytes of entries, holes included. */
  used = 0;
  /** Bytes of holes. */
  holes = 0;
  /** Behind the text that was read, compared or skipped last. */
  end = 0;
  /** The block of each page. */
  #pages: number[] = [];
  /** Bytes of the last page: in use, and in all. */
  #lastUsed = 0;
  #lastBytes = 0;
  #long: (string | undefined)[] | undefined = undefined;
  /** Bytes of entries that are going to come. */
  readonly #expected: number;
  readonly #slab: SlabPages;
  readonly #account: BlockAccount;

  constructor(expected: number, slab: SlabPages, account: BlockAccount) {
    this.#expected = expected;
    this.#slab = slab;
    this.#account = account;
  }

  /** Lets go of all memory; there is nothing in it any more. */
  release(): void {
    const last = this.#pages.pop();
    if (last === undefined) return;
    this.#account.free(this.#slab, last, this.#lastBytes >>> 2);
    for (const page of this.#pages) this.#account.free(this.#slab, page, PAGE_BYTES >>> 2);
    for (const text of this.#long ?? []) if (text !== undefined) this.#forgetLong(text);
    this.#pages = [];
    this.#lastUsed = 0;
    this.#lastBytes = 0;
    this.#long = undefined;
    this.used = 0;
    this.holes = 0;
  }

  /** Appends an entry of one text, or of two, or of a text and a number; returns its offset. */
  append(text: string, value: string | number | undefined): number {
    const offset = this.#begin(entryBytes(text, value));
    const block = this.#pages[offset >>> PAGE_SHIFT] as number;
    const bytes = this.#slab.bytes[block >>> CHUNK_SHIFT] as Buffer;
    const at = this.#put(bytes, ((block & CHUNK_MASK) << 2) + (offset & PAGE_MASK), text);
    if (typeof value === "number") {
      bytes[at] = NUMBER_BYTES - 1;
      bytes.writeDoubleLE(value, at + 1);
    } else if (value !== undefined) this.#put(bytes, at, value);
    return offset;
  }

  /** The number at `offset`. */
  readNumber(offset: number): number {
    return this.#bytesAt(offset).readDoubleLE(this.#place(offset) + 1);
  }

  /** Writes over the number at `offset`. */
  overwriteNumber(offset: number, value: number): void {
    this.#bytesAt(offset).writeDoubleLE(value, this.#place(offset) + 1);
  }

  /** True if the text at `offset` is this one; leaves `end`. */
  equals(offset: number, text: string): boolean {
    const block = this.#pages[offset >>> PAGE_SHIFT] as number;
    const bytes = this.#slab.bytes[block >>> CHUNK_SHIFT] as Buffer;
    const { length } = text;
    const from = ((block & CHUNK_MASK) << 2) + (offset & PAGE_MASK);
    let at = from;
    const head = bytes[at++] as number;
    if (head === LONG_MARK) {
      this.end = offset + LONG_BYTES;
      return length > INLINE_MAX && this.#longAt(bytes, at) === text;
    }
    const stored = head < 0x80 ? head : ((head & 0x7f) << 8) | (bytes[at++] as number);
    this.end = offset + (at - from) + stored;
    if (stored !== length) return false;
    for (let index = 0; index < length; index++) {
      if (bytes[at + index] !== text.charCodeAt(index)) return false;
    }
    return true;
  }

  /** The text at `offset`; leaves `end`. */
  read(offset: number): string {
    const bytes = this.#bytesAt(offset);
    const from = this.#place(offset);
    let at = from;
    const head = bytes[at++] as number;
    if (head === LONG_MARK) {
      this.end = offset + LONG_BYTES;
      return this.#longAt(bytes, at);
    }
    const length = head < 0x80 ? head : ((head & 0x7f) << 8) | (bytes[at++] as number);
    this.end = offset + (at - from) + length;
    return latin1String(bytes, at, length);
  }

  /** Passes the text at `offset`: leaves `end`. */
  skip(offset: number): void {
    const bytes = this.#bytesAt(offset);
    const at = this.#place(offset);
    const head = bytes[at] as number;
    if (head === LONG_MARK) this.end = offset + LONG_BYTES;
    else if (head < 0x80) this.end = offset + 1 + head;
    else this.end = offset + 2 + (((head & 0x7f) << 8) | (bytes[at + 1] as number));
  }

  /** Lets go of the text at `offset`, which becomes a hole; leaves `end`. */
  drop(offset: number): void {
    const bytes = this.#bytesAt(offset);
    const at = this.#place(offset);
    if (bytes[at] === LONG_MARK) {
      this.#forgetLong(this.#longAt(bytes, at + 1));
      (this.#long as (string | undefined)[])[bytes.readUInt32LE(at + 1)] = undefined;
    }
    this.skip(offset);
    this.holes += this.end - offset;
  }

  /** Writes over the text at `offset` if the new one is as long; false if it is not. */
  overwrite(offset: number, text: string): boolean {
    const bytes = this.#bytesAt(offset);
    let at = this.#place(offset);
    const { length } = text;
    const head = bytes[at++] as number;
    if (head === LONG_MARK) return false;
    const stored = head < 0x80 ? head : ((head & 0x7f) << 8) | (bytes[at++] as number);
    if (stored !== length) return false;
    for (let index = 0; index < length; index++) bytes[at + index] = text.charCodeAt(index);
    return true;
  }

  /** Appends an entry of so many texts of another piece as it stands; returns its offset here. */
  copyFrom(source: ByteEntries, offset: number, texts: number): number {
    source.end = offset;
    for (let left = texts; left > 0; left--) source.skip(source.end);
    const length = source.end - offset;
    const begin = this.#begin(length);
    const from = source.#bytesAt(offset);
    const to = this.#bytesAt(begin);
    const at = source.#place(offset);
    const put = this.#place(begin);
    if (length > LOOP_MAX * 2) from.copy(to, put, at, at + length);
    else for (let index = 0; index < length; index++) to[put + index] = from[at + index] as number;
    if (source.#long !== undefined) this.#copyLong(source, begin, texts);
    return begin;
  }

  /** The same entries at the same offsets. */
  copy(slab: SlabPages, account: BlockAccount): ByteEntries {
    const copy = new ByteEntries(this.#expected, slab, account);
    const last = this.#pages.length - 1;
    for (const [index, page] of this.#pages.entries()) {
      const size = index === last ? this.#lastBytes : PAGE_BYTES;
      copy.#pages.push(copyBlock(this.#slab, page, size, slab, account));
    }
    copy.#lastUsed = this.#lastUsed;
    copy.#lastBytes = this.#lastBytes;
    copy.#long = this.#long?.slice();
    for (const text of copy.#long ?? []) {
      if (text !== undefined) account.bytes += LONG_OVERHEAD_BYTES + text.length;
    }
    copy.used = this.used;
    copy.holes = this.holes;
    return copy;
  }

  #bytesAt(offset: number): Buffer {
    const block = this.#pages[offset >>> PAGE_SHIFT] as number;
    return this.#slab.bytes[block >>> CHUNK_SHIFT] as Buffer;
  }

  /** Where the byte at `offset` is in its chunk. */
  #place(offset: number): number {
    const block = this.#pages[offset >>> PAGE_SHIFT] as number;
    return ((block & CHUNK_MASK) << 2) + (offset & PAGE_MASK);
  }

  /** Room for an entry of so many bytes; returns its offset. */
  #begin(bytes: number): number {
    if (this.#lastUsed + bytes > this.#lastBytes) this.#makeRoom(bytes);
    const offset = ((this.#pages.length - 1) << PAGE_SHIFT) + this.#lastUsed;
    this.#lastUsed += bytes;
    this.used += bytes;
    return offset;
  }

  #makeRoom(bytes: number): void {
    const needed = this.#lastUsed + bytes;
    if (this.#lastBytes === PAGE_BYTES || this.#pages.length === 0) {
      const size = pageBytes(Math.max(bytes, this.#expected - this.used));
      this.#pages.push(this.#account.allocate(this.#slab, size >>> 2));
      this.#lastBytes = size;
      this.#lastUsed = 0;
      return;
    }
    // It is half a page at most, and so is an entry: they fit in one.
    const page = this.#pages.pop() as number;
    const size = pageBytes(needed);
    const grown = this.#account.allocate(this.#slab, size >>> 2);
    copyWords(this.#slab, page, this.#slab, grown, this.#lastBytes >>> 2);
    this.#account.free(this.#slab, page, this.#lastBytes >>> 2);
    this.#pages.push(grown);
    this.#lastBytes = size;
  }

  /** Writes a text; returns where it ends. */
  #put(bytes: Buffer, from: number, text: string): number {
    const { length } = text;
    if (length > INLINE_MAX) {
      this.#putLong(bytes, from, text);
      return from + LONG_BYTES;
    }
    let at = from;
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
    return at + length;
  }

  #putLong(bytes: Buffer, at: number, text: string): void {
    this.#long ??= [];
    bytes[at] = LONG_MARK;
    bytes.writeUInt32LE(this.#long.length, at + 1);
    this.#long.push(text);
    this.#account.bytes += LONG_OVERHEAD_BYTES + text.length;
  }

  /** Brings over what is long of an entry that was copied from `source`. */
  #copyLong(source: ByteEntries, offset: number, texts: number): void {
    const bytes = this.#bytesAt(offset);
    this.end = offset;
    for (let left = texts; left > 0; left--) {
      const at = this.#place(this.end);
      if (bytes[at] === LONG_MARK) this.#putLong(bytes, at, source.#longAt(bytes, at + 1));
      this.skip(this.end);
    }
  }

  #longAt(bytes: Buffer, at: number): string {
    return (this.#long as string[])[bytes.readUInt32LE(at)] as string;
  }

  #forgetLong(text: string): void {
    this.#account.bytes -= LONG_OVERHEAD_BYTES + text.length;
  }
}

/** A page for so many bytes, or the largest. */
function pageBytes(bytes: number): number {
  let size = PAGE_BYTES_MIN;
  while (size < bytes && size < PAGE_BYTES) size *= 2;
  return size;
}

function copyWords(from: SlabPages, block: number, to: SlabPages, copy: number, words: number) {
  const source = from.words[block >>> CHUNK_SHIFT] as Int32Array;
  const target = to.words[copy >>> CHUNK_SHIFT] as Int32Array;
  const at = block & CHUNK_MASK;
  target.set(source.subarray(at, at + words), copy & CHUNK_MASK);
}

function copyBlock(
  from: SlabPages,
  block: number,
  bytes: number,
  slab: SlabPages,
  account: BlockAccount,
): number {
  const copy = account.allocate(slab, bytes >>> 2);
  copyWords(from, block, slab, copy, bytes >>> 2);
  return copy;
}
