import assert from "node:assert/strict";
import { test } from "node:test";
import { parseAddress } from "./address.js";

test("addresses with names, IPv4 and bracketed IPv6 are read", () => {
  assert.deepEqual(parseAddress("node-1:7000"), { host: "node-1", port: 7000 });
  assert.deepEqual(parseAddress("127.0.0.1:1"), { host: "127.0.0.1", port: 1 });
  assert.deepEqual(parseAddress("[::1]:65535"), { host: "::1", port: 65_535 });
});

test("what is no address is refused by name", () => {
  for (const text of ["node", "node:", ":7000", "node:0", "node:65536", "::1:7000", "a:b"]) {
    assert.throws(() => parseAddress(text), /is no address: expected host:port/, text);
  }
});
