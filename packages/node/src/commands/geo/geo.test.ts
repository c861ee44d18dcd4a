import assert from "node:assert/strict";
import { test } from "node:test";
import { CommandHarness } from "../../testing/command-harness.js";

function sicily(): CommandHarness {
  const harness = new CommandHarness();
  harness.run("GEOADD", "g", "13.361389", "38.115556", "P", "15.087269", "37.502669", "C");
  return harness;
}

test("GEOADD is logged as ZADD of the scores", () => {
  const harness = sicily();
  assert.deepEqual(harness.records().at(-1), [
    "zadd",
    "g",
    "3479099956230698",
    "P",
    "3479447370796909",
    "C",
  ]);
  assert.equal(harness.text("GEOADD", "g", "NX", "1", "1", "P"), ":0\r\n");
  assert.deepEqual(harness.records(), []);
  assert.equal(
    harness.text("GEOADD", "g", "181", "86.5", "x"),
    "-ERR invalid longitude,latitude pair 181.000000,86.500000\r\n",
  );
});

test("positions, geohashes and distances", () => {
  const harness = sicily();
  assert.equal(
    harness.text("GEOPOS", "g", "P", "nobody"),
    "*2\r\n*2\r\n$20\r\n13.36138933897018433\r\n$20\r\n38.11555639549629859\r\n*-1\r\n",
  );
  assert.equal(harness.text("GEOHASH", "g", "P"), "*1\r\n$11\r\nsqc8b49rny0\r\n");
  assert.equal(harness.text("GEODIST", "g", "P", "C", "km"), "$8\r\n166.2742\r\n");
  assert.equal(harness.text("GEODIST", "g", "P", "nobody"), "$-1\r\n");
});

test("searches by circle and box, sorted, counted, with what is asked for", () => {
  const harness = sicily();
  const from = ["FROMLONLAT", "15", "37"];
  assert.equal(
    harness.text("GEOSEARCH", "g", ...from, "BYRADIUS", "200", "km", "ASC", "WITHDIST"),
    "*2\r\n*2\r\n$1\r\nC\r\n$7\r\n56.4413\r\n*2\r\n$1\r\nP\r\n$8\r\n190.4424\r\n",
  );
  assert.equal(
    harness.text("GEOSEARCH", "g", ...from, "BYBOX", "400", "400", "km", "DESC", "COUNT", "1"),
    "*1\r\n$1\r\nP\r\n",
  );
  assert.equal(harness.text("GEOSEARCH", "g", ...from, "BYRADIUS", "1", "km"), "*0\r\n");
  assert.equal(
    harness.text("GEOSEARCH", "g", "FROMMEMBER", "x", "BYRADIUS", "1", "km"),
    "-ERR could not decode requested zset member\r\n",
  );
});

test("results are stored, and nothing found deletes what was there", () => {
  const harness = sicily();
  const circle = ["FROMLONLAT", "15", "37", "BYRADIUS"];
  assert.equal(harness.text("GEOSEARCHSTORE", "d", "g", ...circle, "200", "km"), ":2\r\n");
  assert.equal(harness.text("ZSCORE", "d", "P"), "$16\r\n3479099956230698\r\n");
  assert.equal(harness.text("GEORADIUS", "g", "15", "37", "1", "km", "STORE", "d"), ":0\r\n");
  assert.equal(harness.text("EXISTS", "d"), ":0\r\n");
  assert.equal(
    harness.text("GEORADIUS_RO", "g", "15", "37", "1", "km", "STORE", "d"),
    "-ERR syntax error\r\n",
  );
});
