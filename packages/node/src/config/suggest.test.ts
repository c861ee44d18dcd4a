import assert from "node:assert/strict";
import { test } from "node:test";
import { nearest } from "./suggest.js";

test("the nearest word is found, and nothing when none is near", () => {
  const known = ["appendonly", "appendfsync", "port", "maxmemory", "maxmemory-policy"];
  assert.equal(nearest("apendonly", known), "appendonly");
  assert.equal(nearest("prot", known), "port");
  assert.equal(nearest("max-memory", known), "maxmemory");
  assert.equal(nearest("append-fsync", known), "appendfsync");
  assert.equal(nearest("maxmemorypolicy", known), "maxmemory-policy");
  assert.equal(nearest("invalid", known), undefined);
  assert.equal(nearest("", known), undefined);
  assert.equal(nearest("x", []), undefined);
});
