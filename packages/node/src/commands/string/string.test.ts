/** What the comparison with a real server does not reach: large values, expiry, limits, the log. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { CommandHarness } from "../../testing/command-harness.js";

const large = Buffer.alloc(100_000, "x");

test("a large value comes as a buffer, is stored and read back", () => {
  const harness = new CommandHarness();
  assert.equal(harness.text("SET", "k", large), "+OK\r\n");
  assert.equal(harness.value("STRLEN", "k"), 100_000);
  assert.equal(harness.text("GETRANGE", "k", "99998", "-1"), "$2\r\nxx\r\n");
  assert.equal(harness.run("GET", "k").length, "$100000\r\n".length + 100_000 + 2);
  assert.equal(harness.text("APPEND", "k", "yz"), ":100002\r\n");
  assert.equal(harness.text("GETRANGE", "k", "-3", "-1"), "$3\r\nxyz\r\n");
  assert.equal(large.at(-1), 0x78, "the argument itself is not changed");
});

test("a large key works where large values do", () => {
  const harness = new CommandHarness();
  harness.run("SET", large, "v");
  assert.equal(harness.text("GET", large.toString("latin1")), "$1\r\nv\r\n");
  harness.run("MSET", large, large, "other", "1");
  assert.equal(harness.value("STRLEN", large.toString("latin1")), 100_000);
});

test("a value appended to in small steps grows to any size", () => {
  const harness = new CommandHarness();
  for (let count = 1; count <= 1000; count += 1) {
    assert.equal(harness.value("APPEND", "k", "0123456789"), 10 * count);
  }
  assert.equal(harness.text("GET", "k"), `$10000\r\n${"0123456789".repeat(1000)}\r\n`);
  assert.equal(harness.text("OBJECT", "ENCODING", "k"), "$3\r\nraw\r\n");
});

test("what has expired is gone for SET as well, and its DEL is logged in front", () => {
  const harness = new CommandHarness();
  harness.run("SET", "k", "v", "PX", "100");
  assert.deepEqual(harness.records().at(-1), ["SET", "k", "v", "PXAT", String(harness.now + 100)]);
  harness.now += 101;
  assert.equal(harness.text("SET", "k", "w", "NX"), "+OK\r\n");
  assert.deepEqual(
    harness.records().map(([name]) => name),
    ["MULTI", "DEL", "SET", "EXEC"],
  );
});

test("KEEPTTL keeps the expiry, a plain SET removes it", () => {
  const harness = new CommandHarness();
  harness.run("SET", "k", "v", "PX", "5000");
  harness.run("SET", "k", "w", "KEEPTTL");
  assert.equal(harness.value("PTTL", "k"), 5000);
  harness.run("SET", "k", "w");
  assert.equal(harness.value("PTTL", "k"), -1);
});

test("counters cross 2^53 exactly and stop at 64 bits", () => {
  const harness = new CommandHarness();
  harness.run("SET", "k", "9007199254740990");
  for (const expected of ["9007199254740991", "9007199254740992", "9007199254740993"]) {
    assert.equal(harness.text("INCR", "k"), `:${expected}\r\n`);
  }
  assert.equal(harness.text("DECRBY", "k", "9007199254740993"), ":0\r\n");
  harness.run("SET", "k", "9223372036854775807");
  assert.equal(harness.text("INCR", "k"), "-ERR increment or decrement would overflow\r\n");
  assert.equal(
    harness.text("DECRBY", "k", "-9223372036854775808"),
    "-ERR decrement would overflow\r\n",
  );
  assert.deepEqual(harness.records(), []);
});

test("nothing grows beyond proto-max-bulk-len", () => {
  const harness = new CommandHarness({ config: { protoMaxBulkLen: 1024 * 1024 } });
  const refusal = "-ERR string exceeds maximum allowed size (proto-max-bulk-len)\r\n";
  assert.equal(harness.text("SETRANGE", "k", "1048576", "x"), refusal);
  assert.equal(harness.text("EXISTS", "k"), ":0\r\n");
  assert.equal(harness.text("SETRANGE", "k", "1048575", "x"), ":1048576\r\n");
  assert.equal(harness.text("APPEND", "k", "x"), refusal);
});

test("GET of SET and of INCRBYFLOAT is not in the log, the result is", () => {
  const harness = new CommandHarness();
  harness.run("SET", "k", "10.5");
  assert.equal(harness.text("INCRBYFLOAT", "k", "0.1"), "$4\r\n10.6\r\n");
  assert.deepEqual(harness.records(), [["SET", "k", "10.6", "KEEPTTL"]]);
  harness.run("SET", "k", "v", "GET", "XX");
  assert.deepEqual(harness.records(), [["SET", "k", "v", "XX"]]);
});

test("commands on other types are refused, MGET answers nil", () => {
  const harness = new CommandHarness();
  harness.run("RPUSH", "list", "a");
  for (const words of [["GET"], ["INCR"], ["APPEND", "x"], ["SET", "x", "GET"], ["GETDEL"]]) {
    const [name = "", ...rest] = words;
    assert.match(harness.text(name, "list", ...rest), /^-WRONGTYPE /);
    assert.deepEqual(harness.records(), []);
  }
  assert.equal(harness.text("MGET", "list"), "*1\r\n$-1\r\n");
  assert.equal(harness.text("SET", "list", "x"), "+OK\r\n");
});
