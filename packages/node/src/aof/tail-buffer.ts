/**
 * The end of the log that may still be needed: bytes accepted but not yet written, or written but
 * not yet durable, addressed by their position in the log. One copy on entry makes many small
 * chunks a few large ones, and lets a failed write or fsync be repeated with the same bytes.
 *
 * Memory is a queue of blocks of one size. No block is made for a batch, none is ever copied, and
 * a few freed blocks are kept for the next batches, so a steady load allocates nothing.
 */

export class TailBuffer {
  /** Position of the first byte held. */
  private startPosition: number;
  private endPosition: number;
  private readonly blockBytes: number;
  /** Position of the first byte of `blocks[0]`. */
  private firstBlockPosition: number;
  private blocks: Buffer[] = [];
  private readonly spare: Buffer[] = [];

  constructor(startPosition = 0, blockBytes = 256 * 1024) {
    this.startPosition = startPosition;
    this.endPosition = startPosition;
    this.firstBlockPosition = startPosition;
    this.blockBytes = blockBytes;
  }

  get start(): number {
    return this.startPosition;
  }

  get end(): number {
    return this.endPosition;
  }

  get length(): number {
    return this.endPosition - this.startPosition;
  }

  append(chunk: Uint8Array): void {
    let taken = 0;
    while (taken < chunk.length) {
      const inTail = this.endPosition - this.firstBlockPosition;
      const offset = inTail % this.blockBytes;
      const index = (inTail - offset) / this.blockBytes;
      let block = this.blocks[index];
      if (block === undefined) {
        block = this.spare.pop() ?? Buffer.allocUnsafeSlow(this.blockBytes);
        this.blocks.push(block);
      }
      const count = Math.min(chunk.length - taken, this.blockBytes - offset);
      if (taken === 0 && count === chunk.length) block.set(chunk, offset);
      else block.set(chunk.subarray(taken, taken + count), offset);
      taken += count;
      this.endPosition += count;
    }
  }

  /**
   * The bytes from `from` to `to`. They alias the buffer: valid until a `release` beyond `from`.
   */
  spans(from: number, to: number): Buffer[] {
    if (from < this.startPosition || to > this.endPosition || from > to) {
      throw new Error(
        `AOF tail: ${from}..${to} is not within ${this.startPosition}..${this.endPosition}`,
      );
    }
    const spans: Buffer[] = [];
    let at = from;
    while (at < to) {
      const inTail = at - this.firstBlockPosition;
      const offset = inTail % this.blockBytes;
      const block = this.blocks[(inTail - offset) / this.blockBytes];
      if (block === undefined) throw new Error("AOF tail: a block is missing");
      const count = Math.min(to - at, this.blockBytes - offset);
      spans.push(block.subarray(offset, offset + count));
      at += count;
    }
    return spans;
  }

  /** Forgets everything before `position`. */
  release(position: number): void {
    if (position <= this.startPosition) return;
    this.startPosition = Math.min(position, this.endPosition);
    if (this.startPosition === this.endPosition) {
      // Empty: start over at the first byte of a block, so that one block serves small loads.
      while (this.blocks.length > 0) this.recycle(this.blocks.pop());
      this.firstBlockPosition = this.endPosition;
      return;
    }
    const whole = Math.floor((this.startPosition - this.firstBlockPosition) / this.blockBytes);
    if (whole === 0) return;
    for (let index = 0; index < whole; index++) this.recycle(this.blocks[index]);
    this.blocks = this.blocks.slice(whole);
    this.firstBlockPosition += whole * this.blockBytes;
  }

  /** Four blocks cover the batches of one turn under load; more would only hold memory. */
  private recycle(block: Buffer | undefined): void {
    if (block !== undefined && this.spare.length < 4) this.spare.push(block);
  }
}
