/**
 * The directives that the bus obeys. The record is mutable on purpose: CONFIG SET writes into it
 * and then sends `host-changed`; nothing here is copied at start.
 */

export type PreferredEndpointType = "ip" | "hostname" | "unknown-endpoint";

export interface BusConfig {
  /** The port clients use; what peers are told unless `announcePort` says otherwise. */
  port: number;
  tlsPort: number;
  /** 0: `port + 10000`. */
  busPort: number;
  nodeTimeoutMs: number;
  /** 0: a replica of any age may stand for election. */
  replicaValidityFactor: number;
  replPingReplicaPeriodMs: number;
  migrationBarrier: number;
  allowReplicaMigration: boolean;
  requireFullCoverage: boolean;
  allowReadsWhenDown: boolean;
  allowPubsubshardWhenDown: boolean;
  replicaNoFailover: boolean;
  /**
   * Replicas' confirmations mean something (`replica-acks`): a replica counts a sibling that it has
   * not heard since their primary failed as one with more data, and itself as one with less if the
   * primary was last heard of at an offset that it does not have.
   */
  standsWithRestraint: boolean;
  /** Empty: found out from the sockets of peers. */
  announceIp: string;
  announcePort: number;
  announceTlsPort: number;
  announceBusPort: number;
  announceHostname: string;
  announceHumanNodename: string;
  preferredEndpointType: PreferredEndpointType;
  /** Unsent bytes at which a link is closed; 0: never. */
  linkSendBufferBytesMax: number;
  /**
   * A primary that starts is not writable for this long, so that a successor can make itself known.
   */
  writableDelayMs: number;
  /** Whether a primary stops taking writes before a successor can be elected: `write-lease.ts`. */
  writeLease: boolean;
  /** Addresses and CIDR ranges that may connect to the bus port; empty: all. */
  allowFrom: readonly string[];
}

export const busPortIncrement = 10000;

export function defaultBusConfig(): BusConfig {
  return {
    port: 6379,
    tlsPort: 0,
    busPort: 0,
    nodeTimeoutMs: 15000,
    replicaValidityFactor: 10,
    replPingReplicaPeriodMs: 10000,
    migrationBarrier: 1,
    allowReplicaMigration: true,
    requireFullCoverage: true,
    allowReadsWhenDown: false,
    allowPubsubshardWhenDown: true,
    replicaNoFailover: false,
    standsWithRestraint: false,
    announceIp: "",
    announcePort: 0,
    announceTlsPort: 0,
    announceBusPort: 0,
    announceHostname: "",
    announceHumanNodename: "",
    preferredEndpointType: "ip",
    linkSendBufferBytesMax: 0,
    writableDelayMs: 2000,
    writeLease: true,
    allowFrom: [],
  };
}

/** The port the bus listens on. */
export function listenBusPort(config: BusConfig): number {
  return config.busPort !== 0 ? config.busPort : config.port + busPortIncrement;
}

export function announcedPorts(config: BusConfig): {
  readonly port: number;
  readonly tlsPort: number;
  readonly busPort: number;
} {
  return {
    port: config.announcePort !== 0 ? config.announcePort : config.port,
    tlsPort: config.announceTlsPort !== 0 ? config.announceTlsPort : config.tlsPort,
    busPort: config.announceBusPort !== 0 ? config.announceBusPort : listenBusPort(config),
  };
}
