/**
 * What others say about others: failure reports, liveness, new addresses, nodes we have not heard
 * of, and the extensions behind the gossip. Only known nodes are listened to.
 */

import type { GossipEntry, HeartbeatMessage } from "../message.js";
import { isNodeId, nodeFlags } from "../message.js";
import { clearFailureReport, failureReports, noteFailureReport } from "./failure.js";
import { sameAddress, setAddress } from "./handshake.js";
import { cleanAddress } from "./ip.js";
import { gossiped } from "./peer-table.js";
import type { Peer } from "./peers.js";
import { adoptGossipFlags, topPrimary } from "./peers.js";
import { setShardId } from "./roles.js";
import type { Bus } from "./state.js";
import { addKnownPeer, closeLink, deletePeer, peersMax } from "./state.js";

const downFlags = nodeFlags.failed | nodeFlags.suspected;
/** Clocks of nodes may differ by this much before a pong "from the future" is not believed. */
const clockToleranceMs = 500;

export function applyGossip(bus: Bus, sender: Peer, gossip: readonly GossipEntry[]): void {
  const { peers, table } = bus.state;
  for (const entry of gossip) {
    const index = table.indexOf(entry.id, entry.idNumber);
    if (index < 0) {
      adopt(bus, entry);
      continue;
    }
    const brings = (entry.flags & downFlags) === 0 ? table.gossiped(index) : gossiped.look;
    if (brings === gossiped.pong) {
      adoptPong(bus, index, entry);
    } else if (brings === gossiped.look) {
      const peer = peers[index] as Peer;
      if (!peer.isMyself && !peer.handshake) update(bus, peer, sender, entry);
    }
  }
}

/**
 * Somebody else's recent pong is as good as ours, and saves a ping: with n nodes that ping one node
 * per second each, everybody is seen often enough.
 */
function adoptPong(bus: Bus, index: number, entry: GossipEntry): void {
  const { table } = bus.state;
  const pongAt = entry.pongReceivedSeconds * 1000;
  if (pongAt <= bus.now + clockToleranceMs && pongAt > table.pongReceivedAt(index)) {
    table.setPongReceivedAt(index, pongAt);
  }
}

function update(bus: Bus, peer: Peer, sender: Peer, entry: GossipEntry): void {
  const down = (entry.flags & downFlags) !== 0;
  if (sender.role === "primary") {
    if (down) noteFailureReport(bus, peer, sender);
    else clearFailureReport(bus, peer, sender);
  }
  if (down) return;
  if (peer.health === "online" && peer.pingSentAt === 0 && failureReports(bus, peer) === 0) {
    adoptPong(bus, peer.index, entry);
  }
  // We cannot reach it, the sender can: maybe at another address.
  if (peer.health === "online" || (entry.flags & nodeFlags.noAddress) !== 0) return;
  const address = gossipAddress(entry);
  if (address.ip === "" || sameAddress(peer, address)) return;
  if (peer.link !== undefined) closeLink(bus, peer.link);
  setAddress(peer, address);
  peer.addressKnown = true;
}

/** A node of our cluster that we had not heard of. Its id is believed, its role until it speaks. */
function adopt(bus: Bus, entry: GossipEntry): void {
  const { state, now } = bus;
  if ((entry.flags & nodeFlags.noAddress) !== 0 || !isNodeId(entry.id)) return;
  if (cleanAddress(entry.ip) === "" || entry.busPort === 0) return;
  if (isForgotten(bus, entry.id) || state.peers.length >= peersMax) return;
  const peer = addKnownPeer(bus, entry.id);
  adoptGossipFlags(peer, entry.flags, now);
  setAddress(peer, gossipAddress(entry));
}

function gossipAddress(entry: GossipEntry) {
  return {
    ip: cleanAddress(entry.ip),
    port: entry.port,
    tlsPort: entry.secondaryPort,
    busPort: entry.busPort,
  };
}

export function isForgotten(bus: Bus, id: string): boolean {
  for (const [forgotten, until] of bus.state.forgotten) {
    if (until < bus.now) bus.state.forgotten.delete(forgotten);
  }
  return bus.state.forgotten.has(id);
}

/** Has the sender shown that it reads extensions beyond the hostname, which 7.0 reads too? */
export function knowsExtensions(message: HeartbeatMessage): boolean {
  const extensions = message.extensions;
  if (message.header.knowsExtensions) return true;
  if (extensions === undefined) return false;
  // Valkey announces itself by the flag without an extension, which 7.0 never sends.
  return extensions.count !== 1 || extensions.hostname === undefined;
}

export function applyExtensions(bus: Bus, sender: Peer, message: HeartbeatMessage): void {
  const extensions = message.extensions;
  sender.knowsExtensions = knowsExtensions(message);
  for (const { id, ttlSeconds } of extensions?.forgotten ?? []) {
    const peer = bus.state.lookup(id);
    if (peer === undefined || peer.isMyself || bus.myself.primary === peer) continue;
    // The sender cannot make us forget itself while it is speaking.
    if (peer === sender) continue;
    bus.state.forgotten.set(id, bus.now + ttlSeconds * 1000);
    deletePeer(bus, peer);
    bus.stateDirty = true;
    bus.save();
  }
  setText(bus, sender, "hostname", extensions?.hostname ?? "");
  // A node that knows extensions, but does not know yet that we do, sends no shard id, and no name.
  const shardId = extensions?.shardId;
  if (shardId === undefined && sender.knowsExtensions) return;
  setText(bus, sender, "humanName", extensions?.humanName ?? "");
  // Older nodes have no shard id: a replica gets its primary's, a primary keeps ours for it.
  const valid = shardId !== undefined && isNodeId(shardId);
  setShardId(bus, sender, valid ? shardId : topPrimary(sender).shardId);
}

function setText(bus: Bus, peer: Peer, field: "hostname" | "humanName", text: string): void {
  // Control characters and blanks would break the lines of nodes.conf.
  const clean = /^[\x21-\x7e]*$/.test(text) && !/[",=]/.test(text) ? text : "";
  if (peer[field] === clean) return;
  peer[field] = clean;
  bus.save();
}
