import assert from "node:assert/strict";
import { test } from "node:test";
import { SimClock } from "../testing/sim-clock.js";
import { SimNet } from "./testing/sim-net.js";
import { SmallNode } from "./testing/small-node.js";

interface Trio {
  readonly clock: SimClock;
  readonly primary: SmallNode;
  readonly replicas: readonly SmallNode[];
}

async function synced(diskless: boolean, prepare?: (primary: SmallNode) => void): Promise<Trio> {
  const clock = new SimClock();
  const net = new SimNet(clock, 11);
  const [primary, ...replicas] = [7000, 7001, 7002].map(
    (port) => new SmallNode({ clock, net, port }),
  ) as [SmallNode, SmallNode, SmallNode];
  primary.settings.diskless = diskless;
  for (let index = 0; index < 500; index++) primary.write(0, "SET", `k${index}`, "v".repeat(99));
  prepare?.(primary);
  for (const replica of replicas) replica.follow(primary);
  for (let step = 0; step < 40; step++) {
    primary.write(0, "SET", `k${step}`, `new${step}`);
    await clock.advance(1);
  }
  await clock.advance(4000);
  return { clock, primary, replicas };
}

test("without a disk and by way of one, replicas get the same, and no file stays", async () => {
  for (const diskless of [true, false]) {
    const { primary, replicas } = await synced(diskless);
    for (const replica of replicas) {
      assert.equal(replica.offset, primary.offset);
      assert.deepEqual(replica.databases.get(0), primary.databases.get(0));
    }
    assert.deepEqual(primary.disk.listSync("/data"), []);
    assert.equal(primary.disk.operations > 100, !diskless, "one write for each chunk, or none");
  }
});

test("a file that cannot be written is told, and tried again", async () => {
  const { primary, replicas } = await synced(false, ({ disk }) => {
    disk.inject({ operation: "write", code: "ENOSPC", path: "temp-sync", times: 1 });
  });
  assert.ok(primary.messages.includes("replica link closed"));
  const [first] = replicas as [SmallNode];
  assert.ok(first.messages.includes("link to the primary is down"));
  for (const replica of replicas) {
    assert.deepEqual(replica.databases.get(0), primary.databases.get(0));
  }
});

test("a replica that waits for the length sees line feeds, and does not give up", async () => {
  const { clock, replicas } = await synced(false, (node) => {
    node.settings.pingPeriodSeconds = 1;
    node.snapshotPauseMs = 100;
    node.snapshotChunkBytes = 1000;
  });
  for (const replica of replicas) {
    assert.equal(
      replica.commits,
      0,
      "some 55,000 bytes take more than 5 s, one replica after the other",
    );
    replica.settings.timeoutSeconds = 2;
  }
  await clock.advance(10_000);
  for (const replica of replicas) {
    assert.equal(replica.commits, 1);
    assert.equal(replica.messages.includes("link to the primary is down"), false);
  }
});
