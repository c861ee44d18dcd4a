import assert from "node:assert/strict";
import { test } from "node:test";
import { commandText, recordJson, recordLine } from "./format.js";
import { barText } from "./progress-bar.js";

const file = {
  name: "a.1.incr.aof",
  path: "/d/a.1.incr.aof",
  role: "increment",
  size: 100,
  missing: false,
  isLast: true,
} as const;
const record = {
  file,
  argv: ["set", "k", "two words"],
  offset: 23,
  end: 60,
  db: 2,
  time: 1_700_000_000,
  inTransaction: true,
  boundary: 8,
  streamOffset: 120,
  streamEnd: -1,
  dividesBatch: false,
};

test("a record is a line: where, when, which database, what", () => {
  assert.equal(
    recordLine(record, { values: false }),
    'a.1.incr.aof:23  2023-11-14T22:13:20Z  db2  SET k "two words"  (in MULTI)',
  );
  const plain = { ...record, time: -1, inTransaction: false };
  assert.equal(recordLine(plain, { values: false }), 'a.1.incr.aof:23  db2  SET k "two words"');
});

test("long values are shortened unless they are asked for, bytes are quoted", () => {
  const large = Buffer.alloc(70_000, 0x61);
  const short = commandText(["SET", "\x00\xff", large], { values: false });
  assert.equal(short, `SET "\\x00\\xff" ${"a".repeat(96)}...(70000 bytes)`);
  assert.equal(commandText(["SET", "k", large], { values: true }).length, 70_006);
  assert.equal(commandText(["SET", ""], { values: false }), 'SET ""');
});

test("JSON keeps every byte", () => {
  const argv = ["set", "\xc3\xa9", "\xff\x00", Buffer.alloc(70_000, 0x61)];
  const parsed: unknown = JSON.parse(recordJson({ ...record, argv, inTransaction: false }));
  assert.deepEqual(parsed, {
    file: "a.1.incr.aof",
    offset: 23,
    bytes: 37,
    db: 2,
    time: 1_700_000_000,
    streamOffset: 120,
    argv: ["set", "é", { base64: "/wA=" }, "a".repeat(70_000)],
  });
});

test("the bar", () => {
  const half = `${"#".repeat(15)}${"-".repeat(15)}`;
  assert.equal(barText("reading", 1_048_576, 2_097_152), `reading [${half}] 50% of 2.0 MiB`);
});
