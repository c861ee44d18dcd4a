/** Inline lines: words, quotes and escapes. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { splitInline } from "./inline.js";

function split(line: string): string[] | undefined {
  const bytes = Buffer.from(`<${line}>`, "latin1");
  return splitInline(bytes, 1, bytes.length - 1);
}

const lines: readonly (readonly [string, readonly string[] | undefined])[] = [
  ["", []],
  [" \t\v\f ", []],
  ["get a", ["get", "a"]],
  ["  get\t a  ", ["get", "a"]],
  ['"a b" c', ["a b", "c"]],
  ['""', [""]],
  ["''", [""]],
  ['a"b c"', ["ab c"]],
  ["a'b c'", ["ab c"]],
  ['"a"b', undefined],
  ["'a'b", undefined],
  ['"a', undefined],
  ["'a", undefined],
  ['"a\\', undefined],
  ["'a\\'", undefined],
  ['"\\n\\r\\t\\b\\a\\\\\\"\\q"', ['\n\r\t\b\x07\\"q']],
  ['"\\x41\\xfF\\xg1"', ["A\xffxg1"]],
  ['"\\x4"', ["x4"]],
  ["'\\n\\''", ["\\n'"]],
  ["a\\n", ["a\\n"]],
  ["a\vb\fc d", ["a\vb\fc", "d"]],
  ['"a"\vb', ["a", "b"]],
  ["a\rb", ["a", "b"]],
  ["\xe9 \xff", ["\xe9", "\xff"]],
];

for (const [line, words] of lines) {
  test(`inline: ${JSON.stringify(line)}`, () => assert.deepEqual(split(line), words));
}

test("any words come back when they are quoted", () => {
  const word = fc
    .uint8Array({ maxLength: 12 })
    .map((bytes) => Buffer.from(bytes).toString("latin1"));
  const hex = (text: string): string =>
    Buffer.from(text, "latin1").toString("hex").replace(/../g, "\\x$&");
  fc.assert(
    fc.property(fc.array(word), (words) => {
      assert.deepEqual(split(words.map((text) => `"${hex(text)}"`).join(" ")), words);
    }),
  );
});
