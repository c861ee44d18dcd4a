// Rounds of chaos on one cluster: clients write, something breaks, everything comes back, and then
// the judgement: what of the acknowledged writes is lost, what is there twice or from nobody, are
// replicas equal to their primaries, and does every append-only file, read by slotlog and by a real
// redis-server, hold what its node held.

import { cpSync } from "node:fs";
import { join } from "node:path";
import { contentsOfAll, type Contents } from "./all-contents.js";
import { differences } from "../harness/contents.js";
import { ask, LiveCluster, nodesOf } from "../harness/live-cluster.js";
import { pairs } from "../harness/cluster.js";
import {
  eventually,
  type Program,
  realRedis,
  removeDirectory,
  Server,
  subject,
  temporaryDirectory,
} from "../harness/server.js";
import { textTable } from "../harness/text-table.js";
import { Traffic } from "../harness/traffic.js";
import { any, type Fault, faults, nodeTimeoutMs, type Random } from "./faults.js";

export interface ChaosOptions {
  readonly rounds: number;
  readonly seed: number;
  readonly appendfsync: string;
  /** `replica-acks`: with as many as there are replicas, failovers lose nothing. */
  readonly replicaAcks: number;
  /** Names of faults; all without. */
  readonly only: readonly string[];
  readonly onRound: (round: Round) => void;
}

export interface Round {
  readonly round: number;
  readonly fault: string;
  readonly acknowledged: number;
  /** Acknowledged and not there. */
  readonly lost: readonly string[];
  /** A failover without acknowledgements of replicas may lose. */
  readonly mayLose: boolean;
  /** There twice, or from nobody. */
  readonly wrong: readonly string[];
  /** Differences between replicas and primaries, and between files and memory. */
  readonly unequal: readonly string[];
  readonly seconds: number;
}

export function passed({ lost, mayLose, unequal, wrong }: Round): boolean {
  return (mayLose || lost.length === 0) && wrong.length === 0 && unequal.length === 0;
}

/** One line a round, for people. */
export function roundTable(rounds: readonly Round[]): string {
  const heading = ["fault", "acknowledged", "lost", "wrong", "unequal", "seconds", "verdict"];
  const cells = (round: Round): string[] => [
    round.fault,
    String(round.acknowledged),
    `${round.lost.length}${round.mayLose ? " (may)" : ""}`,
    String(round.wrong.length),
    String(round.unequal.length),
    round.seconds.toFixed(1),
    passed(round) ? "ok" : "WRONG",
  ];
  return textTable([heading, ...rounds.map(cells)]);
}

const writesBeforeFault = 500;
const writesAfterHealing = 200;

export async function chaos(options: ChaosOptions): Promise<void> {
  const random = seeded(options.seed);
  const chosen = faults.filter(
    ({ name }) => options.only.length === 0 || options.only.includes(name),
  );
  const acks = options.replicaAcks === 0 ? [] : ["--replica-acks", String(options.replicaAcks)];
  await using cluster = await LiveCluster.start({
    programs: pairs(subject(), 3),
    primaries: 3,
    directives: [
      ...["--appendonly", "yes", "--appendfsync", options.appendfsync, "--save", ""],
      ...["--cluster-node-timeout", String(nodeTimeoutMs), "--repl-diskless-sync-delay", "0"],
      ...acks,
    ],
  });
  for (let round = 0; round < options.rounds; round++) {
    // The first rounds meet each fault once, the others are drawn.
    const fault = chosen[round] ?? any(chosen, random);
    options.onRound(await playRound(cluster, fault, { options, random, round }));
  }
}

interface Playing {
  readonly options: ChaosOptions;
  readonly random: Random;
  readonly round: number;
}

async function playRound(
  cluster: LiveCluster,
  fault: Fault,
  { options, random, round }: Playing,
): Promise<Round> {
  const began = performance.now();
  const seeds = cluster.members.map(({ port }) => port);
  await flushAll(cluster);
  const traffic = new Traffic({ seeds });
  traffic.start();
  await untilWritten(traffic, writesBeforeFault);
  await fault.strike(cluster, random);
  await healed(cluster);
  await untilWritten(traffic, traffic.acknowledged + writesAfterHealing);
  await traffic.stop();
  const verdict = await traffic.verdict();
  // A counter that lost its last steps counts the same again.
  const isLoss = (text: string): boolean =>
    / is lost$|acknowledged \d+, unknown|came twice/.test(text);
  return {
    round,
    fault: fault.name,
    acknowledged: traffic.acknowledged,
    lost: verdict.filter(isLoss),
    mayLose: fault.failsOver && options.replicaAcks === 0,
    wrong: verdict.filter((text) => !isLoss(text)),
    unequal: await inequalities(cluster),
    seconds: (performance.now() - began) / 1000,
  };
}

/** Every slot is served, everybody agrees, and every replica has its primary's data. */
async function healed(cluster: LiveCluster): Promise<void> {
  await cluster.untilClean();
  for (const { port, server } of cluster.members) {
    await eventually(`port ${port} is in step`, async () => {
      const text = await ask(server, "INFO", "replication");
      return /role:master|master_link_status:up/.test(text) ? undefined : text;
    });
  }
}

async function untilWritten(traffic: Traffic, count: number): Promise<void> {
  await eventually(`${count} writes are acknowledged`, () =>
    Promise.resolve(traffic.acknowledged >= count ? undefined : `only ${traffic.acknowledged}`),
  );
}

async function flushAll(cluster: LiveCluster): Promise<void> {
  await healed(cluster);
  for (const { server } of cluster.members) {
    const role = await ask(server, "INFO", "replication");
    if (role.includes("role:master")) await ask(server, "FLUSHALL");
  }
}

/** Memory of replicas and primaries, and what both servers read from each node's files. */
async function inequalities(cluster: LiveCluster): Promise<string[]> {
  const lines = await nodesOf(cluster.member(0).server);
  const memory = new Map<string, Contents>();
  const inStep = async (): Promise<string | undefined> => {
    const offsets = new Map<string, string>();
    for (const { id, server } of cluster.members) {
      const text = await ask(server, "INFO", "replication");
      offsets.set(id, /(?:slave_repl_offset|master_repl_offset):(\d+)/.exec(text)?.[1] ?? "");
    }
    const late = lines.find(
      ({ flags, id, primaryId }) =>
        flags.includes("slave") && offsets.get(id) !== offsets.get(primaryId),
    );
    return late === undefined ? undefined : `${late.id} is behind`;
  };
  await eventually("replicas have everything", inStep);
  for (const { id, server } of cluster.members) memory.set(id, await contentsOfAll(server));
  const found: string[] = [];
  for (const { flags, id, port, primaryId } of lines) {
    if (!flags.includes("slave")) continue;
    const different = differences(memory.get(id) ?? new Map(), memory.get(primaryId) ?? new Map());
    found.push(...different.slice(0, 3).map((text) => `replica ${port}: ${text}`));
  }
  await Promise.all(
    cluster.members.map(async ({ id, port, server }) => {
      for (const program of [subject(), realRedis()]) {
        const read = await replayed(program, server.directory);
        const different = differences(memory.get(id) ?? new Map(), read);
        const reader = `the files of ${port}, read by ${program.name}`;
        found.push(...different.slice(0, 3).map((text) => `${reader}: ${text}`));
      }
    }),
  );
  return found;
}

async function replayed(program: Program, directory: string): Promise<Contents> {
  const copy = temporaryDirectory();
  try {
    cpSync(join(directory, "appendonlydir"), join(copy, "appendonlydir"), { recursive: true });
    await using server = await Server.start({
      program,
      directory: copy,
      directives: ["--appendonly", "yes", "--save", ""],
    });
    return await contentsOfAll(server);
  } finally {
    removeDirectory(copy);
  }
}

/** Numbers from a seed (mulberry32). */
function seeded(seed: number): Random {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}
