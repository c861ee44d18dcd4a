/**
 * Any bytes on the bus port: from strangers they change nothing, from members they break nothing.
 * Bytes go the way they go in the driver, through framer and decoder into the core.
 */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import type { BusHeader, BusMessage, GossipEntry } from "../message.js";
import { messageTypes, nodeFlags } from "../message.js";
import { slotCount } from "../slot.js";
import { createSlotBitmap, slotBitmapBytes } from "../slot-bitmap.js";
import { goldenBytes, goldenPackets } from "../testing/golden-packets.js";
import { SeededRandom } from "../testing/sim-world.js";
import { decodePacket } from "../wire/decode.js";
import { encodeMessage } from "../wire/encode.js";
import { PacketFramer } from "../wire/framer.js";
import { headerAt, headerBytes } from "../wire/layout.js";
import { ClusterCore } from "./cluster.js";
import { defaultBusConfig } from "./config.js";
import type { LinkId } from "./effects.js";

const idOf = (digit: string): string => digit.repeat(40);
const members = ["5", "9", "7", "8"].map(idOf);
const stranger = idOf("3");
const packetBytesMax = 1024 * 1024;
/** What is fed per test; about a second of it. */
const rounds = 1500;

class Target {
  now = 1_700_000_000_000;
  readonly warnings: string[] = [];
  readonly random: SeededRandom;
  readonly core: ClusterCore;

  constructor(seed: number) {
    this.random = new SeededRandom(seed);
    this.core = new ClusterCore({
      config: { ...defaultBusConfig(), port: 7000, nodeTimeoutMs: 1000 },
      host: {
        replicationOffset: () => 0,
        replicationDataAgeMs: () => 0,
        countKeysInSlot: (slot) => slot % 3,
        isEmpty: () => false,
      },
      random: this.random,
      now: this.now,
      nodesConf:
        `${idOf("5")} 10.0.0.5:7000@17000 myself,master - 0 1 5 connected 0-99\n` +
        `${idOf("9")} 10.0.0.9:7000@17000 master - 0 1 9 connected 100-199\n` +
        `${idOf("7")} 10.0.0.7:7000@17000 master - 0 1 7 connected 200-16383\n` +
        `${idOf("8")} 10.0.0.8:7000@17000 slave ${idOf("9")} 0 1 9 connected\n` +
        "vars currentEpoch 9 lastVoteEpoch 8\n",
    });
    this.core.start(this.now);
  }

  accept(): LinkId {
    const link = this.core.nextLinkId();
    const [localAddress, remoteAddress] = ["10.0.0.5", "10.0.0.66"];
    this.core.step({ kind: "link-accepted", now: this.now, link, localAddress, remoteAddress });
    return link;
  }

  /** As the driver does it: the link is gone when its bytes make no sense. */
  feed(bytes: Uint8Array, link = this.accept()): void {
    const framer = new PacketFramer((packet) => {
      const result = decodePacket(packet);
      if (result.kind !== "message") return;
      const { message } = result;
      for (const effect of this.core.step({ kind: "message", now: this.now, link, message })) {
        if (effect.kind === "log" && effect.level === "warning") this.warnings.push(effect.text);
      }
    });
    framer.push(Buffer.from(bytes), packetBytesMax);
    this.core.step({ kind: "link-closed", now: this.now, link });
  }

  /** Everything that lasts, without the times of pings. */
  get lasting(): string {
    const { core } = this;
    const conf = core.nodesConf().replace(/ \d+ \d+ (\d+) (dis)?connected/g, " $1");
    return `${conf} ${core.currentEpoch} ${core.lastVoteEpoch} ${core.stateOk} ${core.isPrimary}`;
  }
}

/** A well-formed message that says anything at all, under the name of `sender`. */
function anyMessage(random: SeededRandom, sender: string, epochMax: number): BusMessage {
  const anyId = (): string => random.pick([...members, stranger, idOf("4"), "?".repeat(40)]);
  const epoch = (): number => random.pick([0, 5, 9, 10, random.below(epochMax), epochMax]);
  const anySlots = (): Uint8Array =>
    random.pick([
      createSlotBitmap(),
      new Uint8Array(slotBitmapBytes).fill(255),
      random.bytes(slotBitmapBytes),
    ]);
  const header: BusHeader = {
    sender,
    port: random.below(65536),
    secondaryPort: random.below(65536),
    busPort: random.below(65536),
    currentEpoch: epoch(),
    configEpoch: epoch(),
    offset: random.uint32(),
    slots: anySlots(),
    primaryId: random.below(2) === 0 ? undefined : anyId(),
    announcedIp: random.pick(["", "10.0.0.9", "not an address", "::1"]),
    flags: random.below(65536),
    stateOk: random.below(2) === 0,
    paused: random.below(2) === 0,
    forceAck: random.below(2) === 0,
    knowsExtensions: random.below(2) === 0,
  };
  const type = random.pick(messageTypes.filter((each) => each !== "module"));
  switch (type) {
    case "ping":
    case "pong":
    case "meet": {
      const gossip = Array.from({ length: random.below(6) }, () => anyGossip(random, anyId()));
      const forgotten = random.below(4) === 0 ? [{ id: anyId(), ttlSeconds: random.uint32() }] : [];
      const shardId = random.pick([anyId(), "bad\nshard".padEnd(40, " ")]);
      const hostname = random.pick(["", "host", "a b\nc"]);
      return { type, header, gossip, extensions: { forgotten, shardId, hostname, count: 0 } };
    }
    case "fail":
      return { type, header, failed: anyId() };
    case "publish":
    case "publishshard":
      return { type, header, channel: random.bytes(3), payload: random.bytes(random.below(99)) };
    case "update":
      return {
        type,
        header,
        owner: anyId(),
        ownerConfigEpoch: epoch(),
        ownerSlots: anySlots(),
      };
    default:
      return { type: type as "auth-req" | "auth-ack" | "mfstart", header };
  }
}

function anyGossip(random: SeededRandom, id: string): GossipEntry {
  return {
    id,
    pingSentSeconds: random.uint32(),
    pongReceivedSeconds: random.uint32(),
    ip: random.pick(["10.0.0.77", "", "x"]),
    port: random.below(65536),
    secondaryPort: random.below(65536),
    busPort: random.below(65536),
    flags: random.pick([0, nodeFlags.failed, nodeFlags.suspected, random.below(65536)]),
  };
}

function mutate(packet: Buffer, random: SeededRandom): Buffer {
  switch (random.below(6)) {
    case 0:
      return packet.subarray(0, random.below(packet.length));
    case 1:
      packet.writeUInt32BE(random.uint32(), headerAt.totalLength);
      return packet;
    case 2:
      packet.writeUInt16BE(random.below(65536), headerAt.count);
      return packet;
    case 3:
      packet.writeUInt16BE(random.below(65536), headerAt.extensions);
      return packet;
    case 4:
      packet[random.below(16)] = random.below(256);
      return packet;
    default:
      for (let i = 0; i < 20; i++) packet[random.below(packet.length)] = random.below(256);
      return packet;
  }
}

test("from strangers, any bytes change nothing (seed=71)", () => {
  const target = new Target(71);
  const { random } = target;
  const golden = goldenPackets.map(goldenBytes);
  const before = target.lasting;
  for (let round = 0; round < rounds; round++) {
    const valid = encodeMessage(anyMessage(random, stranger, 2 ** 52));
    const forged = Buffer.from(random.pick(golden));
    forged.write(stranger, headerAt.sender, "latin1");
    target.feed(
      random.pick<() => Uint8Array>([
        () => random.bytes(1 + random.below(4000)),
        () => Buffer.concat([Buffer.from("RCmb"), random.bytes(random.below(headerBytes))]),
        () => valid,
        () => Buffer.concat([valid, random.bytes(40)]),
        () => forged,
        () => mutate(valid, random),
      ])(),
    );
    assert.equal(target.lasting, before, `round ${round}`);
  }
});

test("from members, anything well-formed leaves a node that works (seed=72)", () => {
  for (let seed = 72; seed < 80; seed++) {
    const target = new Target(seed);
    const { core, random } = target;
    for (let round = 0; round < rounds / 8; round++) {
      const packet = encodeMessage(anyMessage(random, random.pick(members.slice(1)), 2 ** 33));
      target.feed(packet);
      target.now += random.below(300);
      core.step({ kind: "tick", now: target.now });
      assert.ok(core.currentEpoch <= 2 ** 32 + 9 + round * 2 ** 32, `seed=${seed} ${round}`);
    }
    let mine = 0;
    for (let slot = 0; slot < slotCount; slot++) if (core.ownerOf(slot)?.isMyself) mine++;
    assert.equal(mine, core.myself.slotCount, `seed=${seed}`);
    // What it would write it can read.
    new ClusterCore({
      config: defaultBusConfig(),
      host: {
        replicationOffset: () => 0,
        replicationDataAgeMs: () => 0,
        countKeysInSlot: () => 0,
        isEmpty: () => true,
      },
      random,
      now: target.now,
      nodesConf: core.nodesConf(),
    });
  }
});

test("an epoch more than 2^32 ahead is refused, with the sender in the log", () => {
  const target = new Target(1);
  const header = (epoch: number): BusMessage => ({
    type: "ping",
    header: {
      ...anyMessage(target.random, idOf("9"), 2).header,
      currentEpoch: epoch,
      configEpoch: 9,
      primaryId: undefined,
      slots: createSlotBitmap(),
    },
    gossip: [],
    extensions: undefined,
  });
  target.feed(encodeMessage(header(9 + 2 ** 32 + 1)));
  assert.equal(target.core.currentEpoch, 9);
  assert.match(target.warnings.join(), /Refused ping message of 9{40}: its epoch 4294967306/);
  target.feed(encodeMessage(header(9 + 2 ** 32)));
  assert.equal(target.core.currentEpoch, 9 + 2 ** 32);
});
