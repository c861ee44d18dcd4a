/**
 * One received message: who sent it, and which concern it goes to. Owns the order in which a
 * heartbeat is taken in, which matters: epochs before claims, roles before slots, slots before
 * gossip. Messages from nodes that are not in the cluster change nothing, except that a MEET opens
 * a handshake.
 */

import type { BusHeader, BusMessage, HeartbeatMessage, UpdateMessage } from "../message.js";
import { nodeFlags } from "../message.js";
import { refresh } from "./calm.js";
import { noteVote } from "./election.js";
import { partFromCollision } from "./epochs.js";
import { adoptFailure, noteReachable } from "./failure.js";
import { applyExtensions, applyGossip } from "./gossip.js";
import {
  addressFrom,
  finishHandshake,
  learnOwnAddress,
  loseAddress,
  startHandshake,
  updateAddress,
} from "./handshake.js";
import { sendHeartbeat } from "./heartbeat.js";
import { notePausedPrimary, startAsPrimary } from "./manual-failover.js";
import { applyClaim, reconcileClaim } from "./ownership.js";
import type { Link, Peer } from "./peers.js";
import { becomePrimary, becomeReplica, makeReplicaOf, setShardId } from "./roles.js";
import type { Bus } from "./state.js";
import { closeLink } from "./state.js";
import { considerVote } from "./vote.js";
import { noteAnswered } from "./write-lease.js";

export function receive(bus: Bus, link: Link, message: BusMessage): void {
  bus.state.received[message.type]++;
  if (claimsAbsurdEpoch(bus, message)) return;
  const sender = identifySender(bus, link, message.header.sender);
  if (sender !== undefined) noteSender(bus, sender, message.header);
  switch (message.type) {
    case "ping":
    case "pong":
    case "meet":
      receiveHeartbeat(bus, link, sender, message);
      return;
    case "fail": {
      const failed = bus.state.lookup(message.failed);
      if (sender === undefined) {
        bus.log(
          "notice",
          `Ignoring FAIL message from unknown node ${printable(message.header.sender)} ` +
            `about ${printable(message.failed)}`,
        );
      } else if (failed !== undefined) adoptFailure(bus, failed, sender);
      return;
    }
    case "publish":
    case "publishshard":
      if (sender === undefined) return;
      bus.emit({
        kind: "publish",
        sharded: message.type === "publishshard",
        channel: message.channel,
        payload: message.payload,
      });
      return;
    case "auth-req":
      if (sender !== undefined) considerVote(bus, sender, message.header);
      return;
    case "auth-ack":
      if (sender !== undefined) noteVote(bus, sender, message.header.currentEpoch);
      return;
    case "mfstart":
      if (sender === undefined || sender.primary !== bus.myself) return;
      startAsPrimary(bus, sender);
      // Its header says that we are paused, and where our stream ends.
      sendHeartbeat(bus, link, "ping");
      return;
    case "update":
      if (sender !== undefined) receiveUpdate(bus, message);
      return;
    case "module":
      return;
  }
}

/**
 * No cluster gets this far ahead of one of its nodes: it would take a failover every second for a
 * century. An epoch that was forged or damaged must not be adopted, because no epoch ever goes
 * back, and one near 2^53 would leave no room for another election.
 */
const epochLeadMax = 2 ** 32;

function claimsAbsurdEpoch(bus: Bus, message: BusMessage): boolean {
  const { currentEpoch, configEpoch, sender } = message.header;
  const claimed = Math.max(
    currentEpoch,
    configEpoch,
    message.type === "update" ? message.ownerConfigEpoch : 0,
  );
  if (claimed <= bus.state.currentEpoch + epochLeadMax) return false;
  bus.log(
    "warning",
    `Refused ${message.type} message of ${printable(sender)}: its epoch ${claimed} is more than ` +
      `${epochLeadMax} ahead of ours (${bus.state.currentEpoch}).`,
  );
  return true;
}

/** The known node that sent this; undefined for strangers, handshakes, and our own echo. */
function identifySender(bus: Bus, link: Link, id: string): Peer | undefined {
  const bound = link.peer;
  if (bound !== undefined && !bound.handshake && bound.id === id) return bound;
  const sender = bus.state.lookup(id);
  // On a link we dialled, only the node we dialled may speak; `receiveHeartbeat` deals with others.
  if (!link.inbound || sender === undefined || sender.isMyself || sender.handshake)
    return undefined;
  if (bound !== sender) bindInbound(bus, link, sender);
  return sender;
}

function bindInbound(bus: Bus, link: Link, peer: Peer): void {
  if (link.peer?.inbound === link) link.peer.inbound = undefined;
  // A peer that dials again may do so before we notice that its former link is dead.
  if (peer.inbound !== undefined) closeLink(bus, peer.inbound);
  link.peer = peer;
  peer.inbound = link;
}

function noteSender(bus: Bus, sender: Peer, header: BusHeader): void {
  const { state, now } = bus;
  // Any data proves that the node lives: pongs may be late behind a lot of pub/sub.
  sender.dataReceivedAt = now;
  if (header.currentEpoch > state.currentEpoch) state.currentEpoch = header.currentEpoch;
  if (header.configEpoch > sender.configEpoch) {
    sender.configEpoch = header.configEpoch;
    bus.saveDurably();
  }
  sender.replicationOffset = header.offset;
  sender.offsetHeardAt = now;
  if (header.paused && bus.myself.role === "replica" && bus.myself.primary === sender) {
    notePausedPrimary(bus, sender);
  }
}

function receiveHeartbeat(
  bus: Bus,
  link: Link,
  known: Peer | undefined,
  message: HeartbeatMessage,
): void {
  const header = message.header;
  let sender = known;
  if (message.type !== "pong") {
    learnOwnAddress(bus, link, message.type === "meet");
    if (message.type === "meet" && sender === undefined && header.sender !== bus.myself.id) {
      startHandshake(bus, addressFrom(link, header), "gossip");
    }
    sendHeartbeat(bus, link, "pong");
  }
  if (!link.inbound && link.peer !== undefined) {
    if (link.peer.handshake) {
      sender = finishHandshake(bus, link, header);
      if (sender === undefined) return;
      noteSender(bus, sender, header);
    } else if (link.peer.id !== header.sender) {
      loseAddress(bus, link, link.peer);
      return;
    }
  }
  if (sender === undefined) return;
  const noFailover = (header.flags & nodeFlags.noFailover) !== 0;
  if (noFailover !== sender.noFailover) {
    sender.noFailover = noFailover;
    bus.state.table.touch(sender);
  }
  if (message.type === "ping") updateAddress(bus, sender, addressFrom(link, header), link);
  if (message.type === "pong" && !link.inbound) {
    bus.state.table.setPongReceivedAt(sender.index, bus.now);
    sender.pingSentAt = 0;
    noteAnswered(bus, sender);
    noteReachable(bus, sender);
    refresh(bus, sender);
  }
  updateRole(bus, sender, header.primaryId);
  reconcileClaim(bus, sender, { epoch: header.configEpoch, slots: header.slots });
  if (header.configEpoch === bus.myself.configEpoch) partFromCollision(bus, sender);
  applyGossip(bus, sender, message.gossip);
  applyExtensions(bus, sender, message);
}

function updateRole(bus: Bus, sender: Peer, primaryId: string | undefined): void {
  if (primaryId === undefined) {
    becomePrimary(bus, sender);
    return;
  }
  if (sender.role !== "replica") becomeReplica(bus, sender);
  const primary = bus.state.lookup(primaryId);
  if (primary === undefined || primary === sender || sender.primary === primary) return;
  makeReplicaOf(bus, primary, sender);
  setShardId(bus, sender, primary.shardId);
  bus.save();
}

/** Somebody tells us that our claim, or our picture, is outdated. */
function receiveUpdate(bus: Bus, message: UpdateMessage): void {
  const owner = bus.state.lookup(message.owner);
  if (owner === undefined || owner.configEpoch >= message.ownerConfigEpoch) return;
  if (owner.isMyself) {
    bus.log("notice", "Discarding UPDATE message about myself.");
    return;
  }
  if (owner.role === "replica") becomePrimary(bus, owner);
  owner.configEpoch = message.ownerConfigEpoch;
  bus.saveDurably();
  applyClaim(bus, {
    owner,
    epoch: message.ownerConfigEpoch,
    slots: message.ownerSlots,
  });
}

/** Ids of strangers are arbitrary bytes, and logs are read on terminals. */
function printable(id: string): string {
  return id.replace(/[^\x21-\x7e]/g, "?");
}
