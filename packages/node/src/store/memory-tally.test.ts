import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { CommandHarness } from "../testing/command-harness.js";
import { entryBytes, type MemoryTally, stringBytes, valueBytes } from "./memory-tally.js";
import type { Database } from "./database.js";

function tallyOf({ node }: CommandHarness): MemoryTally {
  return node.databases.parts.tally;
}

/** What a look at every key would find. */
function counted(database: Database): number {
  let bytes = 0;
  database.forEach((key, value) => {
    bytes += entryBytes + stringBytes(key.length) + valueBytes(value);
  });
  return bytes;
}

const key = fc.constantFrom("a", "b", "c", "{a}d", "e");
const text = fc.string({ maxLength: 200, unit: fc.constantFrom("x", "y", "1") });
const stringCommand = fc.oneof(
  fc.tuple(fc.constant("SET"), key, text),
  fc.tuple(fc.constant("APPEND"), key, text),
  fc.tuple(fc.constant("SETRANGE"), key, fc.nat(70_000).map(String), text),
  fc.tuple(fc.constantFrom("DEL", "GETDEL", "INCR"), key),
  fc.tuple(fc.constantFrom("RENAME", "COPY"), key, key),
  fc.tuple(fc.constant("SETBIT"), key, fc.nat(5000).map(String), fc.constant("1")),
  fc.constant(["FLUSHALL"]),
);
const collectionCommand = fc.oneof(
  fc.tuple(fc.constantFrom("RPUSH", "SADD", "LPOS"), key, text),
  fc.tuple(fc.constant("HSET"), key, text, text),
  fc.tuple(fc.constant("ZADD"), key, fc.nat(9).map(String), text),
  fc.tuple(fc.constantFrom("LPOP", "SPOP", "ZPOPMIN", "DEL"), key),
  fc.tuple(fc.constantFrom("RENAME", "COPY", "SUNIONSTORE", "LMOVE"), key, key),
  fc.tuple(fc.constant("XADD"), key, fc.constant("*"), fc.constant("f"), text),
);

describe("MemoryTally", () => {
  it("knows after any commands on strings what a look at all of them would find", () => {
    fc.assert(
      fc.property(fc.array(stringCommand, { maxLength: 60 }), (commands) => {
        const harness = new CommandHarness();
        for (const words of commands) {
          harness.run(...words);
          assert.equal(tallyOf(harness).bytes, counted(harness.node.databases.first));
        }
      }),
      { numRuns: 100 },
    );
  });

  it("is back at nothing when all collections are gone, whatever was done to them", () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(collectionCommand, stringCommand)), (commands) => {
        const harness = new CommandHarness();
        for (const words of commands) harness.run(...words);
        // One key stays, or the tally would be set to zero without having to be right.
        harness.run("SET", "stays", "x");
        for (const name of ["a", "b", "c", "{a}d", "e"]) harness.run("DEL", name);
        const rest = entryBytes + stringBytes(5) + stringBytes(1);
        assert.ok(Math.abs(tallyOf(harness).bytes - rest) < 0.001, `${tallyOf(harness).bytes}`);
      }),
      { numRuns: 100 },
    );
  });

  for (const [name, words] of [
    ["hash", (n: number) => ["HSET", "k", `field${n}`, "x".repeat(100)]],
    ["list", (n: number) => ["RPUSH", "k", `${n}${"x".repeat(100)}`]],
    ["set", (n: number) => ["SADD", "k", `${n}${"x".repeat(100)}`]],
    ["sorted set", (n: number) => ["ZADD", "k", `${n}`, `${n}${"x".repeat(100)}`]],
    ["stream", (n: number) => ["XADD", "k", `${n + 1}-0`, "f", "x".repeat(100)]],
  ] as const) {
    it(`follows the growth of a ${name} within a third of its size`, () => {
      const harness = new CommandHarness();
      for (let n = 0; n < 3000; n += 1) harness.run(...words(n));
      const real = counted(harness.node.databases.first);
      const { bytes } = tallyOf(harness);
      assert.ok(bytes > real * 0.67 && bytes < real * 1.5, `${bytes} for ${real}`);
    });
  }

  it("counts what is swapped, flushed and reloaded once", () => {
    const harness = new CommandHarness();
    harness.run("SET", "a", "x".repeat(1000));
    harness.run("SELECT", "1");
    harness.run("SET", "b", "x".repeat(1000));
    const both = tallyOf(harness).bytes;
    harness.run("SWAPDB", "0", "1");
    assert.equal(tallyOf(harness).bytes, both);
    harness.run("FLUSHDB");
    assert.equal(tallyOf(harness).bytes, both / 2);
    harness.run("FLUSHALL");
    assert.equal(tallyOf(harness).bytes, 0);
  });
});
