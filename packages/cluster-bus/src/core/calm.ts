/**
 * What the table's columns say about a node, from its record: whether a tick has anything to do
 * about it, and whether gossip about it can bring anything. Owns what "calm" means. Whatever ends
 * it refreshes or wakes the node in the table: a ping that is sent, a link that is lost, a failure,
 * a report of one, a manual failover.
 */

import type { GossipEntry, Millis } from "../message.js";
import { makeGossipEntry } from "./gossip-entry.js";
import type { Gossiped } from "./peer-table.js";
import { gossiped } from "./peer-table.js";
import type { Peer } from "./peers.js";
import { hasConnectedLink } from "./peers.js";
import type { Bus } from "./state.js";

/** Something about the record has changed that the columns follow. */
export function refresh(bus: Bus, peer: Peer): void {
  bus.state.table.refresh(peer.index, {
    gossiped: whatGossipBrings(peer),
    quietUntil: quietUntil(bus, peer),
  });
}

function isUndoubted(peer: Peer): boolean {
  return (
    peer.health === "online" &&
    !peer.isMyself &&
    !peer.handshake &&
    hasConnectedLink(peer) &&
    (peer.failureReports === undefined || peer.failureReports.size === 0)
  );
}

function whatGossipBrings(peer: Peer): Gossiped {
  if (!isUndoubted(peer)) return gossiped.look;
  return peer.pingSentAt === 0 ? gossiped.pong : gossiped.nothing;
}

/** Ticks let a calm node be until its next ping is due; all others they look at. */
function quietUntil(bus: Bus, peer: Peer): Millis {
  const calm = isUndoubted(peer) && peer.pingSentAt === 0 && bus.state.manual.replica !== peer;
  return calm ? bus.state.table.pongReceivedAt(peer.index) + pingAfterMs(bus) : 0;
}

/** So long after its last pong a node is pinged. */
export function pingAfterMs(bus: Bus): Millis {
  return bus.config.nodeTimeoutMs / 2;
}

/** For checks: the columns, or what is kept to be said about it, missed a change of the record. */
export function isStale(bus: Bus, peer: Peer): boolean {
  const { table } = bus.state;
  const brings = table.gossiped(peer.index);
  if (brings !== gossiped.look && brings !== whatGossipBrings(peer)) return true;
  // Gossip puts the next ping off; the tick that comes too early does no harm.
  if (table.quietUntil(peer.index) > quietUntil(bus, peer)) return true;
  const kept = table.gossipOf(peer.index);
  return kept !== undefined && !sameEntry(kept, makeGossipEntry(peer, table));
}

function sameEntry(a: GossipEntry, b: GossipEntry): boolean {
  return (
    a.id === b.id &&
    a.pingSentSeconds === b.pingSentSeconds &&
    a.ip === b.ip &&
    a.port === b.port &&
    a.secondaryPort === b.secondaryPort &&
    a.busPort === b.busPort &&
    a.flags === b.flags
  );
}
