import assert from "node:assert/strict";
import { test } from "node:test";
import { CommandHarness } from "../../testing/command-harness.js";

function harnessWith(...words: readonly string[]): CommandHarness {
  const harness = new CommandHarness();
  harness.run("ZADD", "z", ...words);
  return harness;
}

test("ZADD counts what is new, with CH what has changed, and logs only changes", () => {
  const harness = harnessWith("1", "a", "2", "b");
  assert.equal(harness.text("ZADD", "z", "1", "a", "3", "b", "4", "c"), ":1\r\n");
  assert.equal(harness.text("ZADD", "z", "CH", "1", "a", "5", "b", "6", "d"), ":2\r\n");
  assert.equal(harness.text("ZADD", "z", "1", "a"), ":0\r\n");
  assert.deepEqual(harness.records(), []);
  assert.equal(harness.text("ZADD", "z", "GT", "CH", "4", "b"), ":0\r\n");
  assert.equal(harness.text("ZADD", "z", "XX", "INCR", "1", "nobody"), "$-1\r\n");
  assert.equal(harness.text("ZADD", "z", "INCR", "1.5", "b"), "$3\r\n6.5\r\n");
});

test("a wrong score or option changes nothing", () => {
  const harness = harnessWith("inf", "a");
  const cases: readonly (readonly [readonly string[], string])[] = [
    [["ZADD", "z", "1", "b", "x", "c"], "-ERR value is not a valid float\r\n"],
    [
      ["ZADD", "z", "NX", "XX", "1", "b"],
      "-ERR XX and NX options at the same time are not compatible\r\n",
    ],
    [["ZADD", "z", "1", "b", "2"], "-ERR syntax error\r\n"],
    [["ZINCRBY", "z", "-inf", "a"], "-ERR resulting score is not a number (NaN)\r\n"],
  ];
  for (const [words, reply] of cases) {
    assert.equal(harness.text(...words), reply);
    assert.deepEqual(harness.records(), []);
  }
  assert.equal(harness.text("ZCARD", "z"), ":1\r\n");
});

test("the last member takes the key with it", () => {
  for (const words of [
    ["ZREM", "z", "a", "b"],
    ["ZPOPMAX", "z", "5"],
    ["ZREMRANGEBYSCORE", "z", "-inf", "+inf"],
    ["ZMPOP", "1", "z", "MIN", "COUNT", "2"],
    ["ZDIFFSTORE", "z", "2", "z", "z"],
  ]) {
    const harness = harnessWith("1", "a", "2", "b");
    harness.run(...words);
    assert.equal(harness.text("TYPE", "z"), "+none\r\n", words.join(" "));
  }
});

test("ZMPOP is logged as the pop that it came to", () => {
  const harness = harnessWith("1", "a", "2", "b");
  harness.run("ZMPOP", "2", "none", "z", "max", "count", "10");
  assert.deepEqual(harness.records().at(-1), ["ZPOPMAX", "z", "2"]);
});

test("scores are doubles in RESP3, and pairs are nested", () => {
  const harness = harnessWith("1.5", "a", "inf", "b");
  harness.protocol = 3;
  const pairs = "*2\r\n*2\r\n$1\r\na\r\n,1.5\r\n*2\r\n$1\r\nb\r\n,inf\r\n";
  assert.equal(harness.text("ZRANGE", "z", "0", "-1", "WITHSCORES"), pairs);
  assert.equal(harness.text("ZUNION", "1", "z", "WITHSCORES"), pairs);
  assert.equal(harness.text("ZPOPMIN", "z"), "*2\r\n$1\r\na\r\n,1.5\r\n");
  assert.equal(harness.text("ZRANK", "z", "a", "WITHSCORE"), "_\r\n");
});

test("ranges by rank, score and bytes, both ways, limited", () => {
  const harness = harnessWith("0", "a", "0", "b", "0", "c", "0", "d");
  const members = (...words: readonly string[]): string =>
    [...harness.text(...words).matchAll(/\$1\r\n(.)\r\n/g)].map((match) => match[1]).join("");
  assert.equal(members("ZRANGE", "z", "-3", "-2"), "bc");
  assert.equal(members("ZREVRANGE", "z", "0", "1"), "dc");
  assert.equal(members("ZRANGE", "z", "[b", "+", "BYLEX", "LIMIT", "1", "5"), "cd");
  assert.equal(members("ZRANGE", "z", "(d", "[b", "BYLEX", "REV"), "cb");
  assert.equal(members("ZRANGEBYSCORE", "z", "-1", "0", "LIMIT", "1", "2"), "bc");
  assert.equal(members("ZRANGEBYSCORE", "z", "(0", "1"), "");
  assert.equal(harness.text("ZLEXCOUNT", "z", "[b", "(d"), ":2\r\n");
});

test("sets take part in unions with a score of 1 each", () => {
  const harness = harnessWith("2", "a", "3", "b");
  harness.run("SADD", "s", "a", "c");
  assert.equal(harness.text("ZUNIONSTORE", "u", "2", "z", "s", "WEIGHTS", "1", "10"), ":3\r\n");
  assert.equal(
    harness.text("ZRANGE", "u", "0", "-1", "WITHSCORES"),
    "*6\r\n$1\r\nb\r\n$1\r\n3\r\n$1\r\nc\r\n$2\r\n10\r\n$1\r\na\r\n$2\r\n12\r\n",
  );
  assert.equal(harness.text("ZINTERCARD", "2", "z", "s"), ":1\r\n");
});

test("random members come from the set, distinct ones without repetition", () => {
  const harness = new CommandHarness();
  for (let index = 0; index < 300; index++) harness.run("ZADD", "z", String(index), `m${index}`);
  for (const count of [1, 7, 150, 299, 300, 1000]) {
    const reply = harness.text("ZRANDMEMBER", "z", String(count));
    const members = reply.match(/m\d+/g) ?? [];
    assert.equal(members.length, Math.min(count, 300));
    assert.equal(new Set(members).size, members.length);
  }
  const drawn = harness.text("ZRANDMEMBER", "z", "-1000").match(/m\d+/g) ?? [];
  assert.equal(drawn.length, 1000);
  assert.ok(new Set(drawn).size > 200);
});
