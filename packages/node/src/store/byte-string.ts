/**
 * A string value held as a growable buffer: for values of 64 KiB and more, and for strings that are
 * changed in place (SETBIT, BITFIELD, SETRANGE, PFADD, repeated APPEND).
 *
 * What `view` returns is only valid until the next change. A string may be made over memory that
 * others still read (an argument on its way to the AOF): the first change copies it. It enforces no
 * limit; commands check `proto-max-bulk-len` before they grow a string.
 */
import { Buffer } from "node:buffer";

const MEBIBYTE = 1024 * 1024;

/** Smallest capacity, so that the first bits of a bitmap do not reallocate one by one. */
const CAPACITY_MIN = 32;

/**
 * Capacity for a string that has to hold `length` bytes and was seen growing: double up to 1 MiB,
 * then 1 MiB ahead as sds does, but at least an eighth. Redis can afford constant steps because its
 * allocator remaps pages; here every step copies, and constant steps would copy 131 GB on the way
 * to a string of 512 MiB. An eighth bounds the copying to nine times the final length.
 */
function grownCapacity(length: number): number {
  if (length < MEBIBYTE) return Math.max(CAPACITY_MIN, length * 2);
  return length + Math.max(MEBIBYTE, length >>> 3);
}

export class ByteString {
  readonly type = "string";
  /** As of collections: see `CollectionValue`. */
  memoryCharged = 0;
  /** Bytes in use. */
  length: number;
  #buffer: Buffer;
  /** True if nobody else holds the memory, so that it may be changed. */
  #owned: boolean;

  private constructor(buffer: Buffer, owned: boolean) {
    this.#buffer = buffer;
    this.length = buffer.length;
    this.#owned = owned;
  }

  /** Copies `source`; a string's chars are its bytes (latin1). */
  static from(source: string | Uint8Array): ByteString {
    const buffer = Buffer.allocUnsafeSlow(source.length);
    if (typeof source === "string") buffer.write(source, 0, "latin1");
    else buffer.set(source, 0);
    return new ByteString(buffer, true);
  }

  /** Over the memory of `source`, which nobody may change any more. */
  static over(source: Buffer): ByteString {
    return new ByteString(source, false);
  }

  /** Bytes allocated, for MEMORY USAGE. */
  get capacity(): number {
    return this.#buffer.length;
  }

  /** The bytes, not copied: valid until the next change of this string. */
  view(): Buffer {
    return this.#buffer.length === this.length
      ? this.#buffer
      : this.#buffer.subarray(0, this.length);
  }

  /** The bytes from `start` to before `end`, not copied; both within the string. */
  viewRange(start: number, end: number): Buffer {
    return this.#buffer.subarray(start, Math.min(end, this.length));
  }

  byteAt(index: number): number {
    return index < this.length ? (this.#buffer[index] as number) : 0;
  }

  /** The byte must be within the string; see `extend`. */
  setByte(index: number, byte: number): void {
    this.#reserve(this.length);
    this.#buffer[index] = byte;
  }

  /** Makes the string at least `length` bytes long, filling with zero bytes. */
  extend(length: number): void {
    if (length <= this.length) return;
    this.#reserve(length);
    this.#buffer.fill(0, this.length, length);
    this.length = length;
  }

  /** Overwrites from `offset`, extending with zero bytes where needed. */
  setRange(offset: number, source: string | Uint8Array): void {
    const end = offset + source.length;
    this.#reserve(end);
    if (end > this.length) {
      if (offset > this.length) this.#buffer.fill(0, this.length, offset);
      this.length = end;
    }
    if (typeof source === "string") this.#buffer.write(source, offset, "latin1");
    else this.#buffer.set(source, offset);
  }

  /**
   * The memory itself, with room for `capacity` bytes, to be changed in place until the next change
   * by another way. How much of it counts is `length`, which the caller may set.
   */
  writable(capacity: number): Buffer {
    this.#reserve(capacity);
    return this.#buffer;
  }

  append(source: string | Uint8Array): void {
    this.setRange(this.length, source);
  }

  /** A second string over the same memory, which the next change of either one copies. */
  share(): ByteString {
    this.#owned = false;
    return new ByteString(this.view(), false);
  }

  clone(): ByteString {
    return ByteString.from(this.view());
  }

  /** Makes the memory ours and large enough. */
  #reserve(length: number): void {
    const capacity = this.#buffer.length;
    if (this.#owned && length <= capacity) return;
    // An empty string is only now being made: that is not growth yet.
    const wanted = this.length === 0 ? Math.max(CAPACITY_MIN, length) : grownCapacity(length);
    const grown = Buffer.allocUnsafeSlow(length <= capacity ? capacity : wanted);
    this.#buffer.copy(grown, 0, 0, this.length);
    this.#buffer = grown;
    this.#owned = true;
  }
}
