/**
 * How two nodes get to know each other: MEET by an operator, MEET from a stranger, the first pong
 * that brings a node's real id, and the addresses of nodes that moved. A node enters the cluster
 * only through here or through the gossip of a node that is in it.
 */

import type { BusHeader, NodeId } from "../message.js";
import { isNodeId, nodeFlags } from "../message.js";
import { cleanAddress } from "./ip.js";
import type { Link, Peer } from "./peers.js";
import { createPeer } from "./peers.js";
import { announceReplication } from "./roles.js";
import type { Bus } from "./state.js";
import { closeLink, deletePeer, peersMax, randomHex } from "./state.js";

/** A handshake lives one node timeout, but no less than this. */
const handshakeMsMin = 1000;

export interface PeerAddress {
  readonly ip: string;
  readonly port: number;
  readonly tlsPort: number;
  readonly busPort: number;
}

export function handshakeTimeoutMs(nodeTimeoutMs: number): number {
  return Math.max(nodeTimeoutMs, handshakeMsMin);
}

/**
 * Adds a node by address, under a random id until its first pong: with a MEET, which makes it add
 * us too; with a ping, if others told us of it; or to look whether a node that we know is there
 * now.
 */
export function startHandshake(
  bus: Bus,
  address: PeerAddress,
  purpose: "meet" | "gossip" | "find",
): void {
  const { state } = bus;
  const known = state.peers.some(
    (peer) =>
      peer.handshake &&
      peer.ip === address.ip &&
      peer.port === address.port &&
      peer.busPort === address.busPort,
  );
  if (known || state.peers.length >= peersMax) return;
  const peer = createPeer({
    id: randomHex(bus.random),
    shardId: randomHex(bus.random),
    now: bus.now,
  });
  peer.handshake = true;
  peer.meetPending = purpose === "meet";
  peer.mustBeKnown = purpose === "find";
  setAddress(peer, address);
  state.table.add(peer);
}

/** Where a header says its sender is, falling back on where the link comes from. */
export function addressFrom(link: Link, header: BusHeader): PeerAddress {
  const announced = cleanAddress(header.announcedIp);
  return {
    ip: announced !== "" ? announced : link.remoteAddress,
    port: header.port,
    tlsPort: header.secondaryPort,
    busPort: header.busPort,
  };
}

/**
 * Our own address is what others dial: a MEET shows it, and as long as we have none, any ping.
 */
export function learnOwnAddress(bus: Bus, link: Link, isMeet: boolean): void {
  const { myself, config } = bus;
  if (config.announceIp !== "" || link.localAddress === "") return;
  if (!isMeet && myself.ip !== "") return;
  if (myself.ip === link.localAddress) return;
  myself.ip = link.localAddress;
  bus.log("notice", `IP address for this node updated to ${myself.ip}`);
  bus.save();
}

/**
 * A node in handshake answered. Returns the node it turned out to be; undefined if the handshake
 * came to nothing because we know that node already, or because it is ourselves.
 */
export function finishHandshake(bus: Bus, link: Link, header: BusHeader): Peer | undefined {
  const peer = link.peer as Peer;
  const known = bus.state.lookup(header.sender);
  if (peer.mustBeKnown && known === undefined) {
    bus.log(
      "warning",
      `The node at ${peer.ip}:${peer.port} is ${header.sender}, which this cluster does not know: ` +
        "it is left alone. If it belongs here, CLUSTER MEET adds it.",
    );
    deletePeer(bus, peer);
    return undefined;
  }
  if (known !== undefined || !isNodeId(header.sender)) {
    if (known !== undefined && !known.isMyself) {
      bus.log(
        "verbose",
        `Handshake: we already know node ${known.id} (${known.humanName}), ` +
          "updating the address if needed.",
      );
      updateAddress(bus, known, addressFrom(link, header), link);
    }
    deletePeer(bus, peer);
    return undefined;
  }
  peer.handshake = false;
  bus.state.table.rename(peer, header.sender as NodeId);
  bus.log("debug", `Handshake with node ${peer.id} completed.`);
  if (header.flags & nodeFlags.primary) peer.role = "primary";
  else if (header.flags & nodeFlags.replica) peer.role = "replica";
  bus.save();
  return peer;
}

/** Somebody else answers where this node used to be: forget the address, keep the node. */
export function loseAddress(bus: Bus, link: Link, peer: Peer): void {
  bus.log("debug", `PONG contains mismatching sender ID. About node ${peer.id}`);
  peer.addressKnown = false;
  setAddress(peer, { ip: "", port: 0, tlsPort: 0, busPort: 0 });
  closeLink(bus, link);
  bus.save();
}

/** Takes over a new address of a known node; `via` is the link it was learned on. */
export function updateAddress(bus: Bus, peer: Peer, address: PeerAddress, via: Link): boolean {
  // Our own dialled link goes where we think the node is: it proves nothing new.
  if (peer.link === via || address.ip === "") return false;
  if (sameAddress(peer, address)) return false;
  setAddress(peer, address);
  if (peer.link !== undefined) closeLink(bus, peer.link);
  peer.addressKnown = true;
  bus.log(
    "notice",
    `Address updated for node ${peer.id} (${peer.humanName}), now ${peer.ip}:${peer.port}`,
  );
  if (bus.myself.primary === peer) announceReplication(bus);
  bus.save();
  bus.stateDirty = true;
  return true;
}

export function sameAddress(peer: Peer, address: PeerAddress): boolean {
  return (
    peer.ip === address.ip &&
    peer.port === address.port &&
    peer.tlsPort === address.tlsPort &&
    peer.busPort === address.busPort
  );
}

export function setAddress(peer: Peer, address: PeerAddress): void {
  peer.ip = address.ip;
  peer.port = address.port;
  peer.tlsPort = address.tlsPort;
  peer.busPort = address.busPort;
}
