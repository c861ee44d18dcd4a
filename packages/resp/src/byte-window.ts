/**
 * The bytes a decoder has before it: chunks are borrowed from the socket as long as they are being
 * read, and copied to own memory when something incomplete is left. Owns the buffers and the
 * cursor; knows nothing of what the bytes mean.
 *
 * When a chunk arrives while an incomplete rest is held, only as much of it is appended to the rest
 * as its end needs; as soon as the reader has passed the old rest it goes on in the chunk itself.
 * So a 64 KiB chunk is not copied because a command of 40 bytes lay across its start.
 */

const noBytes = Buffer.alloc(0);

/** Own memory up to this size is kept for the next rest; a larger one is released when read. */
const ownBytesKeptMax = 4096;
const ownBytesMin = 512;
/** The first step by which a rest is extended from a chunk; it doubles with what is held. */
const extendBytesMin = 64;

export class ByteWindow {
  /** Where the reader stands: `[position, end)` of `source` are the bytes at hand. */
  source: Buffer = noBytes;
  protected position = 0;
  protected end = 0;
  /** Every byte ever pushed, for stream offsets. */
  private pushedBytes = 0;
  /** Whether `source` is `ownMemory`. */
  private owned = false;
  private ownMemory: Buffer = noBytes;
  /** A borrowed chunk that continues `source`; its bytes before `pendingPosition` were copied. */
  protected pending: Buffer | undefined = undefined;
  private pendingPosition = 0;
  /** Where in `source` the bytes end that were held before `pending` came. */
  protected carriedEnd = 0;

  /** Borrows the chunk until all of it is read or `secure` was called. */
  push(chunk: Buffer): void {
    if (chunk.length === 0) return;
    this.pushedBytes += chunk.length;
    if (this.position === this.end && this.pending === undefined) {
      this.source = chunk;
      this.position = 0;
      this.end = chunk.length;
      this.owned = false;
      return;
    }
    if (!this.owned || this.pending !== undefined) this.secure();
    this.pending = chunk;
    this.pendingPosition = 0;
    this.carriedEnd = this.end;
  }

  /** Bytes pushed and not yet read. */
  get unreadBytes(): number {
    const pending = this.pending === undefined ? 0 : this.pending.length - this.pendingPosition;
    return this.end - this.position + pending;
  }

  /** Bytes read since the beginning: the stream offset of the reader. */
  protected get readBytes(): number {
    return this.pushedBytes - this.unreadBytes;
  }

  /** Unread bytes held in own memory. */
  protected get heldBytes(): number {
    return this.owned ? this.end - this.position : 0;
  }

  /** Takes every unread byte out, for a connection that stops speaking RESP here. */
  protected takeUnread(): Buffer {
    this.secure();
    const rest = Buffer.from(this.source.subarray(this.position, this.end));
    this.position = this.end;
    this.secure();
    return rest;
  }

  /** Copies what is unread of borrowed chunks, so that their memory may be used again. */
  protected secure(): void {
    const pending = this.pending;
    if (pending !== undefined) {
      this.pending = undefined;
      this.append(pending, this.pendingPosition, pending.length);
      return;
    }
    if (this.position === this.end) {
      this.source = noBytes;
      this.position = 0;
      this.end = 0;
      this.owned = false;
      if (this.ownMemory.length > ownBytesKeptMax) this.ownMemory = noBytes;
    } else if (!this.owned) {
      const borrowed = this.source;
      const from = this.position;
      const to = this.end;
      this.source = this.ownMemory;
      this.position = 0;
      this.end = 0;
      this.owned = true;
      this.append(borrowed, from, to);
    }
  }

  /**
   * Called when `[position, end)` does not suffice and `bytesWanted` would: brings more of the
   * pending chunk into reach. False: there is no more. Moves `source` and `position`.
   */
  protected extend(bytesWanted: number): boolean {
    const pending = this.pending;
    if (pending === undefined) return false;
    if (this.position >= this.carriedEnd) {
      this.enterPending();
      return true;
    }
    const held = this.end - this.position;
    const step = Math.max(bytesWanted - held, held, extendBytesMin);
    const from = this.pendingPosition;
    const to = Math.min(pending.length, from + step);
    this.pendingPosition = to;
    if (to === pending.length) this.pending = undefined;
    this.append(pending, from, to);
    return true;
  }

  /** Goes on in the pending chunk itself. Requires `position >= carriedEnd`. */
  protected enterPending(): void {
    const pending = this.pending!;
    // What was copied of the chunk and not yet read is read again in the chunk.
    this.position = this.pendingPosition - (this.end - this.position);
    this.source = pending;
    this.end = pending.length;
    this.owned = false;
    this.pending = undefined;
    if (this.ownMemory.length > ownBytesKeptMax) this.ownMemory = noBytes;
  }

  /** Appends `bytes[from, to)` to own memory, which is `source`. */
  private append(bytes: Buffer, from: number, to: number): void {
    const count = to - from;
    if (this.source.length - this.end < count) this.makeRoom(count);
    bytes.copy(this.source, this.end, from, to);
    this.end += count;
  }

  /**
   * Moving to the front in place is only done when it frees at least half of the memory: else a
   * reader that takes a byte for each byte that comes would move everything each time.
   */
  private makeRoom(count: number): void {
    const held = this.end - this.position;
    const capacity = this.ownMemory.length;
    const needed = held + count;
    if (held * 2 <= capacity && needed <= capacity) {
      this.ownMemory.copyWithin(0, this.position, this.end);
    } else {
      const grown = Buffer.allocUnsafeSlow(Math.max(needed, held * 2, ownBytesMin));
      this.source.copy(grown, 0, this.position, this.end);
      this.ownMemory = grown;
      this.source = grown;
    }
    this.carriedEnd -= this.position;
    this.position = 0;
    this.end = held;
  }
}
