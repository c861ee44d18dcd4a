import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parseDouble, parseLenientDouble } from "./double-argument.js";

test("every double reads back from its own text", () => {
  fc.assert(
    fc.property(fc.double({ noNaN: true }), (value) => {
      const text = Object.is(value, -0) ? "-0" : String(value);
      assert.ok(Object.is(parseDouble(text), value));
    }),
  );
});

test("what strtod takes besides plain numbers", () => {
  const cases: readonly (readonly [string, number])[] = [
    ["+5", 5],
    [".5", 0.5],
    ["5.", 5],
    ["1e3", 1000],
    ["1E-3", 0.001],
    ["inf", Infinity],
    ["+INF", Infinity],
    ["-Infinity", -Infinity],
    ["0x10", 16],
    ["0x1.8p1", 3],
    ["-0X.8", -0.5],
    ["0x1p-1074", 5e-324],
    ["0x10000000000000000000000p-80", 256],
    ["007", 7],
    ["0e999", 0],
    ["-0", -0],
    ["1e-310", 1e-310],
  ];
  for (const [text, value] of cases) assert.ok(Object.is(parseDouble(text), value), text);
});

test("what is no number, or none that a double can hold", () => {
  const cases = [
    "",
    " 1",
    "1 ",
    "\n1",
    "1\0",
    "nan",
    "-nan",
    "nan(1)",
    "abc",
    "1e",
    "1e+",
    ".",
    "-",
    "+",
  ];
  cases.push("--1", "1.2.3", "0x", "0xg", "0x1p", "1_0", "0b1", "0o7", "infi", "infinityx", "1,5");
  cases.push("1e400", "-1e400", "1e-400", "0x1p9999", "0x1p-9999");
  for (const text of cases) assert.equal(parseDouble(text), undefined, JSON.stringify(text));
});

test("ranges of scores take more", () => {
  assert.equal(parseLenientDouble(""), 0);
  assert.equal(parseLenientDouble(" 1"), 1);
  assert.equal(parseLenientDouble("\t\n\v\f\r1"), 1);
  assert.equal(parseLenientDouble("1e400"), Infinity);
  assert.equal(parseLenientDouble("1e-400"), 0);
  assert.equal(parseLenientDouble("1\0x"), 1);
  for (const text of ["nan", "a", "1 ", " ", "(1"])
    assert.equal(parseLenientDouble(text), undefined);
});
