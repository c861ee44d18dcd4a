import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { addLongDoubles, formatLongDouble, parseLongDouble } from "./long-double.js";

function sum(a: string, b: string): string | undefined {
  const [x, y] = [parseLongDouble(a), parseLongDouble(b)];
  if (x === undefined || y === undefined) return "no number";
  const result = addLongDoubles(x, y);
  return result === undefined ? undefined : formatLongDouble(result);
}

test("sums are those that redis-server 7.2.6 prints", () => {
  assert.equal(sum("0.1", "0.2"), "0.3");
  assert.equal(sum("5.0e3", "200"), "5200");
  assert.equal(sum("-5", "5"), "0");
  assert.equal(sum("3", "1.1"), "4.1");
  assert.equal(sum("1e-17", "0"), "0.00000000000000001");
  assert.equal(sum("4e-18", "0"), "0");
  assert.equal(sum("-4e-18", "0"), "0", "never -0");
  assert.equal(sum("18446744073709551615", "0.5"), "18446744073709551616", "64 bits of mantissa");
  assert.equal(sum("0x10", "0x.8p1"), "17");
});

test("out of range and not a number", () => {
  for (const text of [
    "",
    " 1",
    "1 ",
    "nan",
    "1e4933",
    "-1e4933",
    "1e-4960",
    "0x",
    ".",
    "1e",
    "--1",
  ]) {
    assert.equal(parseLongDouble(text), undefined, text);
  }
  assert.equal(parseLongDouble("1".repeat(5120)), undefined, "longer than Redis' buffer");
  assert.equal(sum("inf", "1"), undefined);
  assert.equal(sum("inf", "-inf"), undefined);
  assert.equal(sum("1.18973149535723176502e4932", "1.18973149535723176502e4932"), undefined);
});

test("printing and reading again changes nothing within 17 digits", () => {
  fc.assert(
    fc.property(fc.integer(), fc.nat({ max: 999_999 }), (whole, fraction) => {
      const text = `${whole}.${String(fraction).padStart(6, "0")}`;
      const printed = formatLongDouble(parseLongDouble(text) ?? assert.fail(text));
      assert.equal(formatLongDouble(parseLongDouble(printed) ?? assert.fail(printed)), printed);
      assert.equal(Number(printed), Number(text));
    }),
  );
});
