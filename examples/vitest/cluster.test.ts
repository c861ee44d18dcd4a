// A real cluster for the tests of a program, with vitest.
import { Redis } from "ioredis";
import { type EmbeddedCluster, startCluster } from "slotlog";
import { afterAll, beforeAll, expect, test } from "vitest";

let cluster: EmbeddedCluster;
let redis: InstanceType<typeof Redis.Cluster>;

beforeAll(async () => {
  cluster = await startCluster({ primaries: 3 });
  redis = new Redis.Cluster(cluster.addresses);
});

afterAll(async () => {
  redis.disconnect();
  await cluster.stop();
});

test("what was written is read", async () => {
  await redis.set("user:{42}:name", "Ada");
  expect(await redis.get("user:{42}:name")).toBe("Ada");
});

test("a killed node is back with its data", async () => {
  const primary = await cluster.primaryOf("user:{42}:name");
  await primary.kill();
  await primary.restart();
  await cluster.ready();
  expect(await redis.get("user:{42}:name")).toBe("Ada");
});
