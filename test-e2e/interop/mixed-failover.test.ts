// Two primaries of ours and one real one, each with a replica of the other kind. Every one of the
// six is killed while it is the primary: the other kind takes over, with all that was acknowledged,
// and what was killed comes back as its replica.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { LiveCluster, type Member } from "../harness/live-cluster.js";
import type { RawClient } from "../harness/raw-client.js";
import { textOf, textsOf } from "../harness/reply.js";
import { eventually, realRedis, subject } from "../harness/server.js";

/** Small, because it is what most of the test waits for. */
const nodeTimeoutMs = 1000;
const writesPerRound = 100;
/** Of each primary: a tag whose slot is its own. Slots 3300, 7365 and 16287. */
const tags = ["b", "c", "x"] as const;

let cluster: LiveCluster;

before(async () => {
  cluster = await LiveCluster.start({
    programs: [subject(), realRedis(), subject(), realRedis(), subject(), realRedis()],
    primaries: 3,
    directives: [
      ...["--cluster-node-timeout", String(nodeTimeoutMs)],
      ...["--repl-diskless-sync-delay", "0", "--appendonly", "yes"],
    ],
  });
});

after(() => cluster?.[Symbol.asyncDispose]());

test("redis-cli finds the mixed cluster clean, through each of its nodes", async () => {
  await cluster.untilClean();
});

for (const [pair, tag] of tags.entries()) {
  test(`pair ${pair + 1}: each of its two is killed as primary and comes back`, async (context) => {
    const one = cluster.member(pair);
    const other = cluster.member(pair + 3);
    assert.notEqual(one.program.name, other.program.name);
    for (const [round, [victim, heir]] of [
      [one, other],
      [other, one],
    ].entries()) {
      assert.ok(victim !== undefined && heir !== undefined);
      const elapsed = await killAndSurvive({ victim, heir, tag: `{${tag}}${round}:` });
      const names = `${victim.program.name} killed, ${heir.program.name} took over`;
      context.diagnostic(`${names} in ${Math.round(elapsed)} ms`);
    }
  });
}

interface Kill {
  readonly victim: Member;
  readonly heir: Member;
  readonly tag: string;
}

async function killAndSurvive({ victim, heir, tag }: Kill): Promise<number> {
  await cluster.untilFollows(heir, victim);
  {
    using client = await victim.server.client();
    await write(client, tag);
  }
  await victim.server.kill9();
  const elapsed = await cluster.untilServes(heir, `${tag}after`);
  await assertHas(heir, tag);

  await cluster.revive(victim);
  await cluster.untilFollows(victim, heir);
  await cluster.untilClean();
  // What it missed while it was dead, it has now.
  await eventually("the killed one has caught up", async () => {
    using client = await victim.server.client();
    await client.call("READONLY");
    const found = textOf(await client.call("GET", `${tag}after`));
    return found === "after the failover" ? undefined : found;
  });
  return elapsed;
}

/** Writes that the replica has confirmed: none of them may be lost. */
async function write(client: RawClient, tag: string): Promise<void> {
  for (let index = 0; index < writesPerRound; index++) {
    const said = textOf(await client.call("SET", `${tag}${index}`, `${tag}value ${index}`));
    assert.equal(said, "OK");
  }
  assert.equal(textOf(await client.call("WAIT", "1", "5000")), "1");
}

async function assertHas({ server }: Member, tag: string): Promise<void> {
  using client = await server.client();
  const names = Array.from({ length: writesPerRound }, (_, index) => `${tag}${index}`);
  const found = textsOf(await client.call("MGET", ...names));
  assert.deepEqual(
    found,
    names.map((_, index) => `${tag}value ${index}`),
  );
}
