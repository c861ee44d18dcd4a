/**
 * A running estimate of the bytes that keys and values take, kept by the databases as they change.
 *
 * V8 tells what is on its heap, garbage included, but not what a key takes; and a key that is
 * deleted gives its memory back only at some later collection. Eviction has to know at once what a
 * deletion will give back, or it would delete everything. So strings are counted as they come and
 * go, and a collection is looked at before and after the command that changes it: by its length,
 * since adding up its elements would cost more than most commands. What that misses (a field
 * overwritten by a longer one) is set right by `MemoryGauge` from what V8 measures.
 */
import type { ByteString } from "./byte-string.js";
import { INLINE_LENGTH_MAX, type Slab } from "./slab.js";
import type { CollectionValue, Value } from "./value.js";

/** In the slab two words of head; in the table two words and a third as many empty ones. */
export const entryBytes = 20;
/** A string beside the slab: V8's header, a place in the list of objects and its index there. */
const longStringBytes = 32;
/** A number takes two words. */
const integerBytes = 8;
/** The object, its Buffer and its backing store's bookkeeping. */
const byteStringBytes = 200;
/** An element's place in a collection beside its text: header, padding, table, score. */
const elementOverheadBytes = 32;
/** Elements that MEMORY USAGE looks at by default: enough for an estimate. */
const samples = 5;
/** What one command may change before it is added up: more than any but the strangest do. */
const pendingMax = 16;

/** In the place of a length before: the value was under no key. */
const absent = -1;
/** It has come to a second key, and is going to leave the first one (RENAME, MOVE). */
const moving = -2;

type Changeable = ByteString | CollectionValue;

/** Bytes of a key or value of so many chars, padded to words in the slab, to eight beside it. */
export function stringBytes(length: number): number {
  if (length <= INLINE_LENGTH_MAX) return (length + 3) & ~3;
  return longStringBytes + ((length + 7) & ~7);
}

/** Bytes of a value without its key. */
export function valueBytes(value: Value, sampleCount = samples): number {
  if (typeof value === "number") return integerBytes;
  if (typeof value === "string") return stringBytes(value.length);
  if (value.type === "string") return byteStringBytes + value.capacity;
  return value.memoryUsage(sampleCount);
}

export class MemoryTally {
  /** The estimate. */
  bytes = 0;
  /** Above this many bytes commands must ask for room; set by the gauge. */
  fullAt = Number.POSITIVE_INFINITY;
  /** Values that were looked up to be changed, or added, since the last `settle`. */
  pendingCount = 0;
  #keys = 0;
  readonly #pending: (Changeable | undefined)[] = new Array<undefined>(pendingMax).fill(undefined);
  /** The length of each before; `absent` or `moving` if it was not under this key. */
  readonly #before: number[] = new Array<number>(pendingMax).fill(0);

  /** A key that was not there. */
  added(key: string, value: Value): void {
    this.#keys += 1;
    this.bytes += entryBytes + stringBytes(key.length);
    this.#came(value);
  }

  /** The value of an entry is going to give way to another one. */
  replaced(slab: Slab, reference: number, value: Value): void {
    this.#went(slab, reference);
    this.#came(value);
  }

  /** An entry is going to be removed. */
  removed(key: string, slab: Slab, reference: number): void {
    this.#keys -= 1;
    this.bytes -= entryBytes + stringBytes(key.length);
    this.#went(slab, reference);
    // What averages were off by has gone with the last key.
    if (this.#keys === 0) this.bytes = 0;
  }

  /** Many keys went at once: they are taken to be of average size. */
  detached(keys: number): void {
    if (keys === 0) return;
    this.settle(0);
    this.bytes -= (this.bytes * keys) / this.#keys;
    this.#keys -= keys;
    if (this.#keys === 0) this.bytes = 0;
  }

  /** The value is going to be changed in place. */
  changing(value: Changeable): void {
    if (this.#indexOf(value) < 0) this.#push(value, value.length);
  }

  /**
   * Counts what has changed since the last time. `argumentBytes` is the length of the words that
   * changed it: an element that was added came with them.
   */
  settle(argumentBytes: number): void {
    let left = argumentBytes;
    for (let index = 0; index < this.pendingCount; index += 1) {
      const value = this.#pending[index] as Changeable;
      const before = this.#before[index] as number;
      this.#pending[index] = undefined;
      const charged = value.memoryCharged;
      const growth = value.length - before;
      if (isMeasured(value, before)) value.memoryCharged = valueBytes(value);
      else if (growth > 0) {
        value.memoryCharged = charged + left + growth * elementOverheadBytes;
        // One command's words are those of one collection: LMOVE brings none to its second.
        left = 0;
      } else if (growth < 0) value.memoryCharged = (charged / before) * value.length;
      this.bytes += value.memoryCharged - charged;
    }
    this.pendingCount = 0;
  }

  #came(value: Value): void {
    if (typeof value !== "object") {
      this.bytes += typeof value === "number" ? integerBytes : stringBytes(value.length);
      return;
    }
    // Often it is filled, or grown, only after it was added.
    const before = value.memoryCharged > 0 ? moving : absent;
    const index = this.#indexOf(value);
    if (index < 0) this.#push(value, before);
    else this.#before[index] = before;
  }

  #went(slab: Slab, reference: number): void {
    const inline = slab.inlineBytes(reference);
    if (inline >= 0) {
      this.bytes -= inline;
      return;
    }
    const value = slab.value(reference);
    if (typeof value !== "object") {
      this.bytes -= valueBytes(value);
      return;
    }
    this.bytes -= value.memoryCharged;
    value.memoryCharged = 0;
    const index = this.#indexOf(value);
    if (index < 0) return;
    if (this.#before[index] === moving) {
      this.#before[index] = absent;
      return;
    }
    this.pendingCount -= 1;
    this.#pending[index] = this.#pending[this.pendingCount];
    this.#before[index] = this.#before[this.pendingCount] as number;
    this.#pending[this.pendingCount] = undefined;
  }

  #indexOf(value: Changeable): number {
    for (let index = 0; index < this.pendingCount; index += 1) {
      if (this.#pending[index] === value) return index;
    }
    return -1;
  }

  #push(value: Changeable, before: number): void {
    if (this.pendingCount === pendingMax) this.settle(0);
    this.#pending[this.pendingCount] = value;
    this.#before[this.pendingCount] = before;
    this.pendingCount += 1;
  }
}

/**
 * True if the value's size is to be asked for: always of strings, which know it; of a collection
 * when it is new, and each time its length passes a power of two, where the way it is held changes.
 */
function isMeasured(value: Changeable, before: number): boolean {
  if (value.type === "string" || before < 0) return true;
  return Math.clz32(before) !== Math.clz32(value.length);
}
