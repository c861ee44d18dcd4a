/**
 * One simulated node: a core, its `nodes.conf` on a simulated disk, a clock that may be wrong, and
 * a model of replication that is just an offset. Every message goes through the real wire format,
 * every write of `nodes.conf` through the driver's own `ConfFile`.
 */

import type { BusConfig } from "../core/config.js";
import { ClusterCore } from "../core/cluster.js";
import type { BusEffect, LinkId } from "../core/effects.js";
import type { BusCommand, BusHost, BusInput, CommandReply } from "../core/inputs.js";
import { ConfFile } from "../io/conf-file.js";
import type { BusClock, BusTimer } from "../io/ports.js";
import type { BusMessage, Millis } from "../message.js";
import { decodePacket } from "../wire/decode.js";
import { encodeMessage } from "../wire/encode.js";
import { PowerLoss, SimDisk } from "./sim-disk.js";
import type { SimConnection, SimEndpoint, SimNetwork } from "./sim-network.js";
import type { SeededRandom, SimClock } from "./sim-world.js";

const tickMs = 100;
const directory = "/data";
const confPath = `${directory}/nodes.conf`;

/** Sees everything from outside, in order. */
export interface SimNodeObserver {
  onStart(node: SimNode): void;
  /** `to` are the nodes at the other ends, reachable or not. */
  onSend(node: SimNode, message: BusMessage, to: readonly SimNode[]): void;
  onReceive(node: SimNode, from: SimNode, message: BusMessage): void;
  onEffect(node: SimNode, effect: BusEffect): void;
}

export interface SimNodeOptions {
  readonly name: string;
  readonly ip: string;
  readonly config: BusConfig;
  readonly clock: SimClock;
  readonly network: SimNetwork;
  readonly random: SeededRandom;
  readonly observer: SimNodeObserver;
  /** Finds the node that listens at an address, for the replication model. */
  readonly resolve: (host: string, port: number) => SimNode | undefined;
  readonly myId: string;
}

type TimelessInput = BusInput extends infer Input
  ? Input extends BusInput
    ? Omit<Input, "now">
    : never
  : never;

export class SimNode implements SimEndpoint, BusHost {
  readonly name: string;
  readonly ip: string;
  readonly config: BusConfig;
  readonly disk: SimDisk;
  readonly logs: string[] = [];
  readonly published: string[] = [];
  readonly deletedSlots: number[] = [];
  readonly keys = new Map<number, number>();
  core: ClusterCore;
  up = false;
  /** Stopped like by SIGSTOP: what happens to it meanwhile waits. */
  paused = false;
  /** Its clock is ahead of the world's by this, and by so many millionths of what has passed. */
  clockSkewMs: Millis = 0;
  clockDriftPpm = 0;
  /** End of the stream as primary, what was processed as replica. */
  offset = 1;
  /** The stream does not move by itself. */
  offsetFrozen = false;
  /** The link to the primary is down, whatever the network says. */
  replicationStopped = false;
  writesPausedUntil: Millis = 0;
  replicatesFrom: { readonly host: string; readonly port: number } | undefined;
  lastReplicatedAt: Millis = 0;
  readonly #options: SimNodeOptions;
  readonly #born: Millis;
  readonly #connections = new Map<LinkId, SimConnection>();
  readonly #linkOf = new Map<SimConnection, LinkId>();
  readonly #inbox: (() => void)[] = [];
  #conf: ConfFile;
  /** Counts starts, so that timers of a former life do nothing. */
  #life = 0;

  constructor(options: SimNodeOptions) {
    this.#options = options;
    this.name = options.name;
    this.ip = options.ip;
    this.config = options.config;
    this.#born = options.clock.now;
    this.disk = new SimDisk(options.clock, options.random);
    [this.core, this.#conf] = this.#start();
  }

  get address(): string {
    return `${this.ip}:${this.config.port + 10000}`;
  }

  /** It takes part: neither down nor stopped. */
  get running(): boolean {
    return this.up && !this.paused;
  }

  /** What a power loss now would leave of `nodes.conf`. */
  get durableConf(): string | undefined {
    return this.disk.readDurable(confPath);
  }

  /** A client's write for this slot would be taken. */
  takesWrites(slot: number): boolean {
    const { core } = this;
    if (!this.running || !core.isPrimary || !core.stateOk || this.writesPaused) return false;
    return core.ownerOf(slot)?.isMyself === true && core.mayWrite(this.now());
  }

  get writesPaused(): boolean {
    return this.now() < this.writesPausedUntil;
  }

  /** What its own clock shows. */
  now(): Millis {
    const { clock } = this.#options;
    const drift = ((clock.now - this.#born) * this.clockDriftPpm) / 1e6;
    return Math.floor(clock.now + this.clockSkewMs + drift);
  }

  replicationOffset(): number {
    return this.offset;
  }

  replicationDataAgeMs(): number {
    return this.now() - this.lastReplicatedAt;
  }

  countKeysInSlot(slot: number): number {
    return this.keys.get(slot) ?? 0;
  }

  isEmpty(): boolean {
    return this.keys.size === 0;
  }

  run(command: BusCommand): CommandReply {
    const dead: CommandReply = { kind: "error", text: "no answer: the node is down" };
    if (!this.up) return dead;
    const { reply, effects } = this.core.run(command, this.now());
    this.#apply(effects);
    // Its power may have failed while it wrote what it was to remember.
    return this.up ? reply : dead;
  }

  publish(channel: string, payload: string, sharded: boolean): void {
    const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
    this.#step({ kind: "publish", sharded, channel: bytes(channel), payload: bytes(payload) });
  }

  /** `power` loses what was not synced; a killed process does not. */
  crash(kind: "process" | "power"): void {
    this.up = false;
    this.paused = false;
    this.#life++;
    this.disk.crash(kind);
    this.#options.network.die(this, kind);
    this.#connections.clear();
    this.#linkOf.clear();
    this.#inbox.length = 0;
    this.replicatesFrom = undefined;
    this.writesPausedUntil = 0;
  }

  restart(): void {
    [this.core, this.#conf] = this.#start();
  }

  pause(): void {
    this.paused = this.up;
  }

  /** Everything that waited happens now, in order. */
  resume(): void {
    if (!this.paused) return;
    this.paused = false;
    for (let next = this.#inbox.shift(); next !== undefined; next = this.#inbox.shift()) next();
  }

  onConnected(connection: SimConnection): void {
    if (!this.up) return;
    this.#enter(() => {
      const link = this.core.nextLinkId();
      this.#bind(link, connection);
      const remoteAddress = (connection.from as SimNode).ip;
      this.#step({ kind: "link-accepted", link, localAddress: this.ip, remoteAddress });
    });
  }

  onPacket(connection: SimConnection, packet: Uint8Array): void {
    this.#enter(() => {
      const link = this.#linkOf.get(connection);
      if (link === undefined) return;
      const result = decodePacket(packet);
      if (result.kind !== "message") {
        throw new Error(`${this.name} got ${JSON.stringify(result)}`);
      }
      const from = this.#otherEnd(connection);
      this.#options.observer.onReceive(this, from, result.message);
      this.#step({ kind: "message", link, message: result.message });
    });
  }

  onClosed(connection: SimConnection): void {
    this.#enter(() => {
      const link = this.#linkOf.get(connection);
      if (link === undefined) return;
      this.#unbind(link, connection);
      this.#step({ kind: "link-closed", link });
    });
  }

  #start(): [ClusterCore, ConfFile] {
    const { clock, network, random, config, myId, observer } = this.#options;
    const life = ++this.#life;
    this.up = true;
    this.core = new ClusterCore({
      config,
      host: this,
      random,
      now: this.now(),
      nodesConf: this.disk.read(confPath),
      myId,
    });
    this.#conf = new ConfFile({
      disk: this.disk,
      clock: this.#clockPort(),
      directory,
      name: "nodes.conf",
      content: () => this.core.nodesConf(),
      onError: (error) => this.logs.push(`warning ${String(error)}`),
    });
    observer.onStart(this);
    network.listen(this.address, this);
    this.#apply(this.core.start(this.now()));
    const tick = (): void => {
      if (life !== this.#life) return;
      clock.after(tickMs, tick);
      if (this.paused) return;
      this.#replicate();
      this.#step({ kind: "tick" });
    };
    clock.after(random.below(tickMs), tick);
    return [this.core, this.#conf];
  }

  /** Timers of this life of the node. */
  #clockPort(): BusClock {
    const { clock } = this.#options;
    const after = (delayMs: number, callback: () => void): BusTimer => {
      let cancelled = false;
      const life = this.#life;
      clock.after(delayMs, () => {
        if (life !== this.#life) return;
        this.#enter(() => {
          if (!cancelled) callback();
        });
      });
      return { cancel: () => void (cancelled = true) };
    };
    const every = (): BusTimer => {
      throw new Error("the simulated clock has no intervals");
    };
    return { now: () => this.now(), monotonic: () => clock.now, after, every };
  }

  /** Copies the primary's offset if the two can talk; primaries that may write move on. */
  #replicate(): void {
    const target = this.replicatesFrom;
    if (target === undefined) {
      if (this.core.stateOk && !this.writesPaused && !this.offsetFrozen) this.offset += 7;
      return;
    }
    const primary = this.#options.resolve(target.host, target.port);
    if (primary === undefined || this.replicationStopped) return;
    if (this.offset !== primary.offset) {
      this.offset = primary.offset;
      this.#step({ kind: "host-changed" });
    }
    this.lastReplicatedAt = this.now();
  }

  /** Now, or when the node goes on. */
  #enter(run: () => void): void {
    if (!this.up) return;
    if (this.paused) this.#inbox.push(run);
    else run();
  }

  #step(input: TimelessInput): void {
    if (this.up) this.#apply(this.core.step({ ...input, now: this.now() }));
  }

  #otherEnd(connection: SimConnection): SimNode {
    return (connection.from === this ? connection.to : connection.from) as SimNode;
  }

  #bind(link: LinkId, connection: SimConnection): void {
    this.#connections.set(link, connection);
    this.#linkOf.set(connection, link);
  }

  #unbind(link: LinkId, connection: SimConnection): void {
    this.#connections.delete(link);
    this.#linkOf.delete(connection);
  }

  #apply(effects: readonly BusEffect[]): void {
    const life = this.#life;
    for (const effect of effects) {
      // The power failed in the middle: what would have followed never happens.
      if (life !== this.#life) return;
      this.#options.observer.onEffect(this, effect);
      this.#perform(effect);
    }
  }

  #perform(effect: BusEffect): void {
    switch (effect.kind) {
      case "persist":
        this.#persist(effect.fsync);
        break;
      case "send":
        this.#send(effect.links, effect.message);
        break;
      case "connect":
        this.#dial(effect.link, `${effect.host}:${effect.port}`, effect.host);
        break;
      case "disconnect": {
        const connection = this.#connections.get(effect.link);
        if (connection === undefined) break;
        this.#unbind(effect.link, connection);
        this.#options.network.close(connection, this);
        break;
      }
      case "role-changed":
        this.replicatesFrom = effect.role.kind === "replica" ? effect.role : undefined;
        if (effect.role.kind === "replica") this.keys.clear();
        break;
      case "delete-slot-keys":
        for (const slot of effect.slots) {
          this.keys.delete(slot);
          this.deletedSlots.push(slot);
        }
        break;
      case "pause-writes":
        this.writesPausedUntil = effect.until;
        break;
      case "unpause-writes":
        this.writesPausedUntil = 0;
        break;
      case "flush-data":
        this.keys.clear();
        break;
      case "publish":
        this.published.push(new TextDecoder().decode(effect.payload));
        break;
      case "log":
        this.logs.push(`${effect.level} ${effect.text}`);
        break;
      case "slots-changed":
      case "state-changed":
      case "lease-changed":
        break;
    }
  }

  #persist(fsync: boolean): void {
    if (!fsync) {
      this.#conf.saveSoon();
      return;
    }
    try {
      this.#conf.saveNow();
    } catch (error) {
      if (!(error instanceof PowerLoss)) throw error;
      this.crash("power");
    }
  }

  #send(links: readonly LinkId[], message: BusMessage): void {
    const connections: SimConnection[] = [];
    for (const link of links) {
      const connection = this.#connections.get(link);
      if (connection !== undefined) connections.push(connection);
    }
    if (connections.length === 0) return;
    const to = connections.map((connection) => this.#otherEnd(connection));
    this.#options.observer.onSend(this, message, to);
    const packet = encodeMessage(message);
    for (const connection of connections) this.#options.network.send(connection, this, packet);
  }

  #dial(link: LinkId, address: string, host: string): void {
    const { network } = this.#options;
    const life = this.#life;
    network.dial(this, address, {
      connected: (connection) => {
        if (life !== this.#life) {
          network.close(connection, this);
          return;
        }
        this.#enter(() => {
          this.#bind(link, connection);
          this.#step({
            kind: "link-connected",
            link,
            localAddress: this.ip,
            remoteAddress: host,
          });
        });
      },
      refused: () => {
        if (life === this.#life) this.#enter(() => this.#step({ kind: "link-closed", link }));
      },
    });
  }
}
