import assert from "node:assert/strict";
import { test } from "node:test";
import { choosePlan } from "./command.js";

const nothing = {
  primaries: undefined,
  replicas: undefined,
  port: undefined,
  host: undefined,
  requirepass: undefined,
};
const found = { host: "127.0.0.1", shape: { primaries: 5, replicas: 2, port: 9000 } };

test("a new directory gets what was asked for, and the defaults for the rest", () => {
  const plan = choosePlan({ ...nothing, primaries: 4 }, "d", undefined);
  assert.deepEqual(plan.shape, { primaries: 4, replicas: 1, port: 7000 });
  assert.equal(plan.host, "127.0.0.1");
});

test("a known directory is resumed as it is", () => {
  assert.deepEqual(choosePlan(nothing, "d", found).shape, found.shape);
  assert.deepEqual(choosePlan({ ...nothing, port: 9000 }, "d", found).shape, found.shape);
});

test("asking a known directory for something else is refused", () => {
  assert.throws(() => choosePlan({ ...nothing, port: 7000 }, "d", found), /with --port 9000/);
  assert.throws(() => choosePlan({ ...nothing, replicas: 1 }, "d", found), /with --replicas 2/);
  assert.throws(() => choosePlan({ ...nothing, host: "::1" }, "d", found), /--host 127/);
  assert.throws(() => choosePlan({ ...nothing, requirepass: "x" }, "d", found), /its password/);
});
