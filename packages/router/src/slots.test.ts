import assert from "node:assert/strict";
import { test } from "node:test";
import { commonSlot, explainCrossSlot, slotOf } from "./slots.js";

test("slots of texts, of bytes and of hash tags", () => {
  assert.equal(slotOf("foo"), 12_182);
  assert.equal(slotOf(Buffer.from("foo")), 12_182);
  assert.equal(slotOf("{foo}bar"), 12_182);
  // As a node has it: an empty tag is none.
  assert.equal(slotOf("foo{}{bar}"), 8_363);
});

test("a common slot, or none", () => {
  const argv = ["MGET", "{a}1", "{a}2", "b"];
  assert.equal(commonSlot(argv, [1, 2]), slotOf("a"));
  assert.equal(commonSlot(argv, [1, 3]), undefined);
  assert.equal(commonSlot(argv, []), -1);
});

test("the explanation names keys, slots and the tag that their names suggest", () => {
  const explain = (...keys: string[]): string => explainCrossSlot(keys, [...keys.keys()]);
  const known = "CROSSSLOT Keys in request don't hash to the same slot: ";
  assert.equal(
    explain("user:1:name", "user:1:mail"),
    `${known}slot 12440 has user:1:name, slot 13993 has user:1:mail. With a hash tag they share ` +
      "a slot: name them {user:1}:name, {user:1}:mail",
  );
  assert.match(explain("a", "b"), /name them \{tag\}:a, \{tag\}:b$/);
  assert.match(explain("{x}a", "{y}b"), /Their hash tags differ \(\{x\} and \{y\}\)/);
  assert.match(explain("{x}a", "b"), /name them \{x\}a, \{x\}:b$/);
  const many = Array.from({ length: 50 }, (_, index) => `k${index}`);
  assert.match(explain(...many), /and 42 more slots/);
  assert.ok(explain(...many).length < 1_000);
});

test("keys that nobody could print are shown in part, on one line", () => {
  const line = explainCrossSlot(["a\r\nb\x00", "x".repeat(500)], [0, 1]);
  assert.ok(line.includes("a\\x0d\\x0ab\\x00"));
  assert.ok(line.length < 600 && !line.includes("\n"));
});
