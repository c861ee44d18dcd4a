import assert from "node:assert/strict";
import { test } from "node:test";
import type { ReplyValue } from "@slotlog/resp";
import { CommandHarness } from "../../testing/command-harness.js";

const debugging = { enableDebugCommand: "yes" } as const;

function words(value: ReplyValue | undefined): string[] {
  assert.ok(Array.isArray(value));
  return value.map((each) => (typeof each === "string" ? each : JSON.stringify(each)));
}

test("DEBUG DIGEST does not depend on the order in which keys and members came", () => {
  const one = new CommandHarness({ seed: 1, config: debugging });
  const other = new CommandHarness({ seed: 2, config: debugging });
  const commands = [
    ["set", "s", "1"],
    ["sadd", "members", "a", "b", "c"],
    ["hset", "h", "f", "v", "g", "w"],
    ["zadd", "z", "1", "a", "2", "b"],
  ];
  for (const command of commands) one.run(...command);
  for (const command of commands.toReversed()) other.run(...command);
  assert.equal(one.text("debug", "digest"), other.text("debug", "digest"));
  other.run("expire", "s", "100");
  assert.notEqual(one.text("debug", "digest"), other.text("debug", "digest"));
});

test("DEBUG DIGEST is that of Redis 7.2", () => {
  const harness = new CommandHarness({ config: debugging });
  assert.equal(harness.text("debug", "digest"), `+${"0".repeat(40)}\r\n`);
  harness.run("set", "a", "b");
  assert.equal(harness.text("debug", "digest"), "+479783d7290f02957dfbe3408a858ba13eea1709\r\n");
});

test("the slow log keeps what took long, without secrets, and follows its directives", () => {
  const harness = new CommandHarness();
  harness.run("config", "set", "slowlog-log-slower-than", "0");
  harness.run("auth", "default", "secret");
  harness.run("config", "set", "slowlog-log-slower-than", "-1");
  harness.run("get", "a");
  const text = harness.text("slowlog", "get");
  assert.match(text, /\(redacted\)/);
  assert.doesNotMatch(text, /secret/);
  assert.doesNotMatch(text, /\r\nget\r\n/);
  assert.equal(harness.text("slowlog", "reset"), "+OK\r\n");
  assert.equal(harness.text("slowlog", "len"), ":0\r\n");
});

test("CONFIG RESETSTAT sets commands, errors and hits to zero", () => {
  const harness = new CommandHarness();
  harness.run("get", "a");
  harness.run("nonsense");
  assert.match(harness.text("info", "stats"), /keyspace_misses:1/);
  assert.match(harness.text("info", "errorstats"), /errorstat_ERR:count=1/);
  harness.run("config", "resetstat");
  const text = harness.text("info", "everything");
  assert.match(text, /keyspace_misses:0/);
  assert.doesNotMatch(text, /errorstat_ERR|cmdstat_get/);
});

test("COMMAND GETKEYS finds what routing finds", () => {
  const harness = new CommandHarness();
  const keys = (...line: string[]): string[] => words(harness.value("command", "getkeys", ...line));
  assert.deepEqual(keys("mset", "a", "1", "b", "2"), ["a", "b"]);
  assert.deepEqual(keys("watch", "a", "b"), ["a", "b"]);
  assert.deepEqual(keys("memory", "usage", "k"), ["k"]);
  assert.match(harness.text("command", "getkeys", "ping"), /^-ERR The command has no key arg/);
});

test("COMMAND DOCS and INFO describe every command, subcommands included", () => {
  const harness = new CommandHarness();
  const names = words(harness.value("command", "list"));
  const missing = names.filter((name) => harness.text("command", "info", name) === "*1\r\n$-1\r\n");
  assert.deepEqual(missing, []);
  assert.equal(names.includes("client|list"), true);
  assert.match(harness.text("command", "docs", "client|list"), /^\*2\r\n\$11\r\nclient\|list\r\n/);
});

test("SHUTDOWN answers nothing when it goes through, and errors for impossible words", () => {
  const harness = new CommandHarness();
  assert.equal(harness.text("shutdown", "save", "nosave"), "-ERR syntax error\r\n");
  assert.equal(harness.text("shutdown", "abort"), "-ERR No shutdown in progress.\r\n");
  assert.match(harness.text("shutdown", "nonsense"), /^-ERR syntax/);
});

test("TIME tells seconds and microseconds", () => {
  const harness = new CommandHarness({ now: 1_700_000_000_123 });
  assert.deepEqual(words(harness.value("time")), ["1700000000", "123000"]);
});

test("MEMORY USAGE is a whole number also where it is an average", () => {
  const harness = new CommandHarness();
  for (let bytes = 1; bytes < 9; bytes += 1) harness.run("rpush", "list", "x".repeat(bytes * 997));
  for (const samples of ["1", "3", "5", "7"]) {
    assert.match(harness.text("memory", "usage", "list", "samples", samples), /^:\d+\r\n$/);
  }
});
