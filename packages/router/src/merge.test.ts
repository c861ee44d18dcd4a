import assert from "node:assert/strict";
import { test } from "node:test";
import type { Merge } from "./catalog.js";
import { mergedTexts } from "./info.js";
import { inPlaces, mergeReplies, sumByName, union } from "./merge.js";
import { elementsOf } from "./scatter.js";

function merged(merge: Merge, ...replies: string[]): string {
  return mergeReplies(
    merge,
    replies.map((reply) => Buffer.from(reply, "latin1")),
  ).toString("latin1");
}

test("replies become one as their command's policy says", () => {
  assert.equal(merged("sum", ":1\r\n", ":2\r\n"), ":3\r\n");
  assert.equal(merged("minimum", ":4\r\n", ":2\r\n"), ":2\r\n");
  assert.equal(merged("minimum", "*2\r\n:1\r\n:5\r\n", "*2\r\n:1\r\n:3\r\n"), "*2\r\n:1\r\n:3\r\n");
  assert.equal(merged("and", "*2\r\n:1\r\n:1\r\n", "*2\r\n:1\r\n:0\r\n"), "*2\r\n:1\r\n:0\r\n");
  assert.equal(merged("or", ":0\r\n", ":1\r\n"), ":1\r\n");
  assert.equal(merged("all-succeeded", "+OK\r\n", "-ERR b\r\n"), "-ERR b\r\n");
  assert.equal(merged("one-succeeded", "-NOTBUSY a\r\n", "+OK\r\n"), "+OK\r\n");
  assert.equal(merged("one-succeeded", "-NOTBUSY a\r\n", "-NOTBUSY b\r\n"), "-NOTBUSY a\r\n");
  assert.equal(
    merged("concatenate", "*1\r\n$1\r\n\xff\r\n", "*0\r\n", "*1\r\n:2\r\n"),
    "*2\r\n$1\r\n\xff\r\n:2\r\n",
  );
  assert.equal(merged("concatenate", "*0\r\n", "-NOAUTH x\r\n"), "-NOAUTH x\r\n");
});

test("elements go back to the places of their keys", () => {
  const replies = ["*2\r\n$1\r\na\r\n$-1\r\n", "*1\r\n$1\r\nb\r\n"].map((text) =>
    Buffer.from(text),
  );
  const whole = inPlaces(replies, [[0, 2], [1]], elementsOf).toString();
  assert.equal(whole, "*3\r\n$1\r\na\r\n$1\r\nb\r\n$-1\r\n");
});

test("names are united, numbers by name are added", () => {
  const lists = ["*1\r\n$1\r\na\r\n", "*2\r\n$1\r\na\r\n$1\r\nb\r\n"].map((text) =>
    Buffer.from(text),
  );
  assert.equal(union(lists).toString(), "*2\r\n$1\r\na\r\n$1\r\nb\r\n");
  const counts = ["*2\r\n$1\r\na\r\n:1\r\n", "*2\r\n$1\r\na\r\n:4\r\n"].map((text) =>
    Buffer.from(text),
  );
  assert.equal(sumByName(counts).toString(), "*2\r\n$1\r\na\r\n:5\r\n");
});

test("INFO adds what adds up and keeps what does not", () => {
  const first =
    "# Server\r\nredis_version:7.0.15\r\n\r\n# Stats\r\nkeyspace_hits:1\r\nused_cpu_sys:0.25\r\n";
  const second = `${first}\r\n# Keyspace\r\ndb0:keys=2,expires=1,avg_ttl=9\r\n`;
  assert.equal(
    mergedTexts([first, second], { redis_version: "x" }),
    "# Server\r\nredis_version:x\r\n\r\n# Stats\r\nkeyspace_hits:2\r\nused_cpu_sys:0.50\r\n\r\n" +
      "# Keyspace\r\ndb0:keys=2,expires=1,avg_ttl=9\r\n",
  );
});
