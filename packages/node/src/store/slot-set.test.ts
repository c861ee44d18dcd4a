import assert from "node:assert/strict";
import { it } from "node:test";
import fc from "fast-check";
import { SlotSet } from "./slot-set.js";

it("finds the next member from anywhere", () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.nat(16383)), fc.array(fc.nat(16383)), (added, removed) => {
      const set = new SlotSet();
      for (const slot of added) set.add(slot);
      for (const slot of removed) set.remove(slot);
      const expected = added.filter((slot) => !removed.includes(slot)).sort((a, b) => a - b);
      const found: number[] = [];
      for (let slot = set.nextFrom(0); slot >= 0; slot = set.nextFrom(slot + 1)) found.push(slot);
      assert.deepEqual(found, expected);
    }),
  );
});

it("knows its ends", () => {
  const set = new SlotSet();
  assert.equal(set.nextFrom(0), -1);
  set.add(16383);
  set.add(0);
  set.add(31);
  assert.equal(set.nextFrom(0), 0);
  assert.equal(set.nextFrom(1), 31);
  assert.equal(set.nextFrom(32), 16383);
  assert.equal(set.nextFrom(16383), 16383);
  assert.equal(set.nextFrom(16384), -1);
});
