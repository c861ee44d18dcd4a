/** Choosing distinct elements of a collection at random (HRANDFIELD, SRANDMEMBER, ZRANDMEMBER). */
import type { ReplyWriter } from "@slotlog/resp";
import type { FastRandom } from "../store/random.js";
import { fail } from "./errors.js";

/**
 * A negative count asks for so many elements, the same ones again and again: a few words could fill
 * all memory with their reply. Redis goes on until the machine ends it; we end such a reply here.
 */
const repeatedReplyBytesMax = 512 * 1024 * 1024;
/** How often the size is looked at. */
const checkEvery = 1024;

/** Calls `draw` so many times, as long as the reply stays within bounds. */
export function drawRepeatedly(reply: ReplyWriter, count: number, draw: () => void): void {
  const begin = reply.bytesWritten;
  for (let left = count; left > 0; left--) {
    draw();
    if (left % checkEvery === 0 && reply.bytesWritten - begin > repeatedReplyBytesMax) {
      fail(`ERR the reply is larger than ${repeatedReplyBytesMax} bytes`);
    }
  }
}

/**
 * From three times as many elements on, drawing until all differ is cheaper than a pass over all.
 */
const drawFromFactor = 3;

/** True if few of many are wanted, so that drawing them one by one rarely draws one again. */
export function mustPickOneByOne(count: number, size: number): boolean {
  return count * drawFromFactor <= size;
}

/**
 * Visits `count` of the indexes from 0 to `size - 1` in ascending order, each choice equally
 * likely: an index is taken with the probability of what is wanted to what is left.
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
