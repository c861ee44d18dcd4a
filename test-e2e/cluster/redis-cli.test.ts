// `redis-cli --cluster`, all that it can do to a cluster of ours, one thing after the other while
// clients write; and at the end the judgement over everything they were told.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { mustRun, run } from "../harness/exec.js";
import { ask, clusterCheck, nodesOf } from "../harness/live-cluster.js";
import { freePorts } from "../harness/ports.js";
import {
  eventually,
  removeDirectory,
  Server,
  subject,
  temporaryDirectory,
} from "../harness/server.js";
import { Traffic } from "../harness/traffic.js";

const directory = temporaryDirectory();
const servers: Server[] = [];
let traffic: Traffic;

before(async () => {
  const ports = await freePorts(8);
  const directives = ["--cluster-enabled", "yes", "--cluster-node-timeout", "5000"];
  directives.push("--repl-diskless-sync-delay", "0");
  const starting = ports.map((port) => {
    // A timeout that is set is written into the file: there has to be one.
    const file = join(directory, `${port}.conf`);
    writeFileSync(file, "# as started\n");
    const program = { ...subject(), args: [...subject().args, file] };
    return Server.start({ program, port, directives });
  });
  servers.push(...(await Promise.all(starting)));
});

after(async () => {
  await traffic?.stop().catch(() => {});
  await Promise.all(servers.map((server) => server[Symbol.asyncDispose]()));
  removeDirectory(directory);
});

test("create: six nodes are three primaries with a replica each", async () => {
  const addresses = servers.slice(0, 6).map(addressOf);
  const said = await cli("create", ...addresses, "--cluster-replicas", "1", "--cluster-yes");
  assert.match(said, /All 16384 slots covered/);
  await untilClean();
  const nodes = await nodesOf(server(0));
  assert.equal(nodes.filter(({ flags }) => flags.includes("slave")).length, 3);
  traffic = new Traffic({ seeds: servers.slice(0, 3).map(({ port }) => port) });
  traffic.start();
});

test("check and info: three primaries, three replicas, all slots, and the keys there are", async () => {
  await eventually("writers write", async () =>
    traffic.acknowledged > 500 ? undefined : "not enough",
  );
  const said = await cli("info", addressOf(server(0)));
  assert.match(said, /\[OK\] \d+ keys in 3 masters/);
  assert.equal((said.match(/5461 slots \| 1 slaves|5462 slots \| 1 slaves/g) ?? []).length, 3);
  assert.equal(await clusterCheck(server(4).port), undefined);
});

test("call: every node runs the command", async () => {
  const said = await cli("call", addressOf(server(0)), "PING");
  assert.equal((said.match(/^127\.0\.0\.1:\d+: PONG$/gm) ?? []).length, 6, said);
  const primaries = await cli("call", addressOf(server(0)), "PING", "--cluster-only-masters");
  assert.equal((primaries.match(/PONG/g) ?? []).length, 3, primaries);
});

test("set-timeout: every node has it, and keeps it in its configuration", async () => {
  const said = await cli("set-timeout", addressOf(server(0)), "6000");
  assert.match(said, /New node timeout set\. 6 OK, 0 ERR/);
  for (const each of servers.slice(0, 6)) {
    const file = readFileSync(join(directory, `${each.port}.conf`), "utf8");
    assert.match(file, /^cluster-node-timeout 6000$/m);
  }
});

test("add-node: a primary without slots, then a replica of it", async () => {
  await cli("add-node", addressOf(server(6)), addressOf(server(0)));
  await untilClean();
  const id = await ask(server(6), "CLUSTER", "MYID");
  // By way of its primary to be: redis-cli does not wait until the new node has heard of another.
  await cli(
    "add-node",
    addressOf(server(7)),
    addressOf(server(6)),
    "--cluster-slave",
    "--cluster-master-id",
    id,
  );
  await untilClean();
  const replica = (await nodesOf(server(0))).find(({ port }) => port === server(7).port);
  assert.equal(replica?.primaryId, id);
});

test("reshard: slots of all go to the new primary while clients write", async () => {
  const before = traffic.acknowledged;
  await reshard({ from: "all", to: server(6), slots: 300 });
  await untilClean();
  const count = await slotsOf(server(6));
  // redis-cli rounds what each of the sources gives.
  assert.ok(count >= 298 && count <= 302, `it has ${count} slots`);
  assert.ok(traffic.acknowledged > before, "nobody could write meanwhile");
});

test("a reshard that is killed on its way leaves open slots, which fix closes", async () => {
  const from = await ask(server(0), "CLUSTER", "MYID");
  const args = await reshardArgs({ from, to: server(6), slots: 2000 });
  const child = spawn("redis-cli", args, { stdio: ["ignore", "pipe", "ignore"] });
  let moved = 0;
  child.stdout.on("data", (chunk: Buffer) => {
    moved += chunk.toString().match(/Moving slot/g)?.length ?? 0;
    // The plan is printed first, with the same words.
    if (moved > 2000 + 100) child.kill("SIGKILL");
  });
  await once(child, "close");
  assert.ok((await slotsOf(server(6))) > 350, "it was killed before it began");
  // A slot that is left open on one side only, and one that nobody serves, are worse than that.
  const target = await ask(server(6), "CLUSTER", "MYID");
  assert.equal(await ask(server(1), "CLUSTER", "SETSLOT", "8000", "MIGRATING", target), "OK");
  assert.notEqual((await run("redis-cli", ["--cluster", "check", addressOf(server(1))])).code, 0);
  await fix();
  await untilClean();
});

test("fix: slots that no node serves are given to one", async () => {
  for (const each of servers) {
    const role = await ask(each, "INFO", "replication");
    if (role.includes("role:master")) await ask(each, "CLUSTER", "DELSLOTS", "9000");
  }
  const { out } = await run("redis-cli", ["--cluster", "check", addressOf(server(0))]);
  assert.match(out, /Not all 16384 slots are covered by nodes/);
  await fix();
  await untilClean();
});

test("rebalance: every primary has its share, by weight", async () => {
  const id = await ask(server(6), "CLUSTER", "MYID");
  const weight = 0.15;
  const weights = ["--cluster-weight", `${id}=${weight}`, "--cluster-threshold", "1"];
  await cli("rebalance", addressOf(server(0)), ...weights);
  await untilClean();
  for (const [index, share] of [
    [0, 1],
    [1, 1],
    [2, 1],
    [6, weight],
  ] as const) {
    const count = await slotsOf(server(index));
    const wanted = (16_384 * share) / (3 + weight);
    assert.ok(Math.abs(count - wanted) <= wanted / 50, `${index}: ${count}, not ${wanted}`);
  }
});

test("del-node: refused with slots; empty nodes go, and stay away", async () => {
  const id = await ask(server(6), "CLUSTER", "MYID");
  const replicaId = await ask(server(7), "CLUSTER", "MYID");
  const refused = await run("redis-cli", ["--cluster", "del-node", addressOf(server(0)), id]);
  assert.match(refused.out, /is not empty! Reshard data away/);
  await reshard({ from: id, to: server(0), slots: await slotsOf(server(6)) });
  for (const gone of [replicaId, id]) {
    await cli("del-node", addressOf(server(0)), gone);
  }
  await untilClean();
  assert.equal((await nodesOf(server(0))).length, 6);
  assert.equal((await nodesOf(server(6))).length, 1, "it was reset");
});

test("nothing acknowledged was lost, doubled or invented meanwhile", async (context) => {
  await traffic.stop();
  context.diagnostic(
    `${traffic.acknowledged} writes, sent on: ${JSON.stringify([...traffic.redirections])}`,
  );
  assert.deepEqual(await traffic.verdict(), []);
  assert.ok((traffic.redirections.get("ASK") ?? 0) > 0, "no write met a slot on the move");
});

test("the judgement sees what is planted", async () => {
  const found = async (...args: readonly string[]): Promise<string> => {
    await mustRun("redis-cli", ["-c", "-p", String(server(0).port), ...args]);
    return (await traffic.verdict()).join("\n");
  };
  assert.match(await found("DECR", "counter:0"), /counter:0 is \d+, acknowledged/);
  assert.match(await found("APPEND", "text:1", "x;"), /text:1: nobody wrote x/);
  assert.match(await found("RPOP", "list:2"), /list:2: \S+ is lost/);
});

function server(index: number): Server {
  const found = servers[index];
  if (found === undefined) throw new Error(`there is no server ${index}`);
  return found;
}

function addressOf({ port }: Server): string {
  return `127.0.0.1:${port}`;
}

/** It asks before it repairs; --cluster-yes does not answer that. */
async function fix(): Promise<void> {
  const args = ["--cluster", "fix", addressOf(server(0)), "--cluster-yes"];
  const child = spawn("redis-cli", args, { stdio: ["pipe", "pipe", "inherit"], timeout: 60_000 });
  let said = "";
  child.stdout.on("data", (chunk: Buffer) => (said += chunk.toString()));
  child.stdin.end("yes\nyes\nyes\n");
  const [code] = await once(child, "close");
  assert.equal(code, 0, said);
}

function cli(...args: readonly string[]): Promise<string> {
  return mustRun("redis-cli", ["--cluster", ...args]);
}

interface Resharding {
  /** A node id, or `all`. */
  readonly from: string;
  readonly to: Server;
  readonly slots: number;
}

async function reshard(what: Resharding): Promise<void> {
  await mustRun("redis-cli", await reshardArgs(what));
}

async function reshardArgs({ from, to, slots }: Resharding): Promise<string[]> {
  const wanted = ["--cluster-from", from, "--cluster-to", await ask(to, "CLUSTER", "MYID")];
  wanted.push("--cluster-slots", String(slots), "--cluster-yes");
  return ["--cluster", "reshard", addressOf(server(0)), ...wanted];
}

/** Through every node that is in the cluster; and that one serves, which a new one does late. */
async function untilClean(): Promise<void> {
  for (const { id, port } of await nodesOf(server(0))) {
    await eventually(`redis-cli finds ${id} clean`, () => clusterCheck(port));
    const node = servers.find((each) => each.port === port);
    await eventually(`${id} serves`, async () => {
      const info = node === undefined ? "no such server" : await ask(node, "CLUSTER", "INFO");
      return info.includes("cluster_state:ok") ? undefined : info;
    });
  }
}

/** How many slots this node says it owns. */
async function slotsOf(owner: Server): Promise<number> {
  const mine = (await nodesOf(owner)).find(({ flags }) => flags.includes("myself"));
  const ranges = (mine?.slots ?? []).filter((range) => !range.startsWith("["));
  return ranges.reduce((sum, range) => {
    const [first = 0, last = first] = range.split("-").map(Number);
    return sum + last - first + 1;
  }, 0);
}
