/** Write leases in virtual time: when they run out, when they do not, and what ends that. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { stayQuiet } from "../testing/quiet.js";
import { SimCluster } from "../testing/sim-cluster.js";
import type { SimNode } from "../testing/sim-node.js";
import { leaseMs } from "./write-lease.js";

/** Steps in which the tests look: well below the time that a packet or a tick takes. */
const stepMs = 2;

/** Advances until it holds; the virtual milliseconds that took. */
async function msUntil(cluster: SimCluster, condition: () => boolean): Promise<number> {
  const began = cluster.clock.now;
  while (!condition()) {
    if (cluster.clock.now - began > 60_000) assert.fail(`not in a minute\n${cluster.show()}`);
    await cluster.clock.runUntil(cluster.clock.now + stepMs);
  }
  return cluster.clock.now - began;
}

const firstSlot = (node: SimNode): number => {
  for (let slot = 0; ; slot++) if (node.core.ownerOf(slot)?.isMyself) return slot;
};

function logged(node: SimNode, text: string): number {
  return node.logs.filter((line) => line.includes(text)).length;
}

test("a primary that is cut off takes writes for as long as its lease, and no longer", async () => {
  for (const [seed, primaries, nodeTimeoutMs] of [
    [1, 2, 2000],
    [2, 3, 1000],
    [3, 3, 15_000],
    [4, 5, 2000],
    [5, 10, 5000],
  ] as const) {
    const cluster = await SimCluster.form({ seed, primaries, replicas: 1, nodeTimeoutMs });
    const [p1] = cluster.nodes as [SimNode];
    const slot = firstSlot(p1);
    await cluster.advance(cluster.random.below(nodeTimeoutMs));
    cluster.isolate(p1.name);
    const cutAt = p1.now();
    // The pongs that had come before decide, and nothing afterwards.
    p1.core.mayWrite(p1.core.writableUntil);
    const { writableUntil } = p1.core;
    const ms = await msUntil(cluster, () => !p1.takesWrites(slot));
    const what = `seed ${seed}: ${ms} ms after the cut`;
    assert.ok(ms <= leaseMs(p1.config), what);
    assert.ok(p1.core.stateOk, `${what}: Redis' own rule came first`);
    assert.ok(Math.abs(cutAt + ms - writableUntil) <= stepMs, what);
    // A third of it may have passed at the cut, and a tick and a pong's way.
    assert.ok(ms >= (leaseMs(p1.config) * 2) / 3 - 150, what);
    await cluster.advance(100);
    assert.equal(logged(p1, "Refusing writes"), 1);
    assert.equal(p1.core.writeLeaseLapses, 1);
  }
});

test("quiet clusters never see it run out", async () => {
  const quiet = { virtualMs: 120_000, latencyMsMax: 40 };
  for (const nodeTimeoutMs of [500, 2000, 15_000]) {
    for (const [seed, primaries, replicas, lostPerMille] of [
      [11, 2, 0, 0],
      [12, 3, 0, 3],
      [13, 3, 3, 3],
      [14, 5, 5, 3],
    ] as const) {
      const shape = { ...quiet, seed, primaries, replicas, lostPerMille, nodeTimeoutMs };
      const { lapses, leftMin } = await stayQuiet(shape);
      assert.equal(lapses, 0, JSON.stringify(shape));
      // A packet that is lost for good is waited for, until its connection is given up.
      const least = lostPerMille === 0 ? 0.45 : 0;
      assert.ok(leftMin > least, `${leftMin} of it was left: ${JSON.stringify(shape)}`);
    }
  }
});

test("nobody takes a write where another one does, however a primary is cut off", async () => {
  for (let seed = 20; seed < 32; seed++) {
    const primaries = 3 + (seed % 3);
    const replicas = primaries + (seed % 2);
    const cluster = await SimCluster.form({ seed, primaries, replicas, nodeTimeoutMs: 1000 });
    const [p1] = cluster.nodes as [SimNode];
    const slot = firstSlot(p1);
    const writers = (): SimNode[] => cluster.nodes.filter((node) => node.takesWrites(slot));
    const neverTwo = (done: () => boolean) => (): boolean => {
      const names = writers().map(({ name }) => name);
      if (names.length > 1) assert.fail(`seed ${seed}: ${names.join(" and ")} take writes`);
      return done();
    };
    await cluster.advance(cluster.random.below(2000));
    if (seed % 4 === 0) p1.pause();
    else cluster.isolate(p1.name);
    await msUntil(
      cluster,
      neverTwo(() => writers().some((node) => node !== p1)),
    );
    await cluster.advance(cluster.random.below(3000));
    cluster.network.heal();
    p1.resume();
    await msUntil(
      cluster,
      neverTwo(() => !p1.core.isPrimary),
    );
  }
});

test("a process that stood still refuses writes before it has heard or done anything", async () => {
  const cluster = await SimCluster.form({ seed: 41, primaries: 3, nodeTimeoutMs: 2000 });
  const [p1, p2] = cluster.nodes as [SimNode, SimNode];
  const slot = firstSlot(p1);
  p1.pause();
  await cluster.advance(1900);
  // Nobody has missed it yet, but it cannot know.
  assert.equal(p1.core.mayWrite(p1.now()), false);
  assert.equal(p2.core.node(p1.core.myId)?.health, "online");
  p1.resume();
  assert.equal(p1.takesWrites(slot), false);
  const ms = await msUntil(cluster, () => p1.takesWrites(slot));
  // What came while it stood still did not count: a ping, its pong, and the wait behind it.
  assert.ok(ms >= 200 && ms <= 450, `${ms} ms`);
  assert.ok(p1.core.stateOk);
  assert.equal(logged(p1, "Refusing writes"), 1);
  assert.equal(logged(p1, "Taking writes again"), 1);
  assert.equal(logged(p1, "Cluster state changed: fail"), 0);
});

test("without a rejoin delay it goes on as soon as a majority answers", async () => {
  const config = { writableDelayMs: 0 };
  const cluster = await SimCluster.form({ seed: 42, primaries: 3, nodeTimeoutMs: 2000, config });
  const [p1] = cluster.nodes as [SimNode];
  p1.pause();
  await cluster.advance(1900);
  p1.resume();
  const ms = await msUntil(cluster, () => p1.takesWrites(firstSlot(p1)));
  assert.ok(ms <= 150, `${ms} ms`);
});

test("it is asked for again when the electorate changes, and is not needed alone", async () => {
  const cluster = new SimCluster({ seed: 43, primaries: 2, nodeTimeoutMs: 2000 });
  const a = cluster.addNode("a");
  const b = cluster.addNode("b");
  const slots = Array.from({ length: 16_384 }, (_, slot) => slot);
  a.run({ kind: "add-slots", slots });
  a.run({ kind: "meet", ip: b.ip, port: 7000, busPort: 17_000 });
  await cluster.advance(4000);
  assert.equal(a.core.writableUntil, Number.POSITIVE_INFINITY);
  assert.ok(a.takesWrites(0));
  // The first slot moves: two have a say from now on, and neither has stopped for that.
  for (const [node, action, other] of [
    [b, "importing", a],
    [b, "node", b],
  ] as const) {
    const reply = node.run({ kind: "set-slot", slot: 9, action, node: other.core.myId });
    assert.equal(reply.kind, "ok");
  }
  const ms = await msUntil(cluster, () => a.core.writableUntil < Number.POSITIVE_INFINITY);
  assert.ok(ms < 1000, `${ms} ms`);
  await msUntil(cluster, () => a.takesWrites(0) && b.takesWrites(9));
  cluster.isolate("a");
  await msUntil(cluster, () => !a.takesWrites(0) && !b.takesWrites(9));
  a.config.writeLease = false;
  await cluster.advance(200);
  assert.ok(a.core.mayWrite(a.now()));
});

test("a primary that starts without the others does not say that it serves", async () => {
  const cluster = await SimCluster.form({ seed: 44, primaries: 3, nodeTimeoutMs: 2000 });
  const [p1] = cluster.nodes as [SimNode];
  p1.crash("process");
  cluster.isolate("p1");
  p1.restart();
  for (let i = 0; i < 100; i++) {
    await cluster.advance(100);
    assert.equal(p1.core.stateOk, false);
  }
  cluster.network.heal();
  await msUntil(cluster, () => p1.takesWrites(0));
  assert.equal(logged(p1, "Refusing writes"), 0);
});
