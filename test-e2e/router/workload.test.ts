// Writers through a router while its cluster loses a primary, moves slots, and is restarted node by
// node. Each event has a window; an error outside of every window fails the test.

import assert from "node:assert/strict";
import { after, before, test, type TestContext } from "node:test";
import { pairs } from "../harness/cluster.js";
import { mustRun } from "../harness/exec.js";
import { LiveCluster, type Member, nodesOf } from "../harness/live-cluster.js";
import { eventually, subject } from "../harness/server.js";
import { RouterProcess } from "./router-process.js";
import { Writers } from "./writers.js";

const nodeTimeoutMs = 2_000;
/** Until clients see the end of an event: a failover's replies, and the router's next question. */
const slackMs = 2_000;
const movedSlots = 400;

let cluster: LiveCluster;
let router: RouterProcess;

before(async () => {
  cluster = await LiveCluster.start({
    programs: pairs(subject(), 3),
    primaries: 3,
    directives: [
      ...["--cluster-node-timeout", String(nodeTimeoutMs)],
      ...["--repl-diskless-sync-delay", "0"],
      ...["--appendonly", "yes", "--replica-acks", "1"],
    ],
  });
  router = await RouterProcess.start({ nodes: cluster.members.map(({ port }) => port) });
});

after(async () => {
  await router?.[Symbol.asyncDispose]();
  await cluster?.[Symbol.asyncDispose]();
});

const events = [
  ["a primary is killed and comes back", failover],
  ["slots move", reshard],
  ["every node is restarted", rollingRestart],
] as const;

test("nothing acknowledged is lost, nothing is reordered, errors come only while something happens", async (context) => {
  const writers = new Writers({ port: router.port, writers: 6, lists: 8 });
  await eventually("writers write", async () =>
    writers.acknowledged > 500 ? undefined : "not enough",
  );
  const windows: { readonly from: number; readonly to: number }[] = [];
  for (const [name, event] of events) {
    const from = writers.now;
    const [acknowledged, errors] = [writers.acknowledged, writers.errors.length];
    await event();
    const to = writers.now;
    windows.push({ from, to: to + slackMs });
    // Traffic has to go on after each event, not only until the last one.
    const reached = writers.acknowledged;
    await eventually("writers go on", async () =>
      writers.acknowledged > reached + 200 ? undefined : `${writers.acknowledged} of ${reached}`,
    );
    report(context, { name, ms: to - from, writers, acknowledged, errors });
  }
  await writers.stop();
  assert.deepEqual(await writers.verdict(), []);
  const outside = writers.errors.filter(({ at }) =>
    windows.every(({ from, to }) => at < from || at > to),
  );
  assert.deepEqual(outside, []);
  context.diagnostic(
    `${writers.acknowledged} acknowledged, ${writers.unknown} unknown, ` +
      `${writers.errors.length} errors, slowest batch ${Math.round(writers.slowestMs)} ms`,
  );
});

function report(
  context: TestContext,
  seen: {
    readonly name: string;
    readonly ms: number;
    readonly writers: Writers;
    readonly acknowledged: number;
    readonly errors: number;
  },
): void {
  const { writers } = seen;
  const errors = writers.errors.slice(seen.errors);
  const kinds = [...new Set(errors.map(({ text }) => text.slice(0, 90)))];
  context.diagnostic(
    `${seen.name}: ${Math.round(seen.ms)} ms, ${writers.acknowledged - seen.acknowledged} ` +
      `acknowledged, ${errors.length} errors ${kinds.slice(0, 4).join(" | ")}`,
  );
}

async function failover(): Promise<void> {
  const primary = cluster.member(0);
  const replica = cluster.member(3);
  await primary.server.kill9();
  await eventually("the replica takes over", async () => {
    const line = (await nodesOf(replica.server)).find(({ id }) => id === replica.id);
    return line?.flags.includes("master") === true ? undefined : JSON.stringify(line);
  });
  await cluster.revive(primary);
  await cluster.untilFollows(primary, replica);
  await cluster.untilClean();
}

async function reshard(): Promise<void> {
  const [from, to] = await primaries();
  if (from === undefined || to === undefined) throw new Error("a cluster without two primaries");
  await mustRun("redis-cli", [
    ...["--cluster", "reshard", `127.0.0.1:${from.port}`],
    ...["--cluster-from", from.id, "--cluster-to", to.id],
    ...["--cluster-slots", String(movedSlots), "--cluster-yes"],
  ]);
  await cluster.untilClean();
}

/** The order that operators use: replicas first, then each primary after its replica took over. */
async function rollingRestart(): Promise<void> {
  for (const member of cluster.members) {
    await member.server.stop();
    await cluster.revive(member);
    await eventually(`port ${member.port} is in step`, () => inStep(member));
  }
  await cluster.untilClean();
}

async function primaries(): Promise<Member[]> {
  const lines = await nodesOf(cluster.member(1).server);
  return cluster.members.filter(({ id }) =>
    lines.some((line) => line.id === id && line.flags.includes("master") && line.slots.length > 0),
  );
}

async function inStep(member: Member): Promise<string | undefined> {
  const lines = await nodesOf(member.server);
  const own = lines.find(({ id }) => id === member.id);
  using client = await member.server.client();
  const info = (await client.call("INFO", "replication")).toString("latin1");
  if (own?.flags.includes("slave") === true) {
    return info.includes("master_link_status:up") ? undefined : info;
  }
  const state = (await client.call("CLUSTER", "INFO")).toString("latin1");
  const served = state.includes("cluster_state:ok") && /connected_slaves:[1-9]/.test(info);
  return served ? undefined : `${state}${info}`;
}
