/**
 * One simulated node: a core, a disk that forgets what was not synced when the power fails, and a
 * model of replication that is just an offset. Every message goes through the real wire format.
 */

import { ClusterCore } from "../core/cluster.js";
import type { BusConfig } from "../core/config.js";
import type { BusEffect, LinkId } from "../core/effects.js";
import type { BusCommand, BusHost, CommandReply } from "../core/inputs.js";
import type { BusMessage, Millis } from "../message.js";
import { decodePacket } from "../wire/decode.js";
import { encodeMessage } from "../wire/encode.js";
import type {
  SeededRandom,
  SimClock,
  SimConnection,
  SimEndpoint,
  SimNetwork,
} from "./sim-world.js";

const tickMs = 100;
/** A write that nobody waits for reaches the disk this much later. */
const lazyPersistMs = 100;

export interface SimNodeObserver {
  onSend(node: SimNode, message: BusMessage): void;
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

export class SimNode implements SimEndpoint, BusHost {
  readonly name: string;
  readonly ip: string;
  readonly config: BusConfig;
  readonly logs: string[] = [];
  readonly published: string[] = [];
  readonly deletedSlots: number[] = [];
  readonly keys = new Map<number, number>();
  core: ClusterCore;
  up = true;
  /** End of the stream as primary, what was processed as replica. */
  offset = 1;
  writesPausedUntil: Millis = 0;
  replicatesFrom: { readonly host: string; readonly port: number } | undefined;
  lastReplicatedAt: Millis = 0;
  /** What a restart after a power loss would find. */
  durableConf: string | undefined;
  readonly #options: SimNodeOptions;
  readonly #connections = new Map<LinkId, SimConnection>();
  readonly #linkOf = new Map<SimConnection, LinkId>();
  /** Counts starts, so that timers of a former life do nothing. */
  #life = 0;

  constructor(options: SimNodeOptions) {
    this.#options = options;
    this.name = options.name;
    this.ip = options.ip;
    this.config = options.config;
    this.core = this.#start();
  }

  get address(): string {
    return `${this.ip}:${this.config.port + 10000}`;
  }

  replicationOffset(): number {
    return this.offset;
  }

  replicationDataAgeMs(): number {
    return this.#options.clock.now - this.lastReplicatedAt;
  }

  countKeysInSlot(slot: number): number {
    return this.keys.get(slot) ?? 0;
  }

  isEmpty(): boolean {
    return this.keys.size === 0;
  }

  run(command: BusCommand): CommandReply {
    const { reply, effects } = this.core.run(command, this.#options.clock.now);
    this.#apply(effects);
    return reply;
  }

  publish(channel: string, payload: string, sharded: boolean): void {
    const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
    this.#apply(
      this.core.step({
        kind: "publish",
        now: this.#options.clock.now,
        sharded,
        channel: bytes(channel),
        payload: bytes(payload),
      }),
    );
  }

  /** `power` loses what was not synced; a killed process does not. */
  crash(kind: "process" | "power"): void {
    if (kind === "process") this.durableConf = this.core.nodesConf();
    this.up = false;
    this.#life++;
    this.#options.network.die(this);
    this.#connections.clear();
    this.#linkOf.clear();
    this.replicatesFrom = undefined;
  }

  restart(): void {
    this.up = true;
    this.core = this.#start();
  }

  onConnected(connection: SimConnection): void {
    if (!this.up) return;
    const link = this.core.nextLinkId();
    this.#bind(link, connection);
    const from = connection.from as SimNode;
    this.#apply(
      this.core.step({
        kind: "link-accepted",
        now: this.#options.clock.now,
        link,
        localAddress: this.ip,
        remoteAddress: from.ip,
      }),
    );
  }

  onPacket(connection: SimConnection, packet: Uint8Array): void {
    const link = this.#linkOf.get(connection);
    if (!this.up || link === undefined) return;
    const result = decodePacket(packet);
    if (result.kind !== "message") throw new Error(`${this.name} got ${JSON.stringify(result)}`);
    this.#apply(
      this.core.step({
        kind: "message",
        now: this.#options.clock.now,
        link,
        message: result.message,
      }),
    );
  }

  onClosed(connection: SimConnection): void {
    const link = this.#linkOf.get(connection);
    if (!this.up || link === undefined) return;
    this.#unbind(link, connection);
    this.#apply(this.core.step({ kind: "link-closed", now: this.#options.clock.now, link }));
  }

  #start(): ClusterCore {
    const { clock, network, random, config, myId } = this.#options;
    const life = ++this.#life;
    this.core = new ClusterCore({
      config,
      host: this,
      random,
      now: clock.now,
      nodesConf: this.durableConf,
      myId,
    });
    network.listen(this.address, this);
    this.#apply(this.core.start(clock.now));
    const tick = (): void => {
      if (!this.up || life !== this.#life) return;
      this.#replicate();
      this.#apply(this.core.step({ kind: "tick", now: clock.now }));
      clock.after(tickMs, tick);
    };
    clock.after(random.below(tickMs), tick);
    return this.core;
  }

  /** Copies the primary's offset if the two can talk; primaries that may write move on. */
  #replicate(): void {
    const { clock, resolve } = this.#options;
    const target = this.replicatesFrom;
    if (target === undefined) {
      if (this.core.stateOk && clock.now >= this.writesPausedUntil) this.offset += 7;
      return;
    }
    const primary = resolve(target.host, target.port);
    if (primary === undefined) return;
    if (this.offset !== primary.offset) {
      this.offset = primary.offset;
      this.#apply(this.core.step({ kind: "host-changed", now: clock.now }));
    }
    this.lastReplicatedAt = clock.now;
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
    for (const effect of effects) this.#perform(effect);
  }

  #perform(effect: BusEffect): void {
    const { clock, network, observer } = this.#options;
    switch (effect.kind) {
      case "persist": {
        if (effect.fsync) {
          this.durableConf = this.core.nodesConf();
          break;
        }
        const life = this.#life;
        clock.after(lazyPersistMs, () => {
          if (this.up && life === this.#life) this.durableConf = this.core.nodesConf();
        });
        break;
      }
      case "send": {
        observer.onSend(this, effect.message);
        const packet = encodeMessage(effect.message);
        for (const link of effect.links) {
          const connection = this.#connections.get(link);
          if (connection !== undefined) network.send(connection, this, packet);
        }
        break;
      }
      case "connect":
        this.#dial(effect.link, `${effect.host}:${effect.port}`, effect.host);
        break;
      case "disconnect": {
        const connection = this.#connections.get(effect.link);
        if (connection === undefined) break;
        this.#unbind(effect.link, connection);
        network.close(connection, this);
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
        break;
    }
  }

  #dial(link: LinkId, address: string, host: string): void {
    const { clock, network } = this.#options;
    const life = this.#life;
    const alive = (): boolean => this.up && life === this.#life;
    network.dial(this, address, {
      connected: (connection) => {
        if (!alive()) {
          network.close(connection, this);
          return;
        }
        this.#bind(link, connection);
        this.#apply(
          this.core.step({
            kind: "link-connected",
            now: clock.now,
            link,
            localAddress: this.ip,
            remoteAddress: host,
          }),
        );
      },
      refused: () => {
        if (alive()) this.#apply(this.core.step({ kind: "link-closed", now: clock.now, link }));
      },
    });
  }
}
