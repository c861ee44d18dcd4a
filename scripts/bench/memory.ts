// Memory per key: how much the resident size of a server grows by a million keys.

import { setTimeout as delay } from "node:timers/promises";
import type { BenchOptions } from "../bench.js";
import { contenderNames, startContender } from "./contenders.js";
import { fill } from "./fill.js";
import { describeMachine, residentBytes, textTable } from "./machine.js";

const defaultKeys = 1_000_000;
/** A collector that is behind has this long to catch up before memory is read. */
const settleMs = 2_000;

export async function memory(options: BenchOptions): Promise<void> {
  const keys = options.keys ?? (options.quick ? defaultKeys / 10 : defaultKeys);
  const results: { name: string; valueBytes: number; bytesPerKey: number }[] = [];
  for (const valueBytes of [16, 32]) {
    for (const name of contenderNames) {
      await using server = await startContender(name, ["--appendonly", "no"], options.heapMb);
      const before = residentBytes(server.pid) ?? Number.NaN;
      const key = (index: number): string => `key:${String(index).padStart(12, "0")}`;
      await fill({ port: server.port, from: 0, to: keys, key, valueBytes });
      await delay(settleMs);
      const after = residentBytes(server.pid) ?? Number.NaN;
      results.push({ name, valueBytes, bytesPerKey: (after - before) / keys });
    }
  }
  if (options.json) {
    console.log(JSON.stringify({ machine: describeMachine(), keys, results }));
    return;
  }
  console.log(`${describeMachine()}, ${keys} keys of 16 bytes\n`);
  const rows = results.map(({ name, valueBytes, bytesPerKey }) => [
    `${name}, values of ${valueBytes} bytes`,
    bytesPerKey.toFixed(0),
  ]);
  console.log(textTable([["", "bytes per key"], ...rows]));
}
