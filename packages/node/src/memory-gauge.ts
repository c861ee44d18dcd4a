/**
 * How much memory a node uses, against how much it may: `used_memory`, `maxmemory`, and the ceiling
 * that keeps V8's heap from filling up, which would end the process.
 *
 * The estimate is what the keys are thought to take (`MemoryTally`) plus the buffers of clients and
 * replication. What V8 measures cannot be used as it stands: between two collections of the whole
 * heap it counts garbage, which would have a node at its limit refuse or evict for nothing. But
 * right behind a collection it is exact, and at any other time live data is not more than it. So
 * the estimate is corrected by those two facts, outside of a dead band: small deviations are
 * garbage or code, and `used_memory` should not jump for them.
 *
 * The program itself (code, tables of commands) is not counted, as Redis does not count its own.
 */
import type { ProcessInfo } from "./process-info.js";
import type { MemoryTally } from "./store/memory-tally.js";

/** What an empty server says it uses, about as much as Redis does. */
export const emptyBytes = 1024 * 1024;
/** Deviations below this are not corrected: about what garbage survives a collection. */
const deadBandBytes = 8 * 1024 * 1024;
/** V8's heap limit counts the young generation, which is no room for data: 3 × 16 MiB. */
const youngGenerationBytes = 48 * 1024 * 1024;
/** Above three quarters V8 collects all the time, and the rest is for what is in flight. */
const ceilingShare = 0.75;

export interface BufferBytes {
  /** Of clients and the backlog: they count for `maxmemory`. */
  readonly counted: number;
  /** Of replicas beyond the backlog, and of the AOF: to evict for them would make them grow. */
  readonly notCounted: number;
}

export interface MemoryGaugeParts {
  readonly process: ProcessInfo;
  readonly tally: MemoryTally;
  /** The directive; 0 is no limit. */
  maxmemory(): number;
  buffers(): BufferBytes;
}

/** The most that data may take in a heap with this limit. */
export function heapCeiling(heapLimit: number): number {
  return ceilingShare * Math.max(0, heapLimit - youngGenerationBytes);
}

export class MemoryGauge {
  /** Above it V8's heap would be in danger, whatever `maxmemory` says. */
  readonly ceiling: number;
  /** What the process used before there were data. */
  readonly #programBytes: number;
  readonly #parts: MemoryGaugeParts;
  /** What the estimate was found to miss. */
  #correction = 0;
  #buffers: BufferBytes = { counted: 0, notCounted: 0 };
  #unsubscribe: (() => void) | undefined;

  constructor(parts: MemoryGaugeParts) {
    this.#parts = parts;
    this.#programBytes = parts.process.usedMemory();
    this.ceiling = heapCeiling(parts.process.heapLimit) - this.#programBytes;
  }

  start(): void {
    this.#unsubscribe ??= this.#parts.process.onMajorCollection?.((bytes) => {
      this.#collected(bytes);
    });
    this.refresh();
  }

  stop(): void {
    this.#unsubscribe?.();
    this.#unsubscribe = undefined;
  }

  /** Bytes in use, as INFO tells them. */
  get usedBytes(): number {
    return this.#countedBytes + this.#buffers.notCounted;
  }

  get notCountedBytes(): number {
    return this.#buffers.notCounted;
  }

  /** True if it is the heap, not `maxmemory`, that sets the limit. */
  get heapLimits(): boolean {
    const maxmemory = this.#parts.maxmemory();
    return maxmemory === 0 || maxmemory > this.ceiling;
  }

  /** Looks at buffers, directives and the heap again; the cron calls it. */
  refresh(): void {
    this.#buffers = this.#parts.buffers();
    if (this.#parts.process.onMajorCollection !== undefined) {
      const excess = this.usedBytes - emptyBytes - this.#measured(this.#parts.process.usedMemory());
      if (excess > deadBandBytes) this.#correction -= excess - deadBandBytes;
    }
    this.#setLimit();
  }

  #collected(bytes: number): void {
    this.#buffers = this.#parts.buffers();
    const missing = this.#measured(bytes) - (this.usedBytes - emptyBytes);
    if (missing > deadBandBytes) this.#correction += missing - deadBandBytes;
    else if (missing < -deadBandBytes) this.#correction += missing + deadBandBytes;
    this.#setLimit();
  }

  /** What of the process' memory is not the program. */
  #measured(bytes: number): number {
    return bytes - this.#programBytes;
  }

  get #countedBytes(): number {
    const { tally } = this.#parts;
    // A correction downwards outlives the keys that it was found for.
    return emptyBytes + Math.max(0, tally.bytes + this.#correction) + this.#buffers.counted;
  }

  #setLimit(): void {
    const { maxmemory, tally } = this.#parts;
    const { counted, notCounted } = this.#buffers;
    const elsewhere = emptyBytes + this.#correction;
    const limit = maxmemory();
    tally.fullAt = Math.min(
      limit === 0 ? Number.POSITIVE_INFINITY : limit - elsewhere - counted,
      this.ceiling - elsewhere - counted - notCounted,
    );
  }
}
