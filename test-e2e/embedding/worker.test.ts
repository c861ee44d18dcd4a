// Embedded nodes in worker threads, from the built package: a worker cannot run sources.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { promisify } from "node:util";
import { projectRoot } from "../harness/project-root.js";

const program = `
  import { startCluster } from "slotlog";
  import { Redis } from "ioredis";
  const cluster = await startCluster({ primaries: 3, replicasPerPrimary: 1, isolation: "worker" });
  const redis = new Redis.Cluster(cluster.addresses);
  await redis.set("key", "value");
  redis.disconnect();
  const primary = await cluster.primaryOf("key");
  const [replica] = await cluster.replicasOf(primary);
  await primary.kill();
  await primary.restart();
  await cluster.ready();
  await cluster.failover(replica);
  const again = new Redis.Cluster(cluster.addresses);
  console.log(await again.get("key"));
  again.disconnect();
  await cluster.stop();
`;

test("nodes in workers are killed, restarted and promoted, and leave no handle open", async () => {
  // It ends by itself: a handle left open would hold it until the limit.
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ["--input-type=module", "--eval", program],
    { cwd: `${projectRoot()}/packages/slotlog`, timeout: 60_000 },
  );
  assert.equal(stdout, "value\n");
});
