/**
 * Until when this primary may take writes without hearing from a majority of the primaries again.
 * Redis lets a primary that is cut off write until it has suspected a majority itself, one to one
 * and a half node timeouts later, and one that was stopped (SIGSTOP, a suspended process) write on
 * as if nothing had happened. Here a pong counts from when its ping was *sent*, so whoever gave it
 * has heard of this node later than that; it suspects this node a whole node timeout after it, and
 * elections need a majority that suspects. The lease is shorter than that, so a primary has
 * stopped before any successor can be elected, by its own clock and without a word from anybody.
 *
 * Owns the lease and the pings that keep it; whether the cluster serves at all is `health.ts`.
 */

import { assert } from "../assert.js";
import type { Millis } from "../message.js";
import { pingAfterMs } from "./calm.js";
import type { BusConfig } from "./config.js";
import { sendHeartbeat } from "./heartbeat.js";
import type { Link, Peer } from "./peers.js";
import { hasConnectedLink } from "./peers.js";
import type { Bus } from "./state.js";
import { closeLink } from "./state.js";

/** Of a node timeout. The rest is for what the clocks of two machines differ in a node timeout. */
const leaseShare = 0.9;
/**
 * With a tiny node timeout a hiccup of the machine would look like a cut. No election begins
 * earlier than half a second after its primary has failed, so a lease of that is sound with any.
 */
const leaseMsMin = 500;
/**
 * A majority whose word is older than this part of the lease is pinged, and one primary more than
 * needed: two thirds of the lease are left for a machine that is loaded, a primary that died, and
 * a ping that waits behind a dial.
 */
const renewAtShare = 1 / 3;
/**
 * In electorates up to this size only answers to our own pings count, at most 32 of them in a third
 * of the lease. In larger ones it would cost more than all other pings: there any word of a
 * primary counts, and others' word of it, as far as their clocks are right.
 */
const electorateOfAnswersMax = 64;
/** Then nothing is pinged that would not be anyhow, half a node timeout after its last pong. */
const renewAtShareLarge = 2 / 3;
/**
 * A majority that answers after the lease had run out may have elected a successor, and says so in
 * an UPDATE behind its pong. That it may come, even from the last of them, this is waited.
 */
const liftDelayMs = 200;

const never = Number.POSITIVE_INFINITY;

/**
 * `none`: nobody else has a say. `held`: until a known time. `awaited`: the electorate changed, and
 * of the new one no majority has answered yet. `lapsed`: it ran out, or the node has just started.
 */
export type LeasePhase = "none" | "held" | "awaited" | "lapsed";

export interface WriteLease {
  phase: LeasePhase;
  /** Before this, writes are taken without a question: 0 unless held, Infinity if nobody asks. */
  until: Millis;
  /** No tick has anything to do before. */
  lookAt: Millis;
  /** When it was first awaited. */
  since: Millis;
  /** While it is not held: since when a majority answers again; 0 while none does. */
  heardAt: Millis;
  /** The log says that writes are refused. */
  reported: boolean;
  /** How often it ran out under a node that served. */
  lapses: number;
}

export function newWriteLease(): WriteLease {
  return { phase: "lapsed", until: 0, lookAt: 0, since: 0, heardAt: 0, reported: false, lapses: 0 };
}

export function leaseMs(config: BusConfig): Millis {
  return Math.max(Math.floor(config.nodeTimeoutMs * leaseShare), leaseMsMin);
}

/**
 * In front of every input: what a process reads first when it wakes may be as old as its sleep, and
 * must not count before it is known that the lease had run out.
 */
export function checkLease(bus: Bus): void {
  const { lease } = bus.state;
  if (lease.phase !== "held" || bus.now < lease.until) return;
  const { until } = survey(bus);
  if (until > bus.now) setUntil(bus, until);
  else lapse(bus);
}

/** Roles, slots, nodes or the configuration changed: another majority may be needed now. */
export function reviewLease(bus: Bus): void {
  const { lease } = bus.state;
  if (!isConcerned(bus)) {
    if (lease.phase !== "none") take(bus, "none", never);
    return;
  }
  lease.lookAt = 0;
  if (lease.phase !== "none" && isLeftToTicks(bus)) return;
  const found = survey(bus);
  if (lease.phase === "awaited" || lease.phase === "lapsed") lift(bus, found.until);
  else if (found.until > bus.now) take(bus, "held", found.until);
  else {
    lease.phase = "awaited";
    lease.since = bus.now;
    lease.heardAt = 0;
    setUntil(bus, 0);
    ask(bus, found);
  }
}

/** At every tick: asks the primaries whose word gets old. */
export function tendLease(bus: Bus): void {
  const { lease } = bus.state;
  if (lease.phase === "none" || bus.now < lease.lookAt) return;
  if (!isConcerned(bus)) {
    take(bus, "none", never);
    return;
  }
  const found = survey(bus);
  if (lease.phase !== "held") lift(bus, found.until);
  else if (found.until > bus.now) setUntil(bus, found.until);
  else lapse(bus);
  if (lease.phase === "awaited" && bus.now - lease.since >= leaseMs(bus.config)) lapse(bus);
  if (lease.phase === "held" && bus.now < found.renewAt) lease.lookAt = found.renewAt;
  else ask(bus, found);
}

/** A ping left on a link of ours. A second one, before the answer, counts for nothing. */
export function noteAsked(bus: Bus, peer: Peer): void {
  if (peer.askedAt === 0) peer.askedAt = bus.now;
}

/** The answer to the oldest ping on our link. */
export function noteAnswered(bus: Bus, peer: Peer): void {
  if (peer.askedAt === 0) return;
  const { askedAt } = peer;
  peer.askedAt = 0;
  noteHeardUs(bus, peer, askedAt);
}

/** It has heard of us later than that. */
export function noteHeardUs(bus: Bus, peer: Peer, at: Millis): void {
  assert(at <= bus.now, "an answer follows its question");
  peer.answeredAt = Math.max(peer.answeredAt, at);
  const { phase } = bus.state.lease;
  const isMissed = phase === "awaited" || phase === "lapsed";
  if (isMissed && !isLeftToTicks(bus) && isConcerned(bus)) lift(bus, survey(bus).until);
}

/** Whether a write may be taken at this time, which may be later than the last input. */
export function mayWrite(bus: Bus, now: Millis): boolean {
  const { lease } = bus.state;
  if (now < lease.until) return true;
  if (lease.phase !== "held") return false;
  // Word has come since it was last computed.
  lease.until = survey(bus).until;
  return now < lease.until;
}

/** A primary that does not hold it does not begin to serve either. */
export function lacksLease(bus: Bus): boolean {
  const { phase } = bus.state.lease;
  return phase === "awaited" || phase === "lapsed";
}

/** Where there are many nodes, a look at all of them for every change or pong would be dear. */
function isLeftToTicks(bus: Bus): boolean {
  return bus.state.peers.length > electorateOfAnswersMax * 2;
}

function isConcerned(bus: Bus): boolean {
  const { config, myself, state } = bus;
  if (!config.writeLease || myself.role !== "primary" || myself.slotCount === 0) return false;
  return state.peers.some((peer) => !peer.isMyself && hasSay(peer));
}

function hasSay(peer: Peer): boolean {
  return peer.role === "primary" && peer.slotCount > 0;
}

interface Survey {
  readonly until: Millis;
  /** When somebody should be asked, and how many. */
  readonly renewAt: Millis;
  readonly missing: number;
  /** Whose last word is older than this may be asked. */
  readonly freshSince: Millis;
}

function survey(bus: Bus): Survey {
  const { config, now, state } = bus;
  const others = state.peers.filter((peer) => !peer.isMyself && hasSay(peer));
  const isLarge = others.length >= electorateOfAnswersMax;
  const words = others.map((peer) => (isLarge ? lastWord(bus, peer) : peer.answeredAt));
  words.sort((a, b) => b - a);
  // With this node itself the majority is `floor(size / 2) + 1`: so many others.
  const needed = Math.floor((others.length + 1) / 2);
  if (needed === 0) return { until: never, renewAt: never, missing: 0, freshSince: now };
  const length = leaseMs(config);
  const wanted = isLarge ? needed : Math.min(needed + 1, others.length);
  const renewAfter = length * (isLarge ? renewAtShareLarge : renewAtShare);
  const freshSince = now - renewAfter;
  const firstStale = words.findIndex((at) => at <= freshSince);
  return {
    until: (words[needed - 1] as Millis) + length,
    renewAt: (words[wanted - 1] as Millis) + renewAfter,
    missing: firstStale < 0 ? 0 : Math.max(0, wanted - firstStale),
    freshSince,
  };
}

/** Gossip tells whole seconds of another clock: it never counts for more than now. */
function lastWord({ now, state }: Bus, peer: Peer): Millis {
  const told = Math.min(state.table.pongReceivedAt(peer.index), now);
  return Math.max(peer.answeredAt, peer.dataReceivedAt, told);
}

/** At each tick it asks others, as many as are missing, until enough have answered. */
function ask(bus: Bus, { missing, freshSince }: Survey): void {
  let left = missing;
  for (const peer of bus.state.peers) {
    if (left <= 0) return;
    if (peer.isMyself || !hasSay(peer) || peer.handshake || peer.link === undefined) continue;
    if (peer.answeredAt > freshSince) continue;
    if (peer.pingSentAt !== 0) {
      redialIfDead(bus, peer, peer.link);
    } else if (hasConnectedLink(peer)) {
      sendHeartbeat(bus, peer.link, "ping");
      left--;
    }
  }
}

/**
 * A link may be dead in our direction only. Nobody is suspected as long as any word of it comes,
 * and its link is left alone; but no answer will ever come on it.
 */
function redialIfDead(bus: Bus, peer: Peer, link: Link): void {
  const { now } = bus;
  const isOld = now - link.createdAt > bus.config.nodeTimeoutMs;
  if (isOld && now - peer.pingSentAt > pingAfterMs(bus)) closeLink(bus, link);
}

function lapse(bus: Bus): void {
  const { lease, ok } = bus.state;
  lease.phase = "lapsed";
  lease.heardAt = 0;
  lease.lookAt = 0;
  setUntil(bus, 0);
  // Else everything is refused already, and the log says why.
  if (!ok || lease.reported) return;
  lease.reported = true;
  lease.lapses++;
  bus.log(
    "warning",
    `Refusing writes: no majority of the primaries has answered for ${leaseMs(bus.config)} ms, ` +
      "and a replica may be elected in our place. If this process was stopped or overloaded, it " +
      "goes on by itself; else check the network between the bus ports of the nodes.",
  );
}

function lift(bus: Bus, until: Millis): void {
  const { config, now, state } = bus;
  const { lease } = state;
  if (until <= now) {
    lease.heardAt = 0;
    return;
  }
  if (lease.heardAt === 0) lease.heardAt = now;
  const delay = Math.min(liftDelayMs, config.nodeTimeoutMs, config.writableDelayMs);
  if (lease.phase === "lapsed" && now - lease.heardAt < delay) return;
  take(bus, "held", until);
}

function take(bus: Bus, phase: "held" | "none", until: Millis): void {
  const { lease, ok } = bus.state;
  const wasMissed = lacksLease(bus);
  lease.phase = phase;
  lease.heardAt = 0;
  setUntil(bus, until);
  // The state may have waited for this.
  if (wasMissed && !ok) bus.stateDirty = true;
  if (!lease.reported) return;
  lease.reported = false;
  if (phase === "held") {
    bus.log("notice", "Taking writes again: a majority of the primaries answers.");
  } else if (!bus.config.writeLease) {
    bus.log("notice", "Taking writes again: cluster-write-lease is off.");
  }
}

function setUntil(bus: Bus, until: Millis): void {
  const { lease } = bus.state;
  if (until === lease.until) return;
  lease.until = until;
  bus.emit({ kind: "lease-changed", until });
}
