/** The `Clock` port on the process' own clocks and timers. */
import type { Clock, Timer } from "../ports.js";

class SystemTimer implements Timer {
  readonly #handle: NodeJS.Timeout;
  constructor(handle: NodeJS.Timeout) {
    this.#handle = handle;
  }
  cancel(): void {
    clearTimeout(this.#handle);
  }
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after: (delayMs, callback) => new SystemTimer(setTimeout(callback, delayMs)),
  every: (intervalMs, callback) => new SystemTimer(setInterval(callback, intervalMs)),
  defer: (callback) => {
    setImmediate(callback);
  },
};
