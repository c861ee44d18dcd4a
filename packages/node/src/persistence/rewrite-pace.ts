/** How often a rewrite that keeps failing is tried again: Redis' rule. It reads no clock. */

/** Failures in a row from which on attempts are spaced. */
const failuresFree = 3;
const delayMinutesMax = 60;

export class RewritePace {
  failuresInRow = 0;
  #delayMinutes = 0;
  /** Unix seconds before which nothing is tried; 0 if no wait has begun. */
  #notBefore = 0;

  succeeded(): void {
    this.failuresInRow = 0;
  }

  failed(): void {
    this.failuresInRow += 1;
  }

  /**
   * Whether to wait. `announce` gets the minutes when a wait begins; the waits double, from one
   * minute to an hour.
   */
  isLimited(nowSeconds: number, announce: (minutes: number) => void): boolean {
    if (this.failuresInRow < failuresFree) {
      this.#delayMinutes = 0;
      this.#notBefore = 0;
      return false;
    }
    if (this.#notBefore !== 0) {
      if (nowSeconds < this.#notBefore) return true;
      this.#notBefore = 0;
      return false;
    }
    this.#delayMinutes = Math.min(delayMinutesMax, this.#delayMinutes * 2 || 1);
    this.#notBefore = nowSeconds + this.#delayMinutes * 60;
    announce(this.#delayMinutes);
    return true;
  }
}
