import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { coordinateText, distance, distanceText, fixedText } from "./distance.js";
import { positionOf } from "./geohash.js";

const palermo = positionOf(3479099956230698);
const catania = positionOf(3479447370796909);

test("a known distance in all units", () => {
  const metres = distance(palermo, catania);
  assert.equal(distanceText(metres), "166274.1516");
  assert.equal(distanceText(metres / 1000), "166.2742");
  assert.equal(distanceText(metres / 1609.34), "103.3182");
  assert.equal(distanceText(metres / 0.3048), "545518.8700");
  assert.equal(distance(palermo, palermo), 0);
});

test("distances along a meridian and between opposite points", () => {
  const south = { longitude: 20, latitude: -30 };
  assert.equal(distanceText(distance(south, { longitude: 20, latitude: 60 })), "10010367.0000");
  const half = distance({ longitude: 0, latitude: 0 }, { longitude: 180, latitude: 0 });
  assert.equal(distanceText(half), "20020734.0000");
});

test("four digits, rounded half to even", () => {
  const cases: readonly (readonly [number, string])[] = [
    [0, "0.0000"],
    [0.00004, "0.0000"],
    [0.00006, "0.0001"],
    [1 / 2 ** 5 + 1 / 2 ** 10, "0.0322"],
    [0.03125, "0.0312"],
    [0.09375, "0.0938"],
    [12345.67891, "12345.6789"],
    [Number.NaN, "-922337203685477.5808"],
  ];
  for (const [value, text] of cases) assert.equal(distanceText(value), text);
});

test("%f rounds ties to the even digit", () => {
  assert.equal(fixedText(2 ** -18, 17), "0.00000381469726562");
  assert.equal(fixedText(3 * 2 ** -18, 17), "0.00001144409179688");
  assert.equal(fixedText(-(2 ** -18), 17), "-0.00000381469726562");
  assert.equal(fixedText(0.0234375, 6), "0.023438");
  assert.equal(fixedText(1e300, 6), `${BigInt(1e300)}.000000`);
  assert.equal(fixedText(-Infinity, 6), "-inf");
});

test("coordinates have no zeros at their ends", () => {
  assert.equal(coordinateText(180), "180");
  assert.equal(coordinateText(-85.05112878), "-85.0511287799999991");
  assert.equal(coordinateText(0.5), "0.5");
  assert.equal(coordinateText(0), "0");
  fc.assert(
    fc.property(fc.double({ min: -180, max: 180, noNaN: true }), (value) => {
      assert.ok(Math.abs(Number(coordinateText(value)) - value) < 1e-17 + Math.abs(value) * 1e-16);
    }),
  );
});
