// Slots on the move between every two kinds of node, in both directions, while clients write to the
// very keys that move: what they were told is what is there afterwards.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { mustRun } from "../harness/exec.js";
import { ask, clusterCheck, LiveCluster, type Member } from "../harness/live-cluster.js";
import { RawClient } from "../harness/raw-client.js";
import { textOf, textsOf } from "../harness/reply.js";
import { eventually, realRedis, subject } from "../harness/server.js";
import { Traffic } from "../harness/traffic.js";

/** Two of ours and one real one, in equal parts. */
let cluster: LiveCluster;

before(async () => {
  cluster = await LiveCluster.start({
    programs: [subject(), subject(), realRedis()],
    primaries: 3,
    directives: ["--cluster-node-timeout", "5000"],
  });
});

after(() => cluster?.[Symbol.asyncDispose]());

const ways = [
  { name: "slotlog to slotlog", from: 0, to: 1 },
  { name: "slotlog to redis-server", from: 1, to: 2 },
  { name: "redis-server to slotlog", from: 2, to: 0 },
] as const;

for (const { name, from, to } of ways) {
  test(`reshard from ${name} under traffic, there and back`, async (context) => {
    const traffic = new Traffic({ seeds: cluster.members.map(({ port }) => port) });
    traffic.start();
    try {
      await eventually("writers write", async () =>
        traffic.acknowledged > 300 ? undefined : "not enough",
      );
      await reshard(cluster.member(from), cluster.member(to), 250);
      await reshard(cluster.member(to), cluster.member(from), 250);
    } finally {
      await traffic.stop();
    }
    assert.deepEqual(await traffic.verdict(), []);
    const sentOn = JSON.stringify([...traffic.redirections]);
    context.diagnostic(`${traffic.acknowledged} writes, sent on: ${sentOn}`);
    for (const { server } of cluster.members) await ask(server, "FLUSHALL");
  });

  test(`every key of a slot is written during its migration from ${name}`, async (context) => {
    const source = cluster.member(from);
    const target = cluster.member(to);
    const tag = await tagOf(source);
    const counts = await hammerWhileMoving({ source, target, tag });
    context.diagnostic(JSON.stringify(counts));
    assert.ok(counts.before > 0 && counts.afterwards > 0, "writes on one side of the move only");
    await reshardBack(target, source, tag);
  });
}

const movedKeys = 60;
const writersPerKey = 2;
/** Long enough that a value takes a while to be dumped, sent and restored. */
const payloadLength = 20_000;

/**
 * Moves a slot key by key, as redis-cli does, while two connections increment each key without a
 * pause; returns how many increments the source and the target took.
 */
async function hammerWhileMoving(move: {
  readonly source: Member;
  readonly target: Member;
  readonly tag: string;
}): Promise<{ readonly before: number; readonly afterwards: number }> {
  const { source, target, tag } = move;
  const slot = await ask(source.server, "CLUSTER", "KEYSLOT", tag);
  const keys = Array.from({ length: movedKeys }, (_, index) => `{${tag}}${index}`);
  using admin = await source.server.client();
  for (const key of keys) {
    await admin.call("HSET", key, "n", "0", "payload", "p".repeat(payloadLength));
  }
  assert.equal(await ask(target.server, "CLUSTER", "SETSLOT", slot, "IMPORTING", source.id), "OK");
  assert.equal(await ask(source.server, "CLUSTER", "SETSLOT", slot, "MIGRATING", target.id), "OK");
  const ports = { source: source.port, target: target.port };
  let before = 0;
  let afterwards = 0;
  for (const key of keys) {
    const writers: Promise<Increments>[] = [];
    const begun: Promise<void>[] = [];
    for (let writer = 0; writer < writersPerKey; writer++) {
      begun.push(
        new Promise((resolve) => {
          writers.push(increment(key, ports, resolve));
        }),
      );
    }
    // A writer that fails never begins.
    await Promise.race([Promise.all(begun), Promise.all(writers)]);
    const moved = admin.call("MIGRATE", "127.0.0.1", String(target.port), key, "0", "5000");
    assert.equal(textOf(await moved), "OK");
    const sums = await Promise.all(writers);
    before += sums.reduce((sum, { atSource }) => sum + atSource, 0);
    afterwards += sums.reduce((sum, { atTarget }) => sum + atTarget, 0);
    // All that was answered, once each: no number came twice, and the last is how many there were.
    const answers = sums.flatMap((each) => each.answers).sort((a, b) => a - b);
    assert.deepEqual(
      answers,
      answers.map((_, index) => index + 1),
      key,
    );
  }
  for (const { server } of [target, source, ...cluster.members]) {
    assert.equal(await ask(server, "CLUSTER", "SETSLOT", slot, "NODE", target.id), "OK");
  }
  using there = await target.server.client();
  for (const key of keys) {
    const [, payload] = textsOf(await there.call("HMGET", key, "n", "payload"));
    assert.equal(payload?.length, payloadLength, key);
  }
  return { before, afterwards };
}

interface Increments {
  readonly answers: readonly number[];
  readonly atSource: number;
  readonly atTarget: number;
}

/**
 * Until some increments were done at the target, each command sent again only if refused; `begun`
 * is called after each one at the source.
 */
async function increment(
  key: string,
  ports: { readonly source: number; readonly target: number },
  begun: () => void,
): Promise<Increments> {
  using source = await RawClient.connect(ports.source);
  using target = await RawClient.connect(ports.target);
  const answers: number[] = [];
  let atSource = 0;
  let atTarget = 0;
  while (atTarget < 3) {
    const reply = await source.call("HINCRBY", key, "n", "1");
    const text = textOf(reply);
    if (reply[0] === 0x3a) {
      answers.push(Number(text));
      atSource++;
      begun();
      continue;
    }
    assert.match(text, new RegExp(`^ASK \\d+ 127\\.0\\.0\\.1:${ports.target}$`));
    const asked = target.call("ASKING");
    const there = await target.call("HINCRBY", key, "n", "1");
    await asked;
    assert.equal(there[0], 0x3a, textOf(there));
    answers.push(Number(textOf(there)));
    atTarget++;
  }
  return { answers, atSource, atTarget };
}

async function reshard(from: Member, to: Member, slots: number): Promise<void> {
  const args = ["--cluster", "reshard", `127.0.0.1:${from.port}`, "--cluster-yes"];
  args.push("--cluster-from", from.id, "--cluster-to", to.id, "--cluster-slots", String(slots));
  await mustRun("redis-cli", args);
  for (const { port } of cluster.members) {
    await eventually(`redis-cli finds port ${port} clean`, () => clusterCheck(port));
  }
}

/** A hash tag whose slot this node owns. */
async function tagOf({ server, port }: Member): Promise<string> {
  using client = await server.client();
  for (let index = 0; ; index++) {
    const reply = textOf(await client.call("GET", `tag${index}`));
    if (!reply.startsWith("MOVED")) return `tag${index}`;
    assert.ok(index < 1000, `port ${port} owns no slot`);
  }
}

/** Gives the one slot back, empty. */
async function reshardBack(from: Member, to: Member, tag: string): Promise<void> {
  const slot = await ask(from.server, "CLUSTER", "KEYSLOT", tag);
  await ask(from.server, "FLUSHALL");
  for (const { server } of [to, from, ...cluster.members]) {
    assert.equal(await ask(server, "CLUSTER", "SETSLOT", slot, "NODE", to.id), "OK");
  }
}
