/**
 * What this node says about itself and others: the header of every message, the gossip of a ping,
 * pong or meet, and whom it tells. Owns the choice of what to gossip about; reads nothing that was
 * received.
 */

import type {
  BusHeader,
  BusMessage,
  GossipEntry,
  HeartbeatMessage,
  PingExtensions,
} from "../message.js";
import { refresh } from "./calm.js";
import { announcedPorts } from "./config.js";
import type { Link, Peer } from "./peers.js";
import { makeGossipEntry } from "./gossip-entry.js";
import type { PeerTable } from "./peer-table.js";
import { hasConnectedLink, slotsForMessage, wireFlags } from "./peers.js";
import type { Bus } from "./state.js";
import { noteAsked } from "./write-lease.js";

/**
 * Gossip about at least this many nodes, and about a tenth of them if that is more. With a tenth,
 * a node is named by any other in about 8 packets times 1/10 of the cases within the two timeouts
 * that a failure report lives, so some 80% of the primaries report a dead node in time: well over
 * the majority that is needed.
 */
const gossipEntriesMin = 3;
const gossipShare = 10;

export function makeHeader(bus: Bus, options: { readonly forceAck?: boolean } = {}): BusHeader {
  const { myself, config, state } = bus;
  // A replica advertises the slots and the epoch of its primary; its own flags say that it is one.
  const owner = myself.role === "replica" && myself.primary ? myself.primary : myself;
  const ports = announcedPorts(config);
  return {
    sender: myself.id,
    port: ports.port,
    secondaryPort: ports.tlsPort,
    busPort: ports.busPort,
    currentEpoch: state.currentEpoch,
    configEpoch: owner.configEpoch,
    offset: Math.max(0, bus.host.replicationOffset()),
    slots: slotsForMessage(owner),
    primaryId: myself.primary?.id,
    announcedIp: config.announceIp,
    flags: wireFlags(myself),
    stateOk: state.ok,
    paused: myself.role === "primary" && state.manual.endsAt !== 0,
    forceAck: options.forceAck ?? false,
    knowsExtensions: true,
  };
}

export function sendHeartbeat(bus: Bus, link: Link, type: HeartbeatMessage["type"]): void {
  const peer = link.peer;
  // A ping counts as sent even while the dial is under way: a node that never answers the dial
  // must be suspected like one that never answers a ping.
  if (type === "ping" && !link.inbound && peer !== undefined) {
    peer.pingSentAt = bus.now;
    refresh(bus, peer);
  }
  if (!link.connected) return;
  if (type !== "pong" && !link.inbound && peer !== undefined) noteAsked(bus, peer);
  bus.send([link], {
    type,
    header: makeHeader(bus),
    gossip: chooseGossip(bus),
    extensions: extensionsFor(bus, peer),
  });
}

/** A pong nobody asked for tells everybody, or this shard's replicas, what changed here. */
export function broadcastPong(bus: Bus, target: "all" | "shard-replicas"): void {
  const { myself } = bus;
  for (const peer of bus.state.peers) {
    if (peer.isMyself || peer.handshake || peer.link === undefined) continue;
    if (target === "shard-replicas") {
      const sibling =
        peer.role === "replica" &&
        peer.primary !== undefined &&
        (peer.primary === myself || peer.primary === myself.primary);
      if (!sibling) continue;
    }
    sendHeartbeat(bus, peer.link, "pong");
  }
}

/** Sends to every node that is not in handshake. */
export function broadcast(bus: Bus, message: BusMessage): void {
  const links: Link[] = [];
  for (const peer of bus.state.peers) {
    if (!peer.isMyself && !peer.handshake && peer.link !== undefined) links.push(peer.link);
  }
  bus.send(links, message);
}

/** Tells a node that claims slots of `owner` who owns them now, and since which epoch. */
export function sendUpdate(bus: Bus, to: Peer, owner: Peer): void {
  if (to.link === undefined) return;
  bus.send([to.link], {
    type: "update",
    header: makeHeader(bus),
    owner: owner.id,
    ownerConfigEpoch: owner.configEpoch,
    ownerSlots: bus.state.slots.claimedSlots(owner),
  });
}

function chooseGossip(bus: Bus): GossipEntry[] {
  const { state } = bus;
  const { peers, table } = state;
  const round = ++state.gossipRound;
  // Neither this node nor the receiver needs to be told about.
  let fresh = peers.length - 2;
  const wanted = Math.min(
    Math.max(gossipEntriesMin, Math.floor(peers.length / gossipShare)),
    fresh,
  );
  const gossip: GossipEntry[] = [];
  // Random picks may repeat; three tries per entry are enough to fill it nearly always.
  for (let tries = wanted * 3; tries > 0 && fresh > 0 && gossip.length < wanted; tries--) {
    const index = bus.random.uint32() % peers.length;
    if (table.gossipRound(index) === round) continue;
    let entry = table.gossipOf(index);
    if (entry === undefined) {
      const peer = peers[index] as Peer;
      if (peer.isMyself || peer.health === "suspected") continue;
      const worthless =
        peer.handshake || !peer.addressKnown || (!hasConnectedLink(peer) && peer.slotCount === 0);
      if (worthless) {
        fresh--;
        continue;
      }
      entry = gossipEntry(peer, table);
    }
    fresh--;
    table.setGossipRound(index, round);
    gossip.push(entry);
  }
  if (state.suspectedCount === 0) return gossip;
  // Every suspect is in every packet: that is how a majority finds out within seconds.
  for (const peer of peers) {
    if (peer.health !== "suspected" || peer.handshake || !peer.addressKnown) continue;
    gossip.push(gossipEntry(peer, table));
  }
  return gossip;
}

export function pickPeer(bus: Bus): Peer {
  const peers = bus.state.peers;
  return peers[bus.random.uint32() % peers.length] as Peer;
}

function gossipEntry(peer: Peer, table: PeerTable): GossipEntry {
  const entry = makeGossipEntry(peer, table);
  table.keepGossip(peer.index, entry);
  return entry;
}

/**
 * What extensions a peer gets. Redis 7.0 knows the hostname only and logs a warning for every
 * other, so those go only to peers that have shown to know them. The flag that says "extensions
 * follow" is set always, if only for none of them: to Valkey that is the sign that we know them.
 */
function extensionsFor(bus: Bus, peer: Peer | undefined): PingExtensions {
  const { myself, state, now } = bus;
  const hostname = myself.hostname === "" ? {} : { hostname: myself.hostname };
  if (peer === undefined || !peer.knowsExtensions) {
    return { ...hostname, forgotten: [], count: 0 };
  }
  const forgotten = [];
  for (const [id, until] of state.forgotten) {
    if (until > now) forgotten.push({ id, ttlSeconds: Math.ceil((until - now) / 1000) });
  }
  return {
    ...hostname,
    ...(myself.humanName === "" ? {} : { humanName: myself.humanName }),
    forgotten,
    shardId: myself.shardId,
    count: 0,
  };
}
