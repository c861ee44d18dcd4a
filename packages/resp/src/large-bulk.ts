/**
 * A bulk string that is filled as its bytes come in, in a Buffer of its own. It grows with what has
 * come, by doubling up to the announced size: an announcement alone costs the peer's memory, not
 * ours.
 */

const firstBytes = 64 * 1024;

export class LargeBulk {
  bytesRead = 0;
  private readonly length: number;
  private target: Buffer;

  constructor(length: number) {
    this.length = length;
    // Short ones may stand in Node's pool: 8 KiB stay alive with them, but they cost a tenth.
    this.target = Buffer.allocUnsafe(Math.min(length, firstBytes));
  }

  get bytesMissing(): number {
    return this.length - this.bytesRead;
  }

  /** The whole value; only when nothing is missing, when it fills its memory exactly. */
  get bytes(): Buffer {
    return this.target;
  }

  /** Copies `count` bytes, at most `bytesMissing`. */
  take(source: Buffer, start: number, count: number): void {
    const needed = this.bytesRead + count;
    if (needed > this.target.length) {
      const capacity = Math.min(this.length, Math.max(needed, this.target.length * 2));
      const grown = Buffer.allocUnsafeSlow(capacity);
      this.target.copy(grown, 0, 0, this.bytesRead);
      this.target = grown;
    }
    source.copy(this.target, this.bytesRead, start, start + count);
    this.bytesRead = needed;
  }
}
