import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { listpackScoreText, percentG17 } from "./scan.js";

test("%.17g as C prints it", () => {
  // Printed by printf("%.17g"). The first three are ties, which C rounds to the even digit.
  const cases: readonly (readonly [number, string])[] = [
    [2 ** -25, "2.9802322387695312e-08"],
    [3 * 2 ** -25, "8.9406967163085938e-08"],
    [-(2 ** -25), "-2.9802322387695312e-08"],
    [0.1, "0.10000000000000001"],
    [100000, "100000"],
    [1e17, "1e+17"],
    [12345678901234568, "12345678901234568"],
    [123456789012345680, "1.2345678901234568e+17"],
    [0.0001, "0.0001"],
    [0.00001, "1.0000000000000001e-05"],
    [5e-324, "4.9406564584124654e-324"],
    [1.7976931348623157e308, "1.7976931348623157e+308"],
    [Infinity, "inf"],
    [-Infinity, "-inf"],
    [-0, "-0"],
  ];
  for (const [value, text] of cases) assert.equal(percentG17(value), text);
});

test("%.17g tells all doubles apart", () => {
  fc.assert(
    fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
      assert.ok(Object.is(Number(percentG17(value)), value));
    }),
  );
});

test("a listpack prints integral scores as integers", () => {
  assert.equal(listpackScoreText(1e18), "1000000000000000000");
  assert.equal(listpackScoreText(-(2 ** 62)), "-4611686018427387904");
  assert.equal(listpackScoreText(1e19), "1e+19");
  assert.equal(listpackScoreText(0.1), "0.1");
  assert.equal(listpackScoreText(-0), "0");
});
