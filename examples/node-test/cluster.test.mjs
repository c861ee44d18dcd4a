// A real cluster for the tests of a program, with Node's own test runner: node --test
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Redis } from "ioredis";
import { startCluster } from "slotlog";

let cluster;
let redis;

before(async () => {
  cluster = await startCluster({ primaries: 3, replicasPerPrimary: 1 });
  redis = new Redis.Cluster(cluster.addresses);
});

after(async () => {
  redis.disconnect();
  await cluster.stop();
});

test("what was written is read", async () => {
  await redis.set("user:{42}:name", "Ada");
  assert.equal(await redis.get("user:{42}:name"), "Ada");
});

test("the program survives the loss of a primary", async () => {
  const primary = await cluster.primaryOf("user:{42}:name");
  const [replica] = await cluster.replicasOf(primary);
  // In order, so that nothing is lost; `await primary.kill()` is the other way.
  await cluster.failover(replica);
  assert.equal(await redis.get("user:{42}:name"), "Ada");
});
