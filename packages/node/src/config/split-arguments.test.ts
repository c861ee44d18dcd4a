import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { quoteArgument, splitArguments } from "./split-arguments.js";

const bytes = fc.string({
  unit: fc.integer({ min: 0, max: 255 }).map((c) => String.fromCharCode(c)),
});

test("words are split as redis.conf and inline commands are", () => {
  const cases: [line: string, words: string[] | undefined][] = [
    ["", []],
    [" \t\v\f ", []],
    ["port 6379", ["port", "6379"]],
    ["\tsave  60\t1 \r", ["save", "60", "1"]],
    ['save ""', ["save", ""]],
    ["a 'b c' d", ["a", "b c", "d"]],
    ["a 'it\\'s' \"q\\\"q\"", ["a", "it's", 'q"q']],
    ['"\\x41\\n\\r\\t\\b\\a\\z\\\\"', ["A\n\r\t\b\x07z\\"]],
    ['"\\x4g"', ["x4g"]],
    ["'\\n'", ["\\n"]],
    ['pre"fix"', ["prefix"]],
    ["a#b # c", ["a#b", "#", "c"]],
    ['"open', undefined],
    ["'open", undefined],
    ['"open\\"', undefined],
    ['"closed"more', undefined],
    ["'closed'more", undefined],
    ['"closed"\vmore', ["closed", "more"]],
  ];
  for (const [line, words] of cases) assert.deepEqual(splitArguments(line), words, line);
});

test("what is quoted comes back as it was", () => {
  fc.assert(
    fc.property(fc.array(bytes, { maxLength: 5 }), (words) => {
      assert.deepEqual(splitArguments(words.map(quoteArgument).join(" ")), words);
    }),
  );
});

test("quoted text is printable and on one line", () => {
  assert.equal(
    quoteArgument('a "b"\\\n\r\t\b\x07\x00\xff~ '),
    '"a \\"b\\"\\\\\\n\\r\\t\\b\\a\\x00\\xff~ "',
  );
});
