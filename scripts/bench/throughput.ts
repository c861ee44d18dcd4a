// Requests per second as redis-benchmark counts them: with its one key, and with a million keys
// that are there already. Both servers run all the time and are measured in turn.

import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { Server } from "@slotlog/test-e2e/harness/server";
import { textTable } from "@slotlog/test-e2e/harness/text-table";
import type { BenchOptions } from "../bench.js";
import { type ContenderName, contenderNames, startContender } from "./contenders.js";
import { fill } from "./fill.js";
import { cpuSeconds, describeMachine, median } from "./machine.js";
import { type Ratio, ratioText, takePairs } from "./pairs.js";

const allTests = ["set", "get", "incr"];
const clients = 50;
/** One key, as redis-benchmark has it, and more keys than fit into a CPU's caches. */
const keyRanges = [1, 1_000_000] as const;

/** Enough requests for about a second, at what a plain server does on one core. */
const pipelines = [
  { pipeline: 1, requests: 30_000 },
  { pipeline: 16, requests: 240_000 },
  { pipeline: 64, requests: 480_000 },
] as const;

const aofModes = {
  off: ["--appendonly", "no"],
  everysec: ["--appendonly", "yes", "--appendfsync", "everysec"],
} as const;

interface Measured {
  readonly perSecond: number;
  readonly p99Ms: number;
  readonly cpuMicrosPerOperation: number;
}

export interface Row {
  readonly kind: string;
  readonly aof: string;
  readonly test: string;
  readonly keys: number;
  readonly pipeline: number;
  readonly measured: Readonly<Record<ContenderName, Measured>>;
  /** slotlog's requests per second to redis-server's. */
  readonly ratio: Ratio;
}

export async function throughput(options: BenchOptions): Promise<void> {
  const rows: Row[] = [];
  for (const [aof, directives] of Object.entries(aofModes)) {
    const starting = contenderNames.map((name) => startContender(name, directives, options.heapMb));
    const [redis, ours] = await Promise.all(starting);
    if (redis === undefined || ours === undefined) throw new Error("a server did not start");
    try {
      const servers = { "redis-server": redis, slotlog: ours };
      for (const keys of keyRanges) {
        if (keys > 1) await Promise.all([redis, ours].map(({ port }) => fillKeys(port, keys)));
        for (const test of options.tests.length > 0 ? options.tests : allTests) {
          for (const { pipeline, requests } of pipelines) {
            const count = options.quick ? requests / 10 : requests;
            const row = await measureKind({ aof, test, keys, pipeline, requests: count }, servers);
            rows.push(row);
            if (!options.json) console.log(`${row.kind}: ${ratioText(row.ratio)}`);
          }
        }
      }
    } finally {
      await Promise.all([redis, ours].map((server) => server[Symbol.asyncDispose]()));
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

/** All keys that redis-benchmark may draw, of its names and with its values. */
async function fillKeys(port: number, keys: number): Promise<void> {
  const name = (index: number): string => String(index).padStart(12, "0");
  const all = { port, from: 0, to: keys };
  await fill({ ...all, key: (index) => `key:${name(index)}`, value: "xxx" });
  await fill({ ...all, key: (index) => `counter:${name(index)}`, value: "1" });
}

export interface Kind {
  readonly aof: string;
  readonly test: string;
  readonly keys: number;
  readonly pipeline: number;
  readonly requests: number;
}

export async function measureKind(
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
  const { aof, test, keys, pipeline } = kind;
  const range = keys === 1 ? "1 key" : `${keys / 1e6}M keys`;
  return {
    kind: `${test.toUpperCase()} pipeline ${pipeline}, ${range}, aof ${aof}`,
    aof,
    test,
    keys,
    pipeline,
    measured,
    ratio,
  };
}

async function measureOnce(kind: Kind, server: Server): Promise<Measured> {
  const { test, keys, pipeline, requests } = kind;
  const before = cpuSeconds(server.pid);
  const options =
    `-p ${server.port} -c ${clients} -P ${pipeline} -n ${requests} ` +
    `${keys === 1 ? "" : `-r ${keys} `}-t ${test} --csv`;
  const { stdout } = await promisify(execFile)("redis-benchmark", options.split(" "));
  const after = cpuSeconds(server.pid);
  const line = stdout.trim().split("\n").at(-1) ?? "";
  const fields = line.split(",").map((field) => field.replaceAll('"', ""));
  const used = before === undefined || after === undefined ? Number.NaN : after - before;
  return {
    perSecond: Number(fields[1]),
    p99Ms: Number(fields[6]),
    cpuMicrosPerOperation: (used / requests) * 1e6,
  };
}

function middle(all: readonly Measured[]): Measured {
  return {
    perSecond: median(all.map((each) => each.perSecond)),
    p99Ms: median(all.map((each) => each.p99Ms)),
    cpuMicrosPerOperation: median(all.map((each) => each.cpuMicrosPerOperation)),
  };
}

export const heading = [
  "",
  "redis/s",
  "slotlog/s",
  "ratio",
  "p99 ms",
  "p99 ms",
  "CPU us/op",
  "CPU us/op",
];

export function cells({ kind, measured, ratio }: Row): string[] {
  const { "redis-server": redis, slotlog } = measured;
  return [
    kind,
    redis.perSecond.toFixed(0),
    slotlog.perSecond.toFixed(0),
    ratioText(ratio),
    redis.p99Ms.toFixed(2),
    slotlog.p99Ms.toFixed(2),
    redis.cpuMicrosPerOperation.toFixed(2),
    slotlog.cpuMicrosPerOperation.toFixed(2),
  ];
}
