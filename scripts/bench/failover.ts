// How long a cluster is without one of its primaries: from kill -9 to the first write that its
// replica takes. Both kinds of cluster run side by side, one round of the one after one of the
// other, so that both meet the same machine.

import { setTimeout as delay } from "node:timers/promises";
import { LiveCluster, type Member, nodesOf } from "@slotlog/test-e2e/harness/live-cluster";
import { textOf } from "@slotlog/test-e2e/harness/reply";
import { eventually, type Program, realRedis, subject } from "@slotlog/test-e2e/harness/server";
import { textTable } from "@slotlog/test-e2e/harness/text-table";
import type { BenchOptions } from "../bench.js";
import { describeMachine, median } from "./machine.js";

const nodeTimeoutMs = 5000;
const primaries = 3;
const rounds = 10;
const roundsQuick = 3;
/** A failover takes node timeouts, so this says when it happened closely enough. */
const askEveryMs = 5;
const patienceMs = 60_000;
/**
 * Kills come at any moment between two pings, which are half a node timeout apart: the rounds wait
 * a different part of it each, the same for both kinds.
 */
const phaseMs = (round: number, of: number): number => (round * nodeTimeoutMs) / 2 / of;
/** Slots 3300, 7365 and 16287: one of each third. */
const keys = ["b", "c", "x"] as const;

interface Contender {
  readonly name: string;
  readonly cluster: LiveCluster;
  readonly gapsMs: number[];
}

export async function failover(options: BenchOptions): Promise<void> {
  const count = options.quick ? roundsQuick : rounds;
  const contenders: Contender[] = [];
  try {
    for (const program of [realRedis(), subject()]) {
      contenders.push({ name: program.name, cluster: await start(program), gapsMs: [] });
    }
    for (let round = 0; round < count; round++) {
      for (const { name, cluster, gapsMs } of contenders) {
        await delay(phaseMs(round, count));
        gapsMs.push(await loseOne(cluster, round));
        if (!options.json) {
          console.error(`round ${round + 1}, ${name}: ${Math.round(gapsMs.at(-1) ?? 0)} ms`);
        }
      }
    }
  } finally {
    for (const { cluster } of contenders) await cluster[Symbol.asyncDispose]();
  }
  const results = contenders.map(({ name, gapsMs }) => ({ name, gapsMs }));
  if (options.json) {
    console.log(JSON.stringify({ machine: describeMachine(), nodeTimeoutMs, results }));
    return;
  }
  console.log(`${describeMachine()}, cluster-node-timeout ${nodeTimeoutMs}, ${count} rounds\n`);
  const rows = results.map(({ name, gapsMs }) => [
    name,
    ...[median(gapsMs), Math.min(...gapsMs), Math.max(...gapsMs)].map((ms) => ms.toFixed(0)),
  ]);
  console.log(textTable([["", "median ms", "shortest ms", "longest ms"], ...rows]));
}

async function start(program: Program): Promise<LiveCluster> {
  const cluster = await LiveCluster.start({
    programs: Array.from({ length: primaries * 2 }, () => program),
    primaries,
    directives: [
      ...["--cluster-node-timeout", String(nodeTimeoutMs), "--save", ""],
      ...["--repl-diskless-sync-delay", "0"],
    ],
  });
  await cluster.untilClean();
  return cluster;
}

/** Kills a primary, and brings it back as replica; returns how long its slots took no write. */
async function loseOne(cluster: LiveCluster, round: number): Promise<number> {
  const shard = round % primaries;
  const [one, other] = [cluster.member(shard), cluster.member(shard + primaries)];
  const [victim, heir] = (await isPrimary(one)) ? [one, other] : [other, one];
  await cluster.untilFollows(heir, victim);
  // Connected before the kill, so that only the cluster is measured.
  using client = await heir.server.client();
  const began = performance.now();
  await victim.server.kill9();
  const key = keys[shard] ?? "";
  for (;;) {
    const said = textOf(await client.call("SET", key, String(round)));
    if (said === "OK") break;
    if (performance.now() - began > patienceMs) throw new Error(`nobody takes over: ${said}`);
    await delay(askEveryMs);
  }
  const gapMs = performance.now() - began;
  await cluster.revive(victim);
  await cluster.untilFollows(victim, heir);
  await cluster.untilClean();
  for (const { server } of cluster.members) {
    await eventually("nobody is suspected any more", async () => {
      const nodes = await nodesOf(server);
      const suspects = nodes.filter(({ flags }) => flags.some((flag) => flag.startsWith("fail")));
      return suspects.length === 0 ? undefined : JSON.stringify(suspects);
    });
  }
  return gapMs;
}

async function isPrimary({ server }: Member): Promise<boolean> {
  const [self] = (await nodesOf(server)).filter(({ flags }) => flags.includes("myself"));
  return self?.flags.includes("master") ?? false;
}
