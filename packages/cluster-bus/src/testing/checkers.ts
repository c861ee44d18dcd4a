/**
 * What must hold in every history, checked from outside the code under test: no voter grants twice
 * in an epoch, no vote leaves before it is durable, nobody wins without a majority, two primaries
 * never own a slot in the same epoch, epochs never fall, a primary that hears no majority stops,
 * one that no majority has heard takes no writes, and, once all faults are gone, everybody has the
 * same picture. But for the writes these are the promises of Redis Cluster, not stronger ones:
 * epochs that were taken without a vote (TAKEOVER, BUMPEPOCH, an imported slot, a collision that
 * parted) may collide until the nodes have heard of each other.
 */

import type { BusEffect } from "../core/effects.js";
import type { BusMessage, Millis } from "../message.js";
import { parseNodesConf } from "../nodes-conf.js";
import { leaseMs } from "../core/write-lease.js";
import { slotCount } from "../slot.js";
import type { SimNode, SimNodeObserver } from "./sim-node.js";

export class SafetyViolation extends Error {
  override readonly name = "SafetyViolation";
}

/** Clocks drift: a lease by a clock that is slow is a little longer. */
const clockTolerance = 1.01;

/** The tables are compared slot by slot, which is dear: in every so many checks. */
const checksPerTable = 20;

const electedPattern = /^configEpoch set to (\d+) after successful failover$/;
const takeoverText = "Taking over the master (user request).";
const selfTakenPattern = /(?:^New configEpoch set|collision .* configEpoch set) to (\d+)$/;

export class SafetyChecker implements SimNodeObserver {
  /** `voter epoch` of every vote that was sent. */
  readonly #votes = new Set<string>();
  /** Voters of `candidate epoch`. */
  readonly #voters = new Map<string, Set<string>>();
  /** Who won an election in an epoch. */
  readonly #winners = new Map<number, string>();
  /** `node epoch` of every epoch that was taken without asking. */
  readonly #selfTaken = new Set<string>();
  readonly #currentEpochs = new Map<string, number>();
  readonly #configEpochs = new Map<string, number>();
  /** The greatest config epoch under which a node has told others that it is a primary. */
  readonly #announced = new Map<string, number>();
  readonly #heard = new Map<SimNode, Map<SimNode, Millis>>();
  /** Until when a node has an excuse for not having noticed: it was down, or stopped. */
  readonly #excusedAt = new Map<SimNode, Millis>();
  readonly #hadConf = new Set<SimNode>();
  readonly #now: () => Millis;
  /**
   * After a TAKEOVER both sides of a partition may have a majority of their own: the operator who
   * orders it gives up what an election promises.
   */
  #takenOver = false;
  #newVotes: string[] = [];
  #twoWriteSince: Millis | undefined;
  #checks = 0;
  votesSeen = 0;
  electionsWon = 0;
  packetsSent = 0;

  constructor(now: () => Millis) {
    this.#now = now;
  }

  onStart(node: SimNode): void {
    this.#excusedAt.set(node, this.#now());
    if (this.#hadConf.has(node) && node.core.isNew) fail(`${node.name} forgot who it is`);
    this.#hadConf.add(node);
    const announced = this.#announced.get(node.core.myId) ?? 0;
    const { configEpoch } = node.core.myself;
    // The file gives a replica no epoch of its own; it gets a new one if it is elected again.
    if (node.core.isPrimary && configEpoch < announced) {
      fail(`${node.name} came back under epoch ${configEpoch} after it claimed ${announced}`);
    }
    // Power was lost after the epoch was on disk and before the node could tell of it. One that
    // nobody voted for, it has taken without asking.
    if (configEpoch > announced && !this.#voters.has(`${node.core.myId} ${configEpoch}`)) {
      this.#selfTaken.add(`${node.core.myId} ${configEpoch}`);
    }
    // What a power loss took back may be lower, and nobody was promised otherwise.
    this.#currentEpochs.delete(node.core.myId);
    for (const key of this.#configEpochs.keys()) {
      if (key.startsWith(`${node.name} `)) this.#configEpochs.delete(key);
    }
  }

  onSend(node: SimNode, message: BusMessage, to: readonly SimNode[]): void {
    this.packetsSent += to.length;
    const { header } = message;
    if (header.primaryId === undefined && node.core.isPrimary) {
      const announced = this.#announced.get(node.core.myId) ?? 0;
      if (header.configEpoch > announced) {
        this.#announced.set(node.core.myId, header.configEpoch);
      }
    }
    if (message.type === "auth-ack") this.#checkVote(node, header.currentEpoch, to);
  }

  onReceive(node: SimNode, from: SimNode): void {
    let heard = this.#heard.get(node);
    if (heard === undefined) this.#heard.set(node, (heard = new Map()));
    heard.set(from, this.#now());
  }

  onEffect(node: SimNode, effect: BusEffect): void {
    if (effect.kind !== "log") return;
    const elected = electedPattern.exec(effect.text);
    if (elected !== null) this.#checkVictory(node, Number(elected[1]));
    if (effect.text === takeoverText) this.#takenOver = true;
    const selfTaken = selfTakenPattern.exec(effect.text);
    if (selfTaken !== null) this.#selfTaken.add(`${node.core.myId} ${selfTaken[1]}`);
  }

  /** Votes since the last call, as a person would write them down. */
  takeVotes(): string[] {
    const votes = this.#newVotes;
    this.#newVotes = [];
    return votes.sort();
  }

  /** To be called often: what is only wrong between two calls is not seen. */
  check(nodes: readonly SimNode[]): void {
    const withTables = this.#checks++ % checksPerTable === 0;
    for (const node of nodes) {
      if (!node.running) this.#excusedAt.set(node, this.#now());
      if (!node.up) continue;
      this.#checkEpochs(node);
      const stale = node.core.staleNode();
      if (stale !== undefined) fail(`${node.name} keeps about ${stale} what is no longer so`);
      if (withTables) checkTables(node);
      this.#checkMinority(node, nodes);
      this.#checkLease(node, nodes);
    }
    this.#checkOwners(nodes);
    this.#checkWriters(nodes);
  }

  #checkVote(node: SimNode, epoch: number, to: readonly SimNode[]): void {
    const voter = node.core.myId;
    this.votesSeen++;
    for (const candidate of to) {
      const key = `${voter} ${epoch}`;
      if (this.#votes.has(key)) fail(`${node.name} voted twice in epoch ${epoch}`);
      this.#votes.add(key);
      this.#newVotes.push(`${node.name} for ${candidate.name} in epoch ${epoch}`);
      const won = `${candidate.core.myId} ${epoch}`;
      const voters = this.#voters.get(won) ?? new Set();
      this.#voters.set(won, voters.add(voter));
    }
    const durable = parseNodesConf(node.durableConf ?? "")?.lastVoteEpoch ?? -1;
    if (durable < epoch) {
      fail(`${node.name} sent its vote for epoch ${epoch}, on disk is ${durable}`);
    }
  }

  #checkVictory(node: SimNode, epoch: number): void {
    const id = node.core.myId;
    this.electionsWon++;
    const other = this.#winners.get(epoch);
    if (other !== undefined && other !== id && !this.#takenOver) {
      fail(`${node.name} won epoch ${epoch} as second`);
    }
    this.#winners.set(epoch, id);
    // It owns its former primary's slots now, so the electorate is as large as it was.
    const size = node.core.nodes.filter((peer) => peer.role === "primary" && peer.slotCount > 0);
    const votes = this.#voters.get(`${id} ${epoch}`)?.size ?? 0;
    if (votes < Math.floor(size.length / 2) + 1) {
      fail(`${node.name} won epoch ${epoch} with ${votes} votes of ${size.length}`);
    }
  }

  #checkEpochs(node: SimNode): void {
    const { core } = node;
    // By id: a hard reset makes a new node of it.
    const known = this.#currentEpochs.get(core.myId) ?? 0;
    if (core.currentEpoch < known) fail(`${node.name}: its current epoch fell`);
    this.#currentEpochs.set(core.myId, core.currentEpoch);
    for (const peer of core.nodes) {
      const key = `${node.name} ${core.myId} ${peer.id}`;
      const before = this.#configEpochs.get(key) ?? 0;
      if (peer.configEpoch < before) fail(`${node.name}: the epoch of ${peer.id} fell`);
      this.#configEpochs.set(key, peer.configEpoch);
    }
  }

  #checkOwners(nodes: readonly SimNode[]): void {
    const owners = new Map<number, SimNode>();
    for (const node of nodes) {
      if (!node.up || !node.core.isPrimary || node.core.myself.slotCount === 0) continue;
      const epoch = node.core.myself.configEpoch;
      const other = owners.get(epoch);
      owners.set(epoch, node);
      if (other === undefined || epoch === 0 || this.#takenOver) continue;
      const selfTaken = [node, other].some((one) =>
        this.#selfTaken.has(`${one.core.myId} ${epoch}`),
      );
      const shared = sharedSlot(node, other);
      if (shared < 0 || selfTaken) continue;
      fail(`${node.name} and ${other.name} both own slot ${shared} in epoch ${epoch}`);
    }
  }

  /** A primary that hears of no majority of the primaries it knows must have stopped by now. */
  #checkMinority(node: SimNode, nodes: readonly SimNode[]): void {
    const { core } = node;
    if (!node.running || !core.isPrimary || !core.stateOk || core.myself.slotCount === 0) return;
    const bound = minorityBoundMs(node.config.nodeTimeoutMs);
    if (this.#now() - (this.#excusedAt.get(node) ?? 0) <= bound) return;
    const heard = this.#heardOf(node, bound);
    const ids = new Set([...heard].map((one) => one.core.myId));
    const electorate = core.nodes.filter((peer) => peer.role === "primary" && peer.slotCount > 0);
    const reachable = electorate.filter((peer) => ids.has(peer.id)).length;
    if (reachable > electorate.length / 2) return;
    fail(
      `${node.name} still serves, though for ${bound} ms it has heard of only ${reachable} of ` +
        `${electorate.length} primaries (${nodes.filter((one) => !one.running).length} not running)`,
    );
  }

  /**
   * Who takes writes has been heard by a majority of the primaries it knows within its lease: so
   * none of those suspects it, whatever happened to what they sent back.
   */
  #checkLease(node: SimNode, nodes: readonly SimNode[]): void {
    const { core, config } = node;
    if (!takesWrites(node) || !config.writeLease) return;
    const electorate = core.nodes.filter((peer) => peer.role === "primary" && peer.slotCount > 0);
    const since = this.#now() - leaseMs(config) * clockTolerance;
    const hearers = nodes.filter((one) => (this.#heard.get(one)?.get(node) ?? 0) >= since);
    const ids = new Set(hearers.map((one) => one.core.myId)).add(core.myId);
    const count = electorate.filter((peer) => ids.has(peer.id)).length;
    if (count > electorate.length / 2) return;
    fail(`${node.name} takes writes, though of ${electorate.length} primaries ${count} heard it`);
  }

  /**
   * The first that learns of a successor is a majority, and a primary that a majority does not
   * answer takes no writes: two take writes for a slot for a node timeout at most.
   */
  #checkWriters(nodes: readonly SimNode[]): void {
    const writers = nodes.filter((node) => takesWrites(node));
    const owned = writers.reduce((sum, node) => sum + node.core.myself.slotCount, 0);
    // Looking at every slot is dear, and needed only if they have more than there are.
    const pair = owned > slotCount ? sharingPair(writers) : undefined;
    if (pair === undefined || this.#takenOver) {
      this.#twoWriteSince = undefined;
      return;
    }
    this.#twoWriteSince ??= this.#now();
    const ms = this.#now() - this.#twoWriteSince;
    const [one, other] = pair;
    if (ms > one.config.nodeTimeoutMs) {
      fail(`${one.name} and ${other.name} take writes for the same slot since ${ms} ms`);
    }
  }

  /** Whom it heard, and whom those heard: gossip saves a ping of one's own. */
  #heardOf(node: SimNode, withinMs: Millis): Set<SimNode> {
    const found = new Set([node]);
    for (const one of found) {
      for (const [from, at] of this.#heard.get(one) ?? []) {
        if (this.#now() - at <= withinMs) found.add(from);
      }
    }
    return found;
  }
}

/**
 * A ping goes out at the latest half a node timeout after the last pong, and is waited for one
 * node timeout. Gossip of a node whose clock is ahead may make that last pong look younger, by no
 * more than another half and the tolerance of 500 ms. The rest is ticks and the packets' way.
 */
export function minorityBoundMs(nodeTimeoutMs: Millis): Millis {
  return nodeTimeoutMs * 2 + 1500;
}

function takesWrites(node: SimNode): boolean {
  const { core } = node;
  const serves = node.running && core.isPrimary && core.stateOk && core.myself.slotCount > 0;
  return serves && core.mayWrite(node.now());
}

function sharingPair(nodes: readonly SimNode[]): readonly [SimNode, SimNode] | undefined {
  for (const [i, one] of nodes.entries()) {
    const other = nodes.slice(i + 1).find((another) => sharedSlot(one, another) >= 0);
    if (other !== undefined) return [one, other];
  }
  return undefined;
}

function sharedSlot(a: SimNode, b: SimNode): number {
  for (let slot = 0; slot < slotCount; slot++) {
    if (a.core.ownerOf(slot)?.isMyself && b.core.ownerOf(slot)?.isMyself) return slot;
  }
  return -1;
}

/** The route byte, the owner table and the bitmaps never disagree. */
function checkTables(node: SimNode): void {
  const { core } = node;
  let mine = 0;
  for (let slot = 0; slot < slotCount; slot++) {
    const owner = core.ownerOf(slot);
    if (owner?.isMyself) mine++;
    if (core.slotRoute[slot] === 0 && !owner?.isMyself) fail(`${node.name}: route of ${slot}`);
  }
  if (mine !== core.myself.slotCount) fail(`${node.name}: counts its slots wrongly`);
  if (!core.isPrimary && mine > 0) fail(`${node.name}: a replica with slots`);
}

/** Empty if all nodes that are up agree on everything, else the first difference. */
export function disagreement(nodes: readonly SimNode[]): string {
  const up = nodes.filter((node) => node.up);
  const reference = up[0];
  if (reference === undefined) return "nobody is up";
  const byId = new Map(nodes.map((node) => [node.core.myId, node] as const));
  const epochs = new Map<number, string>();
  // Cheap differences first: this is asked ten times a second.
  for (const node of up) {
    const { core } = node;
    if (!core.stateOk) return `${node.name}: state is fail`;
    if (core.isPrimary && core.myself.slotCount > 0) {
      const epoch = core.myself.configEpoch;
      const other = epochs.get(epoch);
      if (other !== undefined) return `${node.name} and ${other} share epoch ${epoch}`;
      epochs.set(epoch, node.name);
    }
    for (const peer of core.nodes) {
      const actual = byId.get(peer.id);
      if (actual?.up && peer.health !== "online") {
        return `${node.name} thinks ${actual.name} is down`;
      }
    }
  }
  for (const node of up) {
    for (let slot = 0; slot < slotCount; slot++) {
      const owner = node.core.ownerOf(slot);
      const expected = reference.core.ownerOf(slot);
      if (owner?.id !== expected?.id) {
        return `slot ${slot}: ${reference.name} says ${expected?.id}, ${node.name} ${owner?.id}`;
      }
    }
  }
  return "";
}

function fail(what: string): never {
  throw new SafetyViolation(what);
}
