// Waits for something that only polling can see. Patience is for standstill, not for duration: a
// node that loads a large file shows another percentage each time, and is waited for.

import { setTimeout as delay } from "node:timers/promises";
import { CliError } from "../errors.js";

const pollIntervalMs = 100;

export interface Waiting {
  /** How long the description may stay the same before we give up. */
  readonly patienceMs: number;
  readonly onProgress: (description: string) => void;
  /** Aborts when the user stops us or a node died: nothing is left to wait for. */
  readonly signal: AbortSignal;
}

/** Calls `look` until it finds nothing missing; what it returns says what is still missing. */
export async function waitUntil(
  look: () => Promise<string | undefined>,
  { patienceMs, onProgress, signal }: Waiting,
): Promise<void> {
  let last: string | undefined;
  let changedAt = performance.now();
  for (;;) {
    signal.throwIfAborted();
    const missing = await look();
    if (missing === undefined) return;
    if (missing !== last) {
      last = missing;
      changedAt = performance.now();
      onProgress(missing);
    } else if (performance.now() - changedAt > patienceMs) {
      throw new CliError(`no progress for ${Math.round(patienceMs / 1000)} seconds: ${missing}`);
    }
    await delay(pollIntervalMs, undefined, { signal });
  }
}
