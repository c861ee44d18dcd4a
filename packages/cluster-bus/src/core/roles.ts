/**
 * Role transitions, of this node and of others: the only places where `role` and `primary` change
 * after a node is known. Telling the host to replicate from somebody else happens here too.
 */

import { assert } from "../assert.js";
import { resetManualFailover } from "./manual-failover.js";
import type { Peer } from "./peers.js";
import { attachReplica, detachReplica } from "./peers.js";
import type { Bus } from "./state.js";

/** A node acts as primary now. */
export function becomePrimary(bus: Bus, peer: Peer): void {
  if (peer.role === "primary") return;
  const formerPrimary = peer.primary;
  detachReplica(peer);
  // Who takes over from a primary with replicas should get replicas itself.
  if (formerPrimary !== undefined && !peer.isMyself) peer.migrateTo = true;
  peer.role = "primary";
  bus.state.table.touch(peer);
  bus.state.table.touch(formerPrimary);
  bus.save();
  bus.stateDirty = true;
}

/** Another node says it is a replica now. */
export function becomeReplica(bus: Bus, peer: Peer): void {
  assert(!peer.isMyself, "this node changes its role only by replicateFrom");
  bus.state.slots.unassignAllOf(peer);
  peer.role = "replica";
  peer.migrateTo = false;
  bus.state.table.touch(peer);
  bus.save();
  bus.stateDirty = true;
}

/** Writes down whose replica it is; that the former primary and the new one change, is gossiped. */
export function makeReplicaOf(bus: Bus, primary: Peer, replica: Peer): void {
  bus.state.table.touch(replica.primary);
  attachReplica(primary, replica);
  bus.state.table.touch(primary);
}

/** This node becomes a replica of `primary`, or moves to it. */
export function replicateFrom(bus: Bus, primary: Peer): void {
  const { myself, state } = bus;
  assert(primary !== myself, "a node never replicates itself");
  assert(myself.slotCount === 0, "a replica owns no slots");
  if (myself.role === "primary") {
    myself.role = "replica";
    myself.migrateTo = false;
    state.slots.closeAll();
  }
  makeReplicaOf(bus, primary, myself);
  setShardId(bus, myself, primary.shardId);
  announceReplication(bus);
  resetManualFailover(bus);
  bus.announceDirty = true;
}

/** Tells the host whom to replicate; again whenever the address of the primary changes. */
export function announceReplication(bus: Bus): void {
  const primary = bus.myself.primary;
  if (primary === undefined || !primary.addressKnown || primary.ip === "") return;
  const target = `${primary.id} ${primary.ip} ${primary.port}`;
  if (target === bus.replicatingFrom) return;
  bus.replicatingFrom = target;
  bus.emit({
    kind: "role-changed",
    role: { kind: "replica", primaryId: primary.id, host: primary.ip, port: primary.port },
  });
}

/** This node stops replicating: it was promoted or reset. */
export function announcePrimary(bus: Bus): void {
  bus.replicatingFrom = "";
  bus.emit({ kind: "role-changed", role: { kind: "primary" } });
}

/** A replica's shard is its primary's; ids differ for a while in clusters that were upgraded. */
export function setShardId(bus: Bus, peer: Peer, shardId: string): void {
  if (peer.shardId !== shardId) {
    peer.shardId = shardId;
    bus.save();
  }
  const { myself } = bus;
  if (!peer.isMyself && myself.primary === peer && myself.shardId !== shardId) {
    myself.shardId = shardId;
    bus.saveDurably();
  }
}
