/** Whole clusters in this process: what can be done to nodes, and that nothing stays behind. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { after, describe, it } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { Redis } from "ioredis";
import { startCluster } from "./cluster.js";
import { type EmbeddedNode, startNode } from "./node.js";

/** A client of one node that says what happened instead of trying again. */
async function client(node: EmbeddedNode): Promise<Redis> {
  const redis = new Redis({
    host: node.host,
    port: node.port,
    lazyConnect: true,
    retryStrategy: () => null,
    maxRetriesPerRequest: 0,
  });
  redis.on("error", () => {});
  await redis.connect();
  return redis;
}

const nodeTimeoutMs = 500;

/** Resolves once it holds; the limit is for what never does. */
async function eventually(what: string, holds: () => Promise<boolean>): Promise<void> {
  const giveUpAt = performance.now() + 20_000;
  while (!(await holds())) {
    assert.ok(performance.now() < giveUpAt, `in 20 seconds: ${what}`);
    await delay(10);
  }
}

async function info(node: EmbeddedNode, section: string): Promise<string> {
  const redis = await client(node);
  try {
    return await redis.info(section);
  } finally {
    redis.disconnect();
  }
}

async function clusterState(node: EmbeddedNode): Promise<string> {
  const redis = await client(node);
  try {
    return /cluster_state:(\w+)/.exec(String(await redis.cluster("INFO")))?.[1] ?? "";
  } finally {
    redis.disconnect();
  }
}

describe("startNode", () => {
  it("gives a server that is gone with its directory at the end", async () => {
    const node = await startNode({ config: { appendonly: true } });
    const redis = await client(node);
    assert.equal(await redis.set("k", "v"), "OK");
    redis.disconnect();
    await node.kill();
    assert.equal(node.state, "killed");
    await assert.rejects(client(node));
    await node.restart();
    const again = await client(node);
    assert.equal(await again.get("k"), "v");
    again.disconnect();
    assert.ok(existsSync(node.directory));
    await node[Symbol.asyncDispose]();
    assert.ok(!existsSync(node.directory));
    await assert.rejects(client(node));
  });

  it("notices that a client has shut it down", async () => {
    const node = await startNode();
    const redis = await client(node);
    await redis.shutdown("NOSAVE").catch(() => {});
    await eventually("the node is stopped", () => Promise.resolve(node.state === "stopped"));
    await node[Symbol.asyncDispose]();
  });

  it("says what is wrong with a directive, and leaves nothing behind", async () => {
    await assert.rejects(startNode({ config: { maxmemory: "lots" } }), /maxmemory/);
  });
});

describe("startCluster", async () => {
  const cluster = await startCluster({
    primaries: 3,
    replicasPerPrimary: 1,
    config: { "cluster-node-timeout": nodeTimeoutMs, "cluster-write-lease": true },
  });
  after(() => cluster.stop());
  const redis = new Redis.Cluster(cluster.addresses, { clusterRetryStrategy: () => 50 });
  redis.on("error", () => {});
  after(() => redis.disconnect());

  it("serves all slots", async () => {
    for (let n = 0; n < 100; n++) assert.equal(await redis.set(`key${n}`, n), "OK");
    const primaries = new Set<EmbeddedNode>();
    for (let n = 0; n < 100; n++) primaries.add(await cluster.primaryOf(`key${n}`));
    assert.deepEqual(primaries, new Set(cluster.nodes.slice(0, 3)));
  });

  it("lets a replica take over in order", async () => {
    const primary = await cluster.primaryOf("key1");
    const [replica] = await cluster.replicasOf(primary);
    assert.ok(replica !== undefined);
    await cluster.failover(replica);
    await cluster.ready();
    assert.equal(await cluster.primaryOf("key1"), replica);
    assert.equal(await redis.get("key1"), "1");
  });

  it("survives a killed primary, which comes back as a replica", async () => {
    const primary = await cluster.primaryOf("key1");
    const [replica] = await cluster.replicasOf(primary);
    assert.ok(replica !== undefined);
    await primary.kill();
    await eventually("the replica is primary", async () =>
      (await info(replica, "replication")).includes("role:master"),
    );
    await cluster.ready();
    assert.equal(await redis.get("key1"), "1");
    await primary.restart();
    await cluster.ready();
    assert.match(await info(primary, "replication"), /role:slave/);
  });

  it("elects another primary for one that stands still", async () => {
    const primary = await cluster.primaryOf("key1");
    const [replica] = await cluster.replicasOf(primary);
    assert.ok(replica !== undefined);
    await primary.pause();
    await assert.rejects(primary.pause(), /it is paused/);
    await eventually("the replica is primary", async () =>
      (await info(replica, "replication")).includes("role:master"),
    );
    await primary.resume();
    await eventually("the old primary follows", async () =>
      (await info(primary, "replication")).includes("role:slave"),
    );
    await cluster.ready();
  });

  it("stops a primary that is cut off from the majority, until the cut heals", async () => {
    const primary = await cluster.primaryOf("key1");
    const [replica] = await cluster.replicasOf(primary);
    assert.ok(replica !== undefined);
    const writer = await client(primary);
    assert.equal(await writer.set("key1", "1"), "OK");
    await cluster.partition(primary);
    const cutAt = performance.now();
    let lastTakenAt = cutAt;
    await eventually("the minority takes no writes", async () => {
      const sentAt = performance.now();
      const refusal = await writer.set("key1", "1").then(() => "", String);
      if (refusal === "") lastTakenAt = sentAt;
      return refusal.includes("CLUSTERDOWN");
    });
    const tookMs = lastTakenAt - cutAt;
    assert.ok(tookMs <= nodeTimeoutMs, `the last write was taken ${tookMs} ms after the cut`);
    writer.disconnect();
    await eventually("the minority stops", async () => (await clusterState(primary)) === "fail");
    await eventually("the majority goes on", async () =>
      (await info(replica, "replication")).includes("role:master"),
    );
    await cluster.heal();
    await eventually("the cut-off node follows", async () =>
      (await info(primary, "replication")).includes("role:slave"),
    );
    await cluster.ready();
    assert.equal(await redis.get("key1"), "1");
  });

  it("loses nothing when all are killed and restarted", async () => {
    for (let n = 0; n < 100; n++) await redis.set(`key${n}`, n + 1);
    await Promise.all(cluster.nodes.map((node) => node.kill()));
    await Promise.all(cluster.nodes.map((node) => node.restart()));
    await cluster.ready();
    for (let n = 0; n < 100; n++) assert.equal(await redis.get(`key${n}`), String(n + 1));
  });
});
