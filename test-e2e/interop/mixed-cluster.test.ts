// One cluster of both kinds of node: ours as primaries with real replicas, and the reverse. It
// forms, redis-cli finds it clean, and when a primary is killed a replica of the other kind takes
// over.

import assert from "node:assert/strict";
import { test } from "node:test";
import { TestCluster } from "../harness/cluster.js";
import { run } from "../harness/exec.js";
import { textOf } from "../harness/reply.js";
import { eventually, type Program, realRedis, type Server, subject } from "../harness/server.js";

const shapes: readonly { readonly name: string; readonly programs: () => readonly Program[] }[] = [
  {
    name: "our primaries, real replicas",
    programs: () => [subject(), subject(), subject(), realRedis(), realRedis(), realRedis()],
  },
  {
    name: "real primaries, our replicas",
    programs: () => [realRedis(), realRedis(), realRedis(), subject(), subject(), subject()],
  },
  {
    name: "mixed throughout",
    programs: () => [subject(), realRedis(), subject(), realRedis(), subject(), realRedis()],
  },
];

for (const { name, programs } of shapes) {
  test(`${name}: forms, serves, fails over`, async () => {
    await using cluster = await TestCluster.start({
      programs: programs(),
      primaries: 3,
      directives: ["--cluster-node-timeout", "2000", "--repl-diskless-sync-delay", "0"],
    });
    const [first, , , replica] = cluster.servers;
    assert.ok(first !== undefined && replica !== undefined);
    await eventually("redis-cli finds it clean", () => clusterCheck(first.port));
    // Slot 3300 is the first primary's.
    using onFirst = await first.client();
    for (let index = 0; index < 200; index++) {
      assert.equal(textOf(await onFirst.call("SET", `{b}${index}`, String(index))), "OK");
    }
    await eventually("the replica has it all", () => hasAll(replica, 200));

    await first.kill9();
    await eventually("the replica has taken over", async () => {
      using client = await replica.client();
      const said = textOf(await client.call("SET", "b", "afterwards"));
      return said === "OK" ? undefined : said;
    });
    using onReplica = await replica.client();
    await onReplica.call("DEL", "b");
    assert.equal(await hasAll(replica, 200), undefined);
  });
}

async function clusterCheck(port: number): Promise<string | undefined> {
  const { code, out } = await run("redis-cli", ["--cluster", "check", `127.0.0.1:${port}`]);
  const clean = code === 0 && /All nodes agree about slots configuration/.test(out);
  return clean && /All 16384 slots covered/.test(out) ? undefined : out;
}

async function hasAll(server: Server, count: number): Promise<string | undefined> {
  using client = await server.client();
  const size = textOf(await client.call("DBSIZE"));
  return size === String(count) ? undefined : `${size} keys of ${count}`;
}
