/**
 * A clock that stands still until it is told to move: timers run in order of their time, and those
 * of the same moment in the order in which they were set. Owns virtual time only.
 */

import type { Clock, Timer } from "../ports.js";

interface Scheduled {
  readonly at: number;
  readonly order: number;
  readonly callback: () => void;
}

export class SimClock implements Clock {
  private elapsedMs = 0;
  private wallOffsetMs: number;
  private order = 0;
  private scheduled: Scheduled[] = [];
  private deferred: (() => void)[] = [];

  constructor(startMs = 1_700_000_000_000) {
    this.wallOffsetMs = startMs;
  }

  now(): number {
    return Math.floor(this.wallOffsetMs + this.elapsedMs);
  }

  monotonic(): number {
    return this.elapsedMs;
  }

  /** Lets the wall clock jump; the monotonic one never does. */
  stepWall(byMs: number): void {
    this.wallOffsetMs += byMs;
  }

  after(delayMs: number, callback: () => void): Timer {
    const entry: Scheduled = {
      at: this.elapsedMs + Math.max(0, delayMs),
      order: this.order++,
      callback,
    };
    this.scheduled.push(entry);
    return {
      cancel: () => {
        this.scheduled = this.scheduled.filter((other) => other !== entry);
      },
    };
  }

  every(intervalMs: number, callback: () => void): Timer {
    let timer: Timer;
    const again = (): void => {
      timer = this.after(intervalMs, () => {
        again();
        callback();
      });
    };
    again();
    return {
      cancel: () => {
        timer.cancel();
      },
    };
  }

  defer(callback: () => void): void {
    this.deferred.push(callback);
  }

  /** Runs what was deferred to the end of the turn, including what that defers in turn. */
  runDeferred(): void {
    while (this.deferred.length > 0) {
      const batch = this.deferred;
      this.deferred = [];
      for (const callback of batch) callback();
    }
  }

  /**
   * Moves time by `byMs` and runs every timer on the way at its own moment. Promises settle in
   * between, so that what a completion starts is on time too.
   */
  async advance(byMs: number): Promise<void> {
    const end = this.elapsedMs + byMs;
    for (;;) {
      this.runDeferred();
      await settlePromises();
      const next = this.nextUpTo(end);
      if (next === undefined) break;
      this.scheduled = this.scheduled.filter((other) => other !== next);
      this.elapsedMs = next.at;
      next.callback();
    }
    this.elapsedMs = end;
  }

  private nextUpTo(end: number): Scheduled | undefined {
    let next: Scheduled | undefined;
    for (const entry of this.scheduled) {
      if (entry.at > end) continue;
      if (next === undefined || entry.at < next.at) next = entry;
      else if (entry.at === next.at && entry.order < next.order) next = entry;
    }
    return next;
  }
}

/** One pass of the real event loop runs every promise reaction that is ready, however deep. */
export function settlePromises(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
