/** Choosing distinct elements of a collection at random (HRANDFIELD, SRANDMEMBER, ZRANDMEMBER). */
import type { FastRandom } from "../store/random.js";

/** From three times as many elements on, drawing until all differ is cheaper than a pass over all. */
const drawFromFactor = 3;

/** True if few of many are wanted, so that drawing them one by one rarely draws one again. */
export function mustPickOneByOne(count: number, size: number): boolean {
  return count * drawFromFactor <= size;
}

/**
 * Visits `count` of the indexes from 0 to `size - 1` in ascending order, each choice equally likely:
 * an index is taken with the probability of what is wanted to what is left.
 */
export function chooseDistinct(
  options: { readonly size: number; readonly count: number; readonly random: FastRandom },
  visit: (index: number) => void,
): void {
  const { size, random } = options;
  let wanted = Math.min(options.count, size);
  for (let index = 0; wanted > 0; index++) {
    if (random.below(size - index) >= wanted) continue;
    visit(index);
    wanted--;
  }
}
