import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { CliError } from "../errors.js";
import { planCluster, slotCount, slotRanges } from "./plan.js";

test("three primaries get the ranges that redis-cli gives them", () => {
  assert.deepEqual(slotRanges(3), [
    { first: 0, last: 5460 },
    { first: 5461, last: 10922 },
    { first: 10923, last: 16383 },
  ]);
});

test("ranges cover every slot once and differ by at most one slot", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1000 }), (primaries) => {
      const ranges = slotRanges(primaries);
      assert.equal(ranges.length, primaries);
      let next = 0;
      for (const { first, last } of ranges) {
        assert.equal(first, next);
        next = last + 1;
      }
      assert.equal(next, slotCount);
      const sizes = ranges.map(({ first, last }) => last - first + 1);
      assert.ok(Math.max(...sizes) - Math.min(...sizes) <= 1);
    }),
  );
});

test("replicas follow the primaries, round after round", () => {
  const plan = planCluster({ primaries: 2, replicas: 2, port: 7000 }, "127.0.0.1", "d");
  const roles = plan.nodes.map(({ port, role }) =>
    role.kind === "primary"
      ? `${port} ${role.slots.first}`
      : `${port} of ${plan.nodes[role.primary]?.port}`,
  );
  assert.deepEqual(roles, [
    "7000 0",
    "7001 8192",
    "7002 of 7000",
    "7003 of 7001",
    "7004 of 7000",
    "7005 of 7001",
  ]);
});

test("impossible shapes are usage errors that name the way out", () => {
  const plan = (shape: Partial<Parameters<typeof planCluster>[0]>) => () =>
    planCluster({ primaries: 3, replicas: 1, port: 7000, ...shape }, "127.0.0.1", "d");
  assert.throws(plan({ primaries: 0 }), /--primaries must be a whole number from 1/);
  assert.throws(plan({ replicas: 1.5 }), /--replicas must be/);
  assert.throws(plan({ port: Number.NaN }), /--port must be/);
  assert.throws(plan({ port: 55_531 }), (error: unknown) => {
    assert.ok(error instanceof CliError);
    assert.equal(error.exitCode, 2);
    assert.match(error.hint ?? "", /highest that works is 55530/);
    return true;
  });
  assert.doesNotThrow(plan({ port: 55_530 }));
});
