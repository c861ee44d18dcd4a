import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Backlog } from "./backlog.js";

function readAll(backlog: Backlog, from: number): Buffer {
  const parts: Buffer[] = [];
  let offset = from;
  for (let slice = backlog.read(offset); slice !== undefined; slice = backlog.read(offset)) {
    parts.push(slice);
    offset += slice.length;
  }
  return Buffer.concat(parts);
}

test("whatever is appended and trimmed, every offset still held reads as it was written", () => {
  const step = fc.record({
    bytes: fc.nat(9000),
    pinnedBehind: fc.option(fc.nat(60_000), { nil: Number.POSITIVE_INFINITY }),
    probe: fc.nat(),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), fc.nat(1000), (steps, start) => {
      const backlog = new Backlog(start + 1, 20_000);
      let all = Buffer.alloc(0);
      for (const { bytes, pinnedBehind, probe } of steps) {
        const chunk = Buffer.alloc(bytes + 2, `${all.length}-`);
        backlog.append(chunk, 1, bytes + 1);
        all = Buffer.concat([all, chunk.subarray(1, bytes + 1)]);
        const next = start + 1 + all.length;
        assert.equal(backlog.nextOffset, next);
        const neededFrom = Math.max(next - pinnedBehind, backlog.firstOffset);
        backlog.trim(neededFrom);
        assert.ok(backlog.firstOffset <= neededFrom || backlog.firstOffset <= next - 20_000);
        assert.ok(backlog.length >= Math.min(all.length, 20_000));
        const from = backlog.firstOffset + (probe % (backlog.length + 1));
        assert.deepEqual(readAll(backlog, from), all.subarray(from - start - 1));
        assert.equal(backlog.holds(backlog.firstOffset - 1), false);
        assert.equal(backlog.holds(next), true);
        assert.equal(backlog.holds(next + 1), false);
      }
      assert.ok(backlog.memoryBytes <= backlog.length + 2 * 4096);
    }),
  );
});

test("a slice that was read stays as it is when its block is trimmed", () => {
  const backlog = new Backlog(1, 4096);
  backlog.append(Buffer.alloc(4096, "a"), 0, 4096);
  const slice = backlog.read(1);
  for (let round = 0; round < 10; round++) backlog.append(Buffer.alloc(4096, "b"), 0, 4096);
  backlog.trim(Number.POSITIVE_INFINITY);
  assert.equal(backlog.holds(1), false);
  assert.deepEqual(slice, Buffer.alloc(4096, "a"));
  assert.throws(() => backlog.read(1), /no longer holds/);
});
