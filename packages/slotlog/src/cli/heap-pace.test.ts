import assert from "node:assert/strict";
import { test } from "node:test";
import { growingPercent } from "./heap-pace.js";

const megabyte = 2 ** 20;

test("a small heap may grow by 64 MB, whatever that is of it, a large one as V8 sees fit", () => {
  for (const used of [8, 16, 40, 63]) {
    const growth = (used * growingPercent(used * megabyte)) / 100;
    assert.ok(growth >= 64 && growth < 65, `${growth} MB at ${used} MB`);
  }
  assert.equal(growingPercent(64 * megabyte), 0);
  assert.equal(growingPercent(5000 * megabyte), 0);
  assert.ok(growingPercent(0) <= 6400);
});
