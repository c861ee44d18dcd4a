/**
 * When nothing is to be done about a node but the next ping, if nothing happens. Owns what "calm"
 * means. Whatever ends it wakes the node in the table: a ping that is sent, a link that is lost, a
 * failure, a report of one, a manual failover.
 */

import type { GossipEntry, Millis } from "../message.js";
import { makeGossipEntry } from "./heartbeat.js";
import type { Peer } from "./peers.js";
import { hasConnectedLink } from "./peers.js";
import type { Bus } from "./state.js";

/** Ticks let a calm node be until its next ping is due; all others they look at. */
export function letBeIfCalm(bus: Bus, peer: Peer): void {
  const { table } = bus.state;
  if (isCalm(bus, peer)) {
    table.letBeUntil(peer.index, table.pongReceivedAt(peer.index) + pingAfterMs(bus));
  } else {
    table.wake(peer);
  }
}

function isCalm(bus: Bus, peer: Peer): boolean {
  return (
    peer.health === "online" &&
    peer.pingSentAt === 0 &&
    !peer.handshake &&
    hasConnectedLink(peer) &&
    (peer.failureReports === undefined || peer.failureReports.size === 0) &&
    bus.state.manual.replica !== peer
  );
}

/** For checks: something has ended its calm, or has changed what is said about it, unnoticed. */
export function isStale(bus: Bus, peer: Peer): boolean {
  const { table } = bus.state;
  if (!table.isCalm(peer.index)) return false;
  const kept = table.gossipOf(peer.index);
  return (
    !isCalm(bus, peer) || (kept !== undefined && !sameEntry(kept, makeGossipEntry(peer, table)))
  );
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

/** So long after its last pong a node is pinged. */
export function pingAfterMs(bus: Bus): Millis {
  return bus.config.nodeTimeoutMs / 2;
}
