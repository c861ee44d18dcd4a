/**
 * From "I cannot reach it" (suspected) to "a majority of primaries cannot" (failed), and back.
 * Owns failure reports and the two marks; whether the cluster still serves is `health.ts`.
 */

import { broadcast, makeHeader } from "./heartbeat.js";
import { quorum } from "./health.js";
import type { Peer } from "./peers.js";
import { countFailureReports } from "./peers.js";
import type { Bus } from "./state.js";

/** A report counts for two node timeouts: the reporter repeats it at least that often. */
const reportValidityTimeouts = 2;
/** A failed primary that is back, and that nobody has replaced, is trusted again after two. */
const undoTimeouts = 2;

export function failureReports(bus: Bus, peer: Peer): number {
  return countFailureReports(peer, bus.now, bus.config.nodeTimeoutMs * reportValidityTimeouts);
}

/** A primary says through its gossip that it cannot reach `peer`. */
export function noteFailureReport(bus: Bus, peer: Peer, reporter: Peer): void {
  peer.failureReports ??= new Map();
  const isNew = !peer.failureReports.has(reporter);
  peer.failureReports.set(reporter, bus.now);
  bus.state.table.wake(peer);
  if (isNew) {
    bus.log(
      "verbose",
      `Node ${reporter.id} (${reporter.humanName}) reported node ${peer.id} ` +
        `(${peer.humanName}) as not reachable.`,
    );
  }
  markFailedIfAgreed(bus, peer);
}

export function clearFailureReport(bus: Bus, peer: Peer, reporter: Peer): void {
  if (peer.failureReports?.delete(reporter) !== true) return;
  bus.log(
    "verbose",
    `Node ${reporter.id} (${reporter.humanName}) reported node ${peer.id} ` +
      `(${peer.humanName}) is back online.`,
  );
}

/** This node itself got no answer for longer than the node timeout. */
export function suspect(bus: Bus, peer: Peer): void {
  if (peer.health !== "online") return;
  peer.health = "suspected";
  bus.stateDirty = true;
  bus.log("debug", `*** NODE ${peer.id} possibly failing`);
  // A primary that is alone in the electorate needs no second opinion, and would get none.
  if (bus.myself.role === "primary" && bus.state.size === 1) markFailedIfAgreed(bus, peer);
}

/** A suspect fails for everybody once a majority of the primaries reported it. */
export function markFailedIfAgreed(bus: Bus, peer: Peer): void {
  if (peer.health !== "suspected") return;
  const votes = failureReports(bus, peer) + (bus.myself.role === "primary" ? 1 : 0);
  if (votes < quorum(bus)) return;
  bus.log("notice", `Marking node ${peer.id} (${peer.humanName}) as failing (quorum reached).`);
  setFailed(bus, peer);
  broadcast(bus, { type: "fail", header: makeHeader(bus), failed: peer.id });
}

/** Another node has seen the majority's agreement. */
export function adoptFailure(bus: Bus, peer: Peer, reporter: Peer): void {
  if (peer.isMyself || peer.health === "failed") return;
  bus.log(
    "notice",
    `FAIL message received from ${reporter.id} (${reporter.humanName}) about ${peer.id} ` +
      `(${peer.humanName})`,
  );
  setFailed(bus, peer);
}

function setFailed(bus: Bus, peer: Peer): void {
  peer.health = "failed";
  peer.failedAt = bus.now;
  bus.state.table.wake(peer);
  bus.save();
  bus.stateDirty = true;
}

/** The peer answered. */
export function noteReachable(bus: Bus, peer: Peer): void {
  if (peer.health === "suspected") {
    peer.health = "online";
    bus.save();
    bus.stateDirty = true;
  } else if (peer.health === "failed") {
    clearFailureIfDue(bus, peer);
  }
}

function clearFailureIfDue(bus: Bus, peer: Peer): void {
  const slotless = peer.role === "replica" || peer.slotCount === 0;
  const undoAfterMs = bus.config.nodeTimeoutMs * undoTimeouts;
  if (slotless) {
    const what = peer.role === "replica" ? "replica" : "master without slots";
    bus.log(
      "notice",
      `Clear FAIL state for node ${peer.id} (${peer.humanName}):${what} is reachable again.`,
    );
  } else if (bus.now - peer.failedAt > undoAfterMs) {
    bus.log(
      "notice",
      `Clear FAIL state for node ${peer.id} (${peer.humanName}): is reachable again and ` +
        "nobody is serving its slots after some time.",
    );
  } else {
    return;
  }
  peer.health = "online";
  bus.save();
  bus.stateDirty = true;
}
