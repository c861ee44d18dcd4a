import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ReplySet } from "@slotlog/resp";
import { CommandHarness } from "../../testing/command-harness.js";

function numbers(prefix: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}${index}`);
}

/** A harness with one set in each encoding, and its members. */
function withSets(): {
  readonly harness: CommandHarness;
  readonly sets: Readonly<Record<string, readonly string[]>>;
} {
  const harness = new CommandHarness();
  const sets = {
    intset: numbers("", 100),
    listpack: numbers("m", 100),
    hashtable: numbers("t", 400),
  };
  for (const [key, members] of Object.entries(sets)) {
    harness.run("SADD", key, ...members);
    assert.equal(harness.node.databases.first.encoding(key), key);
  }
  return { harness, sets };
}

function asList(value: unknown): string[] {
  return (value instanceof ReplySet ? [...value.members] : value) as string[];
}

describe("SPOP", () => {
  for (const encoding of ["intset", "listpack", "hashtable"]) {
    for (const share of [0.05, 0.5, 0.95]) {
      it(`removes ${share * 100}% of a set (${encoding}) and logs what it removed`, () => {
        const { harness, sets } = withSets();
        const members = new Set(sets[encoding]);
        const count = Math.floor(members.size * share);
        const popped = asList(harness.value("SPOP", encoding, String(count)));
        assert.equal(new Set(popped).size, count);
        for (const member of popped) assert.ok(members.delete(member), member);
        assert.deepEqual(new Set(asList(harness.value("SMEMBERS", encoding))), members);

        const replica = withSets().harness;
        harness.run("SADD", encoding, ...popped);
        harness.run("SPOP", encoding, String(count));
        const records = harness.records().filter(([name]) => name === "SREM");
        assert.equal(records.flatMap((words) => words.slice(2)).length, count);
        for (const record of records) replica.run(...record);
        const [ours, theirs] = [harness, replica].map((node) => node.value("SMEMBERS", encoding));
        assert.deepEqual(new Set(asList(ours)), new Set(asList(theirs)));
      });
    }
  }

  it("logs one member as SREM, all as DEL, thousands in records of 1024", () => {
    const harness = new CommandHarness();
    harness.run("SADD", "s", "only");
    assert.equal(harness.text("SPOP", "s"), "$4\r\nonly\r\n");
    assert.deepEqual(harness.records(), [["SREM", "s", "only"]]);
    assert.equal(harness.text("EXISTS", "s"), ":0\r\n");
    harness.run("SADD", "s", "1", "2");
    harness.run("SPOP", "s", "2");
    assert.deepEqual(harness.records(), [["DEL", "s"]]);
    harness.run("SADD", "s", ...numbers("m", 9000));
    harness.run("SPOP", "s", "2500");
    const lengths = harness.records().map((words) => `${words[0]} ${words.length - 2}`);
    assert.deepEqual(lengths, ["MULTI -1", "SREM 1024", "SREM 1024", "SREM 452", "EXEC -1"]);
    harness.node.configuration.assign("lazyfree-lazy-server-del", true);
    harness.run("SPOP", "s", "100000");
    assert.deepEqual(harness.records(), [["UNLINK", "s"]]);
  });

  it("answers as Redis where there is nothing to pop or the count is wrong", () => {
    const harness = new CommandHarness();
    assert.equal(harness.text("SPOP", "none"), "$-1\r\n");
    assert.equal(harness.text("SPOP", "none", "3"), "*0\r\n");
    assert.match(
      harness.text("SPOP", "none", "-1"),
      /^-ERR value is out of range, must be positive/,
    );
    assert.match(
      harness.text("SPOP", "none", "x"),
      /^-ERR value is out of range, must be positive/,
    );
    assert.equal(harness.text("SPOP", "none", "1", "2"), "-ERR syntax error\r\n");
    harness.protocol = 3;
    assert.equal(harness.text("SPOP", "none", "3"), "~0\r\n");
  });
});

describe("random members and fields", () => {
  it("SRANDMEMBER returns distinct members for a count, any for a negative one", () => {
    const { harness, sets } = withSets();
    for (const [key, members] of Object.entries(sets)) {
      const known = new Set(members);
      for (const count of [1, 3, 50, 99, 400, 1000]) {
        const chosen = asList(harness.value("SRANDMEMBER", key, String(count)));
        assert.equal(chosen.length, Math.min(count, members.length));
        assert.equal(new Set(chosen).size, chosen.length);
        for (const member of chosen) assert.ok(known.has(member));
        const drawn = asList(harness.value("SRANDMEMBER", key, String(-count)));
        assert.equal(drawn.length, count);
        for (const member of drawn) assert.ok(known.has(member));
      }
    }
  });

  it("HRANDFIELD returns fields with their own values", () => {
    const harness = new CommandHarness();
    for (const size of [20, 2000]) {
      const pairs = numbers("f", size).flatMap((field) => [field, `value of ${field}`]);
      harness.run("HSET", "h", ...pairs);
      for (const count of [1, 5, size - 1, size + 5, -7]) {
        const flat = asList(harness.value("HRANDFIELD", "h", String(count), "WITHVALUES"));
        const wanted = count < 0 ? -count : Math.min(count, size);
        assert.equal(flat.length, 2 * wanted);
        const fields = flat.filter((_, index) => index % 2 === 0);
        if (count > 0) assert.equal(new Set(fields).size, wanted);
        for (const [at, field] of fields.entries()) {
          assert.equal(flat[2 * at + 1], `value of ${field}`);
        }
      }
    }
    const smallest = "-9223372036854775808";
    const refusal = /^-ERR value is out of range, value must between -9223372036854775807 and /;
    assert.match(harness.text("HRANDFIELD", "h", smallest), refusal);
    assert.match(harness.text("SRANDMEMBER", "h", smallest), refusal);
    assert.equal(
      harness.text("HRANDFIELD", "h", "-9223372036854775807", "WITHVALUES"),
      "-ERR value is out of range\r\n",
    );
  });
});
