// The V8 flags a node's process is started with. They cannot be changed once it runs, so whoever
// starts one (`slotlog up`, the container image, the benchmarks) asks here.

import { totalmem } from "node:os";

/** A node with a smaller heap has no room to work in. */
const heapMbMin = 512;

/**
 * Three quarters of the machine, divided among its nodes: the rest is for buffers and the kernel.
 */
export function heapMbFor(nodes: number, memoryBytes: number = totalmem()): number {
  return Math.max(heapMbMin, Math.floor((memoryBytes * 0.75) / nodes / 2 ** 20));
}

/**
 * The young generation stays small: its collections are the pauses that clients see, and what it
 * reserves is memory without data in it (measured at a million keys: 186 MB resident against 229).
 */
const semiSpaceMb = 2;

export function nodeFlags(heapMb: number): string[] {
  return [`--max-old-space-size=${Math.floor(heapMb)}`, `--max-semi-space-size=${semiSpaceMb}`];
}
