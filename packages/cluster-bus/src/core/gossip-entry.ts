/** What a ping says about one other node, from that node's record. */

import type { GossipEntry } from "../message.js";
import type { PeerTable } from "./peer-table.js";
import type { Peer } from "./peers.js";
import { wireFlags } from "./peers.js";

export function makeGossipEntry(peer: Peer, table: PeerTable): GossipEntry {
  return {
    id: peer.id,
    idNumber: peer.number >= 0 ? peer.number : undefined,
    pingSentSeconds: Math.floor(peer.pingSentAt / 1000),
    pongReceivedSeconds: Math.floor(table.pongReceivedAt(peer.index) / 1000),
    ip: peer.ip,
    port: peer.port,
    secondaryPort: peer.tlsPort,
    busPort: peer.busPort,
    flags: wireFlags(peer),
  };
}
