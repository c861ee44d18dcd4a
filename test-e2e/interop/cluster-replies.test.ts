// As replies.test.ts, in cluster mode: two nodes of ours beside two real ones, and one beside one.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { TestCluster } from "../harness/cluster.js";
import { textOf } from "../harness/reply.js";
import { type Program, realRedis, Server, subject } from "../harness/server.js";
import { compareReplies, unmet } from "./comparison.js";
import { play, type Scenario } from "./scenario.js";
import { aloneScenarios, assignedSlots, clusterScenarios } from "./scenarios/cluster.js";

interface Side {
  readonly cluster: TestCluster;
  /** What differs by nature, and the name it gets: ids and ports of the two nodes. */
  readonly names: ReadonlyMap<string, string>;
}

const met = new Set<string>();
let ours: Side;
let theirs: Side;

before(async () => {
  [ours, theirs] = await Promise.all([startSide(subject()), startSide(realRedis())]);
});

after(async () => {
  await ours?.cluster[Symbol.asyncDispose]();
  await theirs?.cluster[Symbol.asyncDispose]();
});

for (const scenario of clusterScenarios) {
  for (const protocol of scenario.protocols) {
    test(`${scenario.name} (RESP${protocol})`, async () => {
      const differences = compareReplies({
        scenario,
        protocol,
        ours: await playOn(ours, scenario, protocol),
        theirs: await playOn(theirs, scenario, protocol),
        onKnown: (id) => met.add(id),
      });
      assert.equal(differences.length, 0, `\n${differences.join("\n")}`);
    });
  }
}

for (const scenario of aloneScenarios) {
  for (const protocol of scenario.protocols) {
    test(`${scenario.name} (RESP${protocol})`, async () => {
      const directives = ["--cluster-enabled", "yes", "--enable-debug-command", "yes"];
      const replies: Buffer[][] = [];
      for (const program of [subject(), realRedis()]) {
        await using server = await Server.start({ program, directives });
        replies.push(await play(server, scenario, protocol));
      }
      const [ourReplies = [], theirReplies = []] = replies;
      const differences = compareReplies({
        scenario,
        protocol,
        ours: ourReplies,
        theirs: theirReplies,
        onKnown: (id) => met.add(id),
      });
      assert.equal(differences.length, 0, `\n${differences.join("\n")}`);
    });
  }
}

test("every known difference was met", () => {
  assert.deepEqual(unmet("cluster", met), []);
});

async function startSide(program: Program): Promise<Side> {
  const cluster = await TestCluster.start({
    programs: [program, program],
    primaries: 2,
    slotsEnd: assignedSlots,
    directives: ["--cluster-require-full-coverage", "no"],
  });
  const names = new Map<string, string>();
  for (const [index, server] of cluster.servers.entries()) {
    using client = await server.client();
    names.set(textOf(await client.call("CLUSTER", "MYID")), `NODE${index + 1}`);
    names.set(String(server.port), `PORT${index + 1}`);
  }
  return { cluster, names };
}

/** NODE1 and NODE2 in a step stand for the ids; in replies they stand for them again. */
async function playOn(side: Side, scenario: Scenario, protocol: 2 | 3): Promise<Buffer[]> {
  const server = side.cluster.servers[0];
  if (server === undefined) throw new Error("a cluster without nodes");
  const idOf = (name: string): string =>
    [...side.names].find(([, given]) => given === name)?.[0] ?? name;
  const steps = scenario.steps.map((step) => {
    if (step.action.kind !== "command") return step;
    const args = step.action.args.map((arg) => (/^NODE\d$/.test(arg) ? idOf(arg) : arg));
    return { ...step, action: { ...step.action, args } };
  });
  const replies = await play(server, { ...scenario, steps }, protocol);
  return replies.map((reply) => {
    let text = reply.toString("latin1");
    // As long as what it stands for, so that lengths in the reply stay right.
    for (const [real, name] of side.names) {
      text = text.replaceAll(real, name.padEnd(real.length, "-"));
    }
    return Buffer.from(text, "latin1");
  });
}
