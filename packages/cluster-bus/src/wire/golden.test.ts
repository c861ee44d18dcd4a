/**
 * Packets of real servers: each decodes to what was sent, and encodes back to the same bytes; at
 * every split of the input the framer finds them. Damaged ones never throw.
 */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import fc from "fast-check";
import type { BusMessage } from "../message.js";
import { isNodeId } from "../message.js";
import { slotRanges } from "../slot-bitmap.js";
import { goldenBytes, goldenPackets } from "../testing/golden-packets.js";
import { decodePacket } from "./decode.js";
import { encodeMessage } from "./encode.js";
import { PacketFramer } from "./framer.js";
import { headerAt } from "./layout.js";

function decode(packet: Buffer): BusMessage {
  const result = decodePacket(packet);
  assert.equal(result.kind, "message");
  return (result as { message: BusMessage }).message;
}

function find(server: string, name: string): Buffer {
  const packet = goldenPackets.find((golden) => golden.server === server && golden.name === name);
  assert.ok(packet, `${server} ${name}`);
  return goldenBytes(packet);
}

test("every message type was captured", () => {
  const types = new Set(goldenPackets.map((golden) => golden.name.split("/")[0]));
  for (const type of [
    "ping",
    "pong",
    "meet",
    "fail",
    "publish",
    "publishshard",
    "update",
    "auth-req",
    "auth-ack",
    "mfstart",
  ]) {
    assert.ok(types.has(type), type);
  }
});

for (const golden of goldenPackets) {
  test(`${golden.server} ${golden.name} decodes and encodes to the same bytes`, () => {
    const packet = goldenBytes(golden);
    const message = decode(packet);
    assert.equal(message.type, golden.name.split("/")[0]);
    assert.ok(isNodeId(message.header.sender));
    assert.equal(encodeMessage(message).toString("hex"), packet.toString("hex"));
  });
}

test("a 7.0 ping with a hostname says what its server was configured with", () => {
  const message = decode(find("7.0.15", "ping/g2/e1"));
  assert.equal(message.type, "ping");
  if (message.type !== "ping") return;
  assert.equal(message.header.port, 7822);
  assert.equal(message.header.busPort, 18822);
  assert.equal(message.extensions?.hostname, "node-one.example");
  assert.equal(message.extensions?.count, 1);
  assert.deepEqual(slotRanges(message.header.slots), [{ start: 5461, end: 10922 }]);
  assert.deepEqual(
    message.gossip.map((entry) => entry.ip),
    ["127.0.0.1", "127.0.0.1"],
  );
});

test("a 7.2 ping carries a shard id, and a replica its primary", () => {
  const ping = decode(find("7.2.6", "ping/g2/e1/replica"));
  assert.equal(ping.type, "ping");
  if (ping.type !== "ping") return;
  assert.ok(isNodeId(ping.extensions?.shardId ?? ""));
  assert.ok(isNodeId(ping.header.primaryId ?? ""));
  assert.deepEqual(slotRanges(ping.header.slots), [{ start: 0, end: 5460 }]);
  const publish = decode(find("7.0.15", "publish"));
  assert.ok(publish.type === "publish");
  assert.equal(Buffer.from(publish.channel).toString(), "chan");
  assert.equal(Buffer.from(publish.payload).toString(), "hello");
});

test("a vote request of a manual failover forces the vote, and carries the replica's primary", () => {
  const message = decode(find("7.0.15", "auth-req"));
  assert.equal(message.type, "auth-req");
  assert.equal(message.header.forceAck, true);
  assert.ok(isNodeId(message.header.primaryId ?? ""));
});

test("the framer finds packets whole, byte by byte, and at every split near the borders", () => {
  const a = find("7.0.15", "meet/g0");
  const b = find("7.0.15", "fail");
  const stream = Buffer.concat([a, b]);
  const run = (cuts: readonly number[]): string[] => {
    const seen: string[] = [];
    const framer = new PacketFramer((packet) => seen.push(packet.toString("hex")));
    let from = 0;
    for (const cut of [...cuts, stream.length]) {
      // A reused buffer, as sockets hand it out: the framer must not keep a view of it.
      const chunk = Buffer.from(stream.subarray(from, cut));
      assert.equal(framer.push(chunk, 1 << 20), undefined);
      chunk.fill(0xff);
      from = cut;
    }
    assert.equal(framer.heldBytes, 0);
    return seen;
  };
  const expected = [a.toString("hex"), b.toString("hex")];
  assert.deepEqual(run([]), expected);
  assert.deepEqual(run(Array.from({ length: stream.length - 1 }, (_, i) => i + 1)), expected);
  for (let cut = 1; cut < 20; cut++) assert.deepEqual(run([cut]), expected);
  for (let cut = a.length - 10; cut < a.length + 20; cut++) assert.deepEqual(run([cut]), expected);
});

test("a bad signature or length ends the stream", () => {
  const errors = (bytes: Buffer): string | undefined =>
    new PacketFramer(() => assert.fail("no packet")).push(bytes, 1 << 20);
  assert.equal(errors(Buffer.from("GET / HTTP/1.1\r\n")), "bad-signature");
  assert.equal(errors(Buffer.from("X")), "bad-signature");
  assert.equal(errors(Buffer.from("RCmb\0\0\0\u0010")), "bad-length");
  assert.equal(errors(Buffer.from("RCmb\u007f\0\0\0", "latin1")), "bad-length");
});

test("whatever bytes a packet has, decoding never throws, and never reads beyond it", () => {
  const packets = goldenPackets.map(goldenBytes);
  fc.assert(
    fc.property(
      fc.nat({ max: packets.length - 1 }),
      fc.array(fc.record({ at: fc.nat({ max: 5000 }), byte: fc.nat({ max: 255 }) }), {
        maxLength: 12,
      }),
      fc.option(fc.nat({ max: 5000 })),
      (index, edits, length) => {
        const original = packets[index] as Buffer;
        const packet = Buffer.from(
          original.subarray(0, length === null ? original.length : length % original.length),
        );
        for (const { at, byte } of edits) if (at < packet.length) packet[at] = byte;
        // Let more of the edits through to the bodies.
        if (packet.length >= 8) packet.writeUInt32BE(packet.length, headerAt.totalLength);
        const result = decodePacket(packet);
        if (result.kind !== "message" || result.message.type === "module") return;
        // What was understood can be said again.
        assert.ok(encodeMessage(result.message).length <= packet.length);
      },
    ),
    { numRuns: 3000 },
  );
});
