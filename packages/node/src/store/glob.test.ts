import assert from "node:assert/strict";
import { it } from "node:test";
import fc from "fast-check";
import { globMatch } from "./glob.js";

/** Pattern, texts that match, texts that do not; all checked against redis-server's SCAN MATCH. */
const cases: readonly [string, readonly string[], readonly string[]][] = [
  ["h?llo", ["hello", "hallo"], ["hllo", "heello"]],
  ["h*llo", ["hllo", "heeeello", "h*llo"], ["hell"]],
  ["h[ae]llo", ["hello", "hallo"], ["hillo", "hllo"]],
  ["h[^e]llo", ["hallo", "h^llo"], ["hello", "hllo"]],
  ["h[a-c]llo", ["hallo", "hbllo", "hcllo"], ["hdllo", "h-llo"]],
  ["h[c-a]llo", ["hbllo"], ["hdllo"]],
  ["\\*", ["*"], ["\\*", "a"]],
  ["a\\", ["a\\"], ["a"]],
  ["[\\]]", ["]"], ["\\"]],
  ["[a-]", ["a", "]", "_"], ["-"]],
  ["[abc", ["a", "b", "c"], ["[", "d"]],
  ["[^", ["a", "^"], ["ab"]],
  ["[", [], ["[", "a"]],
  ["[]a]", [], ["a]", "]"]],
  ["*", ["a", "abc"], [""]],
  ["**a**", ["a", "xax"], ["x"]],
  ["", [""], ["a"]],
  ["?", ["a", "\xff", "\0"], ["", "ab"]],
  ["[a-\xff]", ["\xff", "a", "\x05"], ["b", "\x80"]],
];

it("follows Redis, corner by corner", () => {
  for (const [pattern, matching, other] of cases) {
    for (const text of matching) assert.ok(globMatch(pattern, text), `${pattern} matches ${text}`);
    for (const text of other) assert.ok(!globMatch(pattern, text), `${pattern}, not ${text}`);
  }
});

it("ignores case where it is told to, except for escaped members of a class", () => {
  assert.ok(globMatch("HeL*", "hEllo", true));
  assert.ok(!globMatch("HeL*", "hEllo"));
  assert.ok(globMatch("[A-C]x", "bX", true));
  assert.ok(globMatch("\\A", "a", true));
  assert.ok(globMatch("[A]", "a", true));
  assert.ok(!globMatch("[\\A]", "a", true));
});

it("equals a regular expression for patterns of letters, ? and *", () => {
  const pattern = fc.array(fc.constantFrom("a", "b", "?", "*"), { maxLength: 12 });
  const text = fc.array(fc.constantFrom("a", "b", "c"), { minLength: 1, maxLength: 12 });
  fc.assert(
    fc.property(pattern, text, (units, chars) => {
      const source = units.join("").replaceAll("*", ".*").replaceAll("?", ".");
      const expected = new RegExp(`^${source}$`).test(chars.join(""));
      assert.equal(globMatch(units.join(""), chars.join("")), expected);
    }),
    { numRuns: 2000 },
  );
});

it("does not explode", () => {
  const text = "a".repeat(2000);
  assert.equal(globMatch(`${"a*".repeat(300)}b`, text), false);
  assert.equal(globMatch(`${"*a".repeat(300)}*`, text), true);
});

it("gives up behind a thousand stars, as Redis does", () => {
  const text = "a".repeat(2000);
  assert.equal(globMatch("*?".repeat(1000), text), true);
  assert.equal(globMatch(`${"*?".repeat(1000)}*`, text), true);
  assert.equal(globMatch("*?".repeat(1001), text), false);
  assert.equal(globMatch(`${"*".repeat(5000)}a`, text), true);
});
