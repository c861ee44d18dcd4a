// The short form of `npm run chaos`, and the test of its judge: losses that are planted are found,
// each by its name.

import assert from "node:assert/strict";
import { test } from "node:test";
import { subject } from "../harness/server.js";
import { pairs } from "../harness/cluster.js";
import { ClusterClient } from "../harness/cluster-client.js";
import { LiveCluster } from "../harness/live-cluster.js";
import { textsOf } from "../harness/reply.js";
import { eventually } from "../harness/server.js";
import { Traffic } from "../harness/traffic.js";
import { chaos, passed, type Round, roundTable } from "./rounds-of-chaos.js";

const seed = Number(process.env["CHAOS_SEED"] ?? Math.floor(Math.random() * 2 ** 31));

test(`a cluster is killed, stopped and resharded, and loses nothing (CHAOS_SEED=${seed})`, async (context) => {
  const rounds: Round[] = [];
  await chaos({
    rounds: 3,
    seed,
    appendfsync: "everysec",
    replicaAcks: 1,
    only: ["kill one", "kill all", "kill in a reshard"],
    onRound: (round) => rounds.push(round),
  });
  context.diagnostic(`\n${roundTable(rounds)}`);
  const bad = rounds.filter((round) => !passed(round));
  assert.deepEqual(bad, []);
  assert.ok(rounds.every(({ acknowledged }) => acknowledged > 0));
});

test("the judge finds what is planted: a lost entry, a doubled one, a foreign one, a counter set back", async () => {
  await using cluster = await LiveCluster.start({
    programs: pairs(subject(), 1).slice(0, 1),
    primaries: 1,
    directives: ["--appendonly", "no", "--save", ""],
  });
  const seeds = cluster.members.map(({ port }) => port);
  const traffic = new Traffic({ seeds, keys: 12, pauseMs: 0 });
  traffic.start();
  await eventually("every key was written often", () =>
    Promise.resolve(traffic.acknowledged > 500 ? undefined : String(traffic.acknowledged)),
  );
  await traffic.stop();
  assert.deepEqual(await traffic.verdict(), []);
  const client = new ClusterClient(seeds);
  const [lost = "", doubled = ""] = textsOf(
    await client.call("list:2", "LRANGE", "list:2", "0", "-1"),
  );
  await client.call("list:2", "LREM", "list:2", "1", lost);
  await client.call("list:2", "RPUSH", "list:2", doubled);
  await client.call("text:1", "APPEND", "text:1", "foreign;");
  await client.call("counter:0", "DECR", "counter:0");
  client.close();
  const verdict = await traffic.verdict();
  assert.deepEqual(
    verdict.map((line) => line.replace(/\d+, acknowledged \d+/, "N, acknowledged N")).sort(),
    [
      "counter:0 is N, acknowledged N, unknown 0",
      `list:2: ${doubled} is there twice`,
      `list:2: ${lost} is lost`,
      "text:1: nobody wrote foreign",
    ].sort(),
  );
});
