/**
 * The state as the structured data of CLUSTER SLOTS, SHARDS, LINKS and REPLICAS, and the endpoint
 * of a node as redirections name it. Owns the shape; writing replies is the node's business. Field
 * order is Redis 7.2's.
 */

import type { Millis } from "../message.js";
import { slotCount } from "../slot.js";
import type { SlotRange } from "../slot-bitmap.js";
import { slotRanges } from "../slot-bitmap.js";
import type { LinkId } from "./effects.js";
import type { Peer } from "./peers.js";
import { topPrimary } from "./peers.js";
import type { Bus } from "./state.js";

/** One node in CLUSTER SLOTS: `[endpoint, port, id, metadata]`. */
export interface SlotsNode {
  /** Null for `unknown-endpoint`: clients go on with the address they are connected to. */
  readonly endpoint: string | null;
  readonly port: number;
  readonly id: string;
  /** Flat name-value pairs of what the endpoint is not. */
  readonly metadata: readonly (readonly [name: string, value: string])[];
}

export interface SlotsEntry {
  readonly start: number;
  readonly end: number;
  /** The primary first, then its available replicas. */
  readonly nodes: readonly SlotsNode[];
}

export interface ShardNode {
  readonly id: string;
  /** Left out of the reply if 0. */
  readonly port: number;
  /** Left out of the reply if 0. */
  readonly tlsPort: number;
  readonly ip: string;
  readonly endpoint: string;
  /** Left out of the reply if empty. */
  readonly hostname: string;
  readonly role: "master" | "replica";
  readonly replicationOffset: number;
  readonly health: "online" | "fail" | "loading";
}

export interface Shard {
  readonly ranges: readonly SlotRange[];
  readonly nodes: readonly ShardNode[];
}

export interface LinkView {
  readonly link: LinkId;
  readonly direction: "to" | "from";
  readonly node: string;
  readonly createdAt: Millis;
  readonly connected: boolean;
}

/** What MOVED and ASK name a node by; empty means "the address you used". */
export function preferredEndpoint(bus: Bus, peer: Peer): string {
  switch (bus.config.preferredEndpointType) {
    case "ip":
      return peer.ip;
    case "hostname":
      return peer.hostname !== "" ? peer.hostname : "?";
    case "unknown-endpoint":
      return "";
  }
}

export function slotsView(bus: Bus): SlotsEntry[] {
  const entries: SlotsEntry[] = [];
  const nodesOf = new Map<Peer, readonly SlotsNode[]>();
  let start = 0;
  for (let slot = 1; slot <= slotCount; slot++) {
    const owner = bus.state.slots.ownerOf(start);
    if (slot < slotCount && bus.state.slots.ownerOf(slot) === owner) continue;
    if (owner !== undefined) {
      let nodes = nodesOf.get(owner);
      if (nodes === undefined) {
        const replicas = owner.replicas.filter((replica) => isAvailable(bus, replica));
        nodes = [owner, ...replicas].map((peer) => slotsNode(bus, peer));
        nodesOf.set(owner, nodes);
      }
      entries.push({ start, end: slot - 1, nodes });
    }
    start = slot;
  }
  return entries;
}

function slotsNode(bus: Bus, peer: Peer): SlotsNode {
  const type = bus.config.preferredEndpointType;
  const metadata: [string, string][] = [];
  if (type !== "ip") metadata.push(["ip", peer.ip]);
  if (type !== "hostname" && peer.hostname !== "") metadata.push(["hostname", peer.hostname]);
  return {
    endpoint: type === "unknown-endpoint" ? null : preferredEndpoint(bus, peer),
    port: peer.port,
    id: peer.id,
    metadata,
  };
}

/** A replica that has not finished its first sync, or has failed, is no use to a client. */
function isAvailable(bus: Bus, replica: Peer): boolean {
  return replica.health !== "failed" && offsetOf(bus, replica) !== 0;
}

function offsetOf(bus: Bus, peer: Peer): number {
  return peer.isMyself ? bus.host.replicationOffset() : peer.replicationOffset;
}

export function shardsView(bus: Bus): Shard[] {
  const byShard = new Map<string, Peer[]>();
  for (const peer of bus.state.peers) {
    if (peer.handshake) continue;
    const members = byShard.get(peer.shardId);
    if (members === undefined) byShard.set(peer.shardId, [peer]);
    else members.push(peer);
  }
  return [...byShard.values()].map((members) => {
    const primary = topPrimary(members[0] as Peer);
    return {
      ranges: primary.slotCount > 0 ? slotRanges(primary.slots) : [],
      nodes: members.map((peer) => shardNode(bus, peer)),
    };
  });
}

function shardNode(bus: Bus, peer: Peer): ShardNode {
  const replicationOffset = offsetOf(bus, peer);
  const isReplica = peer.role === "replica";
  const health =
    peer.health === "failed" ? "fail" : isReplica && replicationOffset === 0 ? "loading" : "online";
  return {
    id: peer.id,
    port: peer.port,
    tlsPort: peer.tlsPort,
    ip: peer.ip,
    endpoint: preferredEndpoint(bus, peer),
    hostname: peer.hostname,
    role: isReplica ? "replica" : "master",
    replicationOffset,
    health,
  };
}

/** Links of known nodes; the driver adds what lies in their send buffers. */
export function linksView(bus: Bus): LinkView[] {
  const views: LinkView[] = [];
  for (const peer of bus.state.peers) {
    for (const link of [peer.link, peer.inbound]) {
      if (link === undefined) continue;
      views.push({
        link: link.id,
        direction: link.inbound ? "from" : "to",
        node: peer.id,
        createdAt: link.createdAt,
        connected: link.connected,
      });
    }
  }
  return views;
}
