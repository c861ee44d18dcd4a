/**
 * The bus on real sockets and a real disk: nodes meet, publish, persist; garbage changes nothing.
 */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import * as fs from "node:fs";
import * as net from "node:net";
import * as path from "node:path";
import { test } from "node:test";
import { messageTypes } from "../message.js";
import { parseNodesConf } from "../nodes-conf.js";
import { goldenBytes, goldenPackets } from "../testing/golden-packets.js";
import type { LiveNode } from "../testing/live-node.js";
import { startLiveNode } from "../testing/live-node.js";
import { SeededRandom } from "../testing/sim-world.js";

function slots(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, i) => first + i);
}

async function pair(): Promise<[LiveNode, LiveNode]> {
  const a = await startLiveNode({ writableDelayMs: 0 });
  const b = await startLiveNode({ writableDelayMs: 0 });
  // Two epochs from the start: a collision would part at some time during the test.
  a.driver.run({ kind: "set-config-epoch", epoch: 1 });
  b.driver.run({ kind: "set-config-epoch", epoch: 2 });
  a.driver.run({ kind: "add-slots", slots: slots(0, 8191) });
  b.driver.run({ kind: "add-slots", slots: slots(8192, 16383) });
  const { port, busPort } = b.config;
  assert.deepEqual(a.driver.run({ kind: "meet", ip: "127.0.0.1", port, busPort }), { kind: "ok" });
  await a.until(() => a.driver.core.stateOk && b.driver.core.stateOk, 10_000);
  return [a, b];
}

test("two nodes meet, serve, publish, and report their links", async () => {
  const [a, b] = await pair();
  try {
    assert.equal(a.driver.core.ownerOf(9000)?.port, b.config.port);
    await a.until(() => a.driver.linkReports().length === 2, 5000);
    a.driver.publish({
      sharded: false,
      channel: Buffer.from("news"),
      payload: Buffer.from("hello"),
    });
    await b.until(() => b.published.length > 0, 5000);
    assert.deepEqual(b.published, ["hello"]);
    const directions = a.driver.linkReports().map((report) => report.direction);
    assert.deepEqual(directions.toSorted(), ["from", "to"]);
    assert.deepEqual(
      a.warnings.filter((text) => !text.includes("Cluster state")),
      [],
    );
  } finally {
    await Promise.all([a.stop(), b.stop()]);
  }
});

test("links that are killed come back, in the direction that was named", async () => {
  const [a, b] = await pair();
  try {
    await a.until(() => a.driver.linkReports().length === 2, 5000);
    const of = (direction: string): number | undefined =>
      a.driver.linkReports().find((report) => report.direction === direction)?.link;
    const { myId } = b.driver.core;
    for (const direction of ["to", "from"] as const) {
      const killed = of(direction);
      const kept = of(direction === "to" ? "from" : "to");
      assert.ok(killed !== undefined && kept !== undefined);
      assert.ok(a.driver.killLinks(myId, direction));
      assert.equal(of(direction), undefined);
      assert.equal(of(direction === "to" ? "from" : "to"), kept);
      await a.until(() => of(direction) !== undefined, 5000);
      assert.notEqual(of(direction), killed);
    }
    assert.ok(a.driver.killLinks(myId, "all"));
    assert.deepEqual(a.driver.linkReports(), []);
    await a.until(() => a.driver.linkReports().length === 2, 5000);
    assert.equal(a.driver.killLinks("0".repeat(40), "all"), false);
  } finally {
    await Promise.all([a.stop(), b.stop()]);
  }
});

test("packets of a type that is dropped do not arrive, others do", async () => {
  const [a, b] = await pair();
  const publish = (payload: string): void => {
    const [channel, bytes] = [Buffer.from("news"), Buffer.from(payload)];
    a.driver.publish({ sharded: false, channel, payload: bytes });
  };
  try {
    // Now b has the greater epoch, so that a has one to announce.
    b.driver.run({ kind: "bump-epoch" });
    await a.until(
      () => a.driver.core.ownerOf(9000)?.configEpoch === b.driver.core.myself.configEpoch,
      5000,
    );
    b.driver.dropArriving(messageTypes.indexOf("publish"));
    publish("lost");
    // Packets of a link arrive in order: once b has the later epoch, it has had the packet before.
    a.driver.run({ kind: "bump-epoch" });
    const epoch = a.driver.core.myself.configEpoch;
    await b.until(() => b.driver.core.ownerOf(0)?.configEpoch === epoch, 5000);
    b.driver.dropArriving(undefined);
    publish("kept");
    await b.until(() => b.published.length > 0, 5000);
    assert.deepEqual(b.published, ["kept"]);
  } finally {
    await Promise.all([a.stop(), b.stop()]);
  }
});

test("what links hold is counted", async () => {
  const node = await startLiveNode({ writableDelayMs: 0 });
  try {
    assert.equal(node.driver.linkBytes, 0);
    const packet = goldenBytes(goldenPackets[0] as (typeof goldenPackets)[number]);
    const socket = net.connect(node.config.busPort, "127.0.0.1");
    socket.write(packet.subarray(0, 100));
    await node.until(() => node.driver.linkBytes === 100, 5000);
    socket.destroy();
    await node.until(() => node.driver.linkBytes === 0, 5000);
  } finally {
    await node.stop();
  }
});

test("nodes.conf is on disk, also what nobody waited for, when the node has stopped", async () => {
  const [a, b] = await pair();
  const file = path.join(a.directory, "nodes.conf");
  const { myId } = b.driver.core;
  await a.until(() => {
    const conf = parseNodesConf(fs.readFileSync(file, "latin1"));
    return conf?.nodes.some((line) => line.id === myId && line.ranges.length === 1) ?? false;
  }, 5000);
  assert.deepEqual(
    fs.readdirSync(a.directory).filter((name) => !name.includes(".tmp-")),
    ["nodes.conf"],
  );
  await Promise.all([a.stop(), b.stop()]);
});

test("garbage on the bus port closes the link and changes nothing", async () => {
  const [a, b] = await pair();
  const seed = 42;
  const random = new SeededRandom(seed);
  const stable = (): string =>
    a.driver.core.nodesText().replace(/ \d+ \d+ (\d+) connected/g, " $1 connected");
  try {
    const before = stable();
    const packets = goldenPackets.map(goldenBytes);
    for (let i = 0; i < 60; i++) {
      const kind = i % 3;
      const packet = Buffer.from(packets[random.below(packets.length)] as Buffer);
      // A MEET is an invitation, not garbage.
      packet[13] = packet[13] === 2 ? 0 : (packet[13] as number);
      let bytes: Uint8Array = packet;
      if (kind === 0) bytes = random.bytes(1 + random.below(4000));
      else if (kind === 1) for (let n = 0; n < 20; n++) mutate(packet, random);
      await sendAndClose(a.config.busPort, bytes);
    }
    assert.equal(stable(), before, `seed=${seed}`);
    assert.equal(a.driver.core.stateOk, true);
  } finally {
    await Promise.all([a.stop(), b.stop()]);
  }
});

function mutate(packet: Buffer, random: SeededRandom): void {
  // Beyond the type field, which must not become that of a MEET.
  const at = 14 + random.below(packet.length - 14);
  packet[at] = random.below(256);
}

/** Sends, and resolves when the connection is over on either side. */
function sendAndClose(port: number, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve) => {
    const socket = net.connect(port, "127.0.0.1");
    socket.on("error", () => {});
    socket.on("close", () => resolve());
    socket.resume();
    socket.end(bytes);
  });
}
