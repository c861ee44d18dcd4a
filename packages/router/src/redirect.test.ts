import assert from "node:assert/strict";
import { test } from "node:test";
import { isCanonical } from "./canonical.js";
import { verdictOf } from "./redirect.js";

function verdict(text: string): ReturnType<typeof verdictOf> {
  const bytes = Buffer.from(`-${text}\r\n`);
  return verdictOf(bytes, 0, bytes.length);
}

test("what a node asks for", () => {
  const moved = { kind: "moved", slot: 5, host: "h", port: 7000 };
  assert.deepEqual(verdict("MOVED 5 h:7000"), moved);
  assert.deepEqual(verdict("ASK 5 ::1:7000"), { ...moved, kind: "ask", host: "::1" });
  assert.deepEqual(verdict("MOVED 5 :7000"), { ...moved, host: "" });
  assert.deepEqual(verdict("TRYAGAIN Multiple keys"), { kind: "not-now", refresh: false });
  for (const word of ["CLUSTERDOWN", "LOADING", "MASTERDOWN", "READONLY"]) {
    assert.deepEqual(verdict(`${word} text`), { kind: "not-now", refresh: true });
  }
});

test("errors of the command's own, and redirects that are none", () => {
  for (const text of ["ERR no", "WRONGTYPE x", "MOVED 99999 h:1", "MOVED 5 h", "MOVED 5 h:0"]) {
    assert.equal(verdict(text), undefined, text);
  }
});

test("only bytes that every node reads alike are passed on as they are", () => {
  const fits = (text: string, ...argv: string[]): boolean =>
    isCanonical(Buffer.from(text), 0, text.length, argv);
  assert.ok(fits("*2\r\n$3\r\nGET\r\n$12\r\nabcdefghijkl\r\n", "GET", "abcdefghijkl"));
  assert.ok(!fits("*2\r\n$03\r\nGET\r\n$1\r\na\r\n", "GET", "a"));
  assert.ok(!fits("*2\r\n$3\r\nGETxy$1\r\na\r\n", "GET", "a"));
  assert.ok(!fits("*2\rX$3\r\nGET\r\n$1\r\na\r\n", "GET", "a"));
});
