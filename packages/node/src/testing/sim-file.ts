/**
 * The content of one simulated file: what a reader sees now, and what would be left after a power
 * loss. Owns bytes only; when things happen is `sim-disk.ts`'s business.
 *
 * Durable content is not kept as a second copy, which would make every sync cost the file's length:
 * what a write or cut changes below the durable length is kept for undoing it.
 */

export class SimFileContent {
  private bytes = Buffer.alloc(0);
  private size = 0;
  private durableSize = 0;
  /** Durable bytes that were overwritten or cut since the last sync, oldest first. */
  private undo: { readonly position: number; readonly bytes: Buffer }[] = [];
  /** Ranges that a failed sync dropped: visible until a crash, never durable unless rewritten. */
  private dropped: { readonly from: number; readonly to: number }[] = [];

  get length(): number {
    return this.size;
  }

  get durableLength(): number {
    return this.durableSize;
  }

  visible(): Buffer {
    return Buffer.from(this.bytes.subarray(0, this.size));
  }

  read(position: number, length: number): Buffer {
    const end = Math.min(this.size, position + length);
    return Buffer.from(this.bytes.subarray(Math.min(position, end), end));
  }

  write(position: number, chunk: Uint8Array): void {
    const end = position + chunk.length;
    this.saveForUndo(position, end);
    this.grow(Math.max(end, this.size));
    if (position > this.size) this.bytes.fill(0, this.size, position);
    this.bytes.set(chunk, position);
    this.size = Math.max(this.size, end);
    this.dropped = without(this.dropped, position, end);
  }

  truncate(size: number): void {
    this.saveForUndo(size, this.size);
    this.grow(size);
    if (size > this.size) this.bytes.fill(0, this.size, size);
    this.size = size;
    this.dropped = without(this.dropped, size, Number.MAX_SAFE_INTEGER);
  }

  sync(): void {
    this.durableSize = this.size;
    this.undo = [];
  }

  /** A failed sync, as Linux has it: dirty pages count as clean, though they never reached disk. */
  failSync(): void {
    if (this.size > this.durableSize) this.dropped.push({ from: this.durableSize, to: this.size });
  }

  /** The dropped pages count as dirty again. */
  forgive(): void {
    this.dropped = [];
  }

  /** A power loss: of what was not durable, the first `keep` bytes survive. */
  crash(keep: number): void {
    if (keep === 0 || this.undo.length > 0) {
      for (const { position, bytes } of this.undo.toReversed()) {
        this.grow(position + bytes.length);
        this.bytes.set(bytes, position);
      }
      this.size = Math.max(this.durableSize, Math.min(this.size, this.durableSize + keep));
    } else {
      this.size = Math.min(this.size, this.durableSize + keep);
    }
    for (const { from, to } of this.dropped) this.bytes.fill(0, from, Math.min(to, this.size));
    this.undo = [];
    this.dropped = [];
    this.durableSize = this.size;
  }

  private saveForUndo(from: number, to: number): void {
    const end = Math.min(to, this.durableSize, this.size);
    if (from >= end) return;
    this.undo.push({ position: from, bytes: Buffer.from(this.bytes.subarray(from, end)) });
  }

  private grow(size: number): void {
    if (size <= this.bytes.length) return;
    const grown = Buffer.alloc(Math.max(size, this.bytes.length * 2, 1024));
    grown.set(this.bytes.subarray(0, this.size));
    this.bytes = grown;
  }
}

interface Range {
  readonly from: number;
  readonly to: number;
}

function without(ranges: readonly Range[], from: number, to: number): Range[] {
  const rest: Range[] = [];
  for (const range of ranges) {
    if (range.from < Math.min(from, range.to)) {
      rest.push({ from: range.from, to: Math.min(from, range.to) });
    }
    if (Math.max(to, range.from) < range.to) {
      rest.push({ from: Math.max(to, range.from), to: range.to });
    }
  }
  return rest;
}
