// How long one waits at worst, with many keys in memory and others writing and reading: p99.9 and
// the longest wait of a client that asks once a millisecond. The longest pause of a server's loop
// is at least as long as the longest wait.

import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { textTable } from "@slotlog/test-e2e/harness/text-table";
import type { BenchOptions } from "../bench.js";
import { contenderNames, startContender } from "./contenders.js";
import { fill } from "./fill.js";
import { describeMachine } from "./machine.js";
import { type Waits, waitsDuring } from "./waits.js";

const defaultKeys = 5_000_000;
const valueBytes = 32;

export async function latency(options: BenchOptions): Promise<void> {
  const keys = options.keys ?? (options.quick ? defaultKeys / 10 : defaultKeys);
  const requests = options.quick ? 300_000 : 3_000_000;
  const results: { name: string; waits: Waits }[] = [];
  for (const name of contenderNames) {
    await using server = await startContender(name, ["--appendonly", "no"], options.heapMb);
    const { pid, port } = server;
    // As redis-benchmark names its keys, so that both work on the same ones.
    const key = (index: number): string => `key:${String(index).padStart(12, "0")}`;
    await fill({ port, from: 0, to: keys, key, value: "v".repeat(valueBytes) });
    const waits = await waitsDuring({ pid, port, prefix: "key:", digits: 12, keys }, async () => {
      const load = `-p ${port} -c 20 -P 4 -n ${requests} -r ${keys} -d ${valueBytes} -t set,get -q`;
      await promisify(execFile)("redis-benchmark", load.split(" "));
    });
    results.push({ name, waits });
  }
  if (options.json) {
    console.log(JSON.stringify({ machine: describeMachine(), keys, results }));
    return;
  }
  console.log(`${describeMachine()}, ${keys} keys\n`);
  const rows = results.map(({ name, waits }) => [
    name,
    waits.p50Ms.toFixed(2),
    waits.p999Ms.toFixed(2),
    waits.longestMs.toFixed(2),
    waits.longestOnCoreMs.toFixed(2),
  ]);
  console.log(textTable([["", "p50 ms", "p99.9 ms", "longest ms", "without run queues"], ...rows]));
}
