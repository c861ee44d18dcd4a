/**
 * Memory that large hashes and sets have outgrown, for the next that grows.
 *
 * A segment of theirs is copied whenever it grows or splits, so a collection leaves several times
 * its size behind. V8 counts that as garbage outside of its heap and collects for it: growing a
 * hash to six million fields took 150 collections of the whole heap, and clients waited for them.
 * What is given back here serves again at once. It holds no more than `HELD_BYTES_MAX`, and
 * nothing small.
 */
import { Buffer } from "node:buffer";

/** Less than this is left to the collector. */
const POOLED_BYTES_MIN = 1024;
/** More than this is of a collection with strange elements. */
const POOLED_BYTES_MAX = 1 << 20;
/** Some dozens of segments: what one that splits leaves is taken by the next. */
const HELD_BYTES_MAX = 4 << 20;
/** Sizes are an eighth of a power of two apart, so that one fits where another did. */
const STEPS_SHIFT = 3;

export class ArenaPool {
  /** Per size, the memory that waits. */
  readonly #free = new Map<number, ArrayBuffer[]>();
  /** Bytes that wait for their next use. */
  heldBytes = 0;

  /** At least so many bytes; what is in them is undefined. */
  take(bytes: number): ArrayBuffer {
    if (bytes < POOLED_BYTES_MIN || bytes > POOLED_BYTES_MAX) return allocate(bytes);
    const size = sizeFor(bytes);
    const found = this.#free.get(size)?.pop();
    if (found === undefined) return allocate(size);
    this.heldBytes -= size;
    return found;
  }

  /** Nobody else may have it any more. */
  give(memory: ArrayBuffer): void {
    const size = memory.byteLength;
    if (size < POOLED_BYTES_MIN || size > POOLED_BYTES_MAX || size !== sizeFor(size)) return;
    if (this.heldBytes + size > HELD_BYTES_MAX) return;
    this.heldBytes += size;
    const free = this.#free.get(size);
    if (free === undefined) this.#free.set(size, [memory]);
    else free.push(memory);
  }
}

/** The next size: at most an eighth more. */
function sizeFor(bytes: number): number {
  const step = 1 << (31 - Math.clz32(bytes) - STEPS_SHIFT);
  return Math.ceil(bytes / step) * step;
}

/** An ArrayBuffer of its own that nobody has filled with zeros. */
function allocate(bytes: number): ArrayBuffer {
  return Buffer.allocUnsafeSlow(bytes).buffer as ArrayBuffer;
}
