import assert from "node:assert/strict";
import { it } from "node:test";
import fc from "fast-check";
import { INT64_MAX, INT64_MIN, isInt64Text, parseInt64, parseSafeInteger } from "./int64.js";

it("reads every canonical 64-bit integer, safe ones as numbers", () => {
  const near = fc.bigInt({ min: 2n ** 53n - 5n, max: 2n ** 53n + 5n });
  const any = fc.oneof(fc.bigInt({ min: INT64_MIN, max: INT64_MAX }), near);
  fc.assert(
    fc.property(any, fc.boolean(), (magnitude, negate) => {
      const integer = negate && magnitude !== INT64_MIN ? -magnitude : magnitude;
      const text = String(integer);
      const parsed = parseInt64(text);
      assert.equal(String(parsed), text);
      const safe = Number.isSafeInteger(Number(integer));
      assert.equal(typeof parsed, safe ? "number" : "bigint");
      assert.equal(parseSafeInteger(text), safe ? Number(integer) : undefined);
      assert.ok(isInt64Text(text));
    }),
  );
});

it("refuses what is not canonical or does not fit", () => {
  for (const text of [
    "",
    "-",
    "-0",
    "00",
    "01",
    "-01",
    "+1",
    " 1",
    "1 ",
    "1.0",
    "1e3",
    "0x10",
    "١",
    "9223372036854775808",
    "-9223372036854775809",
    "99999999999999999999",
    "100000000000000000000",
    "\x001",
  ]) {
    assert.equal(parseInt64(text), undefined, text);
    assert.equal(parseSafeInteger(text), undefined, text);
    assert.equal(isInt64Text(text), false, text);
  }
});

it("knows the limits", () => {
  assert.equal(parseInt64("9223372036854775807"), INT64_MAX);
  assert.equal(parseInt64("-9223372036854775808"), INT64_MIN);
  assert.equal(parseInt64("9007199254740991"), 2 ** 53 - 1);
  assert.equal(parseInt64("-9007199254740991"), -(2 ** 53) + 1);
  assert.equal(parseInt64("9007199254740992"), 9007199254740992n);
  assert.equal(parseInt64("0"), 0);
});
