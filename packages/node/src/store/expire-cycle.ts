/**
 * Active expiry: deletes keys whose time is over though nobody asks for them.
 *
 * Segments know a lower bound of their expiries, so a pass over keys that live on costs one
 * comparison per segment, and nothing needs to be sampled. It goes on where the last call stopped;
 * when to call it, and for how long, is the node's business.
 */
import { EntryBatch } from "./entry-batch.js";
import type { SegmentRegistry } from "./segment-registry.js";
import type { SlabSegment } from "./slab-segment.js";

export interface ExpireCycleResult {
  /** Keys with an expiry that live on in the segments where others were expired. */
  examined: number;
  /** Keys deleted. */
  expired: number;
  /** True if a whole pass was completed. */
  finished: boolean;
}

/** Keys that one step deletes before it looks at the clock. */
const BATCH = 32;
/** Segments without due keys that are passed before it looks at the clock. */
const SEGMENTS_PER_LOOK = 4096;

export class ExpireCycle {
  /** Where to go on in the registry's list of segments. */
  #cursor = 0;
  readonly #batch = new EntryBatch(false);

  /** One pass over the registry, or what `outOfTime` allows of it. `expire` deletes a key. */
  run(
    registry: SegmentRegistry,
    now: number,
    expire: (key: string) => void,
    outOfTime: () => boolean,
  ): ExpireCycleResult {
    const result = { examined: 0, expired: 0, finished: true };
    const segments = registry.volatile;
    let left = segments.length;
    for (let steps = 1; left > 0 && segments.length > 0; steps++) {
      if (this.#cursor >= segments.length) this.#cursor = 0;
      const due = (registry.earliestExpiry[this.#cursor] as number) < now;
      if (due) left -= this.#expireIn(registry, now, expire, result);
      else {
        this.#cursor++;
        left--;
      }
      if ((due || steps % SEGMENTS_PER_LOOK === 0) && outOfTime()) {
        result.finished = left === 0;
        break;
      }
    }
    return result;
  }

  /** Expires a batch of keys of the segment at the cursor; 1 if it has no more of them, else 0. */
  #expireIn(
    registry: SegmentRegistry,
    now: number,
    expire: (key: string) => void,
    result: ExpireCycleResult,
  ): number {
    const batch = this.#batch;
    const segment = registry.volatile[this.#cursor] as SlabSegment;
    segment.collectExpired(now, BATCH, batch);
    const count = batch.length;
    for (const key of batch.keys) expire(key);
    batch.clear();
    result.expired += count;
    if (count === BATCH) return 0;
    result.examined += segment.volatileCount;
    // If its last volatile key went, another segment has moved to this place of the list.
    if (registry.volatile[this.#cursor] === segment) {
      segment.refreshEarliestExpiry();
      registry.updateVolatile(segment);
      this.#cursor++;
    }
    return 1;
  }
}
