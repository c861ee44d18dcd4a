/**
 * The 24 bits that Redis keeps per key about its use: an LRU clock in seconds, or, under an LFU
 * policy, 16 bits of minutes of the last decrement and 8 bits of a logarithmic counter.
 *
 * It computes new words from old ones and answers OBJECT IDLETIME and OBJECT FREQ. Time is set by
 * the node's cron (`setNow`), so that a lookup reads no clock.
 */
import type { FastRandom } from "./random.js";
import { ACCESS_MASK } from "./segment.js";

/** A new key starts here, so that it is not the first to go (Redis' LFU_INIT_VAL). */
const LFU_INITIAL = 5;
const LFU_MAX = 255;

export class AccessClock {
  /** True under an `allkeys-lfu` or `volatile-lfu` policy. */
  lfu = false;
  lfuLogFactor = 10;
  lfuDecayMinutes = 1;
  #seconds = 0;
  #minutes = 0;
  readonly #random: FastRandom;

  constructor(random: FastRandom) {
    this.#random = random;
  }

  setNow(unixMs: number): void {
    this.#seconds = Math.floor(unixMs / 1000) % (ACCESS_MASK + 1);
    this.#minutes = Math.floor(unixMs / 60000) & 0xffff;
  }

  /** The bits of a key that is being created. */
  initial(): number {
    return this.lfu ? (this.#minutes << 8) | LFU_INITIAL : this.#seconds;
  }

  /** The meta word after a use of the key. */
  touched(meta: number): number {
    if (!this.lfu) return (meta & ~ACCESS_MASK) | this.#seconds;
    const counter = this.#incremented(this.frequency(meta));
    return (meta & ~ACCESS_MASK) | (this.#minutes << 8) | counter;
  }

  /** Milliseconds since the last use, in steps of a second; only meaningful without LFU. */
  idleMs(meta: number): number {
    const then = meta & ACCESS_MASK;
    const seconds = this.#seconds - then;
    return (seconds >= 0 ? seconds : seconds + ACCESS_MASK) * 1000;
  }

  /** The LFU counter, decayed by the time that has passed; does not change the word. */
  frequency(meta: number): number {
    const then = (meta >>> 8) & 0xffff;
    const counter = meta & 0xff;
    if (this.lfuDecayMinutes === 0) return counter;
    const elapsed = this.#minutes >= then ? this.#minutes - then : 65535 - then + this.#minutes;
    return Math.max(0, counter - Math.floor(elapsed / this.lfuDecayMinutes));
  }

  /** Access bits for a key that was idle for so long (RESTORE IDLETIME, RDB). */
  fromIdleMs(idleMs: number): number {
    const seconds = this.#seconds - Math.min(ACCESS_MASK, Math.floor(idleMs / 1000));
    return seconds >= 0 ? seconds : seconds + ACCESS_MASK;
  }

  /** Access bits for a counter (RESTORE FREQ, RDB). */
  fromFrequency(counter: number): number {
    return (this.#minutes << 8) | (counter & 0xff);
  }

  /** Increments with probability 1 / (above-initial × factor + 1): 8 bits count to millions. */
  #incremented(counter: number): number {
    if (counter === LFU_MAX) return counter;
    const base = Math.max(0, counter - LFU_INITIAL);
    const odds = base * this.lfuLogFactor + 1;
    return this.#random.next31() * odds < 0x80000000 ? counter + 1 : counter;
  }
}
