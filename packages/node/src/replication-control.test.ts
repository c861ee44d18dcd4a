import assert from "node:assert/strict";
import { test } from "node:test";
import type { NodeConfig } from "./config/config.js";
import { SimNet } from "./replication/testing/sim-net.js";
import { SimClock } from "./testing/sim-clock.js";
import { replyText, type SimClient, SimServer } from "./testing/sim-server.js";

interface Pair {
  readonly primary: SimServer;
  readonly replica: SimServer;
  readonly here: SimClient;
  readonly there: SimClient;
}

async function pair(config: Partial<NodeConfig> = {}): Promise<Pair> {
  const clock = new SimClock();
  const net = new SimNet(clock, 5);
  const all = { replDisklessSyncDelay: 0, ...config };
  const primary = await SimServer.start({ clock, net, config: all });
  const replica = await SimServer.start({ clock, net, port: 6380, config: all });
  const here = await primary.connect();
  const there = await replica.connect();
  assert.equal(await there.ask("REPLICAOF", "127.0.0.1", "6379"), "OK");
  const isOnline = (): boolean =>
    [...primary.node.replication.replicas.links].some(({ state }) => state === "online");
  await primary.until(isOnline, "the replica");
  return { primary, replica, here, there };
}

async function line(client: SimClient, name: string): Promise<string | undefined> {
  const text = await client.ask("INFO", "replication");
  return new RegExp(`^${name}:(.*?)\r$`, "m").exec(text)?.[1];
}

test("WAIT returns as soon as the replica has what this client wrote", async () => {
  const { here, primary, replica } = await pair();
  for (let round = 0; round < 5; round += 1) {
    const began = primary.clock.monotonic();
    await here.ask("SET", "k", String(round));
    assert.equal(await here.ask("WAIT", "1", "0"), "1");
    assert.ok(primary.clock.monotonic() - began < 50, "it did not wait for the next second's ACK");
    assert.equal(replica.node.databases.first.peek("k"), round);
  }
  const began = primary.clock.monotonic();
  assert.equal(await here.ask("WAIT", "2", "300"), "1");
  const waited = primary.clock.monotonic() - began;
  assert.ok(waited >= 300 && waited < 320, `it waited ${waited} ms`);
});

test("a WAIT in the same packet as its write waits for that write", async () => {
  const { here, primary } = await pair();
  here.send("SET", "a", "1");
  here.send("WAIT", "1", "0");
  here.send("GET", "a");
  await primary.until(() => here.replies.length === 3, "three replies");
  assert.deepEqual(here.replies.slice(0, 2), ["OK", 1]);
  assert.equal(replyText(here.replies[2]), "1");
});

test("WAITAOF waits for the disks, here and there", async () => {
  const { here, primary, replica } = await pair({ appendonly: true, appendfsync: "everysec" });
  await primary.until(() => replica.node.persistence.appendOnly.durableOffset !== undefined, "AOF");
  await here.ask("SET", "a", "1");
  assert.equal(await here.ask("WAITAOF", "1", "1", "5000"), "1 1");
  const { appendOnly } = replica.node.persistence;
  assert.equal(appendOnly.durableOffset, replica.node.stream.offset);
  await here.ask("CONFIG", "SET", "appendfsync", "no");
  here.send("SET", "a", "2");
  here.send("WAITAOF", "1", "0", "0");
  await primary.clock.advance(3000);
  assert.equal(here.replies.at(-1), "OK");
  const other = await primary.connect();
  assert.equal(await other.ask("CONFIG", "SET", "appendonly", "no"), "OK");
  await primary.until(() => here.replies.at(-1) instanceof Error, "the refusal");
});

test("a replica says nothing of its disk until the new data set is on it", async () => {
  const { primary, replica } = await pair({ appendonly: true });
  const { node } = replica;
  const { replicationControl } = node;
  await primary.until(() => replicationControl.durableOffset() !== undefined, "the new base");
  assert.equal(node.persistence.appendOnly.runs.running, false);
  assert.equal(replicationControl.durableOffset(), node.replication.history.offset);
});

test("FAILOVER swaps the roles and loses nothing; writes wait meanwhile", async () => {
  const { here, there, primary } = await pair();
  const writer = await primary.connect();
  for (let index = 0; index < 20; index += 1) await writer.ask("INCR", "n");
  assert.equal(await here.ask("FAILOVER", "TIMEOUT", "5000"), "OK");
  assert.equal(await line(here, "master_failover_state"), "waiting-for-sync");
  assert.equal(
    await here.ask("REPLICAOF", "NO", "ONE"),
    "-ERR REPLICAOF not allowed while failing over.",
  );
  writer.send("INCR", "n");
  const isOver = (): boolean => !primary.node.replicationControl.failover.isRunning;
  await primary.until(() => primary.node.role.isReplica && isOver(), "the failover");
  await primary.until(() => writer.replies.length === 21, "the write that waited");
  assert.match((writer.replies[20] as Error).message, /^READONLY/);
  assert.equal(await line(there, "role"), "master");
  assert.equal(await there.ask("INCR", "n"), "21");
  assert.equal(await there.ask("WAIT", "1", "1000"), "1");
  assert.equal(await here.ask("GET", "n"), "21");
  assert.equal(primary.node.replication.replicas.counters.fullSyncs, 1);
  assert.deepEqual(primary.node.config.replicaof, { host: "127.0.0.1", port: 6380 });
});

test("FAILOVER gives up at its timeout, and the writes that waited are done here", async () => {
  const { here, primary, replica } = await pair();
  const writer = await primary.connect();
  // The replica reads nothing any more, so it confirms nothing.
  for (const link of primary.node.replication.replicas.links) link.become("closed");
  replica.node.replication.stop();
  assert.equal(await here.ask("FAILOVER", "TIMEOUT", "400"), "OK");
  writer.send("INCR", "n");
  await primary.clock.advance(300);
  assert.equal(writer.replies.length, 0);
  await primary.until(() => writer.replies.length === 1, "the write that waited");
  assert.equal(writer.replies[0], 1);
  assert.equal(await line(here, "master_failover_state"), "no-failover");
});

test("clients that WAIT are let go when the node becomes a replica", async () => {
  const { here, primary } = await pair();
  await here.ask("SET", "a", "1");
  here.send("WAIT", "3", "0");
  await primary.clock.advance(20);
  const other = await primary.connect();
  await other.ask("REPLICAOF", "127.0.0.1", "9");
  await primary.until(() => !here.connected, "the end of the connection");
  assert.match((here.replies.at(-1) as Error).message, /^UNBLOCKED force unblock/);
});

test("a replica deletes expired keys that its own clients wrote, and no others", async () => {
  const { here, primary, replica, there } = await pair();
  await there.ask("CONFIG", "SET", "replica-read-only", "no");
  // The primary must not delete its own, so that the replica alone decides.
  await here.ask("DEBUG", "SET-ACTIVE-EXPIRE", "0");
  await here.ask("SET", "primarys", "v", "PX", "50");
  await there.ask("SET", "own", "v", "PX", "50");
  await there.ask("SET", "renamed", "v", "PX", "50");
  await there.ask("RENAME", "renamed", "name");
  await there.ask("SET", "kept", "v", "PX", "50");
  await there.ask("PERSIST", "kept");
  await there.ask("SELECT", "3");
  for (let key = 0; key < 500; key += 1) await there.ask("SET", `many${key}`, "v", "PX", "50");
  await there.ask("SET", "later", "v", "PX", "500");
  await here.ask("WAIT", "1", "0");
  const { databases, hooks } = replica.node;
  const third = databases.get(3);
  await primary.until(() => databases.first.size === 2 && third?.size === 1, "the own keys to go");
  assert.equal(databases.first.tables.find("primarys") >= 0, true, "it is hidden, and there");
  assert.equal(await there.ask("EXISTS", "later"), "1");
  assert.equal(replica.node.stats.expiredKeys, 502);
  assert.equal(hooks.replicaWrites.size, 1);
  await primary.until(() => third?.size === 0, "the last one");
  assert.equal(hooks.replicaWrites.size, 0);
  assert.equal(await there.ask("GET", "kept"), "null");
});
