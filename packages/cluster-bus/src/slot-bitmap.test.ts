import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { slotCount } from "./slot.js";
import { addSlot, createSlotBitmap, hasSlot, nextSlot, slotRanges } from "./slot-bitmap.js";

/** Clustered, as slots are, with the borders of bytes and of the whole drawn often. */
const slot = fc.oneof(
  fc.integer({ min: 0, max: slotCount - 1 }),
  fc.integer({ min: 0, max: 20 }),
  fc.constantFrom(7, 8, slotCount - 9, slotCount - 8, slotCount - 1),
);
const bitmap = fc
  .array(fc.tuple(slot, fc.integer({ min: 1, max: 20 })), { maxLength: 6 })
  .map((runs) => {
    const slots = createSlotBitmap();
    for (const [first, length] of runs) {
      for (let at = first; at < Math.min(first + length, slotCount); at++) addSlot(slots, at);
    }
    return slots;
  });

test("nextSlot finds every slot of one or both bitmaps, and no other", () => {
  fc.assert(
    fc.property(bitmap, bitmap, (one, other) => {
      const found: number[] = [];
      for (let at = nextSlot(one, 0, other); at < slotCount; at = nextSlot(one, at + 1, other)) {
        found.push(at);
      }
      const all = Array.from({ length: slotCount }, (_, at) => at);
      assert.deepEqual(
        found,
        all.filter((at) => hasSlot(one, at) || hasSlot(other, at)),
      );
      assert.equal(nextSlot(one, slotCount), slotCount);
    }),
    { numRuns: 50 },
  );
});

test("ranges are the runs of a bitmap, in order", () => {
  fc.assert(
    fc.property(bitmap, (slots) => {
      const ranges = slotRanges(slots);
      const back = createSlotBitmap();
      let end = -2;
      for (const range of ranges) {
        assert.ok(range.start > end + 1 && range.end >= range.start);
        for (let at = range.start; at <= range.end; at++) addSlot(back, at);
        ({ end } = range);
      }
      assert.deepEqual(back, slots);
    }),
    { numRuns: 50 },
  );
});
