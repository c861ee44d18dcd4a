// A primary with a replica of its own kind, beside redis-server with one: how fast a data set is
// synchronised in full and how long clients of the primary wait meanwhile, and what a replica takes
// off a primary's throughput.

import { textOf } from "@slotlog/test-e2e/harness/reply";
import { eventually, type Server } from "@slotlog/test-e2e/harness/server";
import { textTable } from "@slotlog/test-e2e/harness/text-table";
import type { BenchOptions } from "../bench.js";
import { type ContenderName, contenderNames, startContender } from "./contenders.js";
import { fill } from "./fill.js";
import { describeMachine } from "./machine.js";
import { ratioText } from "./pairs.js";
import { measureKind } from "./throughput.js";
import { waitsDuring } from "./waits.js";

/** A gigabyte of values. */
const defaultKeys = 10_000_000;
const value = "v".repeat(100);
const digits = 12;
const catchUpTimeoutMs = 120_000;

interface Synchronisation {
  readonly name: ContenderName;
  readonly seconds: number;
  readonly keysPerSecond: number;
  readonly longestWaitMs: number;
  readonly longestOnCoreMs: number;
  /** The same wait while nothing is synchronised. */
  readonly longestAnyhowMs: number;
}

const directives = ["--appendonly", "no", "--repl-diskless-sync-delay", "0"];

export async function replication(options: BenchOptions): Promise<void> {
  const keys = options.keys ?? (options.quick ? defaultKeys / 10 : defaultKeys);
  const syncs: Synchronisation[] = [];
  for (const name of contenderNames) syncs.push(await synchronise(name, keys, options));
  const rows = await throughputWithReplica(options);
  if (options.json) {
    console.log(JSON.stringify({ machine: describeMachine(), keys, syncs, rows }));
    return;
  }
  console.log(`${describeMachine()}, ${keys} keys with values of ${value.length} bytes\n`);
  const heading = ["full synchronisation", "s", "keys/s", "longest wait ms", "on core", "anyhow"];
  console.log(
    textTable([
      heading,
      ...syncs.map((sync) => [
        sync.name,
        sync.seconds.toFixed(1),
        sync.keysPerSecond.toFixed(0),
        sync.longestWaitMs.toFixed(1),
        sync.longestOnCoreMs.toFixed(1),
        sync.longestAnyhowMs.toFixed(1),
      ]),
    ]),
  );
  console.log("\nSET on a primary with one replica");
  for (const { kind, measured, ratio } of rows) {
    const { "redis-server": redis, slotlog } = measured;
    const numbers = `${redis.perSecond.toFixed(0)} ${slotlog.perSecond.toFixed(0)}`;
    console.log(`${kind}: ${numbers}, ${ratioText(ratio)} of redis-server`);
  }
}

async function synchronise(
  name: ContenderName,
  keys: number,
  options: BenchOptions,
): Promise<Synchronisation> {
  await using primary = await startContender(name, directives, options.heapMb);
  const key = (index: number): string => `key:${String(index).padStart(digits, "0")}`;
  await fill({ port: primary.port, from: 0, to: keys, key, value });
  await using replica = await startContender(name, directives, options.heapMb);
  const order = { pid: primary.pid, port: primary.port, prefix: "key:", digits, keys };
  let seconds = 0;
  const meanwhile = await waitsDuring(order, async () => {
    const began = performance.now();
    await follow(replica, primary);
    seconds = (performance.now() - began) / 1000;
  });
  using client = await replica.client();
  const size = textOf(await client.call("DBSIZE"));
  if (Number(size) !== keys) throw new Error(`${name}: ${size} of ${keys} keys came over`);
  const anyhow = await waitsDuring(order, () => new Promise((done) => setTimeout(done, 5000)));
  return {
    name,
    seconds,
    keysPerSecond: keys / seconds,
    longestWaitMs: meanwhile.longestMs,
    longestOnCoreMs: meanwhile.longestOnCoreMs,
    longestAnyhowMs: anyhow.longestMs,
  };
}

async function follow(replica: Server, primary: Server): Promise<void> {
  using client = await replica.client();
  await client.call("REPLICAOF", "127.0.0.1", String(primary.port));
  await eventually(
    "the replica follows",
    async () => {
      const info = textOf(await client.call("INFO", "replication"));
      return info.includes("master_link_status:up") ? undefined : "it does not";
    },
    catchUpTimeoutMs,
  );
}

async function throughputWithReplica(
  options: BenchOptions,
): Promise<Awaited<ReturnType<typeof measureKind>>[]> {
  const starting = [...contenderNames, ...contenderNames].map((name) =>
    startContender(name, directives, options.heapMb),
  );
  const servers = await Promise.all(starting);
  const [redis, slotlog, redisReplica, slotlogReplica] = servers as [
    Server,
    Server,
    Server,
    Server,
  ];
  try {
    await follow(redisReplica, redis);
    await follow(slotlogReplica, slotlog);
    const rows = [];
    for (const pipeline of [1, 16]) {
      const requests = (pipeline === 1 ? 100_000 : 1_000_000) / (options.quick ? 10 : 1);
      const kind = { aof: "off", test: "set", keys: 1_000_000, pipeline, requests };
      rows.push(await measureKind(kind, { "redis-server": redis, slotlog }));
      await keptUp(redis, redisReplica);
      await keptUp(slotlog, slotlogReplica);
    }
    return rows;
  } finally {
    await Promise.all(servers.map((server) => server[Symbol.asyncDispose]()));
  }
}

/** The replica has all that its primary has, without having been synchronised anew. */
async function keptUp(primary: Server, replica: Server): Promise<void> {
  using there = await replica.client();
  using here = await primary.client();
  await eventually(
    "the replica has caught up",
    async () => {
      const [theirs, ours] = [await there.call("DBSIZE"), await here.call("DBSIZE")].map(textOf);
      return theirs === ours ? undefined : `${theirs} of ${ours} keys`;
    },
    catchUpTimeoutMs,
  );
  const stats = textOf(await here.call("INFO", "stats"));
  if (!stats.includes("sync_full:1\r\n")) throw new Error("the replica was synchronised anew");
}
