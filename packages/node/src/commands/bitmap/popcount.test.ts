import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { countBits, findBit } from "./popcount.js";

/** Bytes that begin anywhere in their memory, and a range of bits within them. */
const cases = fc
  .record({
    bytes: fc.uint8Array({ minLength: 1, maxLength: 40 }),
    dense: fc.constantFrom(0, 0xff, undefined),
    skip: fc.nat({ max: 7 }),
    from: fc.nat(),
    to: fc.nat(),
  })
  .map(({ bytes, dense, skip, from, to }) => {
    const memory = new Uint8Array(skip + bytes.length);
    memory.set(bytes, skip);
    if (dense !== undefined) memory.fill(dense, skip, memory.length - 1);
    const total = bytes.length * 8;
    return { bytes: memory.subarray(skip), first: from % total, last: to % total };
  });

function bitAt(bytes: Uint8Array, index: number): number {
  return ((bytes[index >> 3] as number) >> (7 - (index & 7))) & 1;
}

test("counting and finding bits equal looking at each one", () => {
  fc.assert(
    fc.property(cases, ({ bytes, first, last }) => {
      let count = 0;
      const found = [-1, -1];
      for (let index = last; index >= first; index -= 1) {
        count += bitAt(bytes, index);
        found[bitAt(bytes, index)] = index;
      }
      assert.equal(countBits(bytes, { first, last }), count);
      assert.equal(findBit(bytes, 0, { first, last }), found[0]);
      assert.equal(findBit(bytes, 1, { first, last }), found[1]);
    }),
    { numRuns: 2000 },
  );
});
