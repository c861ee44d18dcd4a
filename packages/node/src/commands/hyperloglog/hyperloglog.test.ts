import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { CommandHarness } from "../../testing/command-harness.js";
import { ElementPattern } from "./pattern.js";

const M = 0xc6a4a7935bd1e995n;

/** MurmurHash64A in the plain words of its definition. */
function murmur(element: string): bigint {
  const wrap = (value: bigint): bigint => BigInt.asUintN(64, value);
  let hash = 0xadc83b19n ^ wrap(BigInt(element.length) * M);
  const word = (from: number, to: number): bigint => {
    let value = 0n;
    for (let at = to - 1; at >= from; at -= 1)
      value = (value << 8n) | BigInt(element.charCodeAt(at));
    return value;
  };
  const whole = element.length - (element.length % 8);
  for (let at = 0; at < whole; at += 8) {
    let mixed = wrap(word(at, at + 8) * M);
    mixed = wrap((mixed ^ (mixed >> 47n)) * M);
    hash = wrap((hash ^ mixed) * M);
  }
  if (whole < element.length) hash = wrap((hash ^ word(whole, element.length)) * M);
  hash = wrap((hash ^ (hash >> 47n)) * M);
  return hash ^ (hash >> 47n);
}

test("register and value are those of Murmur's hash", () => {
  const pattern = new ElementPattern();
  const elements = fc.uint8Array({ maxLength: 40 }).map((bytes) => String.fromCharCode(...bytes));
  fc.assert(
    fc.property(elements, (element) => {
      const hash = murmur(element);
      const zeros = ((hash >> 14n) | (1n << 50n)).toString(2);
      pattern.hash(element);
      assert.equal(pattern.register, Number(hash & 16383n));
      assert.equal(pattern.value, zeros.length - zeros.lastIndexOf("1"));
    }),
    { numRuns: 2000 },
  );
});

test("counts are within a few percent, and one key's count is kept and logged once", () => {
  const harness = new CommandHarness();
  const elements = Array.from({ length: 20_000 }, (_, index) => `element:${index}`);
  for (let from = 0; from < elements.length; from += 1000) {
    harness.run("PFADD", "{h}a", ...elements.slice(from, from + 1000));
  }
  harness.run("PFADD", "{h}b", ...elements.slice(19_000), "one more");
  const count = harness.value("PFCOUNT", "{h}a") as number;
  assert.ok(Math.abs(count - 20_000) < 600, `counted ${count}`);
  assert.deepEqual(harness.records(), [["PFCOUNT", "{h}a"]]);
  assert.equal(harness.value("PFCOUNT", "{h}a"), count);
  assert.deepEqual(harness.records(), []);
  const union = harness.value("PFCOUNT", "{h}a", "{h}b") as number;
  assert.ok(union >= count && union <= count + 3, `the union has ${union}`);
  harness.run("PFMERGE", "{h}c", "{h}a", "{h}b");
  assert.equal(harness.value("PFCOUNT", "{h}c"), union);
});

test("the bytes survive as a string, and what is no HyperLogLog is refused", () => {
  const harness = new CommandHarness();
  harness.run("PFADD", "h", "a", "b", "c");
  const bytes = harness.value("GET", "h") as Buffer;
  harness.run("SET", "copy", bytes.toString("latin1"));
  assert.equal(harness.value("PFCOUNT", "copy"), 3);
  assert.equal(harness.text("PFADD", "copy", "a", "b"), ":0\r\n");
  harness.run("SET", "text", "HYLL");
  const refusal = "-WRONGTYPE Key is not a valid HyperLogLog string value.\r\n";
  assert.equal(harness.text("PFADD", "text", "a"), refusal);
  assert.equal(harness.text("PFCOUNT", "text", "h"), refusal);
});

test("values behind the last register are minded where one is counted, as in Redis 7.2", () => {
  const harness = new CommandHarness();
  const corrupt = "-INVALIDOBJ Corrupted HLL object detected\r\n";
  harness.run("PFADD", "{h}a", "x", "y");
  harness.run("APPEND", "{h}a", "\x80");
  assert.equal(harness.text("PFCOUNT", "{h}a"), corrupt);
  assert.equal(harness.text("PFCOUNT", "{h}a", "{h}b"), ":2\r\n");
  assert.equal(harness.text("PFMERGE", "{h}b", "{h}a"), "+OK\r\n");
  harness.run("APPEND", "{h}b", "\0");
  assert.equal(harness.text("PFMERGE", "{h}c", "{h}b"), corrupt);
});

test("PFSELFTEST passes", () => {
  assert.equal(new CommandHarness().text("PFSELFTEST"), "+OK\r\n");
});
