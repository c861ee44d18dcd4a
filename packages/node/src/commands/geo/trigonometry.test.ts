import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { arcsine, cosine, sine } from "./trigonometry.js";

/** The right results to the last digit, computed with 60 decimal digits. */
const known: readonly (readonly [angle: number, sine: number, cosine: number])[] = [
  [0.1, 0.09983341664682815, 0.9950041652780258],
  [0.5, 0.479425538604203, 0.8775825618903728],
  [0.7853981633974483, 0.7071067811865475, 0.7071067811865476],
  [1, 0.8414709848078965, 0.5403023058681398],
  [1.5707963267948966, 1, 6.123233995736766e-17],
  [2, 0.9092974268256817, -0.4161468365471424],
  [2.3669420881310708, 0.6994663892461298, -0.7146654953997581],
  [3, 0.1411200080598672, -0.9899924966004454],
  [3.141592653589793, 1.2246467991473532e-16, -1],
  [-0.7714062048103226, -0.6971440794586735, 0.7169310514099099],
  [0.00001, 0.000009999999999833334, 0.99999999995],
];

test("sines and cosines are right to the last digit", () => {
  for (const [angle, expectedSine, expectedCosine] of known) {
    assert.equal(sine(angle), expectedSine);
    assert.equal(cosine(angle), expectedCosine);
    assert.equal(sine(-angle), -expectedSine);
    assert.equal(cosine(-angle), expectedCosine);
  }
});

test("arcsines are right to the last digit", () => {
  assert.equal(arcsine(0.1), 0.1001674211615598);
  assert.equal(arcsine(0.5), 0.5235987755982989);
  assert.equal(arcsine(0.99), 1.4292568534704693);
  assert.equal(arcsine(1e-6), 1.0000000000001666e-6);
  assert.equal(arcsine(0.013), 0.013000366194516442);
  assert.equal(arcsine(0.7071067811865476), 0.7853981633974484);
  assert.equal(arcsine(1), Math.PI / 2);
  assert.ok(Number.isNaN(arcsine(1.0000000000000002)));
});

test("all are within a unit in the last place of JavaScript's", () => {
  fc.assert(
    fc.property(fc.double({ min: -7, max: 7, noNaN: true }), (angle) => {
      assert.ok(Math.abs(sine(angle) - Math.sin(angle)) <= 2 ** -53);
      assert.ok(Math.abs(cosine(angle) - Math.cos(angle)) <= 2 ** -53);
    }),
  );
  for (const angle of [Number.NaN, Infinity, -Infinity]) {
    assert.ok(Number.isNaN(sine(angle)));
    assert.ok(Number.isNaN(cosine(angle)));
  }
  assert.ok(Object.is(sine(-0), -0));
});
