/**
 * What happens ten times a second: dial, ping, suspect, give up handshakes, and push on whatever
 * waits for time to pass. Owns the cadence of pings: one random node per second (the one of five
 * that was heard of longest ago), and everybody within half a node timeout.
 */

import type { Millis } from "../message.js";
import { pingAfterMs, refresh } from "./calm.js";
import { advanceElection } from "./election.js";
import { suspect } from "./failure.js";
import { handshakeTimeoutMs } from "./handshake.js";
import { pickPeer, sendHeartbeat } from "./heartbeat.js";
import { updateState } from "./health.js";
import { advanceManualFailover, expireManualFailover } from "./manual-failover.js";
import type { Link, Peer } from "./peers.js";
import { hasConnectedLink } from "./peers.js";
import { considerMigration } from "./replica-migration.js";
import { announceReplication } from "./roles.js";
import type { Bus } from "./state.js";
import { closeLink, deletePeer } from "./state.js";
import { reconsiderVotes } from "./vote.js";
import { tendLease } from "./write-lease.js";

const ticksPerRandomPing = 10;
const randomPingSample = 5;
/** So long a dial may take: where Linux would repeat its first packet. */
const dialMsMax = 1000;

export function tick(bus: Bus, allocateLink: () => Link["id"]): void {
  const { state } = bus;
  state.ticks++;
  state.suspectedCount = 0;
  const { peers, table } = state;
  if (state.quietTimeoutMs !== bus.config.nodeTimeoutMs) table.wakeAll();
  state.quietTimeoutMs = bus.config.nodeTimeoutMs;
  for (let i = 0; i < peers.length; ) {
    const peer = peers[i] as Peer;
    if (!table.isQuiet(i, bus.now)) maintainLink(bus, peer, allocateLink);
    // A handshake that is given up is taken from the list, and the next one stands in its place.
    if (peers[i] === peer) i++;
  }
  if (state.ticks % ticksPerRandomPing === 0) pingLongestSilent(bus);
  for (let i = 0; i < peers.length; i++) {
    if (table.isQuiet(i, bus.now)) continue;
    const peer = peers[i] as Peer;
    if (peer.isMyself || peer.handshake || !peer.addressKnown) continue;
    watch(bus, peer);
    refresh(bus, peer);
  }
  tendLease(bus);
  announceReplication(bus);
  expireManualFailover(bus);
  if (bus.myself.role === "replica") {
    advanceManualFailover(bus);
    advanceElection(bus);
    considerMigration(bus);
  } else reconsiderVotes(bus);
  if (!state.ok) updateState(bus);
}

function maintainLink(bus: Bus, peer: Peer, allocateLink: () => Link["id"]): void {
  if (peer.isMyself || !peer.addressKnown) return;
  if (peer.health === "suspected") bus.state.suspectedCount++;
  const age = bus.now - peer.createdAt;
  if (peer.handshake && age > handshakeTimeoutMs(bus.config.nodeTimeoutMs)) {
    deletePeer(bus, peer);
    return;
  }
  if (peer.link !== undefined || peer.ip === "" || peer.busPort === 0) return;
  const link: Link = {
    id: allocateLink(),
    inbound: false,
    createdAt: bus.now,
    peer,
    connected: false,
    localAddress: "",
    remoteAddress: peer.ip,
  };
  peer.link = link;
  // The ping that goes out first on this connection is owed from now on. Else a node that is killed
  // would be missed only from half a node timeout after its last pong, when a ping is due anyhow.
  if (!peer.handshake && peer.pingSentAt === 0) peer.pingSentAt = bus.now;
  bus.state.links.set(link.id, link);
  bus.emit({ kind: "connect", link: link.id, host: peer.ip, port: peer.busPort });
}

/** The dial succeeded: ping at once, or a node that just restarted would look dead for a while. */
export function linkConnected(bus: Bus, link: Link): void {
  const peer = link.peer as Peer;
  const pendingSince = peer.pingSentAt;
  sendHeartbeat(bus, link, peer.meetPending ? "meet" : "ping");
  // A ping that was pending on the former link still counts from when it was sent.
  if (pendingSince !== 0) peer.pingSentAt = pendingSince;
  // Once: later messages are ordinary pings, which are answered only by nodes that know us.
  peer.meetPending = false;
  refresh(bus, peer);
}

function pingLongestSilent(bus: Bus): void {
  const pongAt = (peer: Peer): Millis => bus.state.table.pongReceivedAt(peer.index);
  let chosen: Peer | undefined;
  for (let i = 0; i < randomPingSample; i++) {
    const peer = pickPeer(bus);
    if (peer.isMyself || peer.handshake || !hasConnectedLink(peer) || peer.pingSentAt !== 0) {
      continue;
    }
    if (chosen === undefined || pongAt(peer) < pongAt(chosen)) chosen = peer;
  }
  if (chosen?.link !== undefined) sendHeartbeat(bus, chosen.link, "ping");
}

function watch(bus: Bus, peer: Peer): void {
  const { config, now, state } = bus;
  const half = pingAfterMs(bus);
  const pingDelay = now - peer.pingSentAt;
  const dataDelay = now - peer.dataReceivedAt;
  const silent = peer.pingSentAt !== 0 && pingDelay > half && dataDelay > half;
  if (peer.link !== undefined) {
    const age = now - peer.link.createdAt;
    // Maybe only the connection is dead; the next tick dials again.
    const isDead = silent && age > config.nodeTimeoutMs;
    // The kernel repeats a lost SYN later and later: after a cut it may sleep long over the end.
    const isStuck = !peer.link.connected && age > Math.min(dialMsMax, config.nodeTimeoutMs);
    if (isDead || isStuck) closeLink(bus, peer.link);
  }
  if (peer.link !== undefined) {
    if (peer.pingSentAt === 0 && now - state.table.pongReceivedAt(peer.index) > half) {
      sendHeartbeat(bus, peer.link, "ping");
      return;
    }
    // The replica that waits to take over needs to hear the offset we paused at.
    if (bus.myself.role === "primary" && state.manual.replica === peer) {
      sendHeartbeat(bus, peer.link, "ping");
      return;
    }
  }
  if (peer.pingSentAt === 0) return;
  if (Math.min(pingDelay, dataDelay) > config.nodeTimeoutMs) suspect(bus, peer);
}
