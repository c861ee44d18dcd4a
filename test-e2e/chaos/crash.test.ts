// Six processes under load, all killed at once with SIGKILL. Then every append-only file is
// replayed, by slotlog and by a real redis-server, and held against what was acknowledged: nothing
// confirmed is missing, nothing is there that nobody sent. At last the cluster itself comes back.

import assert from "node:assert/strict";
import { cpSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { pairs, TestCluster } from "../harness/cluster.js";
import { contentsOf, differences } from "../harness/contents.js";
import {
  eventually,
  type Program,
  realRedis,
  removeDirectory,
  Server,
  subject,
  temporaryDirectory,
} from "../harness/server.js";
import { textOf } from "../harness/reply.js";
import { Workload } from "./workload.js";

const acknowledgedBeforeCrash = 20_000;

for (const policy of ["always", "everysec", "no"]) {
  test(`appendfsync ${policy}: kill -9 loses nothing that was acknowledged`, async () => {
    const directives = ["--appendonly", "yes", "--appendfsync", policy, "--save", ""];
    await using cluster = await TestCluster.start({
      programs: pairs(subject(), 3),
      primaries: 3,
      directives,
    });
    const workload = new Workload();
    await workload.start(cluster);
    await workload.untilAcknowledged(acknowledgedBeforeCrash);
    await Promise.all(cluster.servers.map((server) => server.kill9()));
    await workload.ended();

    const replayed = await Promise.all(cluster.servers.map((server) => replay(server.directory)));
    const primaries = new Map(replayed.slice(0, 3).flatMap((contents) => [...contents]));
    assert.deepEqual(workload.losses(primaries).slice(0, 10), []);
    for (const contents of replayed) {
      assert.deepEqual(workload.inventions(contents).slice(0, 10), []);
    }
    await comesBack(cluster, directives, workload);
  });
}

/** What slotlog reads from a copy of the directory, after making sure that Redis reads the same. */
async function replay(directory: string): Promise<Map<string, string>> {
  const ours = await contentsAfterLoading(subject(), directory);
  const theirs = await contentsAfterLoading(realRedis(), directory);
  assert.deepEqual(differences(ours, theirs).slice(0, 10), []);
  return ours;
}

async function contentsAfterLoading(
  program: Program,
  directory: string,
): Promise<Map<string, string>> {
  const copy = temporaryDirectory();
  try {
    cpSync(join(directory, "appendonlydir"), join(copy, "appendonlydir"), { recursive: true });
    await using server = await Server.start({
      program,
      directory: copy,
      directives: ["--appendonly", "yes", "--save", ""],
    });
    return await contentsOf(server);
  } finally {
    removeDirectory(copy);
  }
}

async function comesBack(
  cluster: TestCluster,
  directives: readonly string[],
  workload: Workload,
): Promise<void> {
  const again = await Promise.all(
    cluster.servers.map(({ port, directory }) =>
      Server.start({
        program: subject(),
        port,
        directory,
        directives: ["--cluster-enabled", "yes", ...directives],
      }),
    ),
  );
  try {
    for (const server of again) {
      using client = await server.client();
      await eventually("the cluster serves again", async () => {
        const info = textOf(await client.call("CLUSTER", "INFO"));
        return info.includes("cluster_state:ok") ? undefined : info;
      });
    }
    const contents = await Promise.all(again.map(contentsOf));
    const all = new Map(contents.slice(0, 3).flatMap((each) => [...each]));
    assert.deepEqual(workload.losses(all).slice(0, 10), []);
  } finally {
    await Promise.all(again.map((server) => server[Symbol.asyncDispose]()));
  }
}
