import assert from "node:assert/strict";
import { it } from "node:test";
import { RewritePace } from "./rewrite-pace.js";

it("spaces rewrites from the third failure on, doubling to an hour, until one succeeds", () => {
  const pace = new RewritePace();
  const waits: number[] = [];
  const announce = (minutes: number): void => {
    waits.push(minutes);
  };
  for (let failure = 0; failure < 2; failure += 1) {
    pace.failed();
    assert.equal(pace.isLimited(1000, announce), false);
  }
  pace.failed();
  let now = 1000;
  for (const minutes of [1, 2, 4, 8, 16, 32, 60, 60]) {
    assert.equal(pace.isLimited(now, announce), true);
    assert.equal(pace.isLimited(now + minutes * 60 - 1, announce), true);
    now += minutes * 60;
    assert.equal(pace.isLimited(now, announce), false);
    pace.failed();
  }
  assert.deepEqual(waits, [1, 2, 4, 8, 16, 32, 60, 60]);
  pace.succeeded();
  assert.equal(pace.isLimited(now, announce), false);
});
