// What grows without end: one slot, all its keys in one table, or one collection. Printed step by
// step: how fast members go in, how long others wait meanwhile, and how much memory it takes.

import { textOf } from "@slotlog/test-e2e/harness/reply";
import { eventually } from "@slotlog/test-e2e/harness/server";
import { textTable } from "@slotlog/test-e2e/harness/text-table";
import type { BenchOptions } from "../bench.js";
import { type ContenderName, contenderNames, startContender } from "./contenders.js";
import { encoded, send } from "./fill.js";
import { describeMachine, residentBytes } from "./machine.js";
import { waitsDuring } from "./waits.js";

const defaultMembers = 20_000_000;
const steps = 10;
const warmingMembers = 50_000;
const value = "v".repeat(16);
/** Few at once, so that a wait is the table's doing and not the batch's before it. */
const batch = 100;

interface Kind {
  readonly words: (index: number) => readonly string[];
  readonly replyLines: number;
}

const kinds: Readonly<Record<string, Kind>> = {
  keys: { words: (index) => ["SET", `{g}${index}`, value], replyLines: 1 },
  hash: { words: (index) => ["HSET", "{g}hash", `f${index}`, value], replyLines: 1 },
  set: { words: (index) => ["SADD", "{g}set", `member:${index}`], replyLines: 1 },
  zset: { words: (index) => ["ZADD", "{g}zset", String(index), `m${index}`], replyLines: 1 },
  list: { words: () => ["RPUSH", "{g}list", value], replyLines: 1 },
  stream: { words: (index) => ["XADD", "{g}stream", `${index + 1}-0`, "f", value], replyLines: 2 },
};

interface Step {
  readonly name: string;
  readonly kind: string;
  readonly members: number;
  readonly perSecond: number;
  readonly longestMs: number;
  readonly longestOnCoreMs: number;
  readonly residentMb: number;
}

export async function growth(options: BenchOptions): Promise<void> {
  const members = options.keys ?? (options.quick ? defaultMembers / 10 : defaultMembers);
  const results: Step[] = [];
  for (const kind of options.tests) {
    const what = kinds[kind];
    if (what === undefined) throw new Error(`${kind} does not grow: ${Object.keys(kinds).join()}`);
    for (const name of contenderNames) {
      for await (const step of stepsOf({ name, kind, members, ...what }, options)) {
        results.push(step);
        if (!options.json) console.log(cells(step).join("  "));
      }
    }
  }
  if (options.json) {
    console.log(JSON.stringify({ machine: describeMachine(), results }));
    return;
  }
  console.log(`\n${describeMachine()}, one slot\n`);
  console.log(textTable([heading, ...results.map(cells)]));
}

interface Run extends Kind {
  readonly name: ContenderName;
  readonly kind: string;
  readonly members: number;
}

async function* stepsOf(run: Run, options: BenchOptions): AsyncGenerator<Step> {
  const { name, kind, members, words, replyLines } = run;
  const directives = ["--appendonly", "no", "--cluster-enabled", "yes"];
  await using server = await startContender(name, directives, options.heapMb);
  using client = await server.client();
  await client.call("CLUSTER", "ADDSLOTSRANGE", "0", "16383");
  await eventually("the cluster serves", async () => {
    const info = textOf(await client.call("CLUSTER", "INFO"));
    return info.includes("cluster_state:ok") ? undefined : info;
  });
  // What V8 compiles for the first requests is not growth.
  const warming = { port: server.port, from: 0, to: warmingMembers, replyLines, batch };
  await send({ ...warming, command: (index) => encoded(words(index)) });
  await client.call("FLUSHALL");
  for (let step = 0; step < steps; step++) {
    const from = (members / steps) * step;
    const to = (members / steps) * (step + 1);
    const command = (index: number): string => encoded(words(index));
    let tookMs = 0;
    // A key that is not there: what others wait for is the one that grows.
    const { pid, port } = server;
    const order = { pid, port, prefix: "{g}other", digits: 0, keys: 1 };
    const waits = await waitsDuring(order, async () => {
      const started = performance.now();
      await send({ port, from, to, command, replyLines, batch });
      tookMs = performance.now() - started;
    });
    yield {
      name,
      kind,
      members: to,
      perSecond: ((to - from) / tookMs) * 1000,
      longestMs: waits.longestMs,
      longestOnCoreMs: waits.longestOnCoreMs,
      residentMb: (residentBytes(server.pid) ?? Number.NaN) / 2 ** 20,
    };
  }
}

const heading = ["", "a second", "longest wait ms", "without run queues", "RSS MiB"];

function cells(step: Step): string[] {
  return [
    `${step.name}, ${step.kind}, ${step.members}`,
    step.perSecond.toFixed(0),
    step.longestMs.toFixed(1),
    step.longestOnCoreMs.toFixed(1),
    step.residentMb.toFixed(0),
  ];
}
