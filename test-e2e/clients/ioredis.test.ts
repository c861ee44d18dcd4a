// ioredis' Cluster, unmodified, against six processes: everyday use, a failover asked for, and a
// primary that is killed.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Cluster, Redis } from "ioredis";
import { pairs, TestCluster } from "../harness/cluster.js";
import { eventually, subject } from "../harness/server.js";

let servers: TestCluster;
let client: Cluster;

before(async () => {
  servers = await TestCluster.start({
    programs: pairs(subject(), 3),
    primaries: 3,
    directives: ["--cluster-node-timeout", "2000", "--repl-diskless-sync-delay", "0"],
  });
  client = new Cluster([{ host: "127.0.0.1", port: servers.primaries[0]?.port ?? 0 }], {
    clusterRetryStrategy: () => 100,
    retryDelayOnFailover: 200,
    retryDelayOnClusterDown: 200,
    maxRedirections: 60,
  });
});

after(async () => {
  client?.disconnect();
  await servers?.[Symbol.asyncDispose]();
});

test("keys go to all primaries and come back", async () => {
  const keys = Array.from({ length: 300 }, (_, index) => `key:${index}`);
  await Promise.all(keys.map((key, index) => client.set(key, String(index))));
  const values = await Promise.all(keys.map((key) => client.get(key)));
  assert.deepEqual(
    values,
    keys.map((_, index) => String(index)),
  );
  const sizes = await Promise.all(client.nodes("master").map((node) => node.dbsize()));
  assert.equal(sizes.length, 3);
  assert.ok(
    sizes.every((size) => size > 50),
    `keys are spread: ${sizes.join()}`,
  );
});

test("several keys with one hash tag, pipelines and transactions", async () => {
  assert.equal(await client.mset("{t}a", "1", "{t}b", "2", "{t}n", "5"), "OK");
  assert.deepEqual(await client.mget("{t}a", "{t}b", "{t}missing"), ["1", "2", null]);
  const piped = await client.pipeline().incr("{t}n").get("{t}n").del("{t}a").exec();
  assert.deepEqual(piped, [
    [null, 6],
    [null, "6"],
    [null, 1],
  ]);
  const executed = await client.multi().incr("{t}n").incrby("{t}n", 10).exec();
  assert.deepEqual(executed, [
    [null, 7],
    [null, 17],
  ]);
  await assert.rejects(client.mset("a", "1", "b", "2"), /CROSSSLOT|same slot/);
});

test("binary values survive", async () => {
  const bytes = Buffer.from(Array.from({ length: 256 }, (_, index) => index));
  await client.set(Buffer.from("bin"), bytes);
  assert.deepEqual(await client.getBuffer("bin"), bytes);
});

test("a node that does not own the slot says who does", async () => {
  const owner = await client.cluster("SLOTS").then(() => client.cluster("KEYSLOT", "key:1"));
  const [first, second] = servers.primaries;
  assert.ok(first !== undefined && second !== undefined);
  for (const { port } of [first, second]) {
    const direct = new Redis({ port, host: "127.0.0.1", maxRetriesPerRequest: 0 });
    try {
      const answer = await direct.get("key:1").catch((error: Error) => error.message);
      assert.match(String(answer), new RegExp(`^(1|MOVED ${owner} 127\\.0\\.0\\.1:\\d+)$`));
    } finally {
      direct.disconnect();
    }
  }
});

test("replicas serve reads to those who ask for it", async () => {
  const port = servers.primaries[0]?.port ?? 0;
  const reader = new Cluster([{ host: "127.0.0.1", port }], { scaleReads: "slave" });
  try {
    await eventually("the replica has the value", async () => {
      const value = await reader.get("key:7");
      return value === "7" ? undefined : `it is ${value}`;
    });
  } finally {
    reader.disconnect();
  }
});

test("a manual failover is followed by way of MOVED", async () => {
  const replica = servers.servers[3];
  assert.ok(replica !== undefined);
  const direct = new Redis({ port: replica.port, host: "127.0.0.1" });
  try {
    let askedAt = Number.NEGATIVE_INFINITY;
    await eventually("the replica is primary", async () => {
      const [role] = (await direct.call("ROLE")) as [string];
      if (role === "master") return undefined;
      // One that does not win within 5 seconds is given up by the server, and asked for again.
      if (performance.now() - askedAt > 6_000) {
        assert.equal(await direct.cluster("FAILOVER"), "OK");
        askedAt = performance.now();
      }
      return `it is ${role}`;
    });
  } finally {
    direct.disconnect();
  }
  for (let index = 0; index < 50; index++) {
    assert.equal(await client.set(`after:${index}`, "x"), "OK");
  }
});

test("a killed primary is replaced, and the client goes on", async () => {
  const victim = servers.servers[1];
  assert.ok(victim !== undefined);
  await victim.kill9();
  const keys = Array.from({ length: 60 }, (_, index) => `kill:${index}`);
  await eventually(
    "every slot takes writes again",
    async () => {
      const results = await Promise.allSettled(keys.map((key) => client.set(key, "v")));
      const failed = results.filter((result) => result.status === "rejected");
      return failed.length === 0 ? undefined : `${failed.length} writes failed`;
    },
    60_000,
  );
});
