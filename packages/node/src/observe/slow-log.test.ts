import assert from "node:assert/strict";
import { test } from "node:test";
import { SlowLog } from "./slow-log.js";

function entry(argv: readonly string[]): Parameters<SlowLog["add"]>[0] {
  return { unixSeconds: 1, microseconds: 20000, argv, clientAddress: "::1:5", clientName: "" };
}

function firstWords(log: SlowLog, count: number): (string | undefined)[] {
  return log.latest(count).map(({ argv }) => argv[0]);
}

test("the newest entries come first, and no more than the length asked for are kept", () => {
  const log = new SlowLog();
  log.configure({ slowerThan: 10000, lengthMax: 3 });
  for (let i = 0; i < 50; i++) {
    log.add(entry([`c${i}`]));
    assert.equal(log.length, Math.min(i + 1, 3));
  }
  assert.deepEqual(firstWords(log, 10), ["c49", "c48", "c47"]);
  assert.deepEqual(firstWords(log, 2), ["c49", "c48"]);
  assert.deepEqual(firstWords(log, 0), []);
  assert.deepEqual(firstWords(log, -1), ["c49", "c48", "c47"]);
});

test("a shorter log forgets the oldest at once, an empty one keeps nothing", () => {
  const log = new SlowLog();
  for (let i = 0; i < 5; i++) log.add(entry([`c${i}`]));
  log.configure({ slowerThan: 0, lengthMax: 2 });
  log.configure({ slowerThan: 0, lengthMax: 100 });
  assert.deepEqual(firstWords(log, -1), ["c4", "c3"]);
  log.configure({ slowerThan: 0, lengthMax: 0 });
  log.add(entry(["x"]));
  assert.equal(log.length, 0);
  assert.deepEqual(log.latest(-1), []);
});

test("a reset empties the log but ids go on", () => {
  const log = new SlowLog();
  log.add(entry(["a"]));
  log.reset();
  log.add(entry(["b"]));
  assert.deepEqual(
    log.latest(-1).map(({ id, argv }) => [id, argv[0]]),
    [[1, "b"]],
  );
});

test("long commands are cut as Redis cuts them", () => {
  const log = new SlowLog();
  log.add(entry(["set", "k".repeat(128), "v".repeat(130)]));
  log.add(entry(Array.from({ length: 33 }, (_, i) => `${i}`)));
  log.add(entry(Array.from({ length: 32 }, (_, i) => `${i}`)));
  const [exact, many, long] = log.latest(3);
  assert.deepEqual(long?.argv, ["set", "k".repeat(128), `${"v".repeat(128)}... (2 more bytes)`]);
  assert.equal(many?.argv.length, 32);
  assert.equal(many?.argv[31], "... (2 more arguments)");
  assert.equal(exact?.argv[31], "31");
});

test("a negative threshold turns the log off", () => {
  const log = new SlowLog();
  log.configure({ slowerThan: -1, lengthMax: 128 });
  assert.equal(log.thresholdMs, Number.POSITIVE_INFINITY);
  log.configure({ slowerThan: 1500, lengthMax: 128 });
  assert.equal(log.thresholdMs, 1.5);
});
