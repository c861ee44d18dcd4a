/**
 * A thousand cores in one process: messages are handed over as the frozen values they are, their
 * bytes computed from lengths, and only a sample goes through the wire format for real. Owns a
 * network without faults but silence, on a wheel of milliseconds instead of a heap; for faults
 * there is `SimCluster`.
 */

import { ClusterCore } from "../core/cluster.js";
import type { BusConfig } from "../core/config.js";
import { defaultBusConfig } from "../core/config.js";
import type { BusEffect, LinkId } from "../core/effects.js";
import type { BusCommand } from "../core/inputs.js";
import type { BusMessage, Millis } from "../message.js";
import { IdNumbers } from "../core/peer-table.js";
import { slotCount } from "../slot.js";
import { decodePacket } from "../wire/decode.js";
import { encodeMessage, packetBytes } from "../wire/encode.js";
import { SeededRandom } from "./sim-world.js";

const startOfTime: Millis = 1_700_000_000_000;
const tickMs = 100;
/** A packet's way takes 1 to this many milliseconds, always the same between the same two. */
const latencyMsMax = 8;
const wheelMs = 16;
/** Frame, IP and TCP headers are not counted: the numbers are the protocol's. */
const portOfAll = 7000;

export interface ScaleOptions {
  readonly nodes: number;
  readonly seed: number;
  /** One of so many packets is encoded, decoded and encoded again. */
  readonly samplePackets: number;
  readonly config?: Partial<BusConfig>;
}

interface Delivery {
  readonly to: ScaleNode;
  readonly link: LinkId;
  readonly message: BusMessage;
}

interface ScaleNode {
  readonly index: number;
  readonly core: ClusterCore;
  up: boolean;
  /** By link id: who is at the other end, and what the link is called there. */
  readonly ends: ({ readonly node: ScaleNode; readonly link: LinkId } | undefined)[];
}

export class ScaleWorld {
  readonly nodes: ScaleNode[] = [];
  now: Millis = startOfTime;
  packets = 0;
  bytes = 0;
  persists = 0;
  sampled = 0;
  readonly #options: ScaleOptions;
  readonly #random: SeededRandom;
  readonly #ids = new IdNumbers();
  readonly #deliveries: Delivery[][] = Array.from({ length: wheelMs }, () => []);
  readonly #others: (() => void)[][] = Array.from({ length: wheelMs }, () => []);

  constructor(options: ScaleOptions) {
    this.#options = options;
    this.#random = new SeededRandom(options.seed);
    for (let index = 0; index < options.nodes; index++) this.#addNode(index);
  }

  run(index: number, command: BusCommand): void {
    const node = this.nodes[index] as ScaleNode;
    const { reply, effects } = node.core.run(command, this.now);
    if (reply.kind === "error") throw new Error(`node ${index}: ${reply.text}`);
    this.#apply(node, effects);
  }

  /** Nothing comes from it any more, and nobody is told. */
  silence(index: number): void {
    (this.nodes[index] as ScaleNode).up = false;
  }

  advance(ms: Millis): void {
    for (const end = this.now + ms; this.now < end; ) this.#millisecond();
  }

  /** The time it took until the condition held, asked every 100 ms; undefined if it never did. */
  advanceUntil(condition: () => boolean, limitMs: Millis): Millis | undefined {
    const began = this.now;
    for (const end = began + limitMs; this.now < end; this.advance(tickMs)) {
      if (condition()) return this.now - began;
    }
    return condition() ? this.now - began : undefined;
  }

  #addNode(index: number): void {
    const config = { ...defaultBusConfig(), port: portOfAll, ...this.#options.config };
    const core = new ClusterCore({
      config,
      host: {
        replicationOffset: () => 1,
        replicationDataAgeMs: () => 0,
        countKeysInSlot: () => 0,
        isEmpty: () => true,
      },
      random: this.#random,
      now: this.now,
      ids: this.#ids,
    });
    const node: ScaleNode = { index, core, up: true, ends: [] };
    this.nodes.push(node);
    this.#apply(node, core.start(this.now));
  }

  #millisecond(): void {
    this.now++;
    const { now } = this;
    const at = now % wheelMs;
    const others = this.#others[at] as (() => void)[];
    this.#others[at] = [];
    for (const run of others) run();
    const deliveries = this.#deliveries[at] as Delivery[];
    this.#deliveries[at] = [];
    for (const { to, link, message } of deliveries) {
      if (to.up) this.#apply(to, to.core.step({ kind: "message", now, link, message }));
    }
    for (let i = now % tickMs; i < this.nodes.length; i += tickMs) {
      const node = this.nodes[i] as ScaleNode;
      if (node.up) this.#apply(node, node.core.step({ kind: "tick", now }));
    }
  }

  #apply(node: ScaleNode, effects: readonly BusEffect[]): void {
    for (const effect of effects) {
      switch (effect.kind) {
        case "persist":
          this.persists++;
          break;
        case "send":
          this.#send(node, effect.links, effect.message);
          break;
        case "connect":
          this.#connect(node, effect.link, effect.host);
          break;
        case "disconnect":
          node.ends[effect.link] = undefined;
          break;
        default:
          break;
      }
    }
  }

  #send(node: ScaleNode, links: readonly LinkId[], message: BusMessage): void {
    const bytes = packetBytes(message);
    for (const link of links) {
      const end = node.ends[link];
      if (end === undefined) continue;
      this.packets++;
      this.bytes += bytes;
      const at = (this.now + latencyMs(node.index, end.node.index)) % wheelMs;
      const sampled = this.packets % this.#options.samplePackets === 0;
      (this.#deliveries[at] as Delivery[]).push({
        to: end.node,
        link: end.link,
        message: sampled ? this.#throughTheWire(message) : message,
      });
    }
  }

  #throughTheWire(message: BusMessage): BusMessage {
    const packet = encodeMessage(message);
    if (packet.length !== packetBytes(message)) throw new Error("a length was computed wrongly");
    const result = decodePacket(packet);
    if (result.kind !== "message") throw new Error(`not decoded: ${JSON.stringify(result)}`);
    if (!encodeMessage(result.message).equals(packet)) throw new Error("the wire lost something");
    this.sampled++;
    return result.message;
  }

  #connect(from: ScaleNode, link: LinkId, host: string): void {
    const to = this.nodes[indexOf(host)];
    if (to === undefined) throw new Error(`nobody is at ${host}`);
    const at = (this.now + latencyMs(from.index, to.index)) % wheelMs;
    (this.#others[at] as (() => void)[]).push(() => {
      if (!to.up || !from.up) return;
      const { now } = this;
      const accepted = to.core.nextLinkId();
      const [near, far] = [hostOf(from.index), hostOf(to.index)];
      from.ends[link] = { node: to, link: accepted };
      to.ends[accepted] = { node: from, link };
      const addresses = { localAddress: far, remoteAddress: near };
      this.#apply(to, to.core.step({ kind: "link-accepted", now, link: accepted, ...addresses }));
      const back = { localAddress: near, remoteAddress: far };
      this.#apply(from, from.core.step({ kind: "link-connected", now, link, ...back }));
    });
  }
}

function latencyMs(from: number, to: number): Millis {
  return 1 + ((from * 31 + to * 17) % latencyMsMax);
}

function hostOf(index: number): string {
  return `10.0.${index >> 8}.${index & 255}`;
}

function indexOf(host: string): number {
  const [, , high = 0, low = 0] = host.split(".").map(Number);
  return high * 256 + low;
}

export interface ScaleReport {
  readonly nodes: number;
  /** Until every node knew every other, from one that was told of all. */
  readonly knownAfterMs: Millis;
  /** Until every node had heard of the owner of every slot, and served. */
  readonly agreedAfterMs: Millis;
  readonly steadyMs: Millis;
  readonly packets: number;
  readonly packetsPerNodeAndSecond: number;
  readonly bytesPerNodeAndSecond: number;
  /** From a primary's silence until the first node, and until all nodes, held it for failed. */
  readonly firstFailedAfterMs: Millis;
  readonly allFailedAfterMs: Millis;
  /** Until all nodes knew its successor. */
  readonly replacedAfterMs: Millis;
  readonly sampled: number;
  /** Primaries that stopped taking writes although nothing was wrong with them. */
  readonly leaseLapses: number;
}

export interface ScaleHooks {
  readonly onPhase: (text: string) => void;
  /** Around the steady phase, for whoever measures what it costs. */
  readonly onSteady: (what: "begins" | "ends", world: ScaleWorld) => void;
}

/** Half of the nodes are primaries, each has a replica: they meet, agree, live, and lose one. */
export function runScale(
  options: ScaleOptions & { readonly steadyMs: Millis },
  hooks: ScaleHooks,
): ScaleReport {
  const world = new ScaleWorld(options);
  const primaries = Math.max(1, Math.floor(options.nodes / 2));
  formCluster(world, primaries);
  const need = (ms: Millis | undefined, what: string): Millis => {
    if (ms === undefined) throw new Error(`${what}: not in time`);
    hooks.onPhase(`${what} after ${(ms / 1000).toFixed(1)} s`);
    return ms;
  };
  const { nodes } = world;
  const knownAfterMs = need(
    world.advanceUntil(
      () => nodes.every(({ core }) => core.nodes.length === nodes.length),
      300_000,
    ),
    "everybody knows everybody",
  );
  for (let i = primaries; i < nodes.length; i++) {
    const primary = (nodes[(i - primaries) % primaries] as ScaleNode).core.myId;
    world.run(i, { kind: "replicate", node: primary });
  }
  const agreed = need(
    world.advanceUntil(() => nodes.every(({ core }) => core.stateOk), 300_000),
    "every slot is served, to everybody",
  );
  // Pongs of the formation are all of one moment; let the pings spread.
  world.advance(options.config?.nodeTimeoutMs ?? 15_000);
  const before = { packets: world.packets, bytes: world.bytes };
  hooks.onSteady("begins", world);
  world.advance(options.steadyMs);
  hooks.onSteady("ends", world);
  const packets = world.packets - before.packets;
  const nodeSeconds = (nodes.length * options.steadyMs) / 1000;
  const bytes = world.bytes - before.bytes;
  const failure = loseOne(world, primaries, need);
  return {
    nodes: nodes.length,
    knownAfterMs,
    agreedAfterMs: knownAfterMs + agreed,
    steadyMs: options.steadyMs,
    packets,
    packetsPerNodeAndSecond: packets / nodeSeconds,
    bytesPerNodeAndSecond: bytes / nodeSeconds,
    ...failure,
    sampled: world.sampled,
    leaseLapses: nodes.reduce((sum, { core }) => sum + core.writeLeaseLapses, 0),
  };
}

/** The first slot of a primary's share; every primary has one. */
function firstSlot(primary: number, primaries: number): number {
  return Math.floor((primary * slotCount) / primaries);
}

function formCluster(world: ScaleWorld, primaries: number): void {
  for (let i = 0; i < primaries; i++) {
    const first = firstSlot(i, primaries);
    const length = firstSlot(i + 1, primaries) - first;
    world.run(i, { kind: "set-config-epoch", epoch: i + 1 });
    world.run(i, { kind: "add-slots", slots: Array.from({ length }, (_, n) => first + n) });
  }
  for (let i = 1; i < world.nodes.length; i++) {
    world.run(0, { kind: "meet", ip: hostOf(i), port: portOfAll, busPort: portOfAll + 10000 });
  }
}

function loseOne(
  world: ScaleWorld,
  primaries: number,
  need: (ms: Millis | undefined, what: string) => Millis,
): Pick<ScaleReport, "firstFailedAfterMs" | "allFailedAfterMs" | "replacedAfterMs"> {
  const lost = world.nodes[primaries - 1] as ScaleNode;
  const others = world.nodes.filter((node) => node !== lost);
  const failed = ({ core }: ScaleNode): boolean => core.node(lost.core.myId)?.health === "failed";
  world.silence(lost.index);
  const first = need(
    world.advanceUntil(() => others.some(failed), 120_000),
    "somebody holds the lost primary for failed",
  );
  const rest = need(
    world.advanceUntil(() => others.every(failed), 60_000),
    "everybody does",
  );
  const slot = firstSlot(primaries - 1, primaries);
  const replaced = need(
    world.advanceUntil(
      () => others.every(({ core }) => core.ownerOf(slot)?.id !== lost.core.myId && core.stateOk),
      120_000,
    ),
    "everybody knows its successor, and serves,",
  );
  return {
    firstFailedAfterMs: first,
    allFailedAfterMs: first + rest,
    replacedAfterMs: first + rest + replaced,
  };
}
