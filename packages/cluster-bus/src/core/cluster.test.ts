/** Whole clusters in virtual time: they form, notice failures, heal, elect, and keep promises. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { disagreement } from "../testing/checkers.js";
import { SimCluster } from "../testing/sim-cluster.js";

function converged(cluster: SimCluster): boolean {
  return disagreement(cluster.nodes) === "";
}

test("nodes that one of them meets all know each other, and serve", async () => {
  const cluster = await SimCluster.form({ seed: 1, primaries: 3 });
  assert.equal(disagreement(cluster.nodes), "");
  for (const node of cluster.nodes) assert.equal(node.core.nodes.length, 3);
  assert.equal(
    cluster.show(),
    "p1 primary epoch=1 0-5461 state=ok\n" +
      "p2 primary epoch=2 5462-10923 state=ok\n" +
      "p3 primary epoch=3 10924-16383 state=ok",
  );
});

test("two nodes are enough, and colliding epochs part", async () => {
  const cluster = new SimCluster({ seed: 2, primaries: 2 });
  const a = cluster.addNode("a");
  const b = cluster.addNode("b");
  a.run({ kind: "add-slots", slots: Array.from({ length: 8000 }, (_, i) => i) });
  b.run({ kind: "add-slots", slots: Array.from({ length: 8384 }, (_, i) => 8000 + i) });
  assert.equal(a.core.myself.configEpoch, b.core.myself.configEpoch);
  a.run({ kind: "meet", ip: b.ip, port: 7000, busPort: 17000 });
  assert.ok(
    await cluster.advanceUntil(() => converged(cluster), 5000),
    disagreement(cluster.nodes),
  );
});

test("a primary that is cut off: suspected, failed, itself refuses; healed, all is well", async () => {
  const cluster = await SimCluster.form({ seed: 3, primaries: 3 });
  const [p1, p2, p3] = [cluster.node("p1"), cluster.node("p2"), cluster.node("p3")];
  cluster.isolate("p1");
  const failedAt = (): string | undefined => p2.core.node(p1.core.myId)?.health;
  await cluster.advance(1500);
  assert.equal(failedAt(), "online");
  assert.ok(await cluster.advanceUntil(() => failedAt() === "failed", 8000));
  assert.ok(await cluster.advanceUntil(() => p3.core.node(p1.core.myId)?.health === "failed", 1000));
  assert.ok(await cluster.advanceUntil(() => !p1.core.stateOk && !p2.core.stateOk, 1000));
  cluster.network.heal();
  assert.ok(
    await cluster.advanceUntil(() => converged(cluster), 20_000),
    disagreement(cluster.nodes),
  );
});

test("a primary that rejoins a majority is not writable at once", async () => {
  const cluster = await SimCluster.form({ seed: 4, primaries: 3, nodeTimeoutMs: 3000 });
  const p1 = cluster.node("p1");
  cluster.isolate("p1");
  assert.ok(await cluster.advanceUntil(() => !p1.core.stateOk, 10_000));
  const lastMinorityAt = cluster.clock.now;
  cluster.network.heal();
  assert.ok(await cluster.advanceUntil(() => p1.core.stateOk, 30_000));
  assert.ok(cluster.clock.now - lastMinorityAt >= 3000);
});

test("a node that starts as primary is writable only after the writable delay", async () => {
  const cluster = await SimCluster.form({ seed: 5, primaries: 3 });
  const p1 = cluster.node("p1");
  p1.crash("process");
  await cluster.advance(200);
  p1.restart();
  const startedAt = cluster.clock.now;
  assert.equal(p1.core.stateOk, false);
  assert.ok(await cluster.advanceUntil(() => p1.core.stateOk, 10_000));
  assert.ok(cluster.clock.now - startedAt >= 2000);
});

test("a replica takes over from a dead primary, which comes back as its replica", async () => {
  const cluster = await SimCluster.form({ seed: 6, primaries: 3, replicasEach: 1 });
  const p1 = cluster.node("p1");
  const r1 = cluster.node("r1");
  p1.crash("process");
  assert.ok(
    await cluster.advanceUntil(() => r1.core.isPrimary, 15_000),
    cluster.show(),
  );
  assert.ok(cluster.checker.votesSeen >= 2);
  assert.ok(
    await cluster.advanceUntil(() => converged(cluster), 10_000),
    disagreement(cluster.nodes),
  );
  p1.restart();
  assert.ok(await cluster.advanceUntil(() => p1.core.primary?.id === r1.core.myId, 10_000));
  assert.equal(p1.replicatesFrom?.host, r1.ip);
  assert.ok(
    await cluster.advanceUntil(() => converged(cluster), 10_000),
    disagreement(cluster.nodes),
  );
  assert.equal(p1.core.myShardId, r1.core.myShardId);
});

test("an asked-for failover moves the slots without a write lost", async () => {
  const cluster = await SimCluster.form({ seed: 7, primaries: 3, replicasEach: 1 });
  const p1 = cluster.node("p1");
  const r1 = cluster.node("r1");
  assert.deepEqual(r1.run({ kind: "failover", mode: "default" }), { kind: "ok" });
  assert.ok(
    await cluster.advanceUntil(() => r1.core.isPrimary, 5000),
    cluster.show(),
  );
  assert.ok(
    await cluster.advanceUntil(() => converged(cluster), 5000),
    disagreement(cluster.nodes),
  );
  assert.equal(p1.core.primary?.id, r1.core.myId);
  assert.equal(p1.writesPausedUntil, 0);
  await cluster.advance(500);
  // And back, at once: votes of the first election do not count in the second.
  assert.deepEqual(p1.run({ kind: "failover", mode: "default" }), { kind: "ok" });
  assert.ok(
    await cluster.advanceUntil(() => p1.core.isPrimary, 6000),
    p1.logs.slice(-5).join("\n"),
  );
  assert.ok(
    await cluster.advanceUntil(() => converged(cluster), 5000),
    disagreement(cluster.nodes),
  );
});

test("FORCE needs no primary, TAKEOVER needs nobody", async () => {
  const cluster = await SimCluster.form({ seed: 8, primaries: 3, replicasEach: 1 });
  const r1 = cluster.node("r1");
  cluster.node("p1").crash("power");
  assert.deepEqual(r1.run({ kind: "failover", mode: "force" }), { kind: "ok" });
  assert.ok(await cluster.advanceUntil(() => r1.core.isPrimary, 5000));
  const r2 = cluster.node("r2");
  cluster.isolate("r2");
  await cluster.advance(100);
  assert.deepEqual(r2.run({ kind: "failover", mode: "takeover" }), { kind: "ok" });
  assert.equal(r2.core.isPrimary, true);
  cluster.network.heal();
  cluster.node("p1").restart();
  assert.ok(
    await cluster.advanceUntil(() => converged(cluster), 30_000),
    disagreement(cluster.nodes),
  );
  assert.equal(cluster.node("p2").core.primary?.id, r2.core.myId);
});

test("a spare replica moves to a primary that lost its own", async () => {
  const cluster = await SimCluster.form({ seed: 9, primaries: 2, replicasEach: 2 });
  cluster.addNode("p3");
  const p2 = cluster.node("p2");
  cluster.node("r2a").crash("process");
  cluster.node("r2b").crash("process");
  const replicasOfP2 = (): number => {
    const view = p2.core.replicasOf(p2.core.myId);
    return "lines" in view ? view.lines.filter((line) => !line.includes("fail")).length : 0;
  };
  assert.ok(
    await cluster.advanceUntil(() => replicasOfP2() === 1, 30_000),
    cluster.show(),
  );
});

test("published messages reach every node, sharded ones the shard", async () => {
  const cluster = await SimCluster.form({ seed: 10, primaries: 2, replicasEach: 1 });
  cluster.node("p1").publish("news", "to all", false);
  cluster.node("p1").publish("{a}news", "to my shard", true);
  await cluster.advance(50);
  assert.deepEqual(cluster.node("p1").published, []);
  assert.deepEqual(cluster.node("r1").published, ["to all", "to my shard"]);
  assert.deepEqual(cluster.node("p2").published, ["to all"]);
  assert.deepEqual(cluster.node("r2").published, ["to all"]);
});

test("a forgotten node is forgotten by all, and stays out for a minute", async () => {
  const cluster = await SimCluster.form({ seed: 11, primaries: 3, replicasEach: 1 });
  const gone = cluster.node("r3");
  assert.deepEqual(cluster.node("p1").run({ kind: "forget", node: gone.core.myId }), {
    kind: "ok",
  });
  await cluster.advance(3000);
  // Its own primary and every other node heard of it by the extension.
  for (const name of ["p1", "p2", "p3", "r1", "r2"]) {
    assert.equal(cluster.node(name).core.node(gone.core.myId), undefined, name);
  }
  await cluster.advance(40_000);
  assert.equal(cluster.node("p2").core.node(gone.core.myId), undefined);
});

test("a migrated slot goes to the importer under a new epoch, everywhere", async () => {
  const cluster = await SimCluster.form({ seed: 12, primaries: 3 });
  const [p1, p2] = [cluster.node("p1"), cluster.node("p2")];
  p2.run({ kind: "set-slot", slot: 5, action: "importing", node: p1.core.myId });
  p1.run({ kind: "set-slot", slot: 5, action: "migrating", node: p2.core.myId });
  assert.equal(p1.core.slotRoute[5], 2);
  assert.equal(p2.core.slotRoute[5], 3);
  p2.run({ kind: "set-slot", slot: 5, action: "node", node: p2.core.myId });
  assert.equal(p2.core.slotRoute[5], 0);
  assert.ok(
    await cluster.advanceUntil(() => converged(cluster), 5000),
    disagreement(cluster.nodes),
  );
  assert.equal(cluster.node("p3").core.ownerOf(5)?.id, p2.core.myId);
  assert.equal(p1.core.slotRoute[5], 1);
});

test("a reset node is alone, and under a new id when it was hard", async () => {
  const cluster = await SimCluster.form({ seed: 13, primaries: 2, replicasEach: 1 });
  const r1 = cluster.node("r1");
  const id = r1.core.myId;
  r1.run({ kind: "reset", hard: true });
  assert.notEqual(r1.core.myId, id);
  assert.equal(r1.core.isPrimary, true);
  assert.equal(r1.core.nodes.length, 1);
  assert.equal(r1.replicatesFrom, undefined);
  await cluster.advance(5000);
  // Nobody takes a stranger in, whatever its address was.
  assert.equal(cluster.node("p1").core.node(r1.core.myId), undefined);
});

for (const seed of [101, 102, 103, 104]) {
  test(`random faults, then calm: all agree (seed=${seed})`, async () => {
    const cluster = await SimCluster.form({ seed, primaries: 3, replicasEach: 1 });
    const { random } = cluster;
    for (let round = 0; round < 12; round++) {
      const node = cluster.nodes[random.below(cluster.nodes.length)];
      assert.ok(node);
      switch (random.below(4)) {
        case 0:
          cluster.isolate(node.name);
          break;
        case 1:
          if (node.up) node.crash(random.below(2) === 0 ? "process" : "power");
          else node.restart();
          break;
        case 2:
          cluster.network.heal();
          break;
        default:
          if (node.up) node.run({ kind: "failover", mode: "default" });
      }
      await cluster.advance(random.below(6000));
    }
    cluster.network.heal();
    for (const node of cluster.nodes) if (!node.up) node.restart();
    assert.ok(
      await cluster.advanceUntil(() => converged(cluster), 60_000),
      `${disagreement(cluster.nodes)}\n${cluster.show()}`,
    );
  });
}
