/** The slot of a key, against known values and against `cluster-key-slot` over random bytes. */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import calculateSlot from "cluster-key-slot";
import fc from "fast-check";
import { keySlot, keySlotOfBytes } from "./slot.js";

test("known keys have the slots that redis-server gives them", () => {
  // Answers of CLUSTER KEYSLOT on a real server.
  const known: readonly (readonly [string, number])[] = [
    ["foo", 12182],
    ["bar", 5061],
    ["", 0],
    ["123456789", 12739],
    ["{user1000}.following", 3443],
    ["{user1000}.followers", 3443],
    ["foo{}{bar}", 8363],
    ["foo{{bar}}zap", 4015],
    ["foo{bar}{zap}", 5061],
    ["a}{", 7586],
    ["{}}", 14790],
    ["{}", 15257],
  ];
  for (const [key, slot] of known) {
    assert.equal(keySlot(key), slot, key);
    assert.equal(keySlotOfBytes(Buffer.from(key)), slot, key);
  }
});

// The package takes `{}` for the beginning of a tag that ends at the next `}`, where the server
// hashes the whole key, so keys with an empty tag are left to the test above.
test("equal to cluster-key-slot over random bytes, braces included", () => {
  const byte = fc.oneof(fc.integer({ min: 0, max: 255 }), fc.constantFrom(0x7b, 0x7d));
  fc.assert(
    fc.property(fc.array(byte, { maxLength: 40 }), (bytes) => {
      const key = Buffer.from(bytes);
      fc.pre(!/^[^{]*\{\}/s.test(key.toString("latin1")));
      const expected = calculateSlot(key);
      assert.equal(keySlotOfBytes(key), expected);
      assert.equal(keySlot(key.toString("latin1")), expected);
    }),
    { numRuns: 2000 },
  );
});
