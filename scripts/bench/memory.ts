// Resident memory of a server with a million keys, and how much of it each key added.

import { setTimeout as delay } from "node:timers/promises";
import { textTable } from "@slotlog/test-e2e/harness/text-table";
import type { BenchOptions } from "../bench.js";
import { contenderNames, startContender } from "./contenders.js";
import { fill } from "./fill.js";
import { describeMachine, residentBytes } from "./machine.js";

const defaultKeys = 1_000_000;
/** A collector that is behind catches up within seconds of quiet: the size counts that stays. */
const quietMs = 5_000;
const settleMsMax = 30_000;

interface Result {
  readonly name: string;
  readonly valueBytes: number;
  readonly residentMb: number;
  /** The most that was seen while the data came in and settled. */
  readonly peakMb: number;
  readonly bytesPerKey: number;
}

/** Waits until the resident size has not shrunk for a while. */
export async function settled(pid: number): Promise<{ resident: number; peak: number }> {
  let resident = residentBytes(pid) ?? Number.NaN;
  let peak = resident;
  let quietSince = performance.now();
  const deadline = performance.now() + settleMsMax;
  while (performance.now() < deadline && performance.now() - quietSince < quietMs) {
    await delay(500);
    const now = residentBytes(pid) ?? Number.NaN;
    peak = Math.max(peak, now);
    if (now < resident * 0.99) quietSince = performance.now();
    resident = now;
  }
  return { resident, peak };
}

export async function memory(options: BenchOptions): Promise<void> {
  const keys = options.keys ?? (options.quick ? defaultKeys / 10 : defaultKeys);
  const results: Result[] = [];
  for (const valueBytes of [16, 32]) {
    for (const name of contenderNames) {
      await using server = await startContender(name, ["--appendonly", "no"], options.heapMb);
      const before = residentBytes(server.pid) ?? Number.NaN;
      const key = (index: number): string => `key:${String(index).padStart(12, "0")}`;
      await fill({ port: server.port, from: 0, to: keys, key, value: "v".repeat(valueBytes) });
      const { resident, peak } = await settled(server.pid);
      const bytesPerKey = (resident - before) / keys;
      const megabytes = { residentMb: resident / 1e6, peakMb: peak / 1e6 };
      results.push({ name, valueBytes, ...megabytes, bytesPerKey });
    }
  }
  if (options.json) {
    console.log(JSON.stringify({ machine: describeMachine(), keys, results }));
    return;
  }
  console.log(`${describeMachine()}, ${keys} keys of 16 bytes\n`);
  const rows = results.map((result) => {
    const base = results.find((other) => other.valueBytes === result.valueBytes);
    return [
      `${result.name}, values of ${result.valueBytes} bytes`,
      result.residentMb.toFixed(0),
      result.peakMb.toFixed(0),
      (result.residentMb / (base?.residentMb ?? Number.NaN)).toFixed(2),
      result.bytesPerKey.toFixed(0),
    ];
  });
  console.log(textTable([["", "resident MB", "peak MB", "ratio", "bytes per key"], ...rows]));
}
