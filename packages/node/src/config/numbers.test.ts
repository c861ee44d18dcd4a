import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  formatMemory,
  LONG_MAX,
  LONG_MIN,
  parseLenientInteger,
  parseMemory,
  parseOctal,
  parseStrictInteger,
  ULONG_MAX,
} from "./numbers.js";

test("memory sizes: units in any case, decimal without b, binary with it", () => {
  const cases: [text: string, value: bigint | undefined][] = [
    ["0", 0n],
    ["100", 100n],
    ["1b", 1n],
    ["1k", 1000n],
    ["1Kb", 1024n],
    ["2M", 2_000_000n],
    ["2mB", 2n * 1024n * 1024n],
    ["3g", 3_000_000_000n],
    ["3GB", 3n * 1024n ** 3n],
    ["", 0n],
    ["kb", 0n],
    ["18446744073709551615", ULONG_MAX],
    ["99999999999999999999", ULONG_MAX],
    ["17179869184gb", 0n],
    ["-1", undefined],
    ["+1", undefined],
    ["1.5gb", undefined],
    ["1 kb", undefined],
    ["1kbb", undefined],
    ["1tb", undefined],
    ["9".repeat(128), undefined],
  ];
  for (const [text, value] of cases) assert.equal(parseMemory(text), value, text);
});

test("a formatted size reads back as itself", () => {
  assert.equal(formatMemory(0n), "0");
  assert.equal(formatMemory(1536n), "1536");
  assert.equal(formatMemory(2048n), "2kb");
  assert.equal(formatMemory(64n * 1024n * 1024n), "64mb");
  assert.equal(formatMemory(1024n ** 3n), "1gb");
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: LONG_MAX }), (size) => {
      assert.equal(parseMemory(formatMemory(size)), size);
    }),
  );
});

test("strict integers have one spelling each", () => {
  for (const text of ["", "-", "+1", "01", "-0", " 1", "1 ", "1x", `${LONG_MAX + 1n}`]) {
    assert.equal(parseStrictInteger(text), undefined, text);
  }
  fc.assert(
    fc.property(fc.bigInt({ min: LONG_MIN, max: LONG_MAX }), (value) => {
      assert.equal(parseStrictInteger(`${value}`), value);
    }),
  );
});

test("lenient integers and octals read what C reads", () => {
  assert.equal(parseLenientInteger(" \t+07"), 7n);
  assert.equal(parseLenientInteger(""), 0n);
  assert.equal(parseLenientInteger("99999999999999999999"), LONG_MAX);
  assert.equal(parseLenientInteger("-99999999999999999999"), LONG_MIN);
  assert.equal(parseLenientInteger("1 "), undefined);
  assert.equal(parseOctal("755"), 0o755n);
  assert.equal(parseOctal("0777"), 0o777n);
  assert.equal(parseOctal("8"), undefined);
});
