import assert from "node:assert/strict";
import { test } from "node:test";
import { CommandDecoder } from "@slotlog/resp";
import { LogStream } from "./stream.js";

function words(bytes: Buffer): string[] {
  const decoder = new CommandDecoder();
  decoder.push(bytes);
  const found: string[] = [];
  while (decoder.next()) found.push(decoder.argv.map(String).join(" "));
  return found;
}

function replicaWords(stream: LogStream): string[] {
  const parts: Buffer[] = [];
  stream.forEachReplicaPart((part) => parts.push(Buffer.from(part)));
  return words(Buffer.concat(parts));
}

test("a unit of several records is a transaction that names its database inside", () => {
  const stream = new LogStream();
  stream.beginUnit();
  stream.append(9, ["SET", "a", "1"]);
  stream.append(9, ["SET", "b", "2"]);
  stream.append(3, ["SET", "c", "3"]);
  stream.endUnit();
  const expected = ["MULTI", "SELECT 9", "SET a 1", "SET b 2", "SELECT 3", "SET c 3", "EXEC"];
  assert.deepEqual(words(stream.batch()), expected);
  assert.equal(stream.offset, stream.batch().length);
});

test("a unit of one record is no transaction", () => {
  const stream = new LogStream();
  stream.beginUnit();
  stream.append(9, ["SET", "a", "1"]);
  stream.endUnit();
  assert.deepEqual(words(stream.batch()), ["SELECT 9", "SET a 1"]);
});

test("records outside of a unit stay apart", () => {
  const stream = new LogStream();
  stream.append(0, ["DEL", "a"]);
  stream.append(0, ["DEL", "b"]);
  assert.deepEqual(words(stream.batch()), ["SELECT 0", "DEL a", "DEL b"]);
});

test("what only replicas get names its database, and leaves the AOF's alone", () => {
  const stream = new LogStream();
  stream.append(0, ["SET", "a", "1"]);
  stream.appendForReplicas(9, ["PUBLISH", "c", "m"]);
  stream.appendForReplicas(9, ["PUBLISH", "c", "n"]);
  assert.equal(stream.database, 9, "replicas stand there");
  stream.append(0, ["SET", "b", "2"]);
  stream.appendForReplicas(0, ["PUBLISH", "c", "o"]);
  assert.deepEqual(words(stream.batch()), ["SELECT 0", "SET a 1", "SELECT 0", "SET b 2"]);
  assert.deepEqual(replicaWords(stream), [
    "SELECT 0",
    "SET a 1",
    "SELECT 9",
    "PUBLISH c m",
    "PUBLISH c n",
    "SELECT 0",
    "SET b 2",
    "PUBLISH c o",
  ]);
});
