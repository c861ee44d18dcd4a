// The scenarios of the reply comparison, through a router before a cluster, against one real
// redis-server: what a program sees that knows nothing of clusters. Keys get a hash tag, the same
// for both, since what needs keys of one slot cannot work otherwise; what works without one has a
// scenario of its own. Differences are those of `differences.ts`, which docs/router.md lists.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { TestCluster } from "../harness/cluster.js";
import type { RawClient } from "../harness/raw-client.js";
import { parseReply } from "../harness/reply.js";
import { realRedis, Server, subject } from "../harness/server.js";
import { equalReplies } from "../interop/compare.js";
import { knownDifferences } from "../interop/known-differences.js";
import type { Step } from "../interop/lines.js";
import { play, type Scenario } from "../interop/scenario.js";
import { keys } from "../interop/scenarios/keys.js";
import { strings } from "../interop/scenarios/strings.js";
import { transactions } from "../interop/scenarios/transactions.js";
import { differences } from "./differences.js";
import { RouterProcess } from "./router-process.js";
import { scripts, untagged } from "./untagged.js";

const directives = ["--appendonly", "no", "--slowlog-log-slower-than", "-1"];
const met = new Set<string>();
let standalone: Server;
let oracle: RawClient;

before(async () => {
  standalone = await Server.start({ program: realRedis(), directives });
  oracle = await standalone.client();
});

after(async () => {
  oracle?.close();
  await standalone?.[Symbol.asyncDispose]();
});

for (const program of [realRedis(), subject()]) {
  test(`through a router before a cluster of ${program.name}`, async (context) => {
    await using cluster = await TestCluster.start({
      programs: [program, program, program],
      primaries: 3,
      directives,
    });
    const nodes = cluster.servers.map(({ port }) => port);
    await using router = await RouterProcess.start({ nodes });
    const tagged: Scenario[] = [];
    for (const scenario of [...strings, ...keys, ...transactions]) {
      tagged.push({ ...scenario, steps: await Promise.all(scenario.steps.map(withTag)) });
    }
    const hasScripts = await knows(cluster, "eval");
    if (!hasScripts) context.diagnostic(`${program.name} has no scripts: theirs are left out`);
    for (const scenario of [...tagged, ...untagged, ...(hasScripts ? scripts : [])]) {
      for (const protocol of scenario.protocols) {
        await context.test(`${scenario.name} (RESP${protocol})`, async () => {
          const ours = await play(router, scenario, protocol);
          const theirs = await play(standalone, scenario, protocol);
          const found = differencesOf(scenario, protocol, ours, theirs);
          assert.equal(found.length, 0, `\n${found.join("\n")}`);
        });
      }
    }
  });
}

test("every difference was met", () => {
  assert.deepEqual(
    differences.map(({ id }) => id).filter((id) => !met.has(id)),
    [],
  );
});

async function knows(cluster: TestCluster, command: string): Promise<boolean> {
  using client = await (cluster.servers[0] as Server).client();
  const reply = await client.call("COMMAND", "INFO", command);
  return reply.includes(command);
}

/** The step with a hash tag in front of each key, as the real server finds them. */
async function withTag(step: Step): Promise<Step> {
  const { action } = step;
  if (action.kind !== "command") return step;
  const reply = await oracle.call("COMMAND", "GETKEYS", ...action.args);
  const tree = parseReply(reply)?.tree;
  if (tree === undefined || !("items" in tree)) return step;
  const names = new Set(tree.items.flatMap((item) => ("text" in item ? [item.text] : [])));
  const args = action.args.map((arg, at) => (at > 0 && names.has(arg) ? `{t}${arg}` : arg));
  return { ...step, action: { kind: "command", args } };
}

function differencesOf(
  scenario: Scenario,
  protocol: 2 | 3,
  ours: readonly Buffer[],
  theirs: readonly Buffer[],
): string[] {
  return scenario.steps.flatMap((step, index) => {
    const our = ours[index] ?? Buffer.alloc(0);
    const their = theirs[index] ?? Buffer.alloc(0);
    if (equalReplies(step.mode, our, their)) return [];
    const texts = { ours: our.toString("latin1"), theirs: their.toString("latin1") };
    const reply = { line: step.line, scenario: scenario.name, protocol, ...texts };
    const known = differences.find((each) => each.matches(reply));
    if (known !== undefined) {
      met.add(known.id);
      return [];
    }
    if (knownDifferences.some((each) => each.matches(reply))) return [];
    return [`${step.line}\n    router ${shown(our)}\n    server ${shown(their)}`];
  });
}

function shown(bytes: Buffer): string {
  return JSON.stringify(bytes.toString("latin1").slice(0, 300));
}
