import assert from "node:assert/strict";
import { test } from "node:test";
import { LatencyMonitor } from "./latency-monitor.js";
import { latencyDoctor, latencyGraph } from "./latency-report.js";

function monitorOf(thresholdMs: number): LatencyMonitor {
  const monitor = new LatencyMonitor();
  monitor.thresholdMs = thresholdMs;
  return monitor;
}

test("only events at or above the threshold are kept, and none while it is off", () => {
  const off = monitorOf(0);
  off.add("command", 1e6, 1000);
  assert.deepEqual(off.latest(), []);
  const monitor = monitorOf(10);
  monitor.add("command", 9.99, 1000);
  monitor.add("command", 10, 1000);
  assert.deepEqual(monitor.history("command"), [{ unixSeconds: 1, ms: 10 }]);
});

test("of each second the worst stays, of all seconds the last 160", () => {
  const monitor = monitorOf(1);
  monitor.add("command", 5, 1000);
  monitor.add("command", 9, 1500);
  monitor.add("command", 7, 1999);
  assert.deepEqual(monitor.history("command"), [{ unixSeconds: 1, ms: 9 }]);
  for (let second = 2; second <= 200; second++)
    monitor.add("command", second % 7 || 1, second * 1000);
  assert.equal(monitor.history("command").length, 160);
  assert.equal(monitor.history("command")[0]?.unixSeconds, 41);
  assert.deepEqual(monitor.latest(), [{ event: "command", unixSeconds: 200, ms: 4, maxMs: 9 }]);
});

test("events are reset by name in any case, or all together", () => {
  const monitor = monitorOf(1);
  for (const event of ["command", "fast-command", "expire-cycle"]) monitor.add(event, 5, 1000);
  assert.equal(monitor.reset(["COMMAND", "nope"]), 1);
  assert.deepEqual(monitor.events, ["fast-command", "expire-cycle"]);
  assert.equal(monitor.reset([]), 2);
  assert.deepEqual(monitor.events, []);
});

test("the graph shows one column per sample with its age", () => {
  const monitor = monitorOf(1);
  for (const [second, ms] of [
    [0, 10],
    [40, 40],
    [95, 25],
  ] as const) {
    monitor.add("command", ms, second * 1000);
  }
  assert.equal(latencyGraph(monitor, "nope", 0), undefined);
  assert.deepEqual(latencyGraph(monitor, "command", 100_000)?.split("\n"), [
    "command - high 40 ms, low 10 ms (all time high 40 ms)",
    "-".repeat(80),
    " #",
    " #",
    " ##",
    "_##",
    "115",
    "mms",
    "",
  ]);
});

test("the doctor says whether the monitor is off, quiet, or what was slow", () => {
  assert.match(latencyDoctor(monitorOf(0), 0), /is off/);
  assert.match(latencyDoctor(monitorOf(5), 0), /No event took 5 ms/);
  const monitor = monitorOf(1);
  monitor.add("command", 10, 1000);
  monitor.add("command", 30, 5000);
  const report = latencyDoctor(monitor, 11_000);
  assert.match(
    report,
    /1\. command: 2 spikes, average 20 ms, mean deviation 10 ms, one each 5\.00 s, worst ever 30 ms/,
  );
  assert.match(report, /SLOWLOG GET/);
  assert.doesNotMatch(report, /maxmemory/);
});
