/** Doubles: what Redis 7.2.6 printed for these numbers, and that every text reads back. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { formatDouble } from "./format-double.js";

const printed: readonly (readonly [number, string])[] = [
  [0, "0"],
  [-0, "-0"],
  [NaN, "nan"],
  [Infinity, "inf"],
  [-Infinity, "-inf"],
  [3, "3"],
  [-17, "-17"],
  [0.1, "0.1"],
  [3.14, "3.14"],
  [-2.5, "-2.5"],
  [1e15, "1000000000000000"],
  [1e18, "1000000000000000000"],
  [2 ** 62, "4611686018427387904"],
  [2 ** 63, "9223372036854776000"],
  [1e19, "1e+19"],
  [1e21, "1e+21"],
  [1.5e300, "1.5e+300"],
  [1e-3, "0.001"],
  [1e-4, "0.0001"],
  [1e-6, "0.000001"],
  [1e-7, "1e-7"],
  [1.5e-7, "1.5e-7"],
  [0.00012345678, "1.2345678e-4"],
  [0.0012345678, "0.0012345678"],
  [5e-324, "5e-324"],
  // The digits Redis finds are not always the shortest, nor the nearest of the shortest.
  [2 ** -1018, "3.5601181736115222e-307"],
  [2 ** -1013, "1.1392378155556871e-305"],
  [127.445805, "127.44580499999999"],
  [825.438144428567, "825.4381444285671"],
  [4200721191518852300000, "4200721191518852400000"],
  [-1.590150296331291e97, "-1.5901502963312911e+97"],
  [22272600813845760000, "22272600813845758000"],
  [-6.9301206655436585e-84, "-6.9301206655436585e-84"],
  [1.7976931348623157e308, "1.7976931348623157e+308"],
];

for (const [value, text] of printed) {
  test(`${value} is printed as ${text}`, () => assert.equal(formatDouble(value), text));
}

test("every double reads back as itself", () => {
  fc.assert(
    fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
      assert.ok(Object.is(Number(formatDouble(value)), value));
    }),
  );
});
