/**
 * The door of the core: inputs go in, ordered effects come out, and the command path's questions
 * are answered from tables that are always current. Owns the turn (one input, its consequences,
 * its effects) and nothing of the protocol itself.
 */

import type { Millis } from "../message.js";
import { formatNodeLine, formatNodesConf, parseNodesConf } from "../nodes-conf.js";
import { isStale } from "./calm.js";
import { runCommand } from "./commands.js";
import type { BusConfig } from "./config.js";
import { announcedPorts } from "./config.js";
import { linkConnected, tick } from "./cron.js";
import {
  adoptSlotsWithKeys,
  clusterInfoText,
  clusterNodesText,
  describeConf,
  describePeer,
  raiseCurrentEpoch,
  restoreState,
} from "./describe.js";
import type { BusEffect, LinkId } from "./effects.js";
import { advanceElection } from "./election.js";
import { broadcast, broadcastPong, makeHeader } from "./heartbeat.js";
import { updateState } from "./health.js";
import type { BusCommand, BusHost, BusInput, BusRandom, CommandReply } from "./inputs.js";
import { advanceManualFailover } from "./manual-failover.js";
import type { IdNumbers } from "./peer-table.js";
import type { Link, Peer } from "./peers.js";
import { createPeer, hasConnectedLink } from "./peers.js";
import { receive } from "./receive.js";
import { Bus, ClusterState, forgetLink, randomHex } from "./state.js";
import type { LinkView, Shard, SlotsEntry } from "./views.js";
import { linksView, preferredEndpoint, shardsView, slotsView } from "./views.js";
import { checkLease, leaseMs, mayWrite, reviewLease } from "./write-lease.js";

export interface ClusterCoreOptions {
  readonly config: BusConfig;
  readonly host: BusHost;
  readonly random: BusRandom;
  readonly now: Millis;
  /** The text of `nodes.conf`; undefined or empty for a new node. */
  readonly nodesConf?: string | undefined;
  /** In a simulator that hands messages over unencoded: shared by all of its cores. */
  readonly ids?: IdNumbers | undefined;
  /** For a new node in tests; else 40 random hex digits. */
  readonly myId?: string | undefined;
}

export interface CommandOutcome {
  readonly reply: CommandReply;
  readonly effects: readonly BusEffect[];
}

/** A node as the command path and its redirections need it. Read only. */
export type NodeView = Readonly<
  Pick<
    Peer,
    | "id"
    | "isMyself"
    | "role"
    | "health"
    | "ip"
    | "port"
    | "tlsPort"
    | "busPort"
    | "hostname"
    | "humanName"
    | "shardId"
    | "configEpoch"
    | "slotCount"
    | "replicationOffset"
  >
>;

export class ClusterCore {
  /** One byte per slot; 0 means "served here, nothing moves". See `slotRoutes`. */
  readonly slotRoute: Uint8Array;
  /** True if the node had no `nodes.conf`: `start()` persists the first one. */
  readonly isNew: boolean;
  readonly #bus: Bus;
  #lastLinkId = 0;

  constructor(options: ClusterCoreOptions) {
    const { config, host, random, now } = options;
    const conf = parseNodesConf(options.nodesConf ?? "");
    this.isNew = conf === undefined;
    const state = conf === undefined ? newState(options) : restoreState(conf, options);
    this.#bus = new Bus({ state, config, host, random });
    this.#bus.now = now;
    this.slotRoute = state.slots.route;
    raiseCurrentEpoch(this.#bus);
    this.#refreshMyself();
    // What loading put into the table is no change to anybody.
    state.slots.takeChanged();
  }

  /** Once, after the data set was loaded and before the first tick. */
  start(now: Millis): readonly BusEffect[] {
    this.#bus.now = now;
    const id = this.#bus.myself.id;
    this.#bus.log(
      "notice",
      this.isNew
        ? `No cluster configuration found, I'm ${id}`
        : `Node configuration loaded, I'm ${id}`,
    );
    adoptSlotsWithKeys(this.#bus);
    if (this.isNew) this.#bus.saveDurably();
    return this.#endTurn();
  }

  step(input: BusInput): readonly BusEffect[] {
    const bus = this.#bus;
    bus.now = input.now;
    checkLease(bus);
    switch (input.kind) {
      case "tick":
        this.#refreshMyself();
        tick(bus, () => this.nextLinkId());
        break;
      case "link-accepted":
        bus.state.links.set(input.link, {
          id: input.link,
          inbound: true,
          createdAt: input.now,
          peer: undefined,
          connected: true,
          localAddress: input.localAddress,
          remoteAddress: input.remoteAddress,
        });
        break;
      case "link-connected": {
        const link = bus.state.links.get(input.link);
        if (link === undefined) break;
        link.connected = true;
        link.localAddress = input.localAddress;
        link.remoteAddress = input.remoteAddress;
        linkConnected(bus, link);
        break;
      }
      case "link-closed": {
        const link = bus.state.links.get(input.link);
        if (link !== undefined) forgetLink(bus, link);
        break;
      }
      case "message": {
        const link = bus.state.links.get(input.link);
        if (link !== undefined) receive(bus, link, input.message);
        break;
      }
      case "publish":
        this.#publish(input);
        break;
      case "host-changed":
        this.#refreshMyself();
        bus.manualDirty = true;
        reviewLease(bus);
        break;
    }
    return this.#endTurn();
  }

  run(command: BusCommand, now: Millis): CommandOutcome {
    this.#bus.now = now;
    checkLease(this.#bus);
    const reply = runCommand(this.#bus, command);
    return { reply, effects: this.#endTurn() };
  }

  nextLinkId(): LinkId {
    return ++this.#lastLinkId as LinkId;
  }

  /** The driver closed a link because its send buffer was full. */
  countLinkOverLimit(): void {
    this.#bus.state.linksOverLimit++;
  }

  get myId(): string {
    return this.#bus.myself.id;
  }

  get myShardId(): string {
    return this.#bus.myself.shardId;
  }

  get myself(): NodeView {
    return this.#bus.myself;
  }

  get isPrimary(): boolean {
    return this.#bus.myself.role === "primary";
  }

  /** Our primary, if we are a replica that knows it. */
  get primary(): NodeView | undefined {
    return this.#bus.myself.primary;
  }

  /** A manual failover waits until our replication offset is that of the paused primary. */
  get awaitsOffset(): boolean {
    const { manual } = this.#bus.state;
    return manual.primaryOffset !== -1 && !manual.canStart;
  }

  get stateOk(): boolean {
    return this.#bus.state.ok;
  }

  /** Whether this node, if it serves a slot, may take a write for it at this time. */
  mayWrite(now: Millis): boolean {
    return mayWrite(this.#bus, now);
  }

  /**
   * Until when the answer is yes without another question: 0 if it is no, Infinity for nodes that
   * need no majority's word.
   */
  get writableUntil(): Millis {
    return this.#bus.state.lease.until;
  }

  /** How long a majority's answer is good for. */
  get writeLeaseMs(): Millis {
    return leaseMs(this.#bus.config);
  }

  /** How often this node had to stop taking writes because no majority had answered. */
  get writeLeaseLapses(): number {
    return this.#bus.state.lease.lapses;
  }

  get currentEpoch(): number {
    return this.#bus.state.currentEpoch;
  }

  get lastVoteEpoch(): number {
    return this.#bus.state.lastVoteEpoch;
  }

  get nodes(): readonly NodeView[] {
    return this.#bus.state.peers;
  }

  node(id: string): NodeView | undefined {
    return this.#bus.state.lookup(id);
  }

  /** For checks: a node that is taken for calm and is not, or about which old news is kept. */
  staleNode(): string | undefined {
    const bus = this.#bus;
    return bus.state.peers.find((peer) => isStale(bus, peer))?.id;
  }

  /** A node that we know has no link to us. */
  get missesNodes(): boolean {
    return this.#bus.state.peers.some(
      (peer) => !peer.isMyself && !peer.handshake && !hasConnectedLink(peer),
    );
  }

  /** This is our own address, or a known node's to which we have a link. */
  isLinkedAt(ip: string, port: number): boolean {
    return this.#bus.state.peers.some(
      (peer) =>
        peer.ip === ip &&
        peer.port === port &&
        (peer.isMyself || (!peer.handshake && hasConnectedLink(peer))),
    );
  }

  ownerOf(slot: number): NodeView | undefined {
    return this.#bus.state.slots.ownerOf(slot);
  }

  migratingTo(slot: number): NodeView | undefined {
    return this.#bus.state.slots.migratingTo(slot);
  }

  importingFrom(slot: number): NodeView | undefined {
    return this.#bus.state.slots.importingFrom(slot);
  }

  /** The host part of MOVED and ASK. */
  endpointOf(node: NodeView): string {
    return preferredEndpoint(this.#bus, node as Peer);
  }

  linkIsKnown(link: LinkId): boolean {
    return this.#bus.state.links.get(link)?.peer !== undefined;
  }

  nodesConf(): string {
    return formatNodesConf(describeConf(this.#bus.state));
  }

  nodesText(): string {
    return clusterNodesText(this.#bus.state);
  }

  infoText(): string {
    return clusterInfoText(this.#bus);
  }

  slotsView(): readonly SlotsEntry[] {
    return slotsView(this.#bus);
  }

  shardsView(): readonly Shard[] {
    return shardsView(this.#bus);
  }

  knows(node: string): boolean {
    return this.#bus.state.lookup(node) !== undefined;
  }

  linksView(): readonly LinkView[] {
    return linksView(this.#bus);
  }

  /** Lines of CLUSTER REPLICAS, or the error. */
  replicasOf(node: string): { readonly lines: readonly string[] } | { readonly error: string } {
    const { state } = this.#bus;
    const peer = state.lookup(node);
    if (peer === undefined) return { error: `ERR Unknown node ${node}` };
    if (peer.role === "replica") return { error: "ERR The specified node is not a master" };
    const lines = peer.replicas.map((replica) =>
      formatNodeLine(describePeer(state, replica), "client"),
    );
    return { lines };
  }

  #publish(input: Extract<BusInput, { kind: "publish" }>): void {
    const bus = this.#bus;
    const { channel, payload } = input;
    const header = makeHeader(bus);
    if (!input.sharded) {
      broadcast(bus, { type: "publish", header, channel, payload });
      return;
    }
    const links: Link[] = [];
    for (const peer of bus.state.peers) {
      if (peer.isMyself || peer.handshake || peer.link === undefined) continue;
      if (peer.shardId === bus.myself.shardId) links.push(peer.link);
    }
    bus.send(links, { type: "publishshard", header, channel, payload });
  }

  /** What the configuration says about this node; it may change at any time. */
  #refreshMyself(): void {
    const bus = this.#bus;
    const { config, myself } = bus;
    const ports = announcedPorts(config);
    myself.port = ports.port;
    myself.tlsPort = ports.tlsPort;
    myself.busPort = ports.busPort;
    if (config.announceIp !== "") myself.ip = config.announceIp;
    if (myself.noFailover !== config.replicaNoFailover) {
      myself.noFailover = config.replicaNoFailover;
      bus.save();
      bus.stateDirty = true;
    }
    if (myself.hostname !== config.announceHostname) {
      myself.hostname = config.announceHostname;
      bus.save();
    }
    if (myself.humanName !== config.announceHumanNodename) {
      myself.humanName = config.announceHumanNodename;
      bus.save();
    }
  }

  /** Does what must be done before anybody hears of this turn, then hands the effects out. */
  #endTurn(): readonly BusEffect[] {
    const bus = this.#bus;
    if (bus.manualDirty && bus.myself.role === "replica") advanceManualFailover(bus);
    bus.manualDirty = false;
    // An election may schedule and begin in the same turn when it is a manual one.
    for (let i = 0; i < 2 && bus.failoverDirty && bus.myself.role === "replica"; i++) {
      advanceElection(bus);
    }
    bus.failoverDirty = false;
    if (bus.stateDirty) updateState(bus);
    if (bus.announceDirty) broadcastPong(bus, "all");
    bus.announceDirty = false;
    return bus.takeEffects();
  }
}

function newState(options: ClusterCoreOptions): ClusterState {
  const myself = createPeer({
    id: (options.myId ?? randomHex(options.random)) as Peer["id"],
    shardId: randomHex(options.random),
    now: options.now,
    isMyself: true,
  });
  myself.role = "primary";
  return new ClusterState(myself, options.ids);
}
