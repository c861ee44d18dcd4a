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

/**
 * The first slot from `slot` on that is in one of the two; `slotCount` if none is. Most bitmaps of
 * a large cluster are nearly empty, so bytes of eight absent slots are passed over at once.
 */
export function nextSlot(bitmap: Uint8Array, slot: number, other: Uint8Array = bitmap): number {
  let next = slot;
  while (next < slotCount) {
    const byte = (bitmap[next >> 3] as number) | (other[next >> 3] as number);
    if (byte >> (next & 7) === 0) next = (next | 7) + 1;
    else if ((byte & (1 << (next & 7))) === 0) next++;
    else return next;
  }
  return slotCount;
}

/** Runs of consecutive slots, ascending. */
export function slotRanges(bitmap: Uint8Array): SlotRange[] {
  const ranges: SlotRange[] = [];
  let start = -1;
  for (let slot = 0; slot <= slotCount; slot++) {
    if (start < 0) slot = nextSlot(bitmap, slot);
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
