import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  geohashText,
  latitudes,
  longitudes,
  type Position,
  positionOf,
  scoreText,
} from "./geohash.js";

const palermo: Position = { longitude: 13.361389, latitude: 38.115556 };
const catania: Position = { longitude: 15.087269, latitude: 37.502669 };

const anywhere = fc.record({
  longitude: fc.double({ min: -180, max: 179.99999, noNaN: true }),
  latitude: fc.double({ min: latitudes.min, max: 85.05112, noNaN: true }),
});

test("scores and texts of known places", () => {
  assert.equal(scoreText(palermo), "3479099956230698");
  assert.equal(scoreText(catania), "3479447370796909");
  assert.equal(geohashText(3479099956230698), "sqc8b49rny0");
  assert.equal(geohashText(3479447370796909), "sqdtr74hyu0");
});

test("a score decodes to its place within half a cell", () => {
  fc.assert(
    fc.property(anywhere, (place) => {
      const { longitude, latitude } = positionOf(Number(scoreText(place)));
      assert.ok(Math.abs(longitude - place.longitude) <= 180 / 2 ** 26 + 1e-12);
      assert.ok(Math.abs(latitude - place.latitude) <= 85.06 / 2 ** 26 + 1e-12);
    }),
  );
});

test("a place's score stands for itself", () => {
  fc.assert(
    fc.property(anywhere, (place) => {
      const score = Number(scoreText(place));
      assert.equal(Number(scoreText(positionOf(score))), score);
    }),
  );
});

test("the eastern end takes more than 53 bits, and the corners are inside the map", () => {
  const corner = { longitude: longitudes.max, latitude: latitudes.max };
  assert.equal(scoreText(corner), "13510798882111488");
  assert.deepEqual(positionOf(Number(scoreText(corner))), corner);
  const other = { longitude: longitudes.min, latitude: latitudes.min };
  assert.equal(scoreText(other), "0");
});

test("scores that are no places decode to something on the map", () => {
  for (const score of [-1, 1.5, 2 ** 53, 1e18, 1e19, 1e25, -1e25, Infinity, -Infinity]) {
    const { longitude, latitude } = positionOf(score);
    assert.ok(longitude >= longitudes.min && longitude <= longitudes.max);
    assert.ok(latitude >= latitudes.min && latitude <= latitudes.max);
  }
});
