import assert from "node:assert/strict";
import { test } from "node:test";
import { SimClock } from "../testing/sim-clock.js";
import { roleReport } from "./report.js";
import { SimNet } from "./testing/sim-net.js";
import { SmallNode } from "./testing/small-node.js";

function world(count: number, seed = 7): { clock: SimClock; net: SimNet; nodes: SmallNode[] } {
  const clock = new SimClock();
  const net = new SimNet(clock, seed);
  const nodes = Array.from({ length: count }, (_, index) => {
    return new SmallNode({ clock, net, port: 7000 + index });
  });
  return { clock, net, nodes };
}

function same(left: SmallNode | undefined, right: SmallNode | undefined): void {
  const plain = (node: SmallNode | undefined): unknown => {
    const filled = [...(node?.databases ?? [])].filter(([, keys]) => keys.size > 0);
    return new Map(filled);
  };
  assert.deepEqual(plain(left), plain(right));
  assert.equal(left?.offset, right?.offset);
  assert.equal(left?.replication.history.id, right?.replication.history.id);
}

test("a new replica gets the data set, then the stream, in the right databases", async () => {
  const { clock, nodes } = world(2);
  const [primary, replica] = nodes as [SmallNode, SmallNode];
  for (let index = 0; index < 300; index++)
    primary.write(index % 3, "SET", `k${index}`, `v${index}`);
  replica.follow(primary);
  await clock.advance(500);
  assert.equal(replica.commits, 1);
  primary.write(2, "SET", "later", "x");
  primary.write(0, "DEL", "k0");
  await clock.advance(50);
  assert.equal(replica.get(2, "later"), "x");
  same(primary, replica);
  await clock.advance(2000);
  assert.equal([...primary.replication.replicas.links][0]?.acknowledgedOffset, primary.offset);
});

test("writes during the transfer arrive exactly once, behind the data set", async () => {
  for (let seed = 1; seed <= 20; seed++) {
    const { clock, nodes } = world(2, seed * 77);
    const [primary, replica] = nodes as [SmallNode, SmallNode];
    for (let index = 0; index < 200; index++) primary.write(0, "SET", `k${index}`, "old");
    replica.follow(primary);
    for (let step = 0; step < 60; step++) {
      primary.write(step % 2, "SET", `k${step}`, `new${step}`);
      await clock.advance(1);
    }
    await clock.advance(2000);
    same(primary, replica);
  }
});

test("after a broken connection the stream goes on where it was, at any point", async () => {
  const { clock, net, nodes } = world(2);
  const [primary, replica] = nodes as [SmallNode, SmallNode];
  replica.follow(primary);
  await clock.advance(100);
  for (let round = 0; round < 50; round++) {
    for (let index = 0; index < 5; index++)
      primary.write(round % 4, "SET", `k${round}-${index}`, "v");
    await clock.advance(round % 3);
    net.breakAll();
    primary.write(1, "SET", `gap${round}`, "v");
    await clock.advance(1500);
    same(primary, replica);
  }
  assert.equal(replica.commits, 1);
  const { counters } = primary.replication.replicas;
  assert.deepEqual(counters, { fullSyncs: 1, partialSyncs: 50, partialSyncsRefused: 0 });
});

test("a replica that was away for longer than the backlog gets everything anew", async () => {
  const { clock, net, nodes } = world(2);
  const [primary, replica] = nodes as [SmallNode, SmallNode];
  primary.settings.backlogBytes = 16 * 1024;
  replica.follow(primary);
  await clock.advance(100);
  net.breakAll();
  for (let index = 0; index < 2000; index++) primary.write(0, "SET", `k${index}`, "v".repeat(40));
  await clock.advance(3000);
  assert.equal(replica.commits, 2);
  same(primary, replica);
  const backlog = primary.replication.history.backlog;
  assert.ok(backlog !== undefined && backlog.memoryBytes < 32 * 1024);
});

test("a slow replica keeps the backlog up to its limit and is then closed", async () => {
  const { clock, net, nodes } = world(2);
  const [primary, replica] = nodes as [SmallNode, SmallNode];
  primary.settings.backlogBytes = 16 * 1024;
  primary.settings.outputHardBytes = 4 * 1024 * 1024;
  replica.follow(primary);
  await clock.advance(100);
  net.stopReading();
  const value = "v".repeat(1000);
  for (let round = 0; round < 3; round++) {
    for (let index = 0; index < 1000; index++) primary.write(0, "SET", `k${index}`, value);
    await clock.advance(1000);
  }
  assert.equal(primary.replication.replicas.count, 1, "3 MB wait, the limit is 4");
  assert.ok((primary.replication.history.backlog?.memoryBytes ?? 0) > 1_500_000);
  for (let index = 0; index < 2000; index++) primary.write(0, "SET", `k${index}`, value);
  assert.equal(primary.messages.includes("replica link closed"), false);
  await clock.advance(1000);
  assert.equal(primary.messages.includes("replica link closed"), true);
  await clock.advance(3000);
  assert.ok((primary.replication.history.backlog?.memoryBytes ?? 0) < 64 * 1024);
  assert.equal(replica.commits, 2);
  same(primary, replica);
});

test("a replica of a replica has the same history, byte for byte", async () => {
  const { clock, net, nodes } = world(3);
  const [primary, middle, last] = nodes as [SmallNode, SmallNode, SmallNode];
  middle.follow(primary);
  last.follow(middle);
  await clock.advance(2500);
  assert.equal(last.replication.primary?.state, "connected");
  for (let index = 0; index < 100; index++) primary.write(index % 2, "SET", `k${index}`, "v");
  await clock.advance(100);
  same(primary, last);
  net.breakAll();
  primary.write(0, "SET", "after", "v");
  await clock.advance(3000);
  same(primary, last);
  assert.equal(last.commits, 1);
});

test("a promoted replica is followed by the others without a full synchronisation", async () => {
  const { clock, nodes } = world(3);
  const [old, promoted, other] = nodes as [SmallNode, SmallNode, SmallNode];
  promoted.follow(old);
  other.follow(old);
  await clock.advance(100);
  old.write(0, "SET", "a", "1");
  await clock.advance(20);
  const oldId = old.replication.history.id;
  promoted.replication.unfollow();
  assert.equal(promoted.replication.history.secondId, oldId);
  assert.equal(promoted.replication.history.secondOffset, promoted.offset + 1);
  promoted.write(3, "SET", "b", "2");
  other.follow(promoted);
  old.follow(promoted);
  await clock.advance(2000);
  same(promoted, other);
  same(promoted, old);
  assert.deepEqual([old.commits, other.commits], [0, 1]);
});

test("a primary that wrote on after the split must take everything from its successor", async () => {
  const { clock, nodes } = world(2);
  const [old, promoted] = nodes as [SmallNode, SmallNode];
  promoted.follow(old);
  await clock.advance(100);
  promoted.replication.unfollow();
  old.write(0, "SET", "lost", "1");
  promoted.write(0, "SET", "kept", "1");
  await clock.advance(10);
  old.follow(promoted);
  await clock.advance(2000);
  assert.equal(old.get(0, "lost"), undefined);
  assert.equal(old.commits, 1);
  same(promoted, old);
});

test("a connection that breaks inside the data set changes nothing until the next is whole", async () => {
  const { clock, net, nodes } = world(2);
  const [primary, replica] = nodes as [SmallNode, SmallNode];
  replica.write(0, "SET", "mine", "1");
  for (let index = 0; index < 9000; index++)
    primary.write(0, "SET", `k${index}`, `v${index}`.repeat(30));
  // More than a socket holds: with the replica not reading, the transfer stands still half way.
  primary.snapshotChunkBytes = 10_000;
  replica.follow(primary);
  for (let ms = 0; replica.replication.primary?.receiver?.hasBegun !== true; ms++) {
    assert.ok(ms < 100, "the transfer has not begun");
    await clock.advance(1);
  }
  net.stopReading();
  await clock.advance(50);
  assert.equal(roleReport(replica.replication).role, "slave");
  assert.equal(replica.replication.primary?.state, "sync");
  net.breakAll();
  await clock.advance(5);
  assert.equal(replica.aborts, 1);
  assert.equal(replica.get(0, "mine"), "1");
  assert.equal(replica.commits, 0);
  await clock.advance(3000);
  assert.equal(replica.get(0, "mine"), undefined);
  same(primary, replica);
});

test("GETACK is answered at once, and WAIT can count", async () => {
  const { clock, nodes } = world(3);
  const [primary, left, right] = nodes as [SmallNode, SmallNode, SmallNode];
  left.follow(primary);
  right.follow(primary);
  await clock.advance(1200);
  primary.write(0, "SET", "k", "v");
  await clock.advance(5);
  const offset = primary.offset;
  assert.equal(primary.replication.replicas.countAcknowledged(offset), 0);
  primary.replication.replicas.requestAcks();
  await clock.advance(5);
  assert.equal(primary.replication.replicas.countAcknowledged(offset), 2);
});

test("the primary pings, and both sides end a silent link", async () => {
  const { clock, net, nodes } = world(2);
  const [primary, replica] = nodes as [SmallNode, SmallNode];
  primary.settings.timeoutSeconds = 30;
  replica.settings.timeoutSeconds = 30;
  replica.follow(primary);
  await clock.advance(25_000);
  assert.equal(replica.replication.primary?.state, "connected");
  assert.equal(primary.offset, 3 * 14, "PINGs of 14 bytes each after 1, 11 and 21 seconds");
  same(primary, replica);
  net.stopReading();
  await clock.advance(33_000);
  assert.ok(replica.messages.some((message) => message === "link to the primary is down"));
});

test("a primary that is not there is dialled once a second", async () => {
  const { clock, net, nodes } = world(1);
  const [node] = nodes as [SmallNode];
  node.replication.follow({ host: "127.0.0.1", port: 9999 });
  await clock.advance(10_500);
  const dials = node.messages.filter((message) => message === "connecting to the primary");
  assert.ok(dials.length >= 10 && dials.length <= 12, `${dials.length} attempts`);
  assert.equal(roleReport(node.replication).role, "slave");
  const late = new SmallNode({ clock, net, port: 9999 });
  late.write(0, "SET", "k", "v");
  await clock.advance(3000);
  same(late, node);
});

test("a replica whose own link is down refuses to synchronise others", async () => {
  const { clock, nodes } = world(2);
  const [middle, last] = nodes as [SmallNode, SmallNode];
  middle.replication.follow({ host: "127.0.0.1", port: 9999 });
  last.follow(middle);
  await clock.advance(500);
  assert.equal(last.replication.primary?.state, "connect");
  middle.replication.unfollow();
  await clock.advance(3000);
  assert.equal(last.replication.primary?.state, "connected");
  same(middle, last);
});

test("without replicas for its time to live the backlog goes, and the history with it", async () => {
  const { clock, nodes } = world(2);
  const [primary, replica] = nodes as [SmallNode, SmallNode];
  primary.settings.backlogTtlSeconds = 5;
  replica.follow(primary);
  await clock.advance(1500);
  const { id } = primary.replication.history;
  replica.replication.unfollow();
  await clock.advance(3000);
  assert.equal(primary.replication.history.id, id);
  await clock.advance(5000);
  assert.equal(primary.replication.history.backlog, undefined);
  assert.notEqual(primary.replication.history.id, id);
});

test("a link that never was up has not been down since its first attempt", async () => {
  const { clock, net, nodes } = world(2);
  const [primary, replica] = nodes as [SmallNode, SmallNode];
  primary.write(0, "SET", "k", "v");
  replica.follow(primary);
  // It breaks before the data set has come: elections must not take that for fresh data.
  await clock.advance(1);
  net.breakAll();
  await clock.advance(1);
  assert.equal(replica.commits, 0);
  assert.equal(replica.replication.primary?.downSince, undefined);
  await clock.advance(3000);
  assert.equal(replica.commits, 1);
});
