import assert from "node:assert/strict";
import { it } from "node:test";
import { SimNet } from "../replication/testing/sim-net.js";
import { SimClock } from "../testing/sim-clock.js";
import { SimDisk } from "../testing/sim-disk.js";
import { replyText, SimServer } from "../testing/sim-server.js";

const aofBufferMax = 1024 * 1024;
const value = "v".repeat(60_000);

it("everysec, a fsync of ten seconds: writers wait within aof-buffer-max, readers and the bus do not", async () => {
  const clock = new SimClock();
  const net = new SimNet(clock, 1);
  let slow = false;
  const disk = new SimDisk({
    clock,
    // A write to a file waits for the fsync under way, as on a real disk.
    latencyMs: (operation) =>
      slow && (operation === "sync" || operation === "write") ? 10_000 : 0,
  });
  const cluster = { clusterEnabled: true, clusterNodeTimeout: 2000 } as const;
  const server = await SimServer.start({
    clock,
    net,
    disk,
    port: 7000,
    config: { ...cluster, appendonly: true, appendfsync: "everysec", aofBufferMax },
  });
  const peer = await SimServer.start({ clock, net, port: 7001, config: cluster });
  const [writer, reader, other] = await Promise.all([
    server.connect(),
    server.connect(),
    peer.connect(),
  ]);
  await reader.ask("CLUSTER", "ADDSLOTSRANGE", "0", "8191");
  await other.ask("CLUSTER", "ADDSLOTSRANGE", "8192", "16383");
  await reader.ask("CLUSTER", "MEET", "127.0.0.1", "7001");
  for (const client of [reader, other]) {
    for (let ready = false; !ready; ) {
      await clock.advance(100);
      ready = (await client.ask("CLUSTER", "INFO")).includes("cluster_state:ok");
    }
  }
  assert.equal(await reader.ask("SET", "b", "x"), "OK");
  await clock.advance(2000);

  slow = true;
  assert.equal(await writer.ask("SET", "b", "y"), "OK", "written before the fsync begins");
  await clock.advance(1100);
  const before = writer.replies.length;
  for (let count = 0; count < 200; count += 1) {
    writer.send("SET", `{b}${count}`, value);
    // The simulated network hands over in one turn what was sent in one millisecond.
    if (count % 4 === 3) await clock.advance(2);
  }
  let slowest = 0;
  for (let passed = 0; passed < 8000; passed += 500) {
    const asked = clock.monotonic();
    assert.equal(await reader.ask("GET", "b"), "y");
    slowest = Math.max(slowest, clock.monotonic() - asked);
    const view = await other.ask("CLUSTER", "NODES");
    assert.doesNotMatch(view, /fail|disconnected/, `after ${passed} ms`);
    await clock.advance(500);
  }
  assert.ok(slowest < 10, `a read took ${slowest} ms`);
  const { persistence } = server.node;
  assert.ok(persistence.overLimit, "the writer is not read any more");
  const held = (persistence.writer?.bufferedBytes ?? 0) + server.node.gate.heldBytes;
  // What one turn reads comes on top.
  assert.ok(held < aofBufferMax + 5 * value.length, `${held} bytes are held`);
  assert.ok(writer.replies.length < before + 200);
  assert.equal(server.node.persistence.writer?.writable, true, "nothing failed");
  assert.ok(server.node.persistence.writer.pendingSyncs === 1);

  slow = false;
  await clock.advance(20_000);
  assert.equal(writer.replies.length, before + 200);
  assert.ok(writer.replies.slice(before).every((reply) => replyText(reply) === "OK"));
});
