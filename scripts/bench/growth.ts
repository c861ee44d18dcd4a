// One hash tag that grows without end: all keys in one table, which is where growing shows. Printed
// step by step: how fast keys go in, how long others wait meanwhile, and how much memory it takes.

import { textOf } from "@slotlog/test-e2e/harness/reply";
import { eventually } from "@slotlog/test-e2e/harness/server";
import { textTable } from "@slotlog/test-e2e/harness/text-table";
import type { BenchOptions } from "../bench.js";
import { contenderNames, startContender } from "./contenders.js";
import { fill } from "./fill.js";
import { describeMachine, residentBytes } from "./machine.js";
import { waitsDuring } from "./waits.js";

const defaultKeys = 20_000_000;
const steps = 10;
const valueBytes = 16;
/** Few at once, so that a wait is the table's doing and not the batch's before it. */
const batchKeys = 100;

interface Step {
  readonly name: string;
  readonly keys: number;
  readonly perSecond: number;
  readonly longestMs: number;
  readonly residentMb: number;
}

export async function growth(options: BenchOptions): Promise<void> {
  const keys = options.keys ?? (options.quick ? defaultKeys / 10 : defaultKeys);
  const results: Step[] = [];
  for (const name of contenderNames) {
    const directives = ["--appendonly", "no", "--cluster-enabled", "yes"];
    await using server = await startContender(name, directives, options.heapMb);
    using client = await server.client();
    await client.call("CLUSTER", "ADDSLOTSRANGE", "0", "16383");
    await eventually("the cluster serves", async () => {
      const info = textOf(await client.call("CLUSTER", "INFO"));
      return info.includes("cluster_state:ok") ? undefined : info;
    });
    for (let step = 0; step < steps; step++) {
      const from = (keys / steps) * step;
      const to = (keys / steps) * (step + 1);
      const key = (index: number): string => `{g}${index}`;
      let tookMs = 0;
      const order = { port: server.port, prefix: "{g}", digits: 0, keys: 1 };
      const waits = await waitsDuring(order, async () => {
        const started = performance.now();
        const value = "v".repeat(valueBytes);
        await fill({ port: server.port, from, to, key, value, batchKeys });
        tookMs = performance.now() - started;
      });
      results.push({
        name,
        keys: to,
        perSecond: ((to - from) / tookMs) * 1000,
        longestMs: waits.longestMs,
        residentMb: (residentBytes(server.pid) ?? Number.NaN) / 2 ** 20,
      });
    }
  }
  if (options.json) {
    console.log(JSON.stringify({ machine: describeMachine(), results }));
    return;
  }
  console.log(`${describeMachine()}, one slot\n`);
  const rows = results.map((step) => [
    `${step.name}, ${step.keys} keys`,
    step.perSecond.toFixed(0),
    step.longestMs.toFixed(1),
    step.residentMb.toFixed(0),
  ]);
  console.log(textTable([["", "keys/s", "longest wait ms", "RSS MiB"], ...rows]));
}
