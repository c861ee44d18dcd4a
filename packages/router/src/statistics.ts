/**
 * What is counted on the way, as plain numbers: per command, per range of slots, and how long
 * commands took. Who shows them is `metrics.ts` and ROUTER STATUS.
 */

/** Slots are counted in ranges of 1,024: sixteen series in place of 16,384. */
export const slotRangeSize = 1024;
const slotRanges = 16_384 / slotRangeSize;

/** Upper bounds of latencies in ms: from what a local node takes to what times out. */
export const latencyBoundsMs: readonly number[] = [
  0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000,
];

export interface CommandNumbers {
  requests: number;
  errors: number;
  milliseconds: number;
  /** By the index of `latencyBoundsMs`; the last one is beyond all bounds. */
  readonly buckets: Uint32Array;
}

export class Statistics {
  readonly commands: (CommandNumbers | undefined)[] = [];
  readonly rangeRequests = new Float64Array(slotRanges);
  readonly rangeErrors = new Float64Array(slotRanges);
  requests = 0;
  errors = 0;
  retries = 0;
  refreshes = 0;
  refusedClients = 0;
  /** Commands that cannot work in a cluster, which were explained. */
  crossSlot = 0;

  count(command: number, slot: number, milliseconds: number, isError: boolean): void {
    this.requests++;
    const numbers = this.commands[command] ?? this.#first(command);
    numbers.requests++;
    numbers.milliseconds += milliseconds;
    let bucket = 0;
    while (bucket < latencyBoundsMs.length && milliseconds > (latencyBoundsMs[bucket] as number)) {
      bucket++;
    }
    (numbers.buckets[bucket] as number)++;
    if (slot >= 0) (this.rangeRequests[slot >> 10] as number)++;
    if (!isError) return;
    this.errors++;
    numbers.errors++;
    if (slot >= 0) (this.rangeErrors[slot >> 10] as number)++;
  }

  #first(command: number): CommandNumbers {
    while (this.commands.length <= command) this.commands.push(undefined);
    const numbers: CommandNumbers = {
      requests: 0,
      errors: 0,
      milliseconds: 0,
      buckets: new Uint32Array(latencyBoundsMs.length + 1),
    };
    this.commands[command] = numbers;
    return numbers;
  }
}
