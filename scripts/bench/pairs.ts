// Two servers measured in turn until the ratio between them is known. A machine that has
// neighbours is slow for seconds at a time: it slows both of a pair, or one in some pairs, so the
// median of the pairs' ratios counts, and pairs are taken until that median is known well enough.

import { type ContenderName, contenderNames } from "./contenders.js";
import { median } from "./machine.js";

/** Pairs taken in any case. */
const pairsMin = 9;
/** Pairs after which the interval is shown as wide as it is. */
const pairsMax = 25;
/** Wide enough to stop: the interval's width to the median. */
const widthWanted = 0.1;
/** Of a median's interval that holds in 95 of 100 cases, in standard deviations. */
const deviations = 1.96;

/** The median of the pairs' ratios, and between what it lies in 95 of 100 cases. */
export interface Ratio {
  readonly middle: number;
  readonly low: number;
  readonly high: number;
  readonly pairs: number;
}

export interface Paired<T> {
  readonly taken: Readonly<Record<ContenderName, readonly T[]>>;
  readonly ratio: Ratio;
}

/** `value` is what is compared, the more the better: slotlog's to redis-server's. */
export async function takePairs<T>(
  measure: (name: ContenderName) => Promise<T>,
  value: (measured: T) => number,
): Promise<Paired<T>> {
  const taken: Record<ContenderName, T[]> = { "redis-server": [], slotlog: [] };
  // They warm up, a compiler among other things.
  for (const name of contenderNames) await measure(name);
  const [first, second] = contenderNames;
  for (let pair = 1; ; pair++) {
    // What follows the other may find the machine in another state: each is first as often.
    const order = pair % 2 === 0 ? [first, second] : [second, first];
    for (const name of order) taken[name].push(await measure(name));
    if (pair < pairsMin) continue;
    const ratio = ratioOf(taken.slotlog.map(value), taken["redis-server"].map(value));
    const isKnown = ratio.high - ratio.low <= widthWanted * ratio.middle;
    if (isKnown || pair === pairsMax) return { taken, ratio };
  }
}

/** The interval is that of the ranks around the median, whatever the distribution. */
export function ratioOf(values: readonly number[], others: readonly number[]): Ratio {
  const ratios = values.map((value, index) => value / (others[index] ?? Number.NaN));
  const sorted = [...ratios].sort((left, right) => left - right);
  const pairs = sorted.length;
  const reach = (deviations * Math.sqrt(pairs)) / 2;
  const at = (rank: number): number =>
    sorted[Math.min(pairs - 1, Math.max(0, Math.round(rank)))] ?? Number.NaN;
  const centre = (pairs - 1) / 2;
  return { middle: median(ratios), low: at(centre - reach), high: at(centre + reach), pairs };
}

/** For a table: `0.93 (0.90-0.97)`. */
export function ratioText({ middle, low, high }: Ratio): string {
  return `${middle.toFixed(2)} (${low.toFixed(2)}-${high.toFixed(2)})`;
}
