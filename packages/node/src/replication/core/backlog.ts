/**
 * The recent bytes of the replication stream, one copy for all who read them. Offsets count from 1:
 * the byte at offset n is the n-th of the history. It keeps `bytesMax` bytes for replicas that come
 * back, and beyond that what a connected replica still has to read; it is made of blocks, so that
 * growing and trimming never move what is there. It knows no sockets.
 */

import { assert } from "./assert.js";

/** One block. A larger record is simply spread over several. */
const blockBytesMax = 64 * 1024;
const blockBytesMin = 4 * 1024;

interface Block {
  /** Offset of the first byte. */
  readonly start: number;
  readonly bytes: Buffer;
  used: number;
}

export class Backlog {
  #bytesMax: number;
  /** Blocks in order; those before `#first` were trimmed. */
  #blocks: (Block | undefined)[] = [];
  #first = 0;
  /** Offset of the first byte that is kept for replicas that come back. */
  #firstOffset: number;
  /** Offset that the next byte will get. */
  #nextOffset: number;

  readonly #startOffset: number;

  constructor(nextOffset: number, bytesMax: number) {
    this.#startOffset = nextOffset;
    this.#firstOffset = nextOffset;
    this.#nextOffset = nextOffset;
    this.#bytesMax = bytesMax;
  }

  get bytesMax(): number {
    return this.#bytesMax;
  }

  get firstOffset(): number {
    return this.#firstOffset;
  }

  get nextOffset(): number {
    return this.#nextOffset;
  }

  /** Bytes that can be read. */
  get length(): number {
    return this.#nextOffset - this.#firstOffset;
  }

  /** Nothing was trimmed yet: it begins between two commands. */
  get isWhole(): boolean {
    return this.#firstOffset === this.#startOffset;
  }

  /** Bytes of memory taken. */
  get memoryBytes(): number {
    let bytes = 0;
    for (let index = this.#first; index < this.#blocks.length; index++) {
      bytes += (this.#blocks[index] as Block).bytes.length;
    }
    return bytes;
  }

  /** Whether a reader can go on with the byte at `offset`, which may be the next one to come. */
  holds(offset: number): boolean {
    return offset >= this.#firstOffset && offset <= this.#nextOffset;
  }

  /** `repl-backlog-size` was changed; what is too much goes with the next `trim`. */
  resize(bytesMax: number): void {
    this.#bytesMax = bytesMax;
  }

  /** Copies `bytes` in from `start` up to, not including, `end`. */
  append(bytes: Uint8Array, start: number, end: number): void {
    let from = start;
    while (from < end) {
      let block = this.#blocks[this.#blocks.length - 1];
      if (block === undefined || block.used === block.bytes.length) block = this.#grow();
      const count = Math.min(end - from, block.bytes.length - block.used);
      block.bytes.set(bytes.subarray(from, from + count), block.used);
      block.used += count;
      from += count;
      this.#nextOffset += count;
    }
  }

  /**
   * The bytes from `offset` as far as they lie in one piece; `undefined` at the end. They stay as
   * they are for as long as somebody holds them, also when trimmed.
   */
  read(offset: number): Buffer | undefined {
    assert(this.holds(offset), `the backlog no longer holds offset ${offset}`);
    if (offset === this.#nextOffset) return undefined;
    const block = this.#find(offset);
    return block.bytes.subarray(offset - block.start, block.used);
  }

  /**
   * Drops whole blocks from the front as long as `bytesMax` bytes remain and no reader needs them.
   * `neededFrom` is the smallest offset that a connected replica has still to read.
   */
  trim(neededFrom: number): void {
    while (this.#first < this.#blocks.length) {
      const block = this.#blocks[this.#first] as Block;
      const end = block.start + block.used;
      if (this.#nextOffset - end < this.#bytesMax || end > neededFrom) break;
      if (block.used < block.bytes.length) break;
      this.#blocks[this.#first] = undefined;
      this.#first++;
      this.#firstOffset = end;
    }
    // The dropped fronts are cut off when they are the larger half: constant cost per block.
    if (this.#first > 16 && this.#first * 2 > this.#blocks.length) {
      this.#blocks = this.#blocks.slice(this.#first);
      this.#first = 0;
    }
  }

  #grow(): Block {
    // A sixteenth, as Redis has it, keeps what is held close to what was asked for.
    const wanted = Math.floor(this.#bytesMax / 16);
    const size = Math.min(blockBytesMax, Math.max(blockBytesMin, wanted));
    const block = { start: this.#nextOffset, bytes: Buffer.allocUnsafeSlow(size), used: 0 };
    this.#blocks.push(block);
    return block;
  }

  /** The block that holds the byte at `offset`, by bisection. */
  #find(offset: number): Block {
    let low = this.#first;
    let high = this.#blocks.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if ((this.#blocks[middle] as Block).start <= offset) low = middle;
      else high = middle - 1;
    }
    return this.#blocks[low] as Block;
  }
}
