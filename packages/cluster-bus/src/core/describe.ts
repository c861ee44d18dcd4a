/**
 * The state as text and as lines of `nodes.conf`, and back from those lines. Owns the wording of
 * CLUSTER NODES and CLUSTER INFO; what Redis answers as structured data is in `views.ts`.
 */

import type { Millis, NodeId } from "../message.js";
import { messageTypes } from "../message.js";
import type { NodeLine, NodesConf, OpenSlot } from "../nodes-conf.js";
import { formatNodeLine } from "../nodes-conf.js";
import { slotCount } from "../slot.js";
import { slotRanges } from "../slot-bitmap.js";
import { greatestEpoch } from "./epochs.js";
import type { BusRandom } from "./inputs.js";
import { giveSlot } from "./ownership.js";
import type { IdNumbers } from "./peer-table.js";
import type { Peer } from "./peers.js";
import { attachReplica, createPeer, hasConnectedLink } from "./peers.js";
import type { Bus } from "./state.js";
import { ClusterState, randomHex } from "./state.js";

export function describePeer(state: ClusterState, peer: Peer): NodeLine {
  const epochOwner = peer.role === "replica" && peer.primary ? peer.primary : peer;
  return {
    id: peer.id,
    ip: peer.ip,
    port: peer.port,
    tlsPort: peer.tlsPort,
    busPort: peer.busPort,
    hostname: peer.hostname,
    humanName: peer.humanName,
    shardId: peer.shardId,
    flags: flagNames(peer),
    primaryId: peer.primary?.id,
    pingSent: peer.pingSentAt,
    pongReceived: state.table.pongReceivedAt(peer.index),
    configEpoch: epochOwner.configEpoch,
    connected: peer.isMyself || hasConnectedLink(peer),
    ranges: peer.slotCount > 0 ? slotRanges(peer.slots) : [],
    openSlots: peer.isMyself ? openSlots(state) : [],
  };
}

function flagNames(peer: Peer): string[] {
  const names: string[] = [];
  if (peer.isMyself) names.push("myself");
  if (peer.role === "primary") names.push("master");
  if (peer.role === "replica") names.push("slave");
  if (peer.health === "suspected") names.push("fail?");
  if (peer.health === "failed") names.push("fail");
  if (peer.handshake) names.push("handshake");
  if (!peer.addressKnown) names.push("noaddr");
  if (peer.noFailover) names.push("nofailover");
  return names;
}

function openSlots(state: ClusterState): OpenSlot[] {
  const { migrating, importing } = state.slots;
  const open: OpenSlot[] = [];
  for (const [slot, peer] of migrating) open.push({ slot, direction: "migrating", node: peer.id });
  for (const [slot, peer] of importing) {
    if (!migrating.has(slot)) open.push({ slot, direction: "importing", node: peer.id });
  }
  return open.sort((a, b) => a.slot - b.slot);
}

export function clusterNodesText(state: ClusterState): string {
  let text = "";
  for (const peer of state.peers) {
    text += `${formatNodeLine(describePeer(state, peer), "client")}\n`;
  }
  return text;
}

export function describeConf(state: ClusterState): NodesConf {
  return {
    nodes: state.peers.filter((peer) => !peer.handshake).map((peer) => describePeer(state, peer)),
    currentEpoch: state.currentEpoch,
    lastVoteEpoch: state.lastVoteEpoch,
  };
}

/** Rebuilds the state from the file; `now` stands in for times that are not worth keeping. */
export function restoreState(
  conf: NodesConf,
  options: {
    readonly random: BusRandom;
    readonly now: Millis;
    readonly ids?: IdNumbers | undefined;
  },
): ClusterState {
  const { random, now, ids } = options;
  const mine = conf.nodes.find((line) => line.flags.includes("myself")) as NodeLine;
  const newPeer = (id: NodeId, line?: NodeLine): Peer =>
    createPeer({
      id,
      shardId: line?.shardId ?? randomHex(random),
      now,
      isMyself: id === mine.id,
    });
  const state = new ClusterState(newPeer(mine.id, mine), ids);
  const lines = new Map(conf.nodes.map((line) => [line.id, line] as const));
  const peerOf = (id: NodeId): Peer => {
    const known = state.lookup(id);
    if (known !== undefined) return known;
    const peer = newPeer(id, lines.get(id));
    state.table.add(peer);
    return peer;
  };
  for (const line of conf.nodes) restorePeer(state, peerOf(line.id), line, now);
  for (const line of conf.nodes) restoreRelations(state, peerOf, line);
  state.currentEpoch = conf.currentEpoch;
  state.lastVoteEpoch = conf.lastVoteEpoch;
  return state;
}

function restorePeer(state: ClusterState, peer: Peer, line: NodeLine, now: Millis): void {
  peer.ip = line.ip;
  peer.port = line.port;
  peer.tlsPort = line.tlsPort;
  peer.busPort = line.busPort;
  peer.hostname = line.hostname;
  peer.humanName = line.humanName;
  if (line.flags.includes("master")) peer.role = "primary";
  if (line.flags.includes("slave")) peer.role = "replica";
  if (line.flags.includes("fail?")) peer.health = "suspected";
  if (line.flags.includes("fail")) {
    peer.health = "failed";
    peer.failedAt = now;
  }
  peer.addressKnown = !line.flags.includes("noaddr");
  peer.noFailover = line.flags.includes("nofailover");
  if (line.pingSent > 0) peer.pingSentAt = now;
  if (line.pongReceived > 0) state.table.setPongReceivedAt(peer.index, now);
  peer.configEpoch = line.configEpoch;
}

function restoreRelations(state: ClusterState, peerOf: (id: NodeId) => Peer, line: NodeLine): void {
  const peer = peerOf(line.id);
  if (line.primaryId !== undefined && line.primaryId !== line.id) {
    const primary = peerOf(line.primaryId);
    attachReplica(primary, peer);
    if (line.shardId === undefined) peer.shardId = primary.shardId;
    // A replica shows its primary's epoch; it has none of its own.
    if (peer.role === "replica") peer.configEpoch = 0;
  }
  for (const { start, end } of line.ranges) {
    for (let slot = start; slot <= end; slot++) {
      if (state.slots.ownerOf(slot) === undefined) state.slots.assign(slot, peer);
    }
  }
  for (const open of line.openSlots) {
    const other = peerOf(open.node);
    if (open.direction === "migrating") state.slots.setMigrating(open.slot, other);
    else state.slots.setImporting(open.slot, other);
  }
}

/**
 * What data without a slot means, checked once after loading: slots of keys we hold are taken if
 * free, else marked as importing from their owner, so that an operator sees them.
 */
export function adoptSlotsWithKeys(bus: Bus): void {
  const { myself, state } = bus;
  if (myself.role === "replica") return;
  for (let slot = 0; slot < slotCount; slot++) {
    const owner = state.slots.ownerOf(slot);
    if (owner === myself || state.slots.importingFrom(slot) !== undefined) continue;
    if (bus.host.countKeysInSlot(slot) === 0) continue;
    if (owner === undefined) {
      bus.log("notice", `I have keys for unassigned slot ${slot}. Taking responsibility for it.`);
      giveSlot(bus, slot, myself);
    } else {
      bus.log(
        "notice",
        `I have keys for slot ${slot}, but the slot is assigned to another node. ` +
          "Setting it to importing state.",
      );
      state.slots.setImporting(slot, owner);
    }
    bus.saveDurably();
    bus.stateDirty = true;
  }
}

/** A file edited by hand may hold an epoch beyond the current one. */
export function raiseCurrentEpoch(bus: Bus): void {
  bus.state.currentEpoch = greatestEpoch(bus);
}

export function clusterInfoText(bus: Bus): string {
  const { myself, state } = bus;
  let healthy = 0;
  let suspected = 0;
  let failed = 0;
  for (const peer of state.peers) {
    if (peer.health === "failed") failed += peer.slotCount;
    else if (peer.health === "suspected") suspected += peer.slotCount;
    else healthy += peer.slotCount;
  }
  const epochOwner = myself.role === "replica" && myself.primary ? myself.primary : myself;
  const lines = [
    `cluster_state:${state.ok ? "ok" : "fail"}`,
    `cluster_slots_assigned:${state.slots.assignedCount}`,
    `cluster_slots_ok:${healthy}`,
    `cluster_slots_pfail:${suspected}`,
    `cluster_slots_fail:${failed}`,
    `cluster_known_nodes:${state.peers.length}`,
    `cluster_size:${state.size}`,
    `cluster_current_epoch:${state.currentEpoch}`,
    `cluster_my_epoch:${epochOwner.configEpoch}`,
  ];
  for (const direction of ["sent", "received"] as const) {
    let total = 0;
    for (const type of messageTypes) {
      const count = state[direction][type];
      if (count === 0) continue;
      total += count;
      lines.push(`cluster_stats_messages_${type}_${direction}:${count}`);
    }
    lines.push(`cluster_stats_messages_${direction}:${total}`);
  }
  lines.push(`total_cluster_links_buffer_limit_exceeded:${state.linksOverLimit}`);
  return lines.map((line) => `${line}\r\n`).join("");
}
