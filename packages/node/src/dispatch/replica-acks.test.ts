import assert from "node:assert/strict";
import { test } from "node:test";
import type { NodeConfig } from "../config/config.js";
import { SimNet } from "../replication/testing/sim-net.js";
import { SimClock } from "../testing/sim-clock.js";
import { replyText, type SimClient, SimServer } from "../testing/sim-server.js";

interface Scene {
  readonly primary: SimServer;
  readonly replica: SimServer;
  readonly here: SimClient;
  readonly there: SimClient;
}

const timeoutMs = 200;
const late = `-UNCONFIRMED the write was done here: not confirmed by 1 replica within ${timeoutMs} ms`;

async function scene(
  config: Partial<NodeConfig> = {},
  ofReplica: Partial<NodeConfig> = {},
): Promise<Scene> {
  const clock = new SimClock();
  const net = new SimNet(clock, 5);
  const all = { replDisklessSyncDelay: 0 };
  const acks = { replicaAcks: 1, replicaAcksTimeout: timeoutMs };
  const primary = await SimServer.start({ clock, net, config: { ...all, ...acks, ...config } });
  const replica = await SimServer.start({
    clock,
    net,
    port: 6380,
    config: { ...all, ...ofReplica },
  });
  const here = await primary.connect();
  const there = await replica.connect();
  assert.equal(await there.ask("REPLICAOF", "127.0.0.1", "6379"), "OK");
  await primary.until(() => isOnline(primary), "the replica");
  return { primary, replica, here, there };
}

function isOnline(primary: SimServer): boolean {
  return [...primary.node.replication.replicas.links].some(({ state }) => state === "online");
}

/** The replica goes, and with it everybody who could confirm anything. */
async function alone({ primary, there }: Scene): Promise<void> {
  assert.equal(await there.ask("REPLICAOF", "NO", "ONE"), "OK");
  await primary.until(() => !isOnline(primary), "the replica to be gone");
}

async function all(client: SimClient, server: SimServer, count: number): Promise<string[]> {
  await server.until(() => client.replies.length >= count, `${count} replies`);
  return client.replies.splice(0).map((reply) => replyText(reply));
}

test("a write is answered when the replica has it, without waiting for the next second", async () => {
  const { here, primary, replica } = await scene();
  for (let round = 0; round < 5; round += 1) {
    const began = primary.clock.monotonic();
    assert.equal(await here.ask("SET", "k", String(round)), "OK");
    assert.equal(replica.node.databases.first.peek("k"), round);
    assert.ok(primary.clock.monotonic() - began < 30, "a round trip");
  }
  assert.equal(primary.node.gate.waitingCount, 0);
});

test("one GETACK asks for all that a turn has written", async () => {
  const { here, primary } = await scene();
  here.replies.splice(0);
  const before = primary.node.replication.history.offset;
  for (let index = 0; index < 50; index += 1) here.send("SET", "k", "v");
  assert.deepEqual(
    await all(here, primary, 50),
    Array.from({ length: 50 }, () => "OK"),
  );
  const record = "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1\r\nv\r\n".length;
  const select = "*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n".length;
  const asked = primary.node.replication.history.offset - before - 50 * record - select;
  const turns = asked / "*3\r\n$8\r\nREPLCONF\r\n$6\r\nGETACK\r\n$1\r\n*\r\n".length;
  assert.ok(turns >= 1 && turns < 40 && Number.isInteger(turns), `${turns} GETACKs`);
});

test("nobody confirms: the writes, and only they, are answered UNCONFIRMED, in order", async () => {
  const scenery = await scene();
  const { here, primary } = scenery;
  await alone(scenery);
  here.replies.splice(0);
  const began = primary.clock.monotonic();
  here.send("GET", "k");
  here.send("SET", "k", "1");
  here.send("GET", "k");
  here.send("LPUSH", "k", "x");
  here.send("INCR", "k");
  const replies = await all(here, primary, 5);
  const wrong = "-WRONGTYPE Operation against a key holding the wrong kind of value";
  assert.deepEqual(replies, ["null", late, "1", wrong, late]);
  const waited = primary.clock.monotonic() - began;
  assert.ok(waited >= timeoutMs && waited < timeoutMs + 40, `${waited} ms`);
  assert.equal(primary.node.stats.unconfirmedWrites, 2);
  assert.equal(await here.ask("GET", "k"), "2", "it was done all the same");
});

test("EXEC is one reply, and so is that to who was blocked", async () => {
  const scenery = await scene();
  const { here, primary } = scenery;
  const waiting = await primary.connect();
  waiting.send("BLPOP", "list", "0");
  here.replies.splice(0);
  for (const words of ["MULTI", "SET a 1", "INCR a", "EXEC", "RPUSH list x"]) {
    here.send(...words.split(" "));
  }
  assert.deepEqual(await all(here, primary, 5), ["OK", "QUEUED", "QUEUED", "OK 2", "1"]);
  assert.deepEqual(await all(waiting, primary, 1), ["list x"]);
  await alone(scenery);
  here.replies.splice(0);
  waiting.send("BLPOP", "list", "0");
  for (const words of ["MULTI", "INCR a", "GET a", "EXEC", "RPUSH list y"]) {
    here.send(...words.split(" "));
  }
  assert.deepEqual(await all(here, primary, 5), ["OK", "QUEUED", "QUEUED", late, late]);
  assert.deepEqual(await all(waiting, primary, 1), [late]);
  assert.equal(await waiting.ask("PING"), "PONG", "and it may go on");
});

test("a client that only reads is not held up", async () => {
  const scenery = await scene();
  const { here, primary } = scenery;
  await alone(scenery);
  const reader = await primary.connect();
  here.send("SET", "k", "v");
  const began = primary.clock.monotonic();
  await reader.ask("PING");
  await reader.ask("GET", "k");
  assert.ok(primary.clock.monotonic() - began < 20);
});

test("CONFIG SET: from the next write on, and 0 lets go whoever waits", async () => {
  const scenery = await scene({ replicaAcks: 0 });
  const { here, primary } = scenery;
  await alone(scenery);
  assert.equal(await here.ask("SET", "k", "v"), "OK");
  assert.equal(await here.ask("CONFIG", "SET", "replica-acks", "2"), "OK");
  const other = await primary.connect();
  here.replies.splice(0);
  here.send("SET", "k", "w");
  await other.ask("PING");
  assert.deepEqual(here.replies, []);
  assert.equal(await other.ask("CONFIG", "SET", "replica-acks", "0"), "OK");
  assert.deepEqual(await all(here, primary, 1), ["OK"]);
});

test("demotion and shutdown answer what waits; neither is a redirect", async () => {
  for (const how of ["REPLICAOF 127.0.0.1 6380", "SHUTDOWN NOSAVE NOW"]) {
    const scenery = await scene({ replicaAcksTimeout: 10_000 });
    const { here, primary } = scenery;
    await alone(scenery);
    const other = await primary.connect();
    here.replies.splice(0);
    here.send("SET", "k", "v");
    await primary.clock.advance(5);
    // What was written in the same turn is lost as well.
    other.send("SET", "k", "w");
    other.send(...how.split(" "));
    const why = how.startsWith("SHUT") ? "was shut down" : "became a replica";
    const expected = `-UNCONFIRMED the write was done here: this node ${why} before 1 replica confirmed it`;
    assert.deepEqual(await all(here, primary, 1), [expected], how);
    assert.equal((await all(other, primary, 1))[0], expected, how);
  }
});

test("a slot that goes to another node takes its own waiting writes with it", async () => {
  const clock = new SimClock();
  const net = new SimNet(clock, 5);
  const config = { clusterEnabled: true, replicaAcks: 1, replicaAcksTimeout: 5000 };
  const server = await SimServer.start({ clock, net, config });
  const here = await server.connect();
  const there = await server.connect();
  const other = await server.connect();
  assert.equal(await other.ask("CLUSTER", "ADDSLOTSRANGE", "0", "16383"), "OK");
  await server.until(() => server.node.cluster?.serving === true, "the cluster to serve");
  here.replies.splice(0);
  here.send("SET", "{a}", "1");
  there.send("SET", "{b}", "1");
  await clock.advance(5);
  const slot = await other.ask("CLUSTER", "KEYSLOT", "{a}");
  assert.equal(await other.ask("CLUSTER", "DELSLOTS", slot), "OK");
  await clock.advance(50);
  const [first] = await all(here, server, 1);
  assert.match(first ?? "", /^-UNCONFIRMED .*its slot was given to another node before 1 replica/);
  assert.deepEqual(there.replies, [], "the other one waits on");
});

test("replica-acks-fsync waits for the replica's disk; without an AOF there it counts for nothing", async () => {
  const fsync = { replicaAcksFsync: true };
  const withDisk = await scene(fsync, { appendonly: true, appendfsync: "always" });
  // Its base must be written first: until then it has nothing on disk.
  await withDisk.primary.clock.advance(3000);
  assert.equal(await withDisk.here.ask("SET", "k", "v"), "OK");
  const without = await scene(fsync);
  assert.equal(await without.here.ask("SET", "k", "v"), late);
  const line = without.primary.log.lines.filter((text) => text.includes("replica-acks-fsync"));
  assert.equal(line.length, 1, "said once");
});
