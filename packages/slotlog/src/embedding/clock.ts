// The `Clock` port of a node that can be stopped: time goes on, but nothing happens.

import type { Clock, Timer } from "@slotlog/node";
import type { Life } from "./life.js";

export class StoppableClock implements Clock {
  readonly #clock: Clock;
  readonly #life: Life;
  readonly #timers = new Set<Timer>();

  constructor(clock: Clock, life: Life) {
    this.#clock = clock;
    this.#life = life;
  }

  now(): number {
    return this.#clock.now();
  }

  monotonic(): number {
    return this.#clock.monotonic();
  }

  after(delayMs: number, callback: () => void): Timer {
    let cancelled = false;
    const timer = this.#clock.after(delayMs, () => {
      this.#timers.delete(timer);
      // It may be cancelled while the node stands still.
      this.#life.run(() => {
        if (!cancelled) callback();
      });
    });
    this.#timers.add(timer);
    return {
      cancel: () => {
        cancelled = true;
        this.#timers.delete(timer);
        timer.cancel();
      },
    };
  }

  every(intervalMs: number, callback: () => void): Timer {
    let cancelled = false;
    let waits = false;
    const timer = this.#clock.every(intervalMs, () => {
      // However often it has come up meanwhile, it happens once.
      if (waits) return;
      waits = true;
      this.#life.run(() => {
        waits = false;
        if (!cancelled) callback();
      });
    });
    this.#timers.add(timer);
    return {
      cancel: () => {
        cancelled = true;
        this.#timers.delete(timer);
        timer.cancel();
      },
    };
  }

  defer(callback: () => void): void {
    this.#clock.defer(() => this.#life.run(callback));
  }

  /** Ends what a killed node has left behind. */
  cancelAll(): void {
    for (const timer of this.#timers) timer.cancel();
    this.#timers.clear();
  }
}
