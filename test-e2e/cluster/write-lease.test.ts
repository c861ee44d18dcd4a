// A primary that no majority answers takes no writes, over processes: the others stand still, or it
// has stood still itself while a replica took its place.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { pairs, TestCluster } from "../harness/cluster.js";
import type { RawClient } from "../harness/raw-client.js";
import { textOf } from "../harness/reply.js";
import { eventually, type Server, subject } from "../harness/server.js";

const nodeTimeoutMs = 4_000;
/** Slot 3300, the first primary's. */
const key = "b";
const refusal = "CLUSTERDOWN The cluster is down";

let cluster: TestCluster;
const first = (): Server => cluster.primaries[0] as Server;
const others = (): readonly Server[] => cluster.primaries.slice(1);

before(async () => {
  cluster = await TestCluster.start({
    programs: pairs(subject(), 3),
    primaries: 3,
    directives: [
      ...["--cluster-node-timeout", String(nodeTimeoutMs)],
      ...["--repl-diskless-sync-delay", "0", "--save", ""],
    ],
  });
});
after(() => cluster[Symbol.asyncDispose]());

function signal(servers: readonly Server[], name: "SIGSTOP" | "SIGCONT"): void {
  for (const { pid } of servers) process.kill(pid, name);
}

/** Writes one after the other until one gets this reply; when the last other one was sent. */
async function writeUntil(client: RawClient, wanted: string): Promise<number> {
  let lastAt = 0;
  await eventually(`a write gets ${wanted}`, async () => {
    const sentAt = performance.now();
    const reply = textOf(await client.call("SET", key, "v"));
    if (reply === wanted) return undefined;
    lastAt = sentAt;
    return reply;
  });
  return lastAt;
}

test("it stops within the node timeout when the others do, and goes on with them", async () => {
  using client = await first().client();
  assert.equal(textOf(await client.call("SET", key, "v")), "OK");
  const stoppedAt = performance.now();
  signal(others(), "SIGSTOP");
  let refusedAt: number;
  try {
    const lastTakenAt = await writeUntil(client, refusal);
    refusedAt = performance.now();
    const tookMs = lastTakenAt - stoppedAt;
    console.log(`the last write was taken ${tookMs.toFixed(0)} ms after the others had stopped`);
    assert.ok(tookMs < nodeTimeoutMs, `${tookMs} ms`);
    // What only reads is served as before, and transactions are refused as a whole.
    assert.equal(textOf(await client.call("GET", key)), "v");
    const info = textOf(await client.call("CLUSTER", "INFO"));
    assert.match(info, /cluster_state:ok/);
    assert.match(textOf(await client.call("INFO", "cluster")), /slotlog_fenced:1/);
    assert.equal(textOf(await client.call("MULTI")), "OK");
    assert.equal(textOf(await client.call("SET", key, "w")), refusal);
    assert.match(textOf(await client.call("EXEC")), /^EXECABORT/);
  } finally {
    signal(others(), "SIGCONT");
  }
  await writeUntil(client, "OK");
  const silentMs = performance.now() - refusedAt;
  console.log(`it took writes again ${silentMs.toFixed(0)} ms after it had refused one`);
  // Redis' delay after a partition would be a node timeout.
  assert.ok(silentMs < nodeTimeoutMs / 2, `${silentMs} ms`);
  assert.match(first().log, /Refusing writes: no majority of the primaries has answered/);
  assert.match(first().log, /Taking writes again: a majority of the primaries answers/);
});

test("CONFIG SET cluster-write-lease no turns it off at once", async () => {
  using client = await first().client();
  signal(others(), "SIGSTOP");
  try {
    await writeUntil(client, refusal);
    const set = await client.call("CONFIG", "SET", "cluster-write-lease", "no");
    assert.equal(textOf(set), "OK");
    assert.equal(textOf(await client.call("SET", key, "v")), "OK");
  } finally {
    signal(others(), "SIGCONT");
  }
  assert.equal(textOf(await client.call("CONFIG", "SET", "cluster-write-lease", "yes")), "OK");
  await writeUntil(client, "OK");
});

test("one that slept through its own replacement takes nothing when it wakes", async () => {
  const sleeper = first();
  const heir = cluster.servers[3] as Server;
  const clients = await Promise.all(Array.from({ length: 8 }, () => sleeper.client()));
  using heirs = await heir.client();
  const [transaction, ...writers] = clients as [RawClient, ...RawClient[]];
  assert.equal(textOf(await transaction.call("MULTI")), "OK");
  assert.equal(textOf(await transaction.call("SET", key, "asleep")), "QUEUED");
  signal([sleeper], "SIGSTOP");
  try {
    await eventually("its replica takes writes", async () => {
      const reply = textOf(await heirs.call("SET", key, "awake"));
      return reply === "OK" ? undefined : reply;
    });
    // The kernel takes these for it; it will read them before or after what the nodes have sent.
    const replies = [
      transaction.call("EXEC"),
      ...writers.map((writer) => writer.call("SET", key, "asleep")),
    ];
    signal([sleeper], "SIGCONT");
    for (const reply of await Promise.all(replies)) {
      assert.match(reply.toString(), /^-(CLUSTERDOWN|MOVED) /);
    }
  } finally {
    signal([sleeper], "SIGCONT");
    for (const client of clients) client.close();
  }
  assert.equal(textOf(await heirs.call("GET", key)), "awake");
});
