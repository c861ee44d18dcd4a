// `slotlog cluster`, as its users run it, on clusters of slotlog and of real servers.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { join } from "node:path";
import { describe, it } from "node:test";
import { promisify } from "node:util";
import { pairs, TestCluster } from "../harness/cluster.js";
import { projectRoot } from "../harness/project-root.js";
import { textOf } from "../harness/reply.js";
import { eventually, type Program, realRedis, Server, subject } from "../harness/server.js";

const bin = join(projectRoot(), "packages/slotlog/dist/bin.js");

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function slotlog(...args: string[]): Promise<Outcome> {
  try {
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [bin, ...args]);
    return { code: 0, stdout, stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as Outcome;
    return { code, stdout, stderr };
  }
}

interface Status {
  readonly ok: boolean;
  readonly nodes: readonly {
    readonly address: string;
    readonly role: string;
    readonly slotCount: number;
    readonly keys: number;
    readonly state: string;
  }[];
  readonly findings: readonly { readonly severity: string; readonly text: string }[];
}

/** Until the nodes agree, which takes a moment after a change. */
async function status(port: number, isWanted: (status: Status) => boolean): Promise<Status> {
  let seen: Status | undefined;
  await eventually("the status is as wanted", async () => {
    const { stdout } = await slotlog("cluster", "status", "--json", `127.0.0.1:${port}`);
    seen = JSON.parse(stdout) as Status;
    return isWanted(seen) ? undefined : stdout;
  });
  assert.ok(seen !== undefined);
  return seen;
}

async function fill(cluster: TestCluster, keys: number): Promise<void> {
  const clients = await Promise.all(cluster.primaries.map((server) => server.client()));
  for (let n = 0; n < keys; n++) {
    const replies = await Promise.all(
      clients.map((client) => client.call("SET", `key${n}`, `${n}`)),
    );
    assert.ok(replies.some((reply) => textOf(reply) === "OK"));
  }
  for (const client of clients) client.close();
}

async function value(servers: readonly Server[], key: string): Promise<string | undefined> {
  for (const server of servers) {
    const client = await server.client();
    const reply = textOf(await client.call("GET", key));
    client.close();
    if (!reply.startsWith("MOVED")) return reply;
  }
  return undefined;
}

const kinds: readonly (readonly [string, () => Program])[] = [
  ["slotlog", subject],
  ["redis-server", realRedis],
];

for (const [name, program] of kinds) {
  describe(`slotlog cluster with ${name}`, () => {
    it("shows, takes nodes in, moves slots with their keys, and takes nodes out", async () => {
      const directives = ["--cluster-node-timeout", "2000", "--save", ""];
      await using cluster = await TestCluster.start({
        programs: pairs(program(), 2),
        primaries: 2,
        directives,
      });
      const [first] = cluster.servers;
      assert.ok(first !== undefined);
      const seed = `127.0.0.1:${first.port}`;
      await fill(cluster, 300);
      const before = await status(first.port, ({ ok }) => ok);
      assert.deepEqual(
        before.nodes.map(({ role }) => role),
        ["primary", "replica", "primary", "replica"],
      );
      assert.equal((await slotlog("cluster", "check", seed)).code, 0);
      assert.match((await slotlog("cluster", "status", seed)).stdout, /0-8191/);

      await using added = await Server.start({
        program: program(),
        directives: ["--cluster-enabled", "yes", ...directives],
      });
      const newcomer = `127.0.0.1:${added.port}`;
      const adding = await slotlog("cluster", "add-node", newcomer, seed);
      assert.equal(adding.code, 0, adding.stderr);
      const again = await slotlog("cluster", "add-node", newcomer, seed);
      assert.equal(again.code, 1);
      assert.match(again.stderr, /is a member of a cluster/);

      const dry = await slotlog("cluster", "rebalance", seed, "--dry-run");
      assert.match(dry.stdout, /slots 127\.0\.0\.1:\d+ -> 127\.0\.0\.1:\d+/);
      // A small share: each slot costs every node a save of its nodes.conf.
      const weight = ["--weight", `${newcomer}=0.02`];
      const balancing = await slotlog("cluster", "rebalance", seed, ...weight);
      assert.equal(balancing.code, 0, balancing.stderr);
      const balanced = await status(first.port, (seen) =>
        seen.nodes.some(({ address, slotCount }) => address === newcomer && slotCount > 0),
      );
      const sizes = balanced.nodes.filter(({ role }) => role === "primary");
      // Two slots are left over, for whom the nodes list first.
      const counts = sizes.map(({ slotCount }) => slotCount).sort((a, b) => a - b);
      assert.ok((counts[0] ?? 0) >= 162 && (counts[0] ?? 0) <= 163, counts.join(" "));
      assert.ok((counts[1] ?? 0) >= 8110 && (counts[2] ?? 0) <= 8111, counts.join(" "));

      const resharding = ["cluster", "reshard", seed, "--slots", "100", "--to", newcomer, "--json"];
      const resharded = await slotlog(...resharding);
      assert.equal(resharded.code, 0, resharded.stderr);
      assert.match(resharded.stdout, /Moved 100 slots/);

      const refused = await slotlog("cluster", "remove-node", newcomer, seed);
      assert.equal(refused.code, 1);
      assert.match(refused.stderr, /owns slots/);
      const removing = await slotlog("cluster", "remove-node", newcomer, seed, "--move-slots");
      assert.equal(removing.code, 0, removing.stderr);
      const left = await status(first.port, ({ nodes, ok }) => ok && nodes.length === 4);
      assert.equal(
        left.nodes.reduce((sum, { slotCount }) => sum + slotCount, 0),
        16_384,
      );
      for (let n = 0; n < 300; n += 17) {
        assert.equal(await value(cluster.primaries, `key${n}`), String(n));
      }
    });

    it("moves slots onto a node that does not serve yet", async () => {
      const directives = ["--cluster-node-timeout", "5000", "--save", ""];
      await using cluster = await TestCluster.start({
        programs: pairs(program(), 1),
        primaries: 1,
        directives,
      });
      const [first] = cluster.primaries;
      assert.ok(first !== undefined);
      const client = await first.client();
      // 06S is in slot 0, which goes first.
      for (let n = 0; n < 25; n++) {
        assert.equal(textOf(await client.call("SET", `{06S}${n}`, `${n}`)), "OK");
      }
      await using added = await Server.start({
        program: program(),
        directives: ["--cluster-enabled", "yes", ...directives],
      });
      const newcomer = await added.client();
      await newcomer.call("CLUSTER", "MEET", "127.0.0.1", String(first.port));
      const seed = `127.0.0.1:${first.port}`;
      const target = `127.0.0.1:${added.port}`;
      const id = textOf(await newcomer.call("CLUSTER", "MYID"));
      await eventually("the newcomer is known", async () => {
        const nodes = textOf(await client.call("CLUSTER", "NODES"));
        return nodes.includes(id) && !nodes.includes("handshake") ? undefined : nodes;
      });
      // It has been without a majority until now, so it refuses keys for a node timeout from here.
      assert.match(textOf(await newcomer.call("CLUSTER", "INFO")), /cluster_state:fail/);
      const moving = await slotlog("cluster", "reshard", seed, "--slots", "3", "--to", target);
      assert.equal(moving.code, 0, moving.stderr);
      assert.match(moving.stdout, /Moved 3 slots with 25 keys/);
      assert.equal(textOf(await newcomer.call("GET", "{06S}24")), "24");
      client.close();
      newcomer.close();
    });

    it("lets a replica take over, and says what a dead node means", async () => {
      await using cluster = await TestCluster.start({
        programs: pairs(program(), 3),
        primaries: 3,
        directives: ["--cluster-node-timeout", "2000", "--save", ""],
      });
      const [primary, , , replica] = cluster.servers;
      assert.ok(primary !== undefined && replica !== undefined);
      const seed = `127.0.0.1:${primary.port}`;
      const over = await slotlog("cluster", "failover", `127.0.0.1:${replica.port}`, seed);
      assert.equal(over.code, 0, over.stderr);
      const wrong = await slotlog("cluster", "failover", `127.0.0.1:${replica.port}`, seed);
      assert.match(wrong.stderr, /is a primary/);
      await status(primary.port, ({ ok }) => ok);
      await primary.kill9();
      const other = `127.0.0.1:${replica.port}`;
      const seen = await status(replica.port, ({ nodes }) =>
        nodes.some(({ state }) => state === "down"),
      );
      assert.ok(seen.findings.some(({ text }) => text.startsWith("does not answer")));
      assert.equal((await slotlog("cluster", "check", other)).code, 1);
      const removing = await slotlog("cluster", "remove-node", `127.0.0.1:${primary.port}`, other);
      assert.equal(removing.code, 0, removing.stderr);
      await status(replica.port, ({ nodes }) => nodes.length === 5);
    });
  });
}

describe("slotlog cluster", () => {
  it("says which node it is that does not answer, or is none of a cluster", async () => {
    await using server = await Server.start({ program: subject(), directives: ["--save", ""] });
    const standalone = await slotlog("cluster", "status", `127.0.0.1:${server.port}`);
    assert.equal(standalone.code, 1);
    assert.match(standalone.stderr, new RegExp(`127.0.0.1:${server.port} is no node of a cluster`));
    await server.stop();
    const dead = await slotlog("cluster", "check", `127.0.0.1:${server.port}`);
    assert.equal(dead.code, 1);
    assert.match(dead.stderr, new RegExp(`127.0.0.1:${server.port} does not answer`));
    const misspelt = await slotlog("cluster", "statsu");
    assert.equal(misspelt.code, 2);
    assert.match(misspelt.stderr, /did you mean status\?/);
  });
});
