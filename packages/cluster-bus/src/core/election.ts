/**
 * How a replica becomes primary: it waits (longer the older its data), asks all primaries for their
 * vote in a new epoch, and takes its primary's slots once a majority granted it. Manual failovers
 * come through here too, without the waiting. How primaries vote is in `vote.ts`.
 */

import type { Millis } from "../message.js";
import { slotCount } from "../slot.js";
import { hasSlot } from "../slot-bitmap.js";
import { broadcast, broadcastPong, makeHeader } from "./heartbeat.js";
import { quorum, updateState } from "./health.js";
import { resetManualFailover } from "./manual-failover.js";
import { giveSlot } from "./ownership.js";
import type { Peer } from "./peers.js";
import { announcePrimary, becomePrimary } from "./roles.js";
import type { Bus, CannotFailoverReason } from "./state.js";
import { noteHeardUs } from "./write-lease.js";

/** Lets the FAIL message reach the voters before the request does. */
const fixedDelayMs = 500;
/** Spreads replicas of equal rank. */
const randomDelayMs = 500;
/** Per replica that has more data than we. */
const rankDelayMs = 1000;
const authTimeoutMsMin = 2000;
const relogAfterMs = 10_000;
/** A failover that goes well takes less, and logs no reasons. */
const quietMs = 5000;

/** How long a candidate takes votes. It stands again after twice this time. */
export function authTimeoutOf({ config }: Bus): Millis {
  return Math.max(config.nodeTimeoutMs * 2, authTimeoutMsMin);
}

/** Called at every tick and whenever a vote arrives, on replicas. */
export function advanceElection(bus: Bus): void {
  bus.failoverDirty = false;
  const { myself, state, now } = bus;
  const election = state.election;
  const manual = state.manual.endsAt !== 0 && state.manual.canStart;
  const authTimeoutMs = authTimeoutOf(bus);
  const age = now - election.at;

  if (!mayStand(bus, manual)) {
    election.reason = "none";
    return;
  }
  if (!manual && dataTooOld(bus)) {
    logCannot(bus, "data-age");
    return;
  }
  if (age > authTimeoutMs * 2) {
    schedule(bus);
    return;
  }
  if (!election.requested && state.manual.endsAt === 0) updateRank(bus);
  if (now < election.at) {
    logCannot(bus, "waiting-delay");
    return;
  }
  if (age > authTimeoutMs) {
    logCannot(bus, "expired");
    return;
  }
  if (!election.requested) {
    requestVotes(bus);
    return;
  }
  if (election.votes < quorum(bus)) {
    logCannot(bus, "waiting-votes");
    return;
  }
  bus.log("notice", "Failover election won: I'm the new master.");
  if (myself.configEpoch < election.epoch) {
    myself.configEpoch = election.epoch;
    bus.log("notice", `configEpoch set to ${myself.configEpoch} after successful failover`);
  }
  takeOver(bus);
}

function mayStand(bus: Bus, manual: boolean): boolean {
  const primary = bus.myself.primary;
  if (bus.myself.role !== "replica" || primary === undefined) return false;
  if (primary.slotCount === 0) return false;
  return manual || (primary.health === "failed" && !bus.config.replicaNoFailover);
}

/** Is what we replicated so old that losing the slots for longer is better? */
function dataTooOld(bus: Bus): boolean {
  const { config } = bus;
  if (config.replicaValidityFactor === 0) return false;
  let ageMs = bus.host.replicationDataAgeMs();
  // The time it took to declare the primary failed is nobody's fault.
  if (ageMs > config.nodeTimeoutMs) ageMs -= config.nodeTimeoutMs;
  const limit =
    config.replPingReplicaPeriodMs + config.nodeTimeoutMs * config.replicaValidityFactor;
  return ageMs > limit;
}

function schedule(bus: Bus): void {
  const { state, now } = bus;
  const election = state.election;
  election.votes = 0;
  election.requested = false;
  if (state.manual.endsAt !== 0) {
    election.rank = 0;
    election.at = now;
    bus.failoverDirty = true;
  } else {
    election.rank = replicaRank(bus);
    election.at =
      now + fixedDelayMs + (bus.random.uint32() % randomDelayMs) + election.rank * rankDelayMs;
  }
  bus.log(
    "notice",
    `Start of election delayed for ${election.at - now} milliseconds ` +
      `(rank #${election.rank}, offset ${bus.host.replicationOffset()}).`,
  );
  // Siblings learn our offset, and rank themselves by it; voters with restraint compare by it.
  broadcastPong(bus, bus.config.standsWithRestraint ? "all" : "shard-replicas");
}

/**
 * Forgets a past attempt. Without it a node that was elected, demoted and asked to fail over again
 * within the retry time would count the votes of the past election.
 */
export function resetElection(bus: Bus): void {
  const election = bus.state.election;
  election.at = 0;
  election.votes = 0;
  election.requested = false;
}

/** How many siblings have more data, or may have. */
function replicaRank(bus: Bus): number {
  const { myself } = bus;
  const offset = bus.host.replicationOffset();
  let rank = 0;
  let silent = false;
  for (const sibling of myself.primary?.replicas ?? []) {
    if (sibling === myself || sibling.noFailover) continue;
    const cannotSay = isSilent(bus, sibling);
    silent ||= cannotSay;
    if (sibling.replicationOffset > offset || cannotSay) rank++;
  }
  return silent && knowsToLack(bus, offset) ? rank + lackRanks(bus) : rank;
}

/**
 * What it said before our primary failed may be less than what it has. One that is failed itself
 * cannot stand, and waiting for it would help nobody.
 */
function isSilent({ config, myself }: Bus, sibling: Peer): boolean {
  if (!config.standsWithRestraint || sibling.health === "failed") return false;
  return sibling.offsetHeardAt <= (myself.primary?.failedAt ?? 0);
}

/**
 * Our primary had more than we: of two replicas that do not hear each other, that one waits longer.
 */
function knowsToLack({ myself }: Bus, offset: number): boolean {
  return (myself.primary?.replicationOffset ?? 0) > offset;
}

/**
 * So much longer that the other one has heard of the failure: not from us, but by the heartbeats
 * that everybody gets from everybody within half a node timeout.
 */
function lackRanks({ config }: Bus): number {
  return 1 + Math.ceil(config.nodeTimeoutMs / 2 / rankDelayMs);
}

/**
 * A sibling turned out to have more data since we scheduled: wait longer. One that was counted for
 * its silence has spoken, and has no more than we: wait no longer for it.
 */
function updateRank(bus: Bus): void {
  const election = bus.state.election;
  const rank = replicaRank(bus);
  if (rank === election.rank || (rank < election.rank && !bus.config.standsWithRestraint)) return;
  const addedMs = (rank - election.rank) * rankDelayMs;
  election.at += addedMs;
  election.rank = rank;
  bus.log("notice", `Replica rank updated to #${rank}, added ${addedMs} milliseconds of delay.`);
}

function requestVotes(bus: Bus): void {
  const { state } = bus;
  state.currentEpoch++;
  state.election.epoch = state.currentEpoch;
  state.election.requested = true;
  state.election.requestedAt = bus.now;
  bus.log("notice", `Starting a failover election for epoch ${state.currentEpoch}.`);
  broadcast(bus, {
    type: "auth-req",
    header: makeHeader(bus, { forceAck: state.manual.endsAt !== 0 }),
  });
  bus.saveDurably();
  bus.stateDirty = true;
}

/** Turns this replica into the primary of its shard; the caller has given it its epoch. */
export function takeOver(bus: Bus): void {
  const { myself, state } = bus;
  const former = myself.primary;
  if (former === undefined) return;
  becomePrimary(bus, myself);
  announcePrimary(bus);
  for (let slot = 0; slot < slotCount; slot++) {
    if (!hasSlot(former.slots, slot)) continue;
    state.slots.unassign(slot);
    giveSlot(bus, slot, myself);
  }
  updateState(bus);
  bus.saveDurably();
  broadcastPong(bus, "all");
  resetManualFailover(bus);
  resetElection(bus);
}

/**
 * A vote counts if its giver may vote, has reached the epoch of this election, and has not voted in
 * it already: a vote that arrives twice, or after its election, must not make a majority.
 */
export function noteVote(bus: Bus, voter: Peer, voterEpoch: number): void {
  const election = bus.state.election;
  if (voter.role !== "primary" || voter.slotCount === 0) return;
  if (!election.requested || voterEpoch < election.epoch) return;
  if (voter.grantedEpoch === election.epoch) return;
  voter.grantedEpoch = election.epoch;
  noteHeardUs(bus, voter, election.requestedAt);
  election.votes++;
  bus.failoverDirty = true;
}

const reasonTexts: Readonly<Record<CannotFailoverReason, string>> = {
  none: "Unknown reason code.",
  "data-age":
    "Disconnected from master for longer than allowed. Please check the " +
    "'cluster-replica-validity-factor' configuration option.",
  "waiting-delay": "Waiting the delay before I can start a new failover.",
  expired: "Failover attempt expired.",
  "waiting-votes": "Waiting for votes, but majority still not reached.",
};

/** Says why the failover does not go on: when the reason changes, and every ten seconds. */
function logCannot(bus: Bus, reason: CannotFailoverReason): void {
  const { state, now, config, myself } = bus;
  const election = state.election;
  if (reason === election.reason && now - election.reasonLoggedAt < relogAfterMs) return;
  election.reason = reason;
  const primary = myself.primary;
  const downMs = primary?.health === "failed" ? now - primary.failedAt : Infinity;
  if (downMs < config.nodeTimeoutMs + quietMs) return;
  election.reasonLoggedAt = now;
  bus.log("notice", `Currently unable to failover: ${reasonTexts[reason]}`);
  if (reason === "waiting-votes" || reason === "expired") {
    bus.log(
      "notice",
      `Needed quorum: ${quorum(bus)}. Number of votes received so far: ${election.votes}`,
    );
  }
}
