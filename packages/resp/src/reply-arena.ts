/**
 * The memory replies are written into, and what a reply under construction may do with it: grow,
 * be rolled back, and get a header whose count is known only at the end. Owns arenas and chunks;
 * knows no RESP type. Everything written stays here until `detach`, so that a mark is always valid.
 */
import { digitCount, writeDigits } from "./integer.js";
import { largeArgumentBytes } from "./limits.js";

/**
 * Receives finished chunks in order. Their memory belongs to the arena until its user calls
 * `recycle` (nobody holds any chunk any more) or `abandon` (somebody does).
 */
export interface ReplySink {
  chunk(bytes: Buffer): void;
}

/** A place in what was written since `attach`: the number of bytes in front of it. */
export type ReplyMark = number;

/** A header of one digit: prefix, digit, CR, LF. Most counts need no more, so nothing moves. */
const reservedBytes = 4;
/** From here on splitting the chunk around a header is cheaper than moving what follows it. */
const movedBytesMax = 16 * 1024;
/** What is left of an arena when somebody keeps its chunks goes on being used down to this part. */
const restUsedMin = 1 / 8;
/** Spare arenas kept for the next large reply: 1 MiB at the default size. */
const sparesMax = 4;

export class ReplyArena {
  protected arena: Buffer;
  protected position = 0;
  /** From this length on a value becomes a chunk of its own. */
  protected readonly largeBytes: number;
  private readonly arenaBytes: number;
  private sink: ReplySink | undefined = undefined;
  /** The region being written is `[regionStart, position)` of `arena`. */
  private regionStart = 0;
  /** Bytes in `filled`. */
  private filledBytes = 0;
  /** Finished chunks of this attachment, in front of the region. */
  private filled: Buffer[] = [];
  /** Marks of the headers that are still open, outermost first. */
  private readonly open: ReplyMark[] = [];
  /** In front of it are chunks of `arena` that were abandoned: never written to again. */
  private floor = 0;
  private used: Buffer[] = [];
  private spares: Buffer[] = [];

  constructor(arenaBytes = 256 * 1024) {
    if (arenaBytes < 1024) throw new RangeError(`an arena of ${arenaBytes} bytes is too small`);
    this.arenaBytes = arenaBytes;
    // A value below the limit and its header must fit into one arena.
    this.largeBytes = Math.min(largeArgumentBytes, arenaBytes >> 1);
    this.arena = Buffer.allocUnsafeSlow(arenaBytes);
  }

  /** Bytes written since the attachment. */
  get bytesWritten(): number {
    return this.filledBytes + this.position - this.regionStart;
  }

  /** Bytes written since the attachment and not given to the sink: all, until `detach`. */
  get pending(): number {
    return this.sink === undefined ? 0 : this.bytesWritten;
  }

  get isAttached(): boolean {
    return this.sink !== undefined;
  }

  /** Gives everything written since `attach` to the sink. */
  detach(): void {
    const sink = this.sink;
    if (sink === undefined) throw new Error("reply writer: detach without attach");
    if (this.open.length > 0) throw new Error("reply writer: a deferred length was never ended");
    this.sink = undefined;
    if (this.filled.length > 0) {
      const filled = this.filled;
      this.filled = [];
      for (const chunk of filled) sink.chunk(chunk);
    }
    const start = this.regionStart;
    const end = this.position;
    this.regionStart = end;
    this.filledBytes = 0;
    if (end > start) sink.chunk(this.arena.subarray(start, end));
  }

  /** Every chunk given out is free again. */
  recycle(): void {
    this.assertDetached();
    this.position = this.floor;
    this.regionStart = this.floor;
    for (const arena of this.used) {
      if (this.spares.length < sparesMax) this.spares.push(arena);
    }
    if (this.used.length > 0) this.used = [];
  }

  /**
   * Chunks given out are still in use: leaves their memory to them. Where replies wait for a fsync
   * this happens in every turn, so the next one goes on behind them: with an arena for each, V8
   * collected garbage for most of the time.
   */
  abandon(): void {
    this.assertDetached();
    this.used = [];
    this.floor = this.position;
    this.regionStart = this.position;
    if (this.arena.length - this.position < this.arenaBytes * restUsedMin) this.newArena();
  }

  /** Where `rollback` returns to. A header ended since then that was begun before moves it. */
  mark(): ReplyMark {
    return this.bytesWritten;
  }

  /** Drops what was written since the mark, headers begun since then included. */
  rollback(mark: ReplyMark): void {
    if (mark < 0 || mark > this.bytesWritten) throw new RangeError(`reply writer: mark ${mark}`);
    while (this.open.length > 0 && this.open[this.open.length - 1]! >= mark) this.open.pop();
    if (mark >= this.filledBytes) {
      this.position = this.regionStart + mark - this.filledBytes;
      return;
    }
    this.position = this.regionStart;
    while (this.filledBytes > mark) {
      const last = this.filled.pop()!;
      this.filledBytes -= last.length;
      if (this.filledBytes < mark) this.addFilled(last.subarray(0, mark - this.filledBytes));
    }
  }

  protected attachSink(sink: ReplySink): void {
    this.assertDetached();
    this.sink = sink;
    this.regionStart = this.position;
    this.filledBytes = 0;
  }

  /** Makes sure that `bytes` more fit at `position`, all in one piece. */
  protected room(bytes: number): void {
    if (this.arena.length - this.position < bytes) this.nextArena(bytes);
  }

  /** Begins an aggregate whose count is not known. Ends come in the reverse order of beginnings. */
  protected openHeader(): ReplyMark {
    const mark = this.bytesWritten;
    this.room(reservedBytes);
    this.position += reservedBytes;
    this.open.push(mark);
    return mark;
  }

  /** Puts the header where `openHeader` was. */
  protected closeHeader(mark: ReplyMark, prefix: number, count: number): void {
    if (this.open.pop() !== mark)
      throw new Error("reply writer: deferred lengths end out of order");
    const digits = digitCount(count);
    const extra = 3 + digits - reservedBytes;
    if (mark < this.filledBytes) {
      this.closeInFilled(mark, prefix, count);
      return;
    }
    const at = this.regionStart + mark - this.filledBytes;
    const behind = at + reservedBytes;
    if (extra > 0) {
      const isRoom = this.arena.length - this.position >= extra;
      if (!isRoom || this.position - behind > movedBytesMax) {
        this.addFilled(this.arena.subarray(this.regionStart, at));
        this.addFilled(headerBytes(prefix, count));
        this.regionStart = behind;
        return;
      }
      this.arena.copyWithin(behind + extra, behind, this.position);
      this.position += extra;
    }
    writeHeader(this.arena, at, prefix, count);
  }

  /** Adds a chunk of its own behind what was written. The caller gives the memory away. */
  protected addChunk(bytes: Buffer): void {
    this.endRegion();
    this.addFilled(bytes);
  }

  private closeInFilled(mark: ReplyMark, prefix: number, count: number): void {
    let index = this.filled.length;
    let start = this.filledBytes;
    while (start > mark) {
      index--;
      start -= this.filled[index]!.length;
    }
    const chunk = this.filled[index]!;
    const at = mark - start;
    const header = headerBytes(prefix, count);
    const parts = [chunk.subarray(0, at), header, chunk.subarray(at + reservedBytes)];
    this.filled.splice(index, 1, ...parts.filter((part) => part.length > 0));
    this.filledBytes += header.length - reservedBytes;
  }

  private nextArena(bytes: number): void {
    this.endRegion();
    if (this.floor === 0) this.used.push(this.arena);
    this.newArena();
    if (bytes > this.arena.length)
      throw new RangeError(`reply writer: ${bytes} bytes in one piece`);
  }

  private newArena(): void {
    this.arena = this.spares.pop() ?? Buffer.allocUnsafeSlow(this.arenaBytes);
    this.floor = 0;
    this.position = 0;
    this.regionStart = 0;
  }

  private endRegion(): void {
    if (this.sink === undefined) throw new Error("reply writer: written while not attached");
    this.addFilled(this.arena.subarray(this.regionStart, this.position));
    this.regionStart = this.position;
  }

  private addFilled(chunk: Buffer): void {
    if (chunk.length === 0) return;
    this.filled.push(chunk);
    this.filledBytes += chunk.length;
  }

  private assertDetached(): void {
    if (this.sink !== undefined) throw new Error("reply writer: still attached");
  }
}

/** Writes `<prefix><count>\r\n`; returns the position behind it. */
export function writeHeader(
  target: Uint8Array,
  position: number,
  prefix: number,
  count: number,
): number {
  target[position] = prefix;
  let p = position + 1;
  if (count < 10) target[p++] = 0x30 + count;
  else p = writeDigits(target, p, count, digitCount(count));
  target[p] = 0x0d;
  target[p + 1] = 0x0a;
  return p + 2;
}

function headerBytes(prefix: number, count: number): Buffer {
  const bytes = Buffer.allocUnsafe(3 + digitCount(count));
  writeHeader(bytes, 0, prefix, count);
  return bytes;
}
