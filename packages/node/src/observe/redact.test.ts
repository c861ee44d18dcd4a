import assert from "node:assert/strict";
import { test } from "node:test";
import { redacted } from "./redact.js";

const cases: readonly (readonly [fullName: string, words: string, shown: string])[] = [
  ["get", "get auth", "get auth"],
  ["auth", "AUTH secret", "AUTH (redacted)"],
  ["auth", "auth user secret", "auth (redacted) (redacted)"],
  ["hello", "HELLO 3 AUTH user secret SETNAME me", "HELLO 3 AUTH (redacted) (redacted) SETNAME me"],
  ["hello", "hello 3 auth", "hello 3 auth"],
  [
    "config|set",
    "config set timeout 5 requirepass secret",
    "config set timeout 5 requirepass (redacted)",
  ],
  ["acl|setuser", "acl setuser joe >secret on", "acl setuser joe (redacted) (redacted)"],
  [
    "migrate",
    "migrate h 1 k 0 9 AUTH2 user secret",
    "migrate h 1 k 0 9 AUTH2 (redacted) (redacted)",
  ],
];

for (const [fullName, words, shown] of cases) {
  test(`${fullName}: ${words}`, () => {
    assert.equal(redacted(fullName, words.split(" ")).join(" "), shown);
  });
}
