import assert from "node:assert/strict";
import { test } from "node:test";
import { SimClock } from "./sim-clock.js";

test("timers run in order of their time, each at its own moment", async () => {
  const clock = new SimClock(1000);
  const seen: string[] = [];
  clock.after(20, () => seen.push(`b ${clock.now()}`));
  clock.after(10, () => {
    seen.push(`a ${clock.now()}`);
    clock.after(5, () => seen.push(`a+5 ${clock.now()}`));
  });
  clock.after(20, () => seen.push("c"));
  clock.after(15, () => seen.push("never")).cancel();
  await clock.advance(30);
  assert.deepEqual(seen, ["a 1010", "a+5 1015", "b 1020", "c"]);
  assert.equal(clock.monotonic(), 30);
});

test("an interval goes on until it is cancelled, also from within", async () => {
  const clock = new SimClock();
  let count = 0;
  const timer = clock.every(10, () => {
    if (++count === 3) timer.cancel();
  });
  await clock.advance(100);
  assert.equal(count, 3);
});

test("what promises start between two timers is on time", async () => {
  const clock = new SimClock();
  const seen: number[] = [];
  void (async () => {
    for (let turn = 0; turn < 3; turn++) {
      await new Promise<void>((resolve) => clock.after(10, resolve));
      seen.push(clock.monotonic());
    }
  })();
  await clock.advance(100);
  assert.deepEqual(seen, [10, 20, 30]);
});

test("the end of the turn comes once, and the wall clock may jump alone", () => {
  const clock = new SimClock(0);
  const seen: string[] = [];
  clock.defer(() => {
    seen.push("first");
    clock.defer(() => seen.push("second"));
  });
  clock.runDeferred();
  clock.runDeferred();
  assert.deepEqual(seen, ["first", "second"]);
  clock.stepWall(-5000);
  assert.equal(clock.now(), -5000);
  assert.equal(clock.monotonic(), 0);
});
