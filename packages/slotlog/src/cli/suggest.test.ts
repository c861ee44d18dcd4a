import assert from "node:assert/strict";
import { test } from "node:test";
import { nearest } from "./suggest.js";

const flags = ["port", "primaries", "replicas", "requirepass", "dir"];

test("slips of the finger find their word", () => {
  assert.equal(nearest("prot", flags), "port");
  assert.equal(nearest("replica", flags), "replicas");
  assert.equal(nearest("primarys", flags), "primaries");
  assert.equal(nearest("requierpass", flags), "requirepass");
  assert.equal(nearest("PORT", flags), "port");
});

test("what resembles nothing finds nothing", () => {
  assert.equal(nearest("x", flags), undefined);
  assert.equal(nearest("verbose", flags), undefined);
  assert.equal(nearest("anything", []), undefined);
});
