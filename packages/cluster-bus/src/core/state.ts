/**
 * Everything one node knows about the cluster, and the turn in which it changes: `Bus` bundles the
 * state with the time of the current input, the configuration, the host and the outbox. The
 * protocol's concerns are functions over a `Bus`, one file each; this file owns the table of nodes
 * and the end of a turn.
 */

import { assert } from "../assert.js";
import type { BusHeader, BusMessage, MessageType, Millis, NodeId } from "../message.js";
import { messageTypes } from "../message.js";
import { SlotMap } from "../slot-map.js";
import type { BusConfig } from "./config.js";
import type { BusEffect, BusLogLevel, LinkId } from "./effects.js";
import type { BusHost, BusRandom } from "./inputs.js";
import { resetManualFailover } from "./manual-failover.js";
import type { IdNumbers } from "./peer-table.js";
import { PeerTable } from "./peer-table.js";
import type { Link, Peer } from "./peers.js";
import { createPeer, detachReplica, orphanReplicas } from "./peers.js";
import type { WriteLease } from "./write-lease.js";
import { newWriteLease } from "./write-lease.js";

export type CannotFailoverReason =
  | "none"
  | "data-age"
  | "waiting-delay"
  | "expired"
  | "waiting-votes";

/** A replica's current attempt to become primary. */
export interface ElectionState {
  /** When the attempt may begin to ask for votes; 0 before the first attempt. */
  at: Millis;
  votes: number;
  requested: boolean;
  /** When the votes were asked for. */
  requestedAt: Millis;
  rank: number;
  epoch: number;
  reason: CannotFailoverReason;
  reasonLoggedAt: Millis;
}

/** CLUSTER FAILOVER in progress, on either side. */
export interface ManualFailoverState {
  /** When it is given up; 0 if none is in progress. */
  endsAt: Millis;
  /** On a primary: who asked for it. */
  replica: Peer | undefined;
  /** On a replica: where the paused primary's stream ends; -1 until it said so. */
  primaryOffset: number;
  canStart: boolean;
}

/** A request for our vote that waits. */
interface HeldVote {
  readonly candidate: Peer;
  readonly request: BusHeader;
  readonly since: Millis;
}

export class ClusterState {
  readonly myself: Peer;
  readonly slots: SlotMap;
  readonly table: PeerTable;
  readonly links = new Map<LinkId, Link>();
  /** Nodes that were forgotten, and until when they may not come back. */
  readonly forgotten = new Map<string, Millis>();
  readonly election: ElectionState = {
    at: 0,
    votes: 0,
    requested: false,
    requestedAt: 0,
    rank: 0,
    epoch: 0,
    reason: "none",
    reasonLoggedAt: 0,
  };
  readonly manual: ManualFailoverState = {
    endsAt: 0,
    replica: undefined,
    primaryOffset: -1,
    canStart: false,
  };
  readonly sent: Record<MessageType, number> = zeroCounts();
  readonly received: Record<MessageType, number> = zeroCounts();
  readonly lease: WriteLease = newWriteLease();
  currentEpoch = 0;
  lastVoteEpoch = 0;
  /** Requests for our vote that wait for word from a sibling of the candidate. */
  heldVotes: HeldVote[] = [];
  ok = false;
  /** Primaries with at least one slot: the electorate. */
  size = 0;
  /** When the state was first evaluated; 0 before. The writable delay counts from it. */
  firstEvaluatedAt: Millis = 0;
  /** When we last could not reach a majority. */
  minorityAt: Millis = 0;
  suspectedCount = 0;
  ticks = 0;
  gossipRound = 0;
  linksOverLimit = 0;
  /** The node timeout that the table's quiet ones were computed for. */
  quietTimeoutMs = 0;

  constructor(myself: Peer, ids?: IdNumbers) {
    assert(myself.isMyself, "the state belongs to a node");
    this.myself = myself;
    this.slots = new SlotMap(myself);
    this.table = new PeerTable(ids);
    this.table.add(myself);
  }

  get peers(): readonly Peer[] {
    return this.table.list;
  }

  lookup(id: string): Peer | undefined {
    return this.table.lookup(id);
  }
}

function zeroCounts(): Record<MessageType, number> {
  return Object.fromEntries(messageTypes.map((type) => [type, 0])) as Record<MessageType, number>;
}

type PersistNeed = "none" | "write" | "fsync";

export class Bus {
  readonly state: ClusterState;
  readonly config: BusConfig;
  readonly host: BusHost;
  readonly random: BusRandom;
  now: Millis = 0;
  /** Set by whatever changes what the cluster's health depends on; served at the turn's end. */
  stateDirty = false;
  /** A vote or an offset arrived: look at the failover now, not at the next tick. */
  failoverDirty = false;
  manualDirty = false;
  /** Role or slots of this node changed by an operator's hand: tell everybody at the turn's end. */
  announceDirty = false;
  /** Where the host was last told to replicate from. */
  replicatingFrom = "";
  #persist: PersistNeed = "none";
  #effects: BusEffect[] = [];

  constructor(options: {
    readonly state: ClusterState;
    readonly config: BusConfig;
    readonly host: BusHost;
    readonly random: BusRandom;
  }) {
    this.state = options.state;
    this.config = options.config;
    this.host = options.host;
    this.random = options.random;
  }

  get myself(): Peer {
    return this.state.myself;
  }

  emit(effect: BusEffect): void {
    this.#effects.push(effect);
  }

  log(level: BusLogLevel, text: string): void {
    this.#effects.push({ kind: "log", level, text });
  }

  /** The table changed and should reach the disk soon. */
  save(): void {
    if (this.#persist === "none") this.#persist = "write";
  }

  /** The table changed in a way that must survive before anybody hears of it. */
  saveDurably(): void {
    this.#persist = "fsync";
  }

  send(links: readonly Link[], message: BusMessage): void {
    const ids: LinkId[] = [];
    for (const link of links) if (link.connected) ids.push(link.id);
    if (ids.length === 0) return;
    this.state.sent[message.type] += ids.length;
    this.#effects.push({ kind: "send", links: ids, message });
  }

  /** Ends the turn: what it persisted comes first, then everything in the order it was said. */
  takeEffects(): readonly BusEffect[] {
    const slots = this.state.slots.takeChanged();
    if (slots.length > 0) this.#effects.push({ kind: "slots-changed", slots });
    const effects = this.#effects;
    if (this.#persist !== "none") {
      effects.unshift({ kind: "persist", fsync: this.#persist === "fsync" });
    }
    this.#effects = [];
    this.#persist = "none";
    return effects;
  }
}

/** The most nodes that are kept: each costs two sockets and some 5 KiB. */
export const peersMax = 10_000;

/** Adds a node whose id is known from the file or from gossip. */
export function addKnownPeer(bus: Bus, id: NodeId): Peer {
  const peer = createPeer({ id, shardId: randomHex(bus.random), now: bus.now });
  bus.state.table.add(peer);
  return peer;
}

export function closeLink(bus: Bus, link: Link): void {
  if (forgetLink(bus, link)) bus.emit({ kind: "disconnect", link: link.id });
}

/** The link is gone already. False if it was forgotten before. */
export function forgetLink(bus: Bus, link: Link): boolean {
  if (!bus.state.links.delete(link.id)) return false;
  const peer = link.peer;
  if (peer?.link === link) {
    peer.link = undefined;
    // What was asked on it will not be answered.
    peer.askedAt = 0;
    bus.state.table.wake(peer);
  }
  if (peer?.inbound === link) peer.inbound = undefined;
  link.connected = false;
  return true;
}

/** Takes a node out of everything that refers to it. */
export function deletePeer(bus: Bus, peer: Peer): void {
  const state = bus.state;
  assert(!peer.isMyself, "a node does not forget itself");
  state.slots.forget(peer);
  for (const other of state.peers) other.failureReports?.delete(peer);
  orphanReplicas(peer);
  state.table.touch(peer.primary);
  detachReplica(peer);
  if (state.manual.replica === peer) resetManualFailover(bus);
  if (peer.link !== undefined) closeLink(bus, peer.link);
  if (peer.inbound !== undefined) closeLink(bus, peer.inbound);
  state.table.remove(peer);
}

const hexDigits = "0123456789abcdef";

/** 40 random hex characters: a node id or a shard id. */
export function randomHex(random: BusRandom): NodeId {
  const digits: string[] = [];
  for (const byte of random.bytes(20)) {
    digits.push(hexDigits.charAt(byte >> 4), hexDigits.charAt(byte & 15));
  }
  // Joined, not added up: V8 would keep every partial sum of an id that is rarely looked at.
  return digits.join("") as NodeId;
}
