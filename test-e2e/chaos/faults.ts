// What can be done to a cluster of six: each fault happens while clients write, and leaves every
// process to be started again. Chosen and aimed by a seeded generator.

import { rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { run } from "../harness/exec.js";
import {
  ask,
  clusterCheck,
  type LiveCluster,
  type Member,
  nodesOf,
} from "../harness/live-cluster.js";
import { projectRoot } from "../harness/project-root.js";
import { eventually } from "../harness/server.js";

export interface Fault {
  readonly name: string;
  /** May make a replica primary, which loses what it did not have, unless replicas acknowledge. */
  readonly failsOver: boolean;
  strike(cluster: LiveCluster, random: Random): Promise<void>;
}

/** From 0 up to `below`. */
export type Random = (below: number) => number;

/** Twice the node timeout and the time of an election: a dead primary's replica has taken over. */
const takeoverMs = 6_000;

export const nodeTimeoutMs = 1_000;

export const faults: readonly Fault[] = [
  {
    name: "kill one",
    failsOver: true,
    async strike(cluster, random) {
      const member = any(cluster.members, random);
      await member.server.kill9();
      await delay(random(takeoverMs));
      await cluster.revive(member);
    },
  },
  {
    name: "kill a primary and its replica",
    failsOver: false,
    async strike(cluster, random) {
      const pair = await pairOf(cluster, random);
      await Promise.all(pair.map(({ server }) => server.kill9()));
      await delay(random(takeoverMs));
      await Promise.all(pair.map((member) => cluster.revive(member)));
    },
  },
  {
    name: "kill all",
    failsOver: false,
    async strike(cluster) {
      await Promise.all(cluster.members.map(({ server }) => server.kill9()));
      await Promise.all(cluster.members.map((member) => cluster.revive(member)));
    },
  },
  {
    name: "stop and continue",
    failsOver: true,
    async strike(cluster, random) {
      const { server } = any(cluster.members, random);
      process.kill(server.pid, "SIGSTOP");
      await delay(random(takeoverMs));
      process.kill(server.pid, "SIGCONT");
    },
  },
  {
    name: "restart",
    failsOver: true,
    async strike(cluster, random) {
      const member = any(cluster.members, random);
      await member.server.stop();
      await cluster.revive(member);
    },
  },
  {
    name: "kill in an AOF rewrite",
    failsOver: true,
    async strike(cluster, random) {
      const member = any(cluster.members, random);
      await ask(member.server, "BGREWRITEAOF");
      await delay(random(30));
      await member.server.kill9();
      await cluster.revive(member);
    },
  },
  {
    name: "kill in a full synchronisation",
    failsOver: true,
    async strike(cluster, random) {
      const [primary, replica] = await pairOf(cluster, random);
      if (primary === undefined || replica === undefined) return;
      await replica.server.kill9();
      // Without its files it needs everything again.
      rmSync(join(replica.server.directory, "appendonlydir"), { recursive: true, force: true });
      await cluster.revive(replica);
      await delay(random(200));
      const victim = random(2) === 0 ? primary : replica;
      await victim.server.kill9();
      await cluster.revive(victim);
    },
  },
  {
    name: "kill in a reshard",
    failsOver: true,
    async strike(cluster, random) {
      const primaries = await primariesOf(cluster);
      const target = any(primaries, random);
      const moving = reshard(target);
      await delay(random(2_000));
      const victim = any(primaries, random);
      await victim.server.kill9();
      await moving;
      await delay(random(takeoverMs));
      await cluster.revive(victim);
      await closeSlots(cluster);
    },
  },
];

export function any<T>(choices: readonly T[], random: Random): T {
  const chosen = choices[random(choices.length)];
  if (chosen === undefined) throw new Error("nothing to choose from");
  return chosen;
}

async function roles(cluster: LiveCluster): Promise<Map<Member, string | undefined>> {
  const asked = cluster.members.find(({ server }) => server.running);
  if (asked === undefined) throw new Error("no member runs");
  const lines = await nodesOf(asked.server);
  return new Map(
    cluster.members.map((member) => {
      const line = lines.find(({ id }) => id === member.id);
      const primary = line?.flags.includes("slave") === true ? line.primaryId : undefined;
      return [member, primary];
    }),
  );
}

async function primariesOf(cluster: LiveCluster): Promise<Member[]> {
  const known = await roles(cluster);
  return cluster.members.filter((member) => known.get(member) === undefined);
}

/** A primary and its replica, as they are now. */
async function pairOf(cluster: LiveCluster, random: Random): Promise<Member[]> {
  const known = await roles(cluster);
  const replicas = cluster.members.filter((member) => known.get(member) !== undefined);
  const replica = any(replicas, random);
  const primary = cluster.members.find(({ id }) => id === known.get(replica));
  return primary === undefined ? [replica] : [primary, replica];
}

function reshard({ port }: Member): Promise<{ readonly out: string }> {
  const bin = join(projectRoot(), "packages/slotlog/dist/bin.js");
  const address = `127.0.0.1:${port}`;
  const args = ["cluster", "reshard", address, "--to", address, "--slots", "300", "--json"];
  return run(process.execPath, [bin, ...args]);
}

/**
 * What a reshard that was cut short leaves open, redis-cli closes: also what a takeover shows only
 * after it has looked for the first time.
 */
async function closeSlots(cluster: LiveCluster): Promise<void> {
  const { port } = cluster.member(0);
  await eventually("no slot is open", async () => {
    const { out } = await run("redis-cli", [
      ...["--cluster", "fix", `127.0.0.1:${port}`, "--cluster-yes"],
    ]);
    const complaint = await clusterCheck(port);
    return complaint === undefined ? undefined : `${out}\n${complaint}`;
  });
}
