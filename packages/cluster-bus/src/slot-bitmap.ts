/**
 * Sets of slots as the bus carries them: 2048 bytes, slot `n` is bit `n & 7` of byte `n >> 3`.
 * Owns the bit arithmetic and the conversion to ranges; knows no owner.
 */

import { slotCount } from "./slot.js";

export const slotBitmapBytes = slotCount / 8;

export interface SlotRange {
  readonly start: number;
  readonly end: number;
}

export function createSlotBitmap(): Uint8Array {
  return new Uint8Array(slotBitmapBytes);
}

export function hasSlot(bitmap: Uint8Array, slot: number): boolean {
  return ((bitmap[slot >> 3] as number) & (1 << (slot & 7))) !== 0;
}

export function addSlot(bitmap: Uint8Array, slot: number): void {
  bitmap[slot >> 3] = (bitmap[slot >> 3] as number) | (1 << (slot & 7));
}

export function removeSlot(bitmap: Uint8Array, slot: number): void {
  bitmap[slot >> 3] = (bitmap[slot >> 3] as number) & ~(1 << (slot & 7));
}

export function sameSlots(a: Uint8Array, b: Uint8Array): boolean {
  for (let i = 0; i < slotBitmapBytes; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** Runs of consecutive slots, ascending. */
export function slotRanges(bitmap: Uint8Array): SlotRange[] {
  const ranges: SlotRange[] = [];
  let start = -1;
  for (let slot = 0; slot <= slotCount; slot++) {
    const set = slot < slotCount && hasSlot(bitmap, slot);
    if (set && start < 0) start = slot;
    if (!set && start >= 0) {
      ranges.push({ start, end: slot - 1 });
      start = -1;
    }
  }
  return ranges;
}

/** `0-5460 5462`, as CLUSTER NODES prints them. */
export function formatSlotRanges(ranges: readonly SlotRange[]): string {
  return ranges.map((r) => (r.start === r.end ? `${r.start}` : `${r.start}-${r.end}`)).join(" ");
}
