/**
 * Binds the cluster bus to a node: what routing asks of it, and what it asks of the node. It holds
 * no cluster state of its own.
 */
import {
  type BusConfig,
  BusDriver,
  type BusNode,
  type LocalRole,
  type NodeView,
  defaultBusConfig,
} from "@slotlog/cluster-bus";
import { replyErrors } from "@slotlog/resp";
import type { Configuration, NodeConfig } from "../config/config.js";
import { textOfBytes } from "../config/byte-string.js";
import type { ClusterGate, RouteRequest } from "../dispatch/services.js";
import type { Client } from "../net/client.js";
import type { Ports } from "../ports.js";
import type { Replication } from "../replication/replication.js";
import type { DatabaseSet } from "../store/database-set.js";
import { AddressMap } from "./address-map.js";
import { Seeds } from "./seeds.js";

export interface ClusterBridgeParts {
  readonly ports: Ports;
  readonly configuration: Configuration;
  readonly databases: DatabaseSet;
  readonly replication: Replication;
  readonly directory: string;
  /** The port that clients reach. */
  readonly port: number;
  /** Keys of slots that this node does not own any more. */
  deleteSlotKeys(slots: readonly number[]): void;
  onPublish(message: {
    readonly sharded: boolean;
    readonly channel: Uint8Array;
    readonly payload: Uint8Array;
  }): void;
  onSlotsChanged(slots: readonly number[]): void;
  pauseWrites(untilMs: number): void;
  unpauseWrites(): void;
  flushData(): void;
  onFatal(error: unknown): void;
}

const down = "CLUSTERDOWN The cluster is down";

export class ClusterBridge implements ClusterGate {
  readonly bus: BusDriver;
  readonly busConfig: BusConfig;
  /** Which addresses of nodes a client is told. */
  readonly addressMap: AddressMap;
  readonly #config: NodeConfig;
  readonly #seeds: Seeds;
  readonly #parts: ClusterBridgeParts;
  serving = false;
  writesUntil = 0;

  constructor(parts: ClusterBridgeParts, confText: string | undefined) {
    const { ports, configuration, directory } = parts;
    this.#parts = parts;
    this.#config = configuration.values;
    this.busConfig = defaultBusConfig();
    this.addressMap = new AddressMap(this.#config.clientAddressMap);
    this.#readConfig();
    for (const name of observed) configuration.onChange(name, () => this.#onConfigChanged());
    this.bus = new BusDriver({
      config: this.busConfig,
      node: this.#node(),
      clock: ports.clock,
      random: ports.random,
      disk: ports.disk,
      net: ports.net,
      log: ports.log,
      directory,
      confName: textOfBytes(this.#config.clusterConfigFile),
      confText,
      hosts: listenHosts(this.#config.bind),
    });
    this.#seeds = new Seeds(this.bus, this.#config, ports);
  }

  get route(): Uint8Array {
    return this.bus.core.slotRoute;
  }

  async start(): Promise<void> {
    await this.bus.start();
    this.#seeds.start();
    this.serving = this.bus.core.stateOk;
  }

  stop(): Promise<void> {
    this.#seeds.stop();
    return this.bus.stop();
  }

  decide(request: RouteRequest): string | undefined {
    const refusal = this.#whereTo(request);
    if (refusal !== undefined || request.readOnly || this.#mayWrite()) return refusal;
    return down;
  }

  /** Redis' rules (`getNodeByQuery`), in its order. */
  #whereTo(request: RouteRequest): string | undefined {
    const { core } = this.bus;
    const { slot, client } = request;
    const owner = core.ownerOf(slot);
    if (owner === undefined) return "CLUSTERDOWN Hash slot not served";
    const isMine = owner.id === core.myId;
    const target = isMine ? core.migratingTo(slot) : undefined;
    const source = core.importingFrom(slot);
    if (!core.stateOk) {
      const refusal = this.#refusalWhenDown(request);
      if (refusal !== undefined) return refusal;
    }
    if ((target !== undefined || source !== undefined) && request.movesKeys) return undefined;
    if (target !== undefined && request.missingKeys > 0) {
      if (request.missingKeys < request.keyCount) return replyErrors.tryAgain;
      // Redis lets a slot migrate to its own node: clients sent there would go round in circles.
      if (target.isMyself) return undefined;
      return `ASK ${slot} ${this.#addressFor(client, target)}`;
    }
    if (source !== undefined && (client.asking || request.asksItself)) {
      return request.keyCount > 1 && request.missingKeys > 0 ? replyErrors.tryAgain : undefined;
    }
    const mayRead = request.shardChannel || (client.readOnly && request.readOnly);
    if (mayRead && !core.isPrimary && core.primary?.id === owner.id) return undefined;
    return isMine ? undefined : `MOVED ${slot} ${this.#addressFor(client, owner)}`;
  }

  /** What is left of the write lease; all of it where nobody's word is needed. */
  get writeLeaseMs(): number {
    const { core } = this.bus;
    const now = this.bus.now();
    if (!core.mayWrite(now)) return 0;
    return Math.min(core.writableUntil - now, core.writeLeaseMs);
  }

  /** The cluster is served, but not writes: a majority of the primaries has to answer first. */
  get isFenced(): boolean {
    return this.serving && this.writeLeaseMs === 0;
  }

  /** Asked when the lease has run out, as far as it was known: word may have come since. */
  #mayWrite(): boolean {
    const { core } = this.bus;
    const mayWrite = core.mayWrite(this.bus.now());
    this.writesUntil = this.bus.monotonic(core.writableUntil);
    return mayWrite;
  }

  #addressFor(client: Client, node: NodeView): string {
    const mapped = this.addressMap.addressFor(client.link.localAddress, node);
    if (mapped !== undefined) return `${mapped.host}:${mapped.port}`;
    return `${this.bus.core.endpointOf(node)}:${node.port}`;
  }

  #refusalWhenDown(request: RouteRequest): string | undefined {
    if (request.shardChannel) {
      return this.#config.clusterAllowPubsubshardWhenDown ? undefined : down;
    }
    if (!this.#config.clusterAllowReadsWhenDown) return down;
    return request.readOnly ? undefined : `${down} and only accepts read commands`;
  }

  #node(): BusNode {
    const { replication, databases, ports } = this.#parts;
    return {
      replicationOffset: () => replication.history.offset,
      replicationDataAgeMs: () => {
        const link = replication.primary;
        if (link === undefined) return 0;
        const since = link.isUp ? link.lastIoAt : link.downSince;
        return since === undefined ? Number.POSITIVE_INFINITY : ports.clock.monotonic() - since;
      },
      countKeysInSlot: (slot) => databases.first.slotSize(slot),
      isEmpty: () => databases.size === 0,
      onSlotsChanged: (slots) => this.#parts.onSlotsChanged(slots),
      onDeleteSlotKeys: (slots) => this.#parts.deleteSlotKeys(slots),
      onRoleChanged: (role) => this.#takeRole(role),
      onStateChanged: (ok) => {
        this.serving = ok;
      },
      onLeaseChanged: (until) => {
        this.writesUntil = until;
      },
      onPublish: (message) => this.#parts.onPublish(message),
      onPauseWrites: (until) => this.#parts.pauseWrites(until),
      onUnpauseWrites: () => this.#parts.unpauseWrites(),
      onFlushData: () => this.#parts.flushData(),
      onFatal: (error) => this.#parts.onFatal(error),
    };
  }

  #takeRole(role: LocalRole): void {
    const { replication } = this.#parts;
    if (role.kind === "primary") replication.unfollow();
    else replication.follow({ host: role.host, port: role.port });
  }

  #onConfigChanged(): void {
    this.#readConfig();
    this.bus.hostChanged();
  }

  #readConfig(): void {
    const config = this.#config;
    Object.assign(this.busConfig, {
      port: this.#parts.port,
      tlsPort: 0,
      busPort: config.clusterPort,
      nodeTimeoutMs: config.clusterNodeTimeout,
      replicaValidityFactor: config.clusterReplicaValidityFactor,
      replPingReplicaPeriodMs: config.replPingReplicaPeriod * 1000,
      migrationBarrier: config.clusterMigrationBarrier,
      allowReplicaMigration: config.clusterAllowReplicaMigration,
      requireFullCoverage: config.clusterRequireFullCoverage,
      allowReadsWhenDown: config.clusterAllowReadsWhenDown,
      allowPubsubshardWhenDown: config.clusterAllowPubsubshardWhenDown,
      replicaNoFailover: config.clusterReplicaNoFailover,
      standsWithRestraint: config.replicaAcks > 0,
      announceIp: config.clusterAnnounceIp,
      announcePort: config.clusterAnnouncePort,
      announceTlsPort: config.clusterAnnounceTlsPort,
      announceBusPort: config.clusterAnnounceBusPort,
      announceHostname: config.clusterAnnounceHostname,
      announceHumanNodename: config.clusterAnnounceHumanNodename,
      preferredEndpointType: config.clusterPreferredEndpointType,
      linkSendBufferBytesMax: config.clusterLinkSendbufLimit,
      writableDelayMs: config.clusterRejoinDelayMs,
      writeLease: config.clusterWriteLease,
      allowFrom: config.clusterBusAllow,
    } satisfies BusConfig);
  }
}

/** Directives that the bus reads. */
const observed = [
  "cluster-node-timeout",
  "cluster-replica-validity-factor",
  "repl-ping-replica-period",
  "cluster-migration-barrier",
  "cluster-allow-replica-migration",
  "cluster-require-full-coverage",
  "cluster-allow-reads-when-down",
  "cluster-allow-pubsubshard-when-down",
  "cluster-replica-no-failover",
  "replica-acks",
  "cluster-announce-ip",
  "cluster-announce-port",
  "cluster-announce-bus-port",
  "cluster-announce-hostname",
  "cluster-announce-human-nodename",
  "cluster-preferred-endpoint-type",
  "cluster-link-sendbuf-limit",
  "cluster-rejoin-delay-ms",
  "cluster-write-lease",
  "cluster-bus-allow",
] as const;

/** The bus listens where clients are served. */
function listenHosts(bind: readonly string[]): readonly string[] {
  const hosts = bind.filter((address) => !address.startsWith("-"));
  return (hosts.length === 0 ? ["*"] : hosts).map((address) => {
    if (address === "*") return "0.0.0.0";
    return address === "::*" ? "::" : address;
  });
}
