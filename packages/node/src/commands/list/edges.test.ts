/** Corners of the list commands on which Redis 7.0 and 7.2 differ, so no comparison covers them. */
import assert from "node:assert/strict";
import { it } from "node:test";
import { CommandHarness } from "../../testing/command-harness.js";

it("LSET takes the low 32 bits of its index, as Redis 7.2", () => {
  const harness = new CommandHarness();
  harness.run("RPUSH", "l", "a", "b", "c");
  assert.equal(harness.text("LSET", "l", "4294967297", "x"), "+OK\r\n");
  assert.equal(harness.text("LINDEX", "l", "1"), "$1\r\nx\r\n");
  assert.equal(harness.text("LSET", "l", "-9223372036854775807", "y"), "+OK\r\n");
  assert.equal(harness.text("LINDEX", "l", "1"), "$1\r\ny\r\n");
  assert.equal(harness.text("LSET", "l", "3", "z"), "-ERR index out of range\r\n");
});

it("LPOS refuses the smallest rank", () => {
  const harness = new CommandHarness();
  assert.match(
    harness.text("LPOS", "l", "a", "RANK", "-9223372036854775808"),
    /^-ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807/,
  );
});

it("LMOVE of a list with one element onto itself keeps the list", () => {
  const harness = new CommandHarness();
  harness.run("RPUSH", "l", "a");
  assert.equal(harness.text("LMOVE", "l", "l", "LEFT", "RIGHT"), "$1\r\na\r\n");
  assert.equal(harness.text("LLEN", "l"), ":1\r\n");
  assert.equal(harness.text("RPOPLPUSH", "l", "m"), "$1\r\na\r\n");
  assert.equal(harness.text("EXISTS", "l", "m"), ":1\r\n");
});
