import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ArenaPool } from "./arena-pool.js";

describe("ArenaPool", () => {
  it("gives again what was given back, to whoever wants about as much", () => {
    const pool = new ArenaPool();
    const first = pool.take(10_000);
    assert.ok(first.byteLength >= 10_000 && first.byteLength <= 11_250);
    pool.give(first);
    assert.equal(pool.heldBytes, first.byteLength);
    assert.equal(pool.take(first.byteLength - 10), first);
    assert.equal(pool.heldBytes, 0);
    assert.notEqual(pool.take(10_000), first, "never to two");
  });

  it("holds nothing small, nothing of other sizes, and no more than its limit", () => {
    const pool = new ArenaPool();
    pool.give(pool.take(100));
    pool.give(new ArrayBuffer(10_001));
    assert.equal(pool.heldBytes, 0);
    for (let index = 0; index < 100; index++) pool.give(new ArrayBuffer(1 << 20));
    assert.equal(pool.heldBytes, 4 << 20);
    pool.give(new ArrayBuffer(2 << 20));
    assert.equal(pool.heldBytes, 4 << 20);
  });
});
