// How V8 collects in a node's process. Its defaults suit programs whose data are objects; a node
// has most of its data outside of the heap, where the collector finds nothing to do.

import { getHeapStatistics, setFlagsFromString } from "node:v8";

/**
 * V8 may come to believe that what a small collection is made of lives long, and allocate it among
 * the old. But such collections are soon packed into a string, and what is left of them stays until
 * the old generation is collected: a million small hashes took 1.6 times the memory, in one run of
 * six. What does live long gets there without that, one copy later.
 */
const noPretenuring = "--no-allocation-site-pretenuring";

/**
 * V8 collects the old generation when it has grown by a share of itself, and counts what is
 * outside of the heap as growth. With a heap of 16 MB each few megabytes of new keys began a
 * collection: five a second, while a hash grew, and clients waited for each. So much may be added
 * in any case.
 */
const growthBytesMin = 64 * 2 ** 20;
/** As the heap itself grows, V8's own rule allows as much. */
const ownRuleFromBytes = 64 * 2 ** 20;
const lookEveryMs = 1000;

/** By how many percent of so many bytes a heap may grow until it is collected; 0: as V8 does. */
export function growingPercent(usedBytes: number): number {
  if (usedBytes >= ownRuleFromBytes) return 0;
  return Math.ceil((growthBytesMin / Math.max(usedBytes, 2 ** 20)) * 100);
}

/** For the rest of this process. Only for one that is a node and nothing else. */
export function paceHeap(): void {
  setFlagsFromString(noPretenuring);
  let last = -1;
  const look = (): void => {
    const percent = growingPercent(getHeapStatistics().used_heap_size);
    // What garbage there is just now should not move it.
    if (last > 0 && percent > 0 && Math.abs(percent - last) < last / 4) return;
    if (percent === last) return;
    last = percent;
    setFlagsFromString(`--heap-growing-percent=${percent}`);
  };
  look();
  setInterval(look, lookEveryMs).unref();
}
