// redis-benchmark's other tests: one command of each type, beside redis-server, with and without an
// append-only file. Beside requests per second stands CPU time per operation, which a neighbour on
// the machine changes less.

import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { Server } from "@slotlog/test-e2e/harness/server";
import { textTable } from "@slotlog/test-e2e/harness/text-table";
import type { BenchOptions } from "../bench.js";
import { type ContenderName, contenderNames, startContender } from "./contenders.js";
import { cpuSeconds, describeMachine, median } from "./machine.js";
import { type Ratio, ratioOf, ratioText, takePairs } from "./pairs.js";

const clients = 50;
/** As redis-benchmark is run without `-r`: one key. */
const pipelines = [1, 16, 64] as const;

export const everyTest =
  "set,get,incr,lpush,rpush,lpop,rpop,sadd,hset,spop,zadd,zpopmin,lrange_100,lrange_600,mset,xadd";

/** Requests per round: CPU time comes in ticks of 10 ms, so a round has to take some dozens. */
const requests = { plain: 30_000, pipelined: 300_000 } as const;
/** Replies of hundreds of elements, and requests of ten keys. */
const costs: Readonly<Record<string, number>> = { lrange_100: 8, lrange_600: 30, mset: 4 };

/** Tests that redis-benchmark 7.0 does not have by name, as 7.2 has them. */
const spelledOut: Readonly<Record<string, readonly string[]>> = {
  xadd: ["XADD", "mystream", "*", "myfield", "xxx"],
};

/** What a test takes from is filled before it, by this one. */
const fillers: Readonly<Record<string, string>> = { lpop: "rpush", rpop: "lpush" };

const aofModes = {
  off: ["--appendonly", "no"],
  everysec: ["--appendonly", "yes", "--appendfsync", "everysec"],
} as const;

interface Measured {
  readonly perSecond: number;
  readonly cpuMicros: number;
}

interface Row {
  readonly kind: string;
  readonly measured: Readonly<Record<ContenderName, Measured>>;
  /** redis-server's CPU time per operation to slotlog's. */
  readonly cpuRatio: Ratio;
  /** slotlog's requests per second to redis-server's. */
  readonly ratio: Ratio;
}

export async function commands(options: BenchOptions): Promise<void> {
  const rows: Row[] = [];
  for (const [aof, directives] of Object.entries(aofModes)) {
    const starting = contenderNames.map((name) => startContender(name, directives, options.heapMb));
    const [redis, slotlog] = await Promise.all(starting);
    if (redis === undefined || slotlog === undefined) throw new Error("a server did not start");
    try {
      const servers = { "redis-server": redis, slotlog };
      for (const test of options.tests) {
        for (const pipeline of pipelines) {
          const row = await measureKind({ aof, test, pipeline, quick: options.quick }, servers);
          rows.push(row);
          if (!options.json) console.log(`${row.kind}: ${ratioText(row.ratio)}`);
        }
      }
    } finally {
      await Promise.all([redis, slotlog].map((server) => server[Symbol.asyncDispose]()));
    }
  }
  const worst = rows.reduce((least, row) => (row.ratio.middle < least.ratio.middle ? row : least));
  if (options.json) {
    console.log(JSON.stringify({ machine: describeMachine(), rows, worst: worst.kind }));
    return;
  }
  console.log(`\n${describeMachine()}, ${clients} clients, medians of pairs\n`);
  console.log(textTable([heading, ...rows.map(cells)]));
  console.log(`\nworst: ${worst.kind}, ${ratioText(worst.ratio)} of redis-server`);
}

interface Kind {
  readonly aof: string;
  readonly test: string;
  readonly pipeline: number;
  readonly quick: boolean;
}

async function measureKind(
  kind: Kind,
  servers: Readonly<Record<ContenderName, Server>>,
): Promise<Row> {
  const { taken, ratio } = await takePairs(
    (name) => measureOnce(kind, servers[name]),
    ({ perSecond }) => perSecond,
  );
  const measured = {
    "redis-server": middle(taken["redis-server"]),
    slotlog: middle(taken.slotlog),
  };
  const { "redis-server": redis, slotlog } = taken;
  return {
    kind: `${kind.test.toUpperCase()} pipeline ${kind.pipeline}, aof ${kind.aof}`,
    measured,
    cpuRatio: ratioOf(micros(redis), micros(slotlog)),
    ratio,
  };
}

async function measureOnce(kind: Kind, server: Server): Promise<Measured> {
  const { test, pipeline, quick } = kind;
  const all = pipeline === 1 ? requests.plain : requests.pipelined;
  const count = Math.ceil(all / (costs[test] ?? 1) / (quick ? 5 : 1));
  // Every round meets the same data, and a list that only grows would fill the memory.
  using client = await server.client();
  await client.call("FLUSHALL");
  const filler = fillers[test];
  if (filler !== undefined) await benchmark(server, { test: filler, pipeline: 64, count });
  const before = cpuSeconds(server.pid) ?? Number.NaN;
  const perSecond = await benchmark(server, { test, pipeline, count });
  const used = (cpuSeconds(server.pid) ?? Number.NaN) - before;
  return { perSecond, cpuMicros: (used / count) * 1e6 };
}

async function benchmark(
  { port }: Server,
  run: { readonly test: string; readonly pipeline: number; readonly count: number },
): Promise<number> {
  const options = `-p ${port} -c ${clients} -P ${run.pipeline} -n ${run.count} --csv`.split(" ");
  const test = spelledOut[run.test] ?? ["-t", run.test];
  const { stdout } = await promisify(execFile)("redis-benchmark", [...options, ...test]);
  // LRANGE first fills its list, with a line of its own.
  const line = stdout.trim().split("\n").at(-1) ?? "";
  return Number(line.replaceAll('"', "").split(",").at(-7));
}

function micros(all: readonly Measured[]): number[] {
  return all.map(({ cpuMicros }) => cpuMicros);
}

function middle(all: readonly Measured[]): Measured {
  return {
    perSecond: median(all.map((each) => each.perSecond)),
    cpuMicros: median(all.map((each) => each.cpuMicros)),
  };
}

const heading = ["", "redis/s", "slotlog/s", "ratio", "CPU us/op", "CPU us/op", "CPU ratio"];

function cells({ kind, measured, ratio, cpuRatio }: Row): string[] {
  const { "redis-server": redis, slotlog } = measured;
  return [
    kind,
    redis.perSecond.toFixed(0),
    slotlog.perSecond.toFixed(0),
    ratioText(ratio),
    redis.cpuMicros.toFixed(2),
    slotlog.cpuMicros.toFixed(2),
    cpuRatio.middle.toFixed(2),
  ];
}
