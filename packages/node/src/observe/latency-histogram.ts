/**
 * How long calls of one command took: counts in buckets of about 1% width, from a nanosecond to a
 * second. It answers `INFO latencystats` and `LATENCY HISTOGRAM` with the values that Redis gives,
 * so its buckets are those of an HDR histogram of two digits. Recording costs an index and an add.
 */

/** Below this, each nanosecond has a bucket of its own: 256 is the power of 2 above 2 · 10^2. */
const LINEAR_BITS = 8;
const HALF_BITS = LINEAR_BITS - 1;
const HALF = 1 << HALF_BITS;
const NANOSECONDS_MAX = 1_000_000_000;

/** 23 doublings reach from 2^8 to 2^30, which is the first power above a second; 24 · 128. */
const BUCKETS = 24 * HALF;
const TOP = 2 ** 30 - 1;

/** The first step of `LATENCY HISTOGRAM`; each following one is twice as wide. */
const FIRST_STEP_NANOSECONDS = 1024;

export class LatencyHistogram {
  /** Numbers of 2^32 and more are reached by a busy command within days, so no Uint32. */
  readonly #counts = new Float64Array(BUCKETS);
  #count = 0;

  get count(): number {
    return this.#count;
  }

  record(milliseconds: number, times = 1): void {
    let nanoseconds = milliseconds * 1e6;
    if (!(nanoseconds >= 1)) nanoseconds = 1;
    else if (nanoseconds > NANOSECONDS_MAX) nanoseconds = NANOSECONDS_MAX;
    this.#counts[bucketOf(nanoseconds | 0)]! += times;
    this.#count += times;
  }

  reset(): void {
    this.#counts.fill(0);
    this.#count = 0;
  }

  /** The longest time that counts as equal to the one at this percentile (0 to 100). */
  nanosecondsAt(percentile: number): number {
    const rank = Math.max(1, Math.floor((Math.min(percentile, 100) / 100) * this.#count + 0.5));
    let seen = 0;
    for (let i = 0; i < BUCKETS; i++) {
      seen += this.#counts[i]!;
      if (seen >= rank) return percentile === 0 ? lowest(i) : highest(i);
    }
    return 0;
  }

  /** Calls that took at most so many microseconds, for each doubling that adds some. */
  cumulative(): (readonly [microseconds: number, calls: number])[] {
    const steps: (readonly [number, number])[] = [];
    let seen = 0;
    let reported = 0;
    let step = FIRST_STEP_NANOSECONDS;
    for (let i = 0; i < BUCKETS && reported < this.#count; i++) {
      seen += this.#counts[i]!;
      if (lowest(i) < step && i < BUCKETS - 1) continue;
      if (seen > reported) steps.push([Math.floor(highest(i) / 1000), seen]);
      reported = seen;
      step *= 2;
    }
    return steps;
  }
}

/** Doublings above the linear part, each with 128 buckets behind the first 256. */
function bucketOf(nanoseconds: number): number {
  const doublings = 32 - LINEAR_BITS - Math.clz32(nanoseconds | ((1 << LINEAR_BITS) - 1));
  return (doublings << HALF_BITS) + (nanoseconds >>> doublings);
}

function lowest(bucket: number): number {
  const doublings = Math.max(0, (bucket >> HALF_BITS) - 1);
  return (bucket - (doublings << HALF_BITS)) * 2 ** doublings;
}

function highest(bucket: number): number {
  return bucket === BUCKETS - 1 ? TOP : lowest(bucket + 1) - 1;
}
