/** The recent speed of a counter, as `INFO`'s `instantaneous_…` lines tell it. */

/** Redis' window: 16 samples, one each 100 ms. */
const SAMPLES = 16;
export const RATE_SAMPLE_INTERVAL_MS = 100;

export class Rate {
  readonly #perSecond = new Float64Array(SAMPLES);
  #next = 0;
  #lastTotal = 0;
  #lastMs = -1;

  /** Takes the counter's value; call it every `RATE_SAMPLE_INTERVAL_MS`. */
  sample(total: number, monotonicMs: number): void {
    if (this.#lastMs >= 0) {
      const elapsed = monotonicMs - this.#lastMs;
      const added = total - this.#lastTotal;
      // A counter that was reset in between tells nothing about this interval.
      this.#perSecond[this.#next] = elapsed > 0 && added > 0 ? (added * 1000) / elapsed : 0;
      this.#next = (this.#next + 1) % SAMPLES;
    }
    this.#lastTotal = total;
    this.#lastMs = monotonicMs;
  }

  get perSecond(): number {
    let sum = 0;
    for (const each of this.#perSecond) sum += each;
    return sum / SAMPLES;
  }
}
