import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { LatencyHistogram } from "./latency-histogram.js";

function histogramOf(...microseconds: number[]): LatencyHistogram {
  const histogram = new LatencyHistogram();
  for (const each of microseconds) histogram.record(each / 1000);
  return histogram;
}

test("percentiles of single values are those that redis-server 7.2 prints", () => {
  // `latency_percentiles_usec_…` after one call of that many microseconds.
  const cases = [
    [13, 13055],
    [6, 6015],
    [4, 4015],
    [16, 16063],
    [62, 62207],
    [134, 134143],
    [20, 20095],
  ] as const;
  for (const [microseconds, nanoseconds] of cases) {
    assert.equal(histogramOf(microseconds).nanosecondsAt(50), nanoseconds);
  }
});

test("LATENCY HISTOGRAM's steps are those that redis-server 7.2 prints", () => {
  // One call of 201 to 262 microseconds there showed as 264.
  assert.deepEqual(histogramOf(230).cumulative(), [[264, 1]]);
  assert.deepEqual(histogramOf(0.2, 1, 3, 3, 500).cumulative(), [
    [1, 2],
    [4, 4],
    [528, 5],
  ]);
  assert.deepEqual(histogramOf().cumulative(), []);
});

test("what is too short or too long counts at the ends", () => {
  const histogram = histogramOf(0, -1, Number.NaN, 5e6);
  assert.equal(histogram.count, 4);
  assert.equal(histogram.nanosecondsAt(0), 1);
  assert.equal(histogram.nanosecondsAt(75), 1);
  assert.equal(histogram.nanosecondsAt(100), 1_002_438_655);
  assert.equal(histogram.cumulative().at(-1)?.[1], 4);
  histogram.reset();
  assert.equal(histogram.count, 0);
});

test("a percentile is at most 1% above a value that was recorded, and steps add up", () => {
  const nanoseconds = fc.integer({ min: 1, max: 1_000_000_000 });
  fc.assert(
    fc.property(fc.array(nanoseconds, { minLength: 1, maxLength: 50 }), (values) => {
      const histogram = new LatencyHistogram();
      for (const value of values) histogram.record(value / 1e6);
      const sorted = values.toSorted((a, b) => a - b);
      for (const percentile of [10, 50, 99, 100]) {
        const rank = Math.max(1, Math.floor((percentile / 100) * sorted.length + 0.5));
        const exact = sorted[rank - 1]!;
        const told = histogram.nanosecondsAt(percentile);
        // Milliseconds as a double may lose the last nanosecond.
        assert.ok(told >= exact - 1 && told <= exact * 1.01 + 1, `${told} for ${exact}`);
      }
      const steps = histogram.cumulative();
      assert.equal(steps.at(-1)?.[1], values.length);
      for (const [micros, calls] of steps) {
        const atMost = values.filter((value) => Math.floor(value / 1000) <= micros).length;
        assert.ok(calls <= atMost + 1 && calls >= 1);
      }
    }),
  );
});
