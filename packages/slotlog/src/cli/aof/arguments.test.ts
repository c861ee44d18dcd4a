import assert from "node:assert/strict";
import { test } from "node:test";
import { CliError } from "../errors.js";
import { parseKey, parseMoment, parseSlots, parseTime } from "./arguments.js";

const now = Date.UTC(2026, 10, 21, 3, 50);

test("times: dates, Unix seconds and milliseconds, ages", () => {
  assert.equal(parseTime("2026-11-21T03:50:00Z", now), now / 1000);
  assert.equal(parseTime("1795233000", now), 1_795_233_000);
  assert.equal(parseTime("1795233000999", now), 1_795_233_000);
  assert.equal(parseTime("15m", now), now / 1000 - 900);
  assert.equal(parseTime("2h", now), now / 1000 - 7200);
  const midnight = new Date(2026, 10, 21).getTime() / 1000;
  assert.equal(parseTime("2026-11-21", now), midnight, "a bare date is local, as with a time");
  assert.equal(parseTime("2026-11-21T00:00", now), midnight);
  for (const wrong of ["", "soon", "5", "5x", "21.11.2026"]) {
    assert.throws(() => parseTime(wrong, now), CliError, wrong);
  }
});

test("keys are bytes, with escapes in double quotes", () => {
  assert.equal(parseKey("user:1"), "user:1");
  assert.equal(parseKey("é"), "\xc3\xa9");
  assert.equal(parseKey('"\\x00k\\n"'), "\x00k\n");
  assert.equal(parseKey('"a" "b"'), '"a" "b"');
});

test("slots: one, ranges, lists", () => {
  assert.deepEqual([...parseSlots("3")], [3]);
  assert.deepEqual([...parseSlots("1-3,16383")], [1, 2, 3, 16383]);
  for (const wrong of ["", "a", "16384", "5-3", "1,,2"]) {
    assert.throws(() => parseSlots(wrong), CliError, wrong);
  }
});

test("a moment is named in exactly one way", () => {
  assert.deepEqual(parseMoment({ before: "27" }, now), {
    kind: "offset",
    file: undefined,
    offset: 27,
  });
  assert.deepEqual(parseMoment({ before: "a.1.incr.aof:27" }, now), {
    kind: "offset",
    file: "a.1.incr.aof",
    offset: 27,
  });
  assert.deepEqual(parseMoment({ "before-command": "FlushAll" }, now), {
    kind: "command",
    name: "flushall",
    key: undefined,
  });
  assert.throws(() => parseMoment({}, now), /one of --until/);
  assert.throws(() => parseMoment({ until: "1h", before: "2" }, now), /one of --until/);
  assert.throws(() => parseMoment({ before: "x" }, now), /no OFFSET/);
  assert.throws(() => parseMoment({ until: "1h", key: "k" }, now), /--before-command/);
});
