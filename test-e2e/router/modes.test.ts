// What a router can be asked for: reads from replicas, speaking as a cluster, explaining what
// breaks in one, metrics.

import assert from "node:assert/strict";
import { connect } from "node:net";
import { after, before, test } from "node:test";
import { Cluster } from "ioredis";
import { pairs, TestCluster } from "../harness/cluster.js";
import { mustRun } from "../harness/exec.js";
import { freePort } from "../harness/ports.js";
import { encodeCommand } from "../harness/raw-client.js";
import { eventually, subject } from "../harness/server.js";
import { RouterProcess } from "./router-process.js";

let cluster: TestCluster;
let nodes: number[];

before(async () => {
  cluster = await TestCluster.start({
    programs: pairs(subject(), 3),
    primaries: 3,
    directives: ["--repl-diskless-sync-delay", "0"],
  });
  nodes = cluster.servers.map(({ port }) => port);
});

after(() => cluster?.[Symbol.asyncDispose]());

/** The requests that each node got through the router, by port. */
async function requestsByPort(router: RouterProcess): Promise<Map<number, number>> {
  using client = await router.client();
  const text = (await client.call("ROUTER", "NODES")).toString("latin1");
  const lines = [...text.matchAll(/addr=127\.0\.0\.1:(\d+) .* requests=(\d+)/g)];
  return new Map(lines.map(([, port, requests]) => [Number(port), Number(requests)]));
}

test("reads come from replicas, a client's own writes from their primary if it asks for that", async () => {
  const replicas = cluster.servers.slice(3).map(({ port }) => port);
  for (const own of [false, true]) {
    const args = ["--read-from", "replica", ...(own ? ["--read-own-writes"] : [])];
    await using router = await RouterProcess.start({ nodes, args });
    using writer = await router.client();
    using reader = await router.client();
    for (let index = 0; index < 30; index++) {
      assert.equal((await writer.call("SET", `k${index}`, "v")).toString(), "+OK\r\n");
    }
    await eventually("replicas have it", async () => {
      const reply = (await reader.call("GET", "k29")).toString();
      return reply === "$1\r\nv\r\n" ? undefined : reply;
    });
    // A node names a replica to clients once gossip has told it of its offset.
    await eventually("the router knows the replicas", async () => {
      await reader.call("ROUTER", "REFRESH");
      const status = (await reader.call("ROUTER", "STATUS")).toString("latin1");
      return status.includes("router_nodes:6") ? undefined : status;
    });
    const before = await requestsByPort(router);
    for (let index = 0; index < 30; index++) await writer.call("GET", `k${index}`);
    const between = await requestsByPort(router);
    const ofReplicas = (counts: Map<number, number>): number =>
      replicas.reduce((sum, port) => sum + (counts.get(port) ?? 0), 0);
    assert.equal(ofReplicas(between) - ofReplicas(before), own ? 0 : 30);
    for (let index = 0; index < 30; index++) await reader.call("GET", `k${index}`);
    const last = await requestsByPort(router);
    assert.equal(ofReplicas(last) - ofReplicas(between), 30);
  }
});

test("a replica that dies is read around", async () => {
  await using own = await TestCluster.start({ programs: pairs(subject(), 1), primaries: 1 });
  const ports = own.servers.map(({ port }) => port);
  await using router = await RouterProcess.start({
    nodes: ports,
    args: ["--read-from", "replica"],
  });
  using client = await router.client();
  assert.equal((await client.call("SET", "k", "v")).toString(), "+OK\r\n");
  await eventually("the replica has it", async () => {
    const reply = (await client.call("GET", "k")).toString();
    return reply === "$1\r\nv\r\n" ? undefined : reply;
  });
  await own.servers[1]?.kill9();
  for (let index = 0; index < 20; index++) {
    assert.equal((await client.call("GET", "k")).toString(), "$1\r\nv\r\n");
  }
});

test("in cluster mode each client is told addresses that are right for it", async () => {
  // Nodes listen on every address of the loopback network; its others stand for outside ones.
  const args = ["--cluster-mode", "--map", "127.0.0.9 *:*=elsewhere.example:{port-1}"];
  await using router = await RouterProcess.start({
    nodes,
    args: [...args, "--map", "127.0.0.1:*=127.0.0.2:{port}"],
  });
  using client = await router.client();
  const primary = cluster.servers[2]?.port ?? 0;
  assert.equal(
    (await client.call("GET", "foo")).toString(),
    `-MOVED 12182 127.0.0.2:${primary}\r\n`,
  );
  assert.match((await client.call("MGET", "a", "b")).toString(), /^-CROSSSLOT .*slot 15495 has a/);
  assert.equal((await client.call("DBSIZE")).toString()[0], ":");
  for (const sub of ["SLOTS", "SHARDS", "NODES"]) {
    const text = (await client.call("CLUSTER", sub)).toString("latin1");
    assert.match(text, /127\.0\.0\.2/, sub);
    assert.doesNotMatch(text, /127\.0\.0\.1/, sub);
  }
  const far = connect({ port: router.port, host: "127.0.0.1", localAddress: "127.0.0.9" });
  far.write(encodeCommand(["GET", "foo"]));
  const [chunk] = (await new Promise<Buffer[]>((resolve) => {
    far.once("data", (data: Buffer) => resolve([data]));
  })) as [Buffer];
  far.destroy();
  assert.equal(chunk.toString(), `-MOVED 12182 elsewhere.example:${primary - 1}\r\n`);
  const cli = ["-c", "-p", String(router.port)];
  assert.match(await mustRun("redis-cli", [...cli, "SET", "foo", "bar"]), /OK/);
  const user = new Cluster([{ host: "127.0.0.1", port: router.port }]);
  try {
    assert.equal(await user.get("foo"), "bar");
    const hosts = user.nodes("all").map(({ options }) => options.host);
    assert.ok(hosts.includes("127.0.0.2"), hosts.join());
  } finally {
    user.disconnect();
  }
});

test("what breaks in a cluster is explained, and logged once", async () => {
  await using router = await RouterProcess.start({ nodes, args: ["--explain"] });
  using client = await router.client();
  await client.call("CLIENT", "SETNAME", "billing");
  for (let round = 0; round < 3; round++) {
    assert.match(
      (await client.call("SINTER", "user:1:tags", "user:2:tags")).toString(),
      /^-CROSSSLOT Keys in request don't hash to the same slot: slot \d+ has user:1:tags, slot \d+ has user:2:tags\. With a hash tag they share a slot: name them \{user\}:1:tags, \{user\}:2:tags\r\n$/,
    );
  }
  const logged = router.log.match(/SINTER would break in a cluster: .* name=billing/g);
  assert.equal(logged?.length, 1, router.log);
  const explain = async (...words: string[]): Promise<string> =>
    (await client.call("ROUTER", "EXPLAIN", ...words)).toString("latin1");
  assert.match(await explain("GET", "foo"), /slot 12182, 127\.0\.0\.1:\d+/);
  assert.match(await explain("DEL", "a", "b", "c"), /3 parts/);
  assert.match(await explain("FLUSHALL"), /every primary, 3 of them/);
  assert.match(await explain("RENAME", "a", "b"), /CROSSSLOT/);
  assert.match(await explain("MONITOR"), /one node's/);
  assert.match(await explain("SET", "a"), /wrong number of arguments/);
  const port = nodes[0] ?? 0;
  const own = (
    await client.call("ROUTER", "ON", `127.0.0.1:${port}`, "CLUSTER", "MYID")
  ).toString();
  assert.match(own, /^\$40\r\n[0-9a-f]{40}/);
  assert.match((await client.call("ROUTER", "ON", "127.0.0.1:1", "PING")).toString(), /is no node/);
});

test("metrics and readiness", async () => {
  const metricsPort = await freePort();
  const args = ["--metrics-port", String(metricsPort)];
  await using router = await RouterProcess.start({ nodes, args });
  using client = await router.client();
  for (let index = 0; index < 10; index++) await client.call("SET", `m${index}`, "v");
  await client.call("INCR", "m1");
  const page = async (path: string): Promise<Response> =>
    fetch(`http://127.0.0.1:${metricsPort}${path}`);
  assert.equal((await page("/readyz")).status, 200);
  assert.equal((await page("/nothing")).status, 404);
  const text = await (await page("/metrics")).text();
  assert.match(text, /^slotlog_router_requests_total\{command="set"\} 10$/m);
  assert.match(text, /^slotlog_router_errors_total\{command="incr"\} 1$/m);
  assert.match(text, /^slotlog_router_request_seconds_bucket\{command="set",le="\+Inf"\} 10$/m);
  assert.match(text, /^slotlog_router_node_requests_total\{node="127\.0\.0\.1:\d+"\} \d+$/m);
  assert.match(text, /^slotlog_router_slots_requests_total\{slots="0-1023"\} \d+$/m);
  const again = await (await page("/metrics")).text();
  assert.match(again, /^slotlog_router_requests_total\{command="set"\} 10$/m);
});
