/** Single rules of the core, by what one node does with one input. */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { BusHeader, BusMessage, HeartbeatMessage } from "../message.js";
import { nodeFlags } from "../message.js";
import { addSlot, createSlotBitmap } from "../slot-bitmap.js";
import { SeededRandom } from "../testing/sim-world.js";
import { ClusterCore } from "./cluster.js";
import { defaultBusConfig } from "./config.js";
import type { BusEffect, LinkId } from "./effects.js";

const idOf = (digit: string): string => digit.repeat(40);

class Bench {
  now = 1_700_000_000_000;
  offset = 0;
  keys = new Map<number, number>();
  readonly config = { ...defaultBusConfig(), port: 7000, nodeTimeoutMs: 1000 };
  readonly core: ClusterCore;

  constructor(conf?: string) {
    this.core = new ClusterCore({
      config: this.config,
      host: {
        replicationOffset: () => this.offset,
        replicationDataAgeMs: () => 0,
        countKeysInSlot: (slot) => this.keys.get(slot) ?? 0,
        isEmpty: () => this.keys.size === 0,
      },
      random: new SeededRandom(1),
      now: this.now,
      nodesConf: conf,
      myId: idOf("5"),
    });
    this.core.start(this.now);
  }

  accept(remoteAddress = "10.0.0.9"): LinkId {
    const link = this.core.nextLinkId();
    this.core.step({
      kind: "link-accepted",
      now: this.now,
      link,
      localAddress: "10.0.0.5",
      remoteAddress,
    });
    return link;
  }

  receive(link: LinkId, message: BusMessage): readonly BusEffect[] {
    return this.core.step({ kind: "message", now: this.now, link, message });
  }

  tick(ms = 100): readonly BusEffect[] {
    this.now += ms;
    return this.core.step({ kind: "tick", now: this.now });
  }
}

function header(overrides: Partial<BusHeader> = {}): BusHeader {
  return {
    sender: idOf("9"),
    port: 7000,
    secondaryPort: 0,
    busPort: 17000,
    currentEpoch: 1,
    configEpoch: 1,
    offset: 0,
    slots: createSlotBitmap(),
    primaryId: undefined,
    announcedIp: "",
    flags: nodeFlags.primary,
    stateOk: true,
    paused: false,
    forceAck: false,
    knowsExtensions: false,
    ...overrides,
  };
}

function heartbeat(
  type: HeartbeatMessage["type"],
  overrides: Partial<HeartbeatMessage> = {},
): HeartbeatMessage {
  return { type, header: header(), gossip: [], extensions: undefined, ...overrides };
}

function bitmap(...slots: readonly number[]): Uint8Array {
  const bits = createSlotBitmap();
  for (const slot of slots) addSlot(bits, slot);
  return bits;
}

/** Three primaries: 5 (myself, slots 0-99), 9 (100-199), 7 (200-16383), epochs 5, 9, 7. */
const threePrimaries =
  `${idOf("5")} 10.0.0.5:7000@17000 myself,master - 0 1 5 connected 0-99\n` +
  `${idOf("9")} 10.0.0.9:7000@17000 master - 0 1 9 connected 100-199\n` +
  `${idOf("7")} 10.0.0.7:7000@17000 master - 0 1 7 connected 200-16383\n` +
  `${idOf("8")} 10.0.0.8:7000@17000 slave ${idOf("9")} 0 1 9 connected\n` +
  "vars currentEpoch 9 lastVoteEpoch 0\n";

const kinds = (effects: readonly BusEffect[]): string[] => effects.map((effect) => effect.kind);

test("a stranger's ping is answered and changes nothing; its other messages are ignored", () => {
  const bench = new Bench(threePrimaries);
  const before = bench.core.nodesConf();
  const link = bench.accept();
  const stranger = header({ sender: idOf("3"), currentEpoch: 99, configEpoch: 99 });
  const effects = bench.receive(link, heartbeat("ping", { header: stranger }));
  assert.deepEqual(kinds(effects), ["send"]);
  for (const message of [
    { type: "fail", header: stranger, failed: idOf("9") },
    { type: "auth-req", header: stranger },
    { type: "mfstart", header: stranger },
    { type: "publish", header: stranger, channel: bitmap(), payload: bitmap() },
    {
      type: "update",
      header: stranger,
      owner: idOf("9"),
      ownerConfigEpoch: 50,
      ownerSlots: bitmap(0),
    },
  ] as const) {
    assert.deepEqual(
      kinds(bench.receive(link, message)).filter((kind) => kind !== "log"),
      [],
    );
  }
  assert.equal(bench.core.nodesConf(), before);
});

test("MEET opens one handshake, which ends with the node timeout", () => {
  const bench = new Bench();
  const link = bench.accept();
  bench.receive(link, heartbeat("meet"));
  bench.receive(link, heartbeat("meet"));
  assert.equal(bench.core.nodes.length, 2);
  assert.equal(bench.core.myself.ip, "10.0.0.5");
  const dials = bench.tick().filter((effect) => effect.kind === "connect");
  assert.deepEqual(dials, [{ kind: "connect", link: 2, host: "10.0.0.9", port: 17000 }]);
  bench.tick(1001);
  assert.equal(bench.core.nodes.length, 1);
});

test("the answer to a dial names the node, and ends the handshake", () => {
  const bench = new Bench();
  bench.core.run({ kind: "meet", ip: "10.0.0.9", port: 7000, busPort: 17000 }, bench.now);
  const connect = bench.tick().find((effect) => effect.kind === "connect");
  assert.ok(connect?.kind === "connect");
  const sent = bench.core.step({
    kind: "link-connected",
    now: bench.now,
    link: connect.link,
    localAddress: "10.0.0.5",
    remoteAddress: "10.0.0.9",
  });
  const meet = sent.find((effect) => effect.kind === "send");
  assert.equal(meet?.kind === "send" && meet.message.type, "meet");
  bench.receive(connect.link, heartbeat("pong", { header: header({ slots: bitmap(1, 2) }) }));
  assert.equal(bench.core.node(idOf("9"))?.role, "primary");
  assert.equal(bench.core.ownerOf(2)?.id, idOf("9"));
});

test("another node at a dialled address: the address is lost, not the node", () => {
  const bench = new Bench(threePrimaries);
  const dials = bench.tick().filter((effect) => effect.kind === "connect");
  const dial = dials.find((effect) => effect.host === "10.0.0.9");
  assert.ok(dial);
  bench.core.step({
    kind: "link-connected",
    now: bench.now,
    link: dial.link,
    localAddress: "",
    remoteAddress: "10.0.0.9",
  });
  const effects = bench.receive(
    dial.link,
    heartbeat("pong", { header: header({ sender: idOf("3"), configEpoch: 77 }) }),
  );
  assert.ok(kinds(effects).includes("disconnect"));
  assert.match(bench.core.nodesText(), /9999 :0@0 master,noaddr/);
  assert.equal(bench.core.node(idOf("9"))?.configEpoch, 9);
});

test("a newer claim takes slots, an older one is answered with an update", () => {
  const bench = new Bench(threePrimaries);
  const link = bench.accept();
  bench.keys.set(3, 1);
  const newer = header({ configEpoch: 10, slots: bitmap(3, 100) });
  const effects = bench.receive(link, heartbeat("ping", { header: newer }));
  assert.equal(effects[0]?.kind, "persist");
  assert.equal(effects[0]?.kind === "persist" && effects[0].fsync, true);
  assert.equal(bench.core.ownerOf(3)?.id, idOf("9"));
  assert.deepEqual(
    effects.filter((effect) => effect.kind === "delete-slot-keys"),
    [{ kind: "delete-slot-keys", slots: [3] }],
  );
  // 7 claims a slot of mine under an older epoch than mine is after I bump.
  const other = bench.accept("10.0.0.7");
  const dial = bench
    .tick()
    .find((effect) => effect.kind === "connect" && effect.host === "10.0.0.7");
  assert.ok(dial?.kind === "connect");
  bench.core.step({
    kind: "link-connected",
    now: bench.now,
    link: dial.link,
    localAddress: "",
    remoteAddress: "10.0.0.7",
  });
  bench.core.run({ kind: "bump-epoch" }, bench.now);
  const old = header({ sender: idOf("7"), configEpoch: 7, slots: bitmap(0, 300) });
  const answer = bench.receive(other, heartbeat("ping", { header: old }));
  const update = answer.flatMap((effect) =>
    effect.kind === "send" && effect.message.type === "update" ? [effect.message] : [],
  )[0];
  assert.equal(update?.owner, idOf("5"));
  assert.equal(bench.core.ownerOf(0)?.id, idOf("5"));
});

test("a primary that loses its last slot replicates the claimant, and tells the node", () => {
  const bench = new Bench(threePrimaries);
  const link = bench.accept();
  const all = Array.from({ length: 200 }, (_, slot) => slot);
  const effects = bench.receive(
    link,
    heartbeat("ping", { header: header({ configEpoch: 10, slots: bitmap(...all) }) }),
  );
  assert.deepEqual(
    effects.filter((effect) => effect.kind === "role-changed"),
    [
      {
        kind: "role-changed",
        role: { kind: "replica", primaryId: idOf("9"), host: "10.0.0.9", port: 7000 },
      },
    ],
  );
  assert.equal(bench.core.isPrimary, false);
});

test("a vote: once per epoch, only for a replica of a failed primary, persisted before sent", () => {
  const bench = new Bench(
    threePrimaries.replace("@17000 master - 0 1 9", "@17000 master,fail - 0 1 9"),
  );
  const dial = bench
    .tick()
    .find((effect) => effect.kind === "connect" && effect.host === "10.0.0.8");
  assert.ok(dial?.kind === "connect");
  bench.core.step({
    kind: "link-connected",
    now: bench.now,
    link: dial.link,
    localAddress: "",
    remoteAddress: "10.0.0.8",
  });
  const link = bench.accept("10.0.0.8");
  const request = (overrides: Partial<BusHeader>): readonly BusEffect[] =>
    bench.receive(link, {
      type: "auth-req",
      header: header({
        sender: idOf("8"),
        primaryId: idOf("9"),
        flags: nodeFlags.replica,
        currentEpoch: 10,
        configEpoch: 9,
        slots: bitmap(100, 101),
        ...overrides,
      }),
    });
  const granted = (effects: readonly BusEffect[]): boolean =>
    effects.some((effect) => effect.kind === "send" && effect.message.type === "auth-ack");
  assert.equal(granted(request({ currentEpoch: 8 })), false);
  assert.equal(granted(request({ configEpoch: 8 })), false);
  const first = request({});
  assert.ok(granted(first));
  assert.deepEqual(first[0], { kind: "persist", fsync: true });
  assert.equal(bench.core.lastVoteEpoch, 10);
  assert.equal(granted(request({})), false);
  // A later epoch, but too soon about this primary.
  assert.equal(granted(request({ currentEpoch: 11 })), false);
  bench.now += 2000;
  assert.equal(granted(request({ currentEpoch: 12 })), true);
});

test("a replica of a primary that is up gets no vote, unless an operator forces it", () => {
  const bench = new Bench(threePrimaries);
  const dial = bench
    .tick()
    .find((effect) => effect.kind === "connect" && effect.host === "10.0.0.8");
  assert.ok(dial?.kind === "connect");
  bench.core.step({
    kind: "link-connected",
    now: bench.now,
    link: dial.link,
    localAddress: "",
    remoteAddress: "10.0.0.8",
  });
  const link = bench.accept("10.0.0.8");
  const base = { sender: idOf("8"), currentEpoch: 10, configEpoch: 9, slots: bitmap(100) };
  const ask = (forceAck: boolean): string[] =>
    kinds(bench.receive(link, { type: "auth-req", header: header({ ...base, forceAck }) }));
  assert.equal(ask(false).includes("send"), false);
  assert.equal(ask(true).includes("send"), true);
});

test("extensions: all to who showed to know them, to others the hostname alone", () => {
  const bench = new Bench(threePrimaries);
  bench.config.announceHostname = "five.example";
  bench.tick();
  const link = bench.accept();
  const answer = (message: HeartbeatMessage): HeartbeatMessage => {
    const sent = bench
      .receive(link, message)
      .find((effect) => effect.kind === "send" && effect.message.type === "pong");
    assert.ok(sent?.kind === "send" && sent.message.type === "pong");
    return sent.message;
  };
  const plain = answer(heartbeat("ping"));
  assert.equal(plain.extensions?.shardId, undefined);
  assert.equal(plain.extensions?.hostname, "five.example");
  const hostnameOnly = { hostname: "nine.example", forgotten: [], count: 1 };
  answer(heartbeat("ping", { extensions: hostnameOnly }));
  assert.equal(answer(heartbeat("ping")).extensions?.shardId, undefined);
  assert.match(bench.core.nodesText(), /10\.0\.0\.9:7000@17000 master/);
  const shard = { shardId: idOf("c"), forgotten: [], count: 1 };
  answer(heartbeat("ping", { extensions: shard }));
  assert.equal(answer(heartbeat("ping", { extensions: shard })).extensions?.shardId?.length, 40);
  assert.equal(bench.core.node(idOf("9"))?.shardId, idOf("c"));
});

test("commands answer with Redis' words", () => {
  const bench = new Bench(threePrimaries);
  const run = (command: Parameters<ClusterCore["run"]>[0]): string => {
    const { reply } = bench.core.run(command, bench.now);
    return reply.kind === "error" || reply.kind === "status" ? reply.text : reply.kind;
  };
  assert.equal(run({ kind: "add-slots", slots: [5] }), "ERR Slot 5 is already busy");
  assert.equal(run({ kind: "delete-slots", slots: [5, 5] }), "ERR Slot 5 specified multiple times");
  assert.equal(run({ kind: "delete-slots", slots: [5] }), "ok");
  assert.equal(run({ kind: "delete-slots", slots: [5] }), "ERR Slot 5 is already unassigned");
  assert.equal(
    run({ kind: "meet", ip: "host", port: 1, busPort: 2 }),
    "ERR Invalid node address specified: host:1",
  );
  assert.equal(
    run({ kind: "failover", mode: "default" }),
    "ERR You should send CLUSTER FAILOVER to a replica",
  );
  assert.equal(run({ kind: "forget", node: idOf("3") }), `ERR Unknown node ${idOf("3")}`);
  assert.equal(
    run({ kind: "forget", node: idOf("5") }),
    "ERR I tried hard but I can't forget myself...",
  );
  assert.equal(run({ kind: "replicate", node: idOf("5") }), "ERR Can't replicate myself");
  assert.equal(
    run({ kind: "replicate", node: idOf("8") }),
    "ERR I can only replicate a master, not a replica.",
  );
  assert.equal(
    run({ kind: "replicate", node: idOf("7") }),
    "ERR To set a master the node must be empty and without assigned slots.",
  );
  assert.equal(run({ kind: "bump-epoch" }), "BUMPED 10");
  assert.equal(run({ kind: "bump-epoch" }), "STILL 10");
  assert.equal(
    run({ kind: "set-slot", slot: 300, action: "migrating", node: idOf("7") }),
    "ERR I'm not the owner of hash slot 300",
  );
  bench.keys.set(7, 1);
  assert.equal(
    run({ kind: "set-slot", slot: 7, action: "node", node: idOf("7") }),
    "ERR Can't assign hashslot 7 to a different node while I still hold keys for this hash slot.",
  );
});

test("what was saved is what is loaded", () => {
  const bench = new Bench(threePrimaries);
  bench.core.run({ kind: "set-slot", slot: 7, action: "migrating", node: idOf("7") }, bench.now);
  const again = new Bench(bench.core.nodesConf());
  assert.equal(again.core.migratingTo(7)?.id, idOf("7"));
  assert.equal(again.core.slotRoute[7], 2);
  assert.equal(again.core.slotRoute[8], 0);
  assert.equal(again.core.node(idOf("8"))?.role, "replica");
  const lines = (text: string): string[] =>
    text.split("\n").map((line) => line.replace(/ \d+ \d+ (\d+) (dis)?connected/, " $1"));
  assert.deepEqual(lines(again.core.nodesConf()), lines(bench.core.nodesConf()));
});
