/**
 * What this node knows about one node of the cluster (itself included), and the small rules that
 * keep one record consistent: replica lists, failure reports, flags on the wire. Refuses to look
 * at more than one record and its primary at a time; whatever involves the slot table or a message
 * lives elsewhere.
 */

import { assert } from "../assert.js";
import type { Millis, NodeId } from "../message.js";
import { nodeFlags } from "../message.js";
import { addSlot, createSlotBitmap, removeSlot } from "../slot-bitmap.js";
import type { LinkId } from "./effects.js";

/** `unknown` until the node itself, or gossip about it, has said what it is. */
export type PeerRole = "unknown" | "primary" | "replica";

/**
 * `suspected` is Redis' PFAIL (this node cannot reach it), `failed` its FAIL (a majority cannot).
 */
export type PeerHealth = "online" | "suspected" | "failed";

export interface Link {
  readonly id: LinkId;
  /** True if the peer dialled us. Such a link is only read and answered. */
  readonly inbound: boolean;
  readonly createdAt: Millis;
  /** Unknown on an inbound link until its first message names a node we know. */
  peer: Peer | undefined;
  /** An outbound link exists from the dial on; it is connected once the peer accepted. */
  connected: boolean;
  localAddress: string;
  remoteAddress: string;
}

export interface Peer {
  /** Random while `handshake`; the node's own from its first pong on. */
  id: NodeId;
  /** Its place in the table of nodes, and its id's number there; -1 if ids have none. */
  index: number;
  number: number;
  readonly isMyself: boolean;
  shardId: string;
  createdAt: Millis;
  role: PeerRole;
  health: PeerHealth;
  /** Its address was given by an operator or a MEET; its id is not known yet. */
  handshake: boolean;
  /** The first message to it must be a MEET, so that it adds us. */
  meetPending: boolean;
  /** In a handshake that only looks for a node that we know, and takes in no other. */
  mustBeKnown: boolean;
  /** False once another node answered at its address. */
  addressKnown: boolean;
  /** A primary that replicas may migrate to: it has, or had, replicas. */
  migrateTo: boolean;
  noFailover: boolean;
  configEpoch: number;
  /** Replaced, never changed, while `slotsShared`: see `addPeerSlot`. */
  slots: Uint8Array;
  slotCount: number;
  /** Messages, sent or received, hold the same bitmap: a cluster's nodes share most of theirs. */
  slotsShared: boolean;
  readonly replicas: Peer[];
  primary: Peer | undefined;
  /** When the pending ping was sent; 0 if none is pending. */
  pingSentAt: Millis;
  /** When the oldest ping left that its link has not answered; 0 if it has answered all. */
  askedAt: Millis;
  /** When a ping left that it has answered: it has heard of us later than that. */
  answeredAt: Millis;
  dataReceivedAt: Millis;
  failedAt: Millis;
  /** When we last voted for a replica of this primary. */
  votedAt: Millis;
  /** The last epoch in which it voted for us. */
  grantedEpoch: number;
  /** Since when this primary has no working replica; 0 if it has. */
  orphanedAt: Millis;
  replicationOffset: number;
  /** When it said so; 0 if it never did. */
  offsetHeardAt: Millis;
  ip: string;
  port: number;
  tlsPort: number;
  busPort: number;
  hostname: string;
  humanName: string;
  link: Link | undefined;
  inbound: Link | undefined;
  /** Primaries that say they cannot reach it, and when they last said so. */
  failureReports: Map<Peer, Millis> | undefined;
  /** It reads extensions beyond the hostname without logging a warning; see `extensionsFor`. */
  knowsExtensions: boolean;
}

/** What a node without slots has, shared by all of them. */
const noSlots = createSlotBitmap();

export function createPeer(options: {
  readonly id: NodeId;
  readonly shardId: string;
  readonly now: Millis;
  readonly isMyself?: boolean;
}): Peer {
  return {
    id: options.id,
    index: 0,
    number: -1,
    isMyself: options.isMyself ?? false,
    shardId: options.shardId,
    createdAt: options.now,
    role: "unknown",
    health: "online",
    handshake: false,
    meetPending: false,
    mustBeKnown: false,
    addressKnown: true,
    migrateTo: false,
    noFailover: false,
    configEpoch: 0,
    slots: noSlots,
    slotCount: 0,
    slotsShared: true,
    replicas: [],
    primary: undefined,
    pingSentAt: 0,
    askedAt: 0,
    answeredAt: 0,
    dataReceivedAt: 0,
    failedAt: 0,
    votedAt: 0,
    grantedEpoch: 0,
    orphanedAt: 0,
    replicationOffset: 0,
    offsetHeardAt: 0,
    ip: "",
    port: 0,
    tlsPort: 0,
    busPort: 0,
    hostname: "",
    humanName: "",
    link: undefined,
    inbound: undefined,
    failureReports: undefined,
    knowsExtensions: false,
  };
}

/** The flags of the record as they travel on the wire. */
export function wireFlags(peer: Peer): number {
  let flags = 0;
  if (peer.role === "primary") flags |= nodeFlags.primary;
  if (peer.role === "replica") flags |= nodeFlags.replica;
  if (peer.health === "suspected") flags |= nodeFlags.suspected;
  if (peer.health === "failed") flags |= nodeFlags.failed;
  if (peer.isMyself) flags |= nodeFlags.myself;
  if (peer.handshake) flags |= nodeFlags.handshake;
  if (!peer.addressKnown) flags |= nodeFlags.noAddress;
  if (peer.meetPending) flags |= nodeFlags.meet;
  if (peer.migrateTo) flags |= nodeFlags.migrateTo;
  if (peer.noFailover) flags |= nodeFlags.noFailover;
  return flags;
}

/** Takes from a gossip entry what may be believed about a node that was unknown so far. */
export function adoptGossipFlags(peer: Peer, flags: number, now: Millis): void {
  if (flags & nodeFlags.primary) peer.role = "primary";
  else if (flags & nodeFlags.replica) peer.role = "replica";
  if (flags & nodeFlags.failed) {
    peer.health = "failed";
    peer.failedAt = now;
  } else if (flags & nodeFlags.suspected) peer.health = "suspected";
  peer.noFailover = (flags & nodeFlags.noFailover) !== 0;
  peer.migrateTo = (flags & nodeFlags.migrateTo) !== 0;
}

/** Slots as an immutable value for a message. */
export function slotsForMessage(peer: Peer): Uint8Array {
  peer.slotsShared = true;
  return peer.slots;
}

/** A message claims just what we know: keep its bitmap, and drop our own. */
export function shareSlots(peer: Peer, slots: Uint8Array): void {
  peer.slots = slots;
  peer.slotsShared = true;
}

function ownSlots(peer: Peer): Uint8Array {
  if (peer.slotsShared) {
    peer.slots = peer.slots.slice();
    peer.slotsShared = false;
  }
  return peer.slots;
}

export function addPeerSlot(peer: Peer, slot: number): void {
  addSlot(ownSlots(peer), slot);
  peer.slotCount++;
}

export function removePeerSlot(peer: Peer, slot: number): void {
  removeSlot(ownSlots(peer), slot);
  peer.slotCount--;
  assert(peer.slotCount >= 0, "a node loses only slots it has");
}

/** Makes `replica` one of `primary`'s, and takes it from its former primary. */
export function attachReplica(primary: Peer, replica: Peer): void {
  assert(primary !== replica, "a node never replicates itself");
  if (replica.primary === primary && primary.replicas.includes(replica)) return;
  detachReplica(replica);
  replica.primary = primary;
  primary.replicas.push(replica);
  // A primary that has replicas now may get some from others when it has lost all of its own.
  primary.migrateTo = true;
}

export function detachReplica(replica: Peer): void {
  const primary = replica.primary;
  replica.primary = undefined;
  if (primary === undefined) return;
  const index = primary.replicas.indexOf(replica);
  if (index < 0) return;
  primary.replicas.splice(index, 1);
  if (primary.replicas.length === 0) primary.migrateTo = false;
}

/** Forgets the primary but leaves its list and flags: the primary itself is going away. */
export function orphanReplicas(primary: Peer): void {
  for (const replica of primary.replicas) replica.primary = undefined;
  primary.replicas.length = 0;
}

export function workingReplicas(primary: Peer): number {
  let working = 0;
  for (const replica of primary.replicas) if (replica.health !== "failed") working++;
  return working;
}

/** The node itself or, through any chain of replicas, the primary on top. */
export function topPrimary(peer: Peer): Peer {
  let top = peer;
  // A chain longer than a few links is a loop that a TAKEOVER made; stop anywhere in it.
  for (let depth = 0; top.primary !== undefined && depth < 16; depth++) top = top.primary;
  return top;
}

export function hasConnectedLink(peer: Peer): boolean {
  return peer.link !== undefined && peer.link.connected;
}

/** Failure reports that are recent enough to count, dropping the others. */
export function countFailureReports(peer: Peer, now: Millis, validityMs: Millis): number {
  const reports = peer.failureReports;
  if (reports === undefined) return 0;
  for (const [reporter, at] of reports) {
    if (now - at > validityMs) reports.delete(reporter);
  }
  if (reports.size === 0) peer.failureReports = undefined;
  return reports.size;
}
