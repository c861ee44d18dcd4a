/**
 * Memory for keys, strings and large collections outside of V8's heap: blocks of 32-bit words, cut
 * from pages, cut from chunks. The collector neither marks, moves nor counts what is in them.
 *
 * A chunk is one ArrayBuffer, a page has blocks of one size, and a block is named by a 32-bit
 * reference: chunk, page, word. So nothing is ever copied because something else grew, there is no
 * garbage, and freed memory serves the next block of its size at once; a page whose blocks are all
 * free serves any size, a chunk whose pages are all free is given back. It knows no keys and
 * trusts its user to say how large a block is that is freed.
 */
import { Buffer } from "node:buffer";

/** Words of a page: 64 KiB. */
export const PAGE_WORDS = 1 << 14;
const PAGE_SHIFT = 14;
const PAGE_MASK = PAGE_WORDS - 1;
/** Words of a chunk: 1 MiB, which costs no memory until it is written to. */
const CHUNK_WORDS = 1 << 18;
export const CHUNK_SHIFT = 18;
export const CHUNK_MASK = CHUNK_WORDS - 1;
const PAGES_PER_CHUNK = CHUNK_WORDS / PAGE_WORDS;
const ALL_PAGES = (1 << PAGES_PER_CHUNK) - 1;
/** A reference has 32 bits: 16 GiB. */
const CHUNKS_MAX = 1 << (32 - CHUNK_SHIFT);

/**
 * Blocks up to so many words have a class for each size. Larger ones share a class with all that
 * fill a page as often, n times, and are as long as an n-th of a page: at most 6% more than asked.
 */
const EXACT_MAX = 64;
const CLASSES = EXACT_MAX + 1 + Math.floor(PAGE_WORDS / EXACT_MAX);

/** Numbers kept per page: its class, … */
const CLASS = 0;
/** … the first free block, -1 if there is none: each names the next in its first word, … */
const FREE = 1;
/** … the first word behind all blocks that were ever used, … */
const FRESH = 2;
/** … blocks in use, … */
const LIVE = 3;
/** … and its neighbours in its class' list of pages with room; -1 at the ends. */
const NEXT = 4;
const PREVIOUS = 5;
const PAGE_INFO = 6;

/** Stands for a chunk that was given back. */
const NO_WORDS = new Int32Array(0);
const NO_BYTES = Buffer.alloc(0);

function classOf(words: number): number {
  return words <= EXACT_MAX ? words : EXACT_MAX + Math.floor(PAGE_WORDS / words);
}

function wordsOf(sizeClass: number): number {
  if (sizeClass <= EXACT_MAX) return sizeClass;
  return Math.floor(PAGE_WORDS / (sizeClass - EXACT_MAX));
}

/** Words of the block that is given to who asks for so many. */
export function blockWords(words: number): number {
  return wordsOf(classOf(words));
}

/** True if a block of `before` words is one of `after` words as well. */
export function isSameBlock(before: number, after: number): boolean {
  return before === after || classOf(before) === classOf(after);
}

export class SlabPages {
  /** The chunks as words and as bytes: `words[reference >>> CHUNK_SHIFT]`. */
  readonly words: Int32Array[] = [];
  readonly bytes: Buffer[] = [];
  /** Words in blocks that are in use. */
  liveWords = 0;
  #info = new Int32Array(0);
  /** Per class the first page with room, or -1. */
  readonly #partial = new Int32Array(CLASSES).fill(-1);
  /** Per chunk a bit for each free page. */
  readonly #freePages: number[] = [];
  /** No chunk before this one has a free page. */
  #firstOpen = 0;
  /** Chunks without any page in use. */
  #emptyChunks = 0;
  #releasedChunks = 0;

  /** A block of at least so many words, at most `PAGE_WORDS`; what is in it is undefined. */
  allocate(words: number): number {
    const sizeClass = classOf(words);
    let page = this.#partial[sizeClass] as number;
    if (page < 0) page = this.#openPage(sizeClass);
    const info = this.#info;
    const at = page * PAGE_INFO;
    const block = wordsOf(sizeClass);
    let offset = info[at + FREE] as number;
    if (offset >= 0) {
      const chunk = this.words[page >>> (CHUNK_SHIFT - PAGE_SHIFT)] as Int32Array;
      info[at + FREE] = chunk[((page << PAGE_SHIFT) & CHUNK_MASK) + offset] as number;
    } else {
      offset = info[at + FRESH] as number;
      info[at + FRESH] = offset + block;
    }
    info[at + LIVE] = (info[at + LIVE] as number) + 1;
    this.liveWords += block;
    const isFull =
      (info[at + FREE] as number) < 0 && (info[at + FRESH] as number) + block > PAGE_WORDS;
    if (isFull) this.#unlink(page, sizeClass);
    return (page << PAGE_SHIFT) | offset;
  }

  /** Frees a block, which was asked for with so many words. */
  free(reference: number, words: number): void {
    const page = reference >>> PAGE_SHIFT;
    const info = this.#info;
    const at = page * PAGE_INFO;
    const sizeClass = info[at + CLASS] as number;
    const block = blockWords(words);
    const free = info[at + FREE] as number;
    const wasFull = free < 0 && (info[at + FRESH] as number) + block > PAGE_WORDS;
    (this.words[reference >>> CHUNK_SHIFT] as Int32Array)[reference & CHUNK_MASK] = free;
    info[at + FREE] = reference & PAGE_MASK;
    info[at + LIVE] = (info[at + LIVE] as number) - 1;
    this.liveWords -= block;
    if (wasFull) this.#link(page, sizeClass);
    if (info[at + LIVE] === 0) this.#pageIsEmpty(page, sizeClass);
  }

  /** Bytes of all chunks, whatever is in use of them. */
  get capacityBytes(): number {
    return (this.words.length - this.#releasedChunks) * CHUNK_WORDS * 4;
  }

  /** Takes a free page, of the first chunk that has one so that the last ones become empty. */
  #openPage(sizeClass: number): number {
    const free = this.#freePages;
    let chunk = this.#firstOpen;
    while (chunk < free.length && free[chunk] === 0) chunk++;
    this.#firstOpen = chunk;
    if (chunk === free.length) chunk = this.#addChunk();
    const mask = free[chunk] as number;
    if (mask === ALL_PAGES) this.#emptyChunks--;
    const bit = mask & -mask;
    free[chunk] = mask & ~bit;
    const page = chunk * PAGES_PER_CHUNK + (31 - Math.clz32(bit));
    const info = this.#info;
    const at = page * PAGE_INFO;
    info[at + CLASS] = sizeClass;
    info[at + FREE] = -1;
    info[at + FRESH] = 0;
    info[at + LIVE] = 0;
    this.#link(page, sizeClass);
    return page;
  }

  #addChunk(): number {
    let chunk = this.words.length;
    if (this.#releasedChunks > 0) {
      chunk = this.words.indexOf(NO_WORDS);
      this.#releasedChunks--;
    }
    if (chunk === CHUNKS_MAX) {
      throw new RangeError("one database cannot have more than 16 GiB of strings");
    }
    const bytes = Buffer.allocUnsafeSlow(CHUNK_WORDS * 4);
    this.bytes[chunk] = bytes;
    this.words[chunk] = new Int32Array(bytes.buffer, bytes.byteOffset, CHUNK_WORDS);
    this.#freePages[chunk] = ALL_PAGES;
    this.#emptyChunks++;
    if (chunk < this.#firstOpen) this.#firstOpen = chunk;
    const infoLength = this.words.length * PAGES_PER_CHUNK * PAGE_INFO;
    if (infoLength > this.#info.length) {
      const info = new Int32Array(2 * infoLength);
      info.set(this.#info);
      this.#info = info;
    }
    return chunk;
  }

  #pageIsEmpty(page: number, sizeClass: number): void {
    this.#unlink(page, sizeClass);
    const chunk = Math.floor(page / PAGES_PER_CHUNK);
    const mask = (this.#freePages[chunk] as number) | (1 << (page % PAGES_PER_CHUNK));
    this.#freePages[chunk] = mask;
    if (chunk < this.#firstOpen) this.#firstOpen = chunk;
    if (mask !== ALL_PAGES) return;
    this.#emptyChunks++;
    // One empty chunk is kept: else one key that comes and goes would make it each time.
    if (this.#emptyChunks < 2) return;
    this.#emptyChunks--;
    this.#releasedChunks++;
    this.#freePages[chunk] = 0;
    this.words[chunk] = NO_WORDS;
    this.bytes[chunk] = NO_BYTES;
  }

  #link(page: number, sizeClass: number): void {
    const info = this.#info;
    const first = this.#partial[sizeClass] as number;
    info[page * PAGE_INFO + NEXT] = first;
    info[page * PAGE_INFO + PREVIOUS] = -1;
    if (first >= 0) info[first * PAGE_INFO + PREVIOUS] = page;
    this.#partial[sizeClass] = page;
  }

  #unlink(page: number, sizeClass: number): void {
    const info = this.#info;
    const next = info[page * PAGE_INFO + NEXT] as number;
    const previous = info[page * PAGE_INFO + PREVIOUS] as number;
    if (previous >= 0) info[previous * PAGE_INFO + NEXT] = next;
    else this.#partial[sizeClass] = next;
    if (next >= 0) info[next * PAGE_INFO + PREVIOUS] = previous;
  }
}
