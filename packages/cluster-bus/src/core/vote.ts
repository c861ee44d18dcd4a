/**
 * How a primary votes: once per epoch, durably before anybody hears of it, and with restraint not
 * for a replica while a sibling of it may have more.
 */

import type { BusHeader, Millis } from "../message.js";
import { slotCount } from "../slot.js";
import { hasSlot } from "../slot-bitmap.js";
import { authTimeoutOf } from "./election.js";
import { makeHeader } from "./heartbeat.js";
import type { Peer } from "./peers.js";
import type { Bus } from "./state.js";

/** A replica asks for our vote. */
export function considerVote(bus: Bus, candidate: Peer, request: BusHeader): void {
  const { myself } = bus;
  // Only primaries with slots are the electorate.
  if (myself.role !== "primary" || myself.slotCount === 0) return;
  const refusal = refuseVote(bus, candidate, request);
  if (refusal !== undefined) {
    bus.log(
      "warning",
      `Failover auth denied to ${candidate.id} (${candidate.humanName}): ${refusal}`,
    );
    return;
  }
  const sibling = request.forceAck ? undefined : betterSibling(bus, candidate, request);
  if (sibling !== undefined) {
    hold(bus, candidate, request);
    bus.log(
      "notice",
      `Failover auth for ${candidate.id} (${candidate.humanName}) waits: ` +
        `${sibling.id} (${sibling.humanName}) may have more data`,
    );
    tellOfFailure(bus, sibling, candidate.primary as Peer);
    return;
  }
  grant(bus, candidate);
}

/** At every tick, on primaries: what was held back may be given now, or never. */
export function reconsiderVotes(bus: Bus): void {
  const { state } = bus;
  if (state.heldVotes.length === 0) return;
  const held = state.heldVotes;
  state.heldVotes = [];
  for (const { candidate, request, since } of held) {
    // A late vote would help nobody, and be in the way of the next attempt.
    if (state.lookup(candidate.id) !== candidate || bus.now - since > authTimeoutOf(bus)) continue;
    if (refuseVote(bus, candidate, request) !== undefined) continue;
    if (betterSibling(bus, candidate, request) === undefined) grant(bus, candidate);
    else state.heldVotes.push({ candidate, request, since });
  }
}

/** One request of each candidate, the last. */
function hold({ now, state }: Bus, candidate: Peer, request: BusHeader): void {
  state.heldVotes = state.heldVotes.filter((other) => other.candidate !== candidate);
  state.heldVotes.push({ candidate, request, since: now });
}

/**
 * With restraint a vote waits while a sibling of the candidate that is up may have more: data that
 * was confirmed to a client because that one has it.
 */
function betterSibling(bus: Bus, candidate: Peer, request: BusHeader): Peer | undefined {
  const { config, now } = bus;
  const { primary } = candidate;
  if (!config.standsWithRestraint || primary === undefined) return undefined;
  // Long enough for anybody to stand who is going to.
  if (now - primary.failedAt > authTimeoutOf(bus) * 2) return undefined;
  for (const sibling of primary.replicas) {
    if (sibling === candidate || sibling.noFailover || sibling.health !== "online") continue;
    // What it said before may be less than what it has.
    if (sibling.offsetHeardAt < primary.failedAt) return sibling;
    if (sibling.replicationOffset > request.offset) return sibling;
  }
  return undefined;
}

/**
 * Only who finds a node failed tells all, and whoever cannot hear that one learns of it from
 * gossip, seconds later: too late to stand.
 */
function tellOfFailure(bus: Bus, sibling: Peer, primary: Peer): void {
  if (sibling.link === undefined) return;
  bus.send([sibling.link], { type: "fail", header: makeHeader(bus), failed: primary.id });
}

function grant(bus: Bus, candidate: Peer): void {
  const { state, now } = bus;
  const primary = candidate.primary as Peer;
  state.lastVoteEpoch = state.currentEpoch;
  primary.votedAt = now;
  bus.saveDurably();
  if (candidate.link !== undefined) {
    bus.send([candidate.link], { type: "auth-ack", header: makeHeader(bus) });
  }
  bus.log(
    "notice",
    `Failover auth granted to ${candidate.id} (${candidate.humanName}) ` +
      `for epoch ${state.currentEpoch}`,
  );
}

function refuseVote(bus: Bus, candidate: Peer, request: BusHeader): string | undefined {
  const { state, config, now } = bus;
  if (request.currentEpoch < state.currentEpoch) {
    return `reqEpoch (${request.currentEpoch}) < curEpoch(${state.currentEpoch})`;
  }
  if (state.lastVoteEpoch === state.currentEpoch) {
    return `already voted for epoch ${state.currentEpoch}`;
  }
  const primary = candidate.primary;
  if (candidate.role === "primary") return "it is a master node";
  if (primary === undefined) return "I don't know its master";
  if (primary.health !== "failed" && !request.forceAck) return "its master is up";
  const waitMs: Millis = config.nodeTimeoutMs * 2 - (now - primary.votedAt);
  if (waitMs > 0) return `can't vote about this master before ${waitMs} milliseconds`;
  for (let slot = 0; slot < slotCount; slot++) {
    if (!hasSlot(request.slots, slot) || state.slots.isUnclaimed(slot)) continue;
    const ownerEpoch = state.slots.ownerOf(slot)?.configEpoch ?? 0;
    if (ownerEpoch > request.configEpoch) {
      return `slot ${slot} epoch (${ownerEpoch}) > reqEpoch (${request.configEpoch})`;
    }
  }
  return undefined;
}
