/**
 * How much memory a node uses, against how much it may: `used_memory`, `maxmemory`, and the ceiling
 * that keeps V8's heap from filling up, which would end the process.
 *
 * The estimate is what the keys are thought to take (`MemoryTally`) plus the buffers of clients and
 * replication. What V8 measures cannot be used as it stands: between two collections of the whole
 * heap it counts garbage, which would have a node at its limit refuse or evict for nothing. But
 * right behind a collection it is exact, and at any other time live data is not more than it. By
 * these two facts the tally gets a factor, which goes with the keys when they go. There is a dead
 * band, since `used_memory` should not move by what little garbage or code there is.
 *
 * The program itself (code, tables of commands) is not counted, as Redis does not count its own.
 */
import type { ProcessInfo } from "./process-info.js";
import type { MemoryTally } from "./store/memory-tally.js";

/** What an empty server says it uses, about as much as Redis does. */
export const emptyBytes = 1024 * 1024;
/**
 * Deviations below this are not corrected: buffers on their way to a socket, code, garbage outside
 * the heap that is swept only later. At most a sixteenth of the ceiling, which is kept that far
 * below the heap's end.
 */
const deadBandBytesMax = 64 * 1024 * 1024;
const deadBandShare = 1 / 16;
/** With fewer bytes of data what is measured is the program. */
const hardlyAnyBytes = 8 * 1024 * 1024;
/** V8's heap limit counts the young generation, which is no room for data: 3 × 16 MiB. */
const youngGenerationBytes = 48 * 1024 * 1024;
/** Above three quarters V8 collects all the time, and the rest is for what is in flight. */
const ceilingShare = 0.75;

/** Nothing that is counted takes more or less of its estimate than this. */
const factorMax = 4;
const factorMin = 0.5;

export interface BufferBytes {
  readonly normalClients: number;
  readonly backlog: number;
  /** What replicas have not taken yet, beyond the backlog. */
  readonly replicaClients: number;
  readonly aof: number;
}

export interface MemoryGaugeParts {
  readonly process: ProcessInfo;
  readonly tally: MemoryTally;
  /** The directive; 0 is no limit. */
  maxmemory(): number;
  buffers(): BufferBytes;
  /** Bytes that are taken for data, and have none: what is measured is so much too large. */
  idleBytes(): number;
}

/** The most that data may take in a heap with this limit. */
export function heapCeiling(heapLimit: number): number {
  return ceilingShare * Math.max(0, heapLimit - youngGenerationBytes);
}

export class MemoryGauge {
  readonly #parts: MemoryGaugeParts;
  /** What the process uses without data. */
  #programBytes: number;
  /** By how much the tally is to be multiplied. */
  #factor = 1;
  #buffers: BufferBytes = { normalClients: 0, backlog: 0, replicaClients: 0, aof: 0 };
  /** What was left by a collection that has not been looked at yet; -1 if there is none. */
  #collectedBytes = -1;
  #unsubscribe: (() => void) | undefined;

  constructor(parts: MemoryGaugeParts) {
    this.#parts = parts;
    this.#programBytes = parts.process.usedMemory();
  }

  start(): void {
    this.#unsubscribe ??= this.#parts.process.onMajorCollection?.((bytes) => {
      // What is outside the heap is freed behind the collection: `refresh` sees that.
      this.#collectedBytes = bytes;
    });
    this.refresh();
  }

  stop(): void {
    this.#unsubscribe?.();
    this.#unsubscribe = undefined;
  }

  /** Looks at buffers, directives and the heap again; the cron calls it. */
  refresh(): void {
    this.#buffers = this.#parts.buffers();
    const { process } = this.#parts;
    if (process.onMajorCollection !== undefined) {
      const now = process.usedMemory();
      const collected = this.#collectedBytes;
      this.#collectedBytes = -1;
      if (collected < 0) this.#correct(now, false);
      else this.#correct(Math.min(now, collected), true);
    }
    this.#setLimit();
  }

  /** Bytes in use, as INFO tells them. */
  get usedBytes(): number {
    return Math.floor(emptyBytes + this.#dataBytes + this.#countedBytes + this.notCountedBytes);
  }

  /** Of replicas and the AOF: to evict for them would make them grow, by what is propagated. */
  get notCountedBytes(): number {
    return this.#buffers.replicaClients + this.#buffers.aof;
  }

  /** As of the last `refresh`. */
  get buffers(): BufferBytes {
    return this.#buffers;
  }

  /** Above it V8's heap would be in danger, whatever `maxmemory` says. */
  get ceiling(): number {
    return heapCeiling(this.#parts.process.heapLimit) - this.#programBytes;
  }

  /** True if it is the heap, not `maxmemory`, that sets the limit. */
  get heapLimits(): boolean {
    const maxmemory = this.#parts.maxmemory();
    return maxmemory === 0 || maxmemory > this.ceiling;
  }

  get #countedBytes(): number {
    return this.#buffers.normalClients + this.#buffers.backlog;
  }

  get #dataBytes(): number {
    return this.#parts.tally.bytes * this.#factor;
  }

  /** `exact`: nothing of what was measured is garbage. */
  #correct(measured: number, exact: boolean): void {
    const { tally } = this.#parts;
    const elsewhere = this.#programBytes + this.#countedBytes + this.notCountedBytes;
    const data = measured - elsewhere - this.#parts.idleBytes();
    const error = data - this.#dataBytes;
    if (error > 0 && !exact) return;
    // With hardly any data it is the program that takes it, or no longer takes it.
    if (tally.bytes < hardlyAnyBytes) {
      if (exact) this.#programBytes = Math.max(0, this.#programBytes + error);
      return;
    }
    const deadBand = Math.min(deadBandBytesMax, this.ceiling * deadBandShare);
    if (Math.abs(error) <= deadBand) return;
    const wanted = data - Math.sign(error) * deadBand;
    this.#factor = Math.min(factorMax, Math.max(factorMin, wanted / tally.bytes));
  }

  #setLimit(): void {
    const { maxmemory, tally } = this.#parts;
    const counted = this.#countedBytes;
    const limit = maxmemory();
    const room = Math.min(
      limit === 0 ? Number.POSITIVE_INFINITY : limit - emptyBytes - counted,
      this.ceiling - counted - this.notCountedBytes,
    );
    tally.fullAt = room / this.#factor;
  }
}
