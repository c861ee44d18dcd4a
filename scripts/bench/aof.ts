// The append-only file beside redis-server's, in one run: writes that wait for the disk, reads
// beside them, the replay at the start, and a rewrite under load.

import { spawn } from "node:child_process";
import { mkdirSync, openSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { RawClient } from "@slotlog/test-e2e/harness/raw-client";
import { textOf } from "@slotlog/test-e2e/harness/reply";
import { removeDirectory, type Server, temporaryDirectory } from "@slotlog/test-e2e/harness/server";
import { textTable } from "@slotlog/test-e2e/harness/text-table";
import type { BenchOptions } from "../bench.js";
import { type ContenderName, contenderNames, startContender } from "./contenders.js";
import { fill } from "./fill.js";
import { describeMachine, residentBytes } from "./machine.js";
import { cells, heading, measureKind, type Row } from "./throughput.js";
import { type Waits, waitsDuring } from "./waits.js";

const defaultKeys = 2_000_000;
const valueBytes = 32;
const quietSeconds = 5;

const nameOf = (index: number): string => `key:${String(index).padStart(12, "0")}`;

type Results = Record<string, unknown>;

const parts: Readonly<Record<string, (options: BenchOptions) => Promise<Results>>> = {
  writes,
  reads,
  replay,
  rewrite,
};

export async function aof(options: BenchOptions): Promise<void> {
  if (!options.json) console.log(`${describeMachine()}\n`);
  const results: Results = { machine: describeMachine() };
  for (const name of options.tests.length > 0 ? options.tests : Object.keys(parts)) {
    const part = parts[name];
    if (part === undefined) throw new Error(`bench aof has no part '${name}'`);
    results[name] = await part(options);
  }
  if (options.json) console.log(JSON.stringify(results));
}

function both(options: BenchOptions, policy: string): Promise<Server[]> {
  const directives = ["--appendonly", "yes", "--appendfsync", policy];
  // What grows here is rewritten when that is measured, and not meanwhile.
  directives.push("--auto-aof-rewrite-percentage", "0");
  return Promise.all(
    contenderNames.map((name) => startContender(name, directives, options.heapMb)),
  );
}

async function stop(servers: readonly Server[]): Promise<void> {
  await Promise.all(servers.map((server) => server[Symbol.asyncDispose]()));
}

async function writes(options: BenchOptions): Promise<Results> {
  const rows: Row[] = [];
  for (const aof of ["everysec", "always"]) {
    const [redis, slotlog] = await both(options, aof);
    if (redis === undefined || slotlog === undefined) throw new Error("a server did not start");
    try {
      for (const pipeline of [1, 16]) {
        const perSecond = aof === "always" ? 20_000 : 60_000;
        const requests = (perSecond * (pipeline === 1 ? 1 : 6)) / (options.quick ? 10 : 1);
        const kind = { aof, test: "set", keys: 1_000_000, pipeline, requests };
        rows.push(await measureKind(kind, { "redis-server": redis, slotlog }));
      }
    } finally {
      await stop([redis, slotlog]);
    }
  }
  if (!options.json) console.log(`${textTable([heading, ...rows.map(cells)])}\n`);
  return { rows };
}

/** How long reads take while others write under `always`. */
async function reads(options: BenchOptions): Promise<Results> {
  const keys = 100_000;
  const results: Record<string, Waits> = {};
  for (const name of contenderNames) {
    const directives = ["--appendonly", "yes", "--appendfsync", "always"];
    await using server = await startContender(name, directives, options.heapMb);
    const { pid, port } = server;
    await fill({ port, from: 0, to: keys, key: nameOf, value: "v".repeat(valueBytes) });
    results[name] = await waitsDuring({ pid, port, prefix: "key:", digits: 12, keys }, () =>
      underLoad({ port, clients: 50, pipeline: 1, keys }, () =>
        delay(1000 * (options.quick ? 2 : 8)),
      ),
    );
  }
  const rows = Object.entries(results).map(([name, waits]) => [name, ...waitCells(waits)]);
  if (!options.json) {
    const title = "GET while 50 write, always";
    console.log(`${textTable([[title, "p50 ms", "p99 ms", "longest ms"], ...rows])}\n`);
  }
  return results;
}

function waitCells({ p50Ms, p99Ms, longestMs }: Waits): string[] {
  return [p50Ms, p99Ms, longestMs].map((value) => value.toFixed(2));
}

interface Load {
  readonly port: number;
  readonly clients: number;
  readonly pipeline: number;
  readonly keys: number;
}

/** Writes go on while `work` runs. */
async function underLoad(load: Load, work: () => Promise<void>): Promise<void> {
  const { port, clients, pipeline, keys } = load;
  const options =
    `-p ${port} -c ${clients} -P ${pipeline} -n 1000000000 -r ${keys} -d ${valueBytes} ` +
    "-t set -q";
  const child = spawn("redis-benchmark", options.split(" "), { stdio: "ignore" });
  const ended = new Promise((resolve) => child.once("close", resolve));
  try {
    await work();
  } finally {
    child.kill("SIGKILL");
    await ended;
  }
}

/** Seconds that each needs to load the same directory: an increment, and then an RDB base. */
async function replay(options: BenchOptions): Promise<Results> {
  const keys = options.keys ?? (options.quick ? defaultKeys / 10 : defaultKeys);
  const directory = temporaryDirectory();
  try {
    writeIncrement(directory, keys);
    const increment = await loadSeconds(directory, options.heapMb);
    await makeBase(directory, options.heapMb);
    const base = await loadSeconds(directory, options.heapMb);
    if (!options.json) {
      const row = (title: string, seconds: Record<ContenderName, number>): string[] => {
        const { "redis-server": redis, slotlog } = seconds;
        const rate = (each: number): string => (keys / 1e6 / each).toFixed(2);
        return [title, rate(redis), rate(slotlog), (redis / slotlog).toFixed(2)];
      };
      const table = [row(`${keys} SETs`, increment), row("the same as RDB base", base)];
      console.log(`${textTable([["", "redis M/s", "slotlog M/s", "ratio"], ...table])}\n`);
    }
    return { keys, increment, base };
  } finally {
    removeDirectory(directory);
  }
}

function writeIncrement(directory: string, keys: number): void {
  const folder = join(directory, "appendonlydir");
  mkdirSync(folder);
  const name = "appendonly.aof.1.incr.aof";
  writeFileSync(join(folder, "appendonly.aof.manifest"), `file ${name} seq 1 type i\n`);
  const file = openSync(join(folder, name), "w");
  const value = "v".repeat(valueBytes);
  writeSync(file, "*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n");
  for (let from = 0; from < keys; from += 10_000) {
    let text = "";
    for (let index = from; index < Math.min(keys, from + 10_000); index += 1) {
      text += `*3\r\n$3\r\nSET\r\n$16\r\n${nameOf(index)}\r\n$${valueBytes}\r\n${value}\r\n`;
    }
    writeSync(file, text);
  }
}

const appendOnly = ["--appendonly", "yes", "--auto-aof-rewrite-percentage", "0"];

/** The best of two, so that both find the file in the page cache. */
async function loadSeconds(
  directory: string,
  heapMb: number,
): Promise<Record<ContenderName, number>> {
  const best = {
    "redis-server": Number.POSITIVE_INFINITY,
    slotlog: Number.POSITIVE_INFINITY,
  };
  for (let round = 0; round < 2; round += 1) {
    for (const name of contenderNames) {
      await using server = await startContender(name, appendOnly, heapMb, directory);
      const times = [...server.log.matchAll(/DB loaded from (?:incr|base) file .*: ([\d.]+) sec/g)];
      const seconds = times.reduce((sum, [, text]) => sum + Number(text), 0);
      best[name] = Math.min(best[name], seconds);
    }
  }
  return best;
}

async function makeBase(directory: string, heapMb: number): Promise<void> {
  await using server = await startContender("redis-server", appendOnly, heapMb, directory);
  using client = await server.client();
  await rewriteToItsEnd(client);
}

async function rewriteToItsEnd(client: RawClient): Promise<void> {
  await client.call("BGREWRITEAOF");
  for (;;) {
    await delay(50);
    const info = textOf(await client.call("INFO", "persistence"));
    if (/aof_rewrite_(in_progress|scheduled):1/.test(info)) continue;
    if (!info.includes("aof_last_bgrewrite_status:ok")) throw new Error("the rewrite failed");
    return;
  }
}

interface Rewritten {
  readonly seconds: number;
  readonly longestWithoutMs: number;
  readonly longestMs: number;
  /** What the rewrite adds to the longest wait. */
  readonly stallMs: number;
  /** Memory that it takes beside the data set, to the size of that. */
  readonly extraMemory: number;
}

async function rewrite(options: BenchOptions): Promise<Results> {
  const keys = options.keys ?? (options.quick ? defaultKeys / 10 : defaultKeys);
  const results: Record<string, Rewritten> = {};
  for (const name of contenderNames) {
    await using server = await startContender(name, appendOnly, options.heapMb);
    const { port } = server;
    const empty = residentBytes(server.pid) ?? Number.NaN;
    await fill({ port, from: 0, to: keys, key: nameOf, value: "v".repeat(valueBytes) });
    // Collectors and page caches come to rest.
    await delay(3000);
    results[name] = await rewriteUnderLoad(server, { keys, empty });
  }
  const rows = Object.entries(results).map(([name, result]) => [
    name,
    result.seconds.toFixed(1),
    result.longestWithoutMs.toFixed(1),
    result.longestMs.toFixed(1),
    result.stallMs.toFixed(1),
    `${(100 * result.extraMemory).toFixed(0)}%`,
  ]);
  if (!options.json) {
    const title = `BGREWRITEAOF of ${keys} keys under writes`;
    const columns = ["seconds", "longest ms before", "during", "stall ms", "extra memory"];
    console.log(`${textTable([[title, ...columns], ...rows])}\n`);
  }
  return results;
}

async function rewriteUnderLoad(
  server: Server,
  { keys, empty }: { readonly keys: number; readonly empty: number },
): Promise<Rewritten> {
  const { pid, port } = server;
  const order = { pid, port, prefix: "key:", digits: 12, keys };
  using client = await RawClient.connect(port);
  let without: Waits | undefined;
  let during: Waits | undefined;
  let seconds = 0;
  let residentBefore = 0;
  let peak = 0;
  await underLoad({ port, clients: 20, pipeline: 1, keys }, async () => {
    await delay(2000);
    without = await waitsDuring(order, () => delay(1000 * quietSeconds));
    residentBefore = residentBytes(pid) ?? Number.NaN;
    const sampling = setInterval(() => {
      peak = Math.max(peak, residentBytes(pid) ?? Number.NaN);
    }, 20);
    during = await waitsDuring(order, async () => {
      const began = performance.now();
      await rewriteToItsEnd(client);
      seconds = (performance.now() - began) / 1000;
    });
    clearInterval(sampling);
  });
  if (without === undefined || during === undefined) throw new Error("nothing was measured");
  const info = textOf(await client.call("INFO", "persistence"));
  // A child's own pages are no part of its parent's.
  const copied = Number(/aof_last_cow_size:(\d+)/.exec(info)?.[1] ?? 0);
  const grown = Math.max(0, peak - residentBefore);
  return {
    seconds,
    longestWithoutMs: without.longestMs,
    longestMs: during.longestMs,
    stallMs: Math.max(0, during.longestMs - without.longestMs),
    extraMemory: (grown + copied) / (residentBefore - empty),
  };
}
