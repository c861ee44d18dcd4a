import assert from "node:assert/strict";
import { test } from "node:test";
import { Rate } from "./rate.js";

test("a steady counter has its speed, and a silent one loses it over the window", () => {
  const rate = new Rate();
  let total = 1000;
  for (let i = 0; i <= 16; i++) {
    rate.sample(total, i * 100);
    total += 50;
  }
  assert.equal(rate.perSecond, 500);
  total -= 50;
  for (let i = 17; i < 25; i++) rate.sample(total, i * 100);
  assert.equal(rate.perSecond, 250);
  for (let i = 25; i < 33; i++) rate.sample(total, i * 100);
  assert.equal(rate.perSecond, 0);
});

test("a counter that was reset is no negative speed", () => {
  const rate = new Rate();
  rate.sample(1000, 0);
  rate.sample(10, 100);
  assert.equal(rate.perSecond, 0);
});
