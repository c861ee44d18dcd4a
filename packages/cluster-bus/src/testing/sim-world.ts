/**
 * Virtual time and seeded randomness. Owns the order of events: at equal times, the order in which
 * they were scheduled. One seed, one history.
 */

import type { Millis } from "../message.js";
import type { BusRandom } from "../core/inputs.js";

/** A 32-bit generator (mulberry32): small, fast, good enough to vary schedules. */
export class SeededRandom implements BusRandom {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  uint32(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return (t ^ (t >>> 14)) >>> 0;
  }

  below(limit: number): number {
    return this.uint32() % limit;
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)] as T;
  }

  bytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.uint32() & 0xff);
  }
}

interface Event {
  readonly at: Millis;
  readonly order: number;
  readonly run: () => void;
}

/** A binary heap of events, and the time of the one that runs. */
export class SimClock {
  now: Millis;
  #order = 0;
  #promisesPending = false;
  readonly #heap: Event[] = [];

  constructor(start: Millis) {
    this.now = start;
  }

  at(time: Millis, run: () => void): void {
    const heap = this.#heap;
    heap.push({ at: Math.max(time, this.now), order: this.#order++, run });
    let i = heap.length - 1;
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (!before(heap[i] as Event, heap[parent] as Event)) break;
      swap(heap, i, parent);
      i = parent;
    }
  }

  after(delay: Millis, run: () => void): void {
    this.at(this.now + delay, run);
  }

  /** The event that runs has resolved a promise: what waits for it goes first. */
  settlePromises(): void {
    this.#promisesPending = true;
  }

  /** Runs everything up to `time`, which then is the present. */
  async runUntil(time: Millis): Promise<void> {
    for (let next = this.#heap[0]; next !== undefined && next.at <= time; next = this.#heap[0]) {
      this.#pop();
      this.now = next.at;
      next.run();
      if (!this.#promisesPending) continue;
      this.#promisesPending = false;
      await new Promise((resolve) => void setImmediate(resolve));
    }
    this.now = time;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop() as Event;
    if (heap.length === 0) return;
    heap[0] = last;
    for (let i = 0; ; ) {
      let smallest = i;
      for (let child = 2 * i + 1; child <= 2 * i + 2 && child < heap.length; child++) {
        if (before(heap[child] as Event, heap[smallest] as Event)) smallest = child;
      }
      if (smallest === i) return;
      swap(heap, i, smallest);
      i = smallest;
    }
  }
}

function before(a: Event, b: Event): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}

function swap(heap: Event[], a: number, b: number): void {
  const held = heap[a] as Event;
  heap[a] = heap[b] as Event;
  heap[b] = held;
}
