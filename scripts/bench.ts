// `npm run bench`: slotlog beside the `redis-server` of this machine, in one run. What is measured
// is in `bench/`; here is only which part was asked for.

import { parseArgs } from "node:util";
import { aof } from "./bench/aof.js";
import { collections } from "./bench/collections.js";
import { commands, everyTest } from "./bench/commands.js";
import { embedding } from "./bench/embedding.js";
import { failover } from "./bench/failover.js";
import { growth } from "./bench/growth.js";
import { latency } from "./bench/latency.js";
import { memory } from "./bench/memory.js";
import { replication } from "./bench/replication.js";
import { router } from "./bench/router.js";
import { throughput } from "./bench/throughput.js";

const help = `npm run bench [-- PART] [options]

  throughput   requests per second, p99 and CPU per operation (without a name)
  commands     redis-benchmark's tests of every type, CPU per operation
  latency      p99.9 and the longest pause, with many keys (--keys 5000000)
  memory       bytes per key (--keys 1000000)
  collections  memory of small hashes, sets, lists and sorted sets (--keys 1000000)
  growth       one slot that grows (--keys 20000000); --tests hash,set,zset,list,stream: one
               collection that grows
  router       the router beside nutcracker (NUTCRACKER names it) and beside one node directly
  aof          the append-only file: writes, reads beside them, replay, rewrite (--keys 2000000);
               --tests writes,reads,replay,rewrite names some of them
  replication  a full synchronisation, what clients notice of it, and throughput with a replica
  embedding    six nodes for a test suite: until they serve, and their memory
  failover     from kill -9 of a primary to the first write that its replica takes; ten rounds

  --quick      a tenth of the requests or keys
  --keys N     how many keys
  --tests L    throughput (set,get,incr), commands (all): redis-benchmark's tests
  --heap-mb N  slotlog's heap limit (8192)
  --json       one JSON object instead of tables`;

export interface BenchOptions {
  readonly quick: boolean;
  readonly json: boolean;
  readonly keys: number | undefined;
  /** Which of redis-benchmark's tests; each part has its own usual ones. */
  readonly tests: readonly string[];
  readonly heapMb: number;
}

const parts = {
  throughput,
  commands,
  latency,
  memory,
  collections,
  growth,
  aof,
  embedding,
  failover,
  replication,
  router,
} as const;

/** Of `--tests`, where not the usual three are meant. */
const usualTests: Readonly<Record<string, string>> = {
  commands: everyTest,
  growth: "keys",
  aof: "writes,reads,replay,rewrite",
};

function isPart(name: string): name is keyof typeof parts {
  return name in parts;
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      quick: { type: "boolean", default: false },
      json: { type: "boolean", default: false },
      keys: { type: "string" },
      tests: { type: "string" },
      "heap-mb": { type: "string", default: "8192" },
      help: { type: "boolean", default: false },
    },
  });
  const [name = "throughput"] = positionals;
  if (values.help || !isPart(name)) {
    console.error(help);
    return values.help ? 0 : 2;
  }
  await parts[name]({
    quick: values.quick,
    json: values.json,
    keys: values.keys === undefined ? undefined : Number(values.keys),
    tests: (values.tests ?? usualTests[name] ?? "set,get,incr").split(","),
    heapMb: Number(values["heap-mb"]),
  });
  return 0;
}

process.exitCode = await main();
