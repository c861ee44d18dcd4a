/**
 * The messages of the bus as values, free of byte offsets. `wire/` turns them into packets and
 * back; the core reads and makes them. Epochs and offsets are safe integers here: the decoder
 * refuses packets that carry larger ones.
 */

/** 40 characters of 0-9 a-z. */
export type NodeId = string & { readonly brand: "NodeId" };

/** Unix milliseconds. */
export type Millis = number;

export const nodeIdLength = 40;

/** The longest textual address on the wire, with its terminating zero (`INET6_ADDRSTRLEN`). */
export const addressBytesMax = 46;

const nodeIdPattern = /^[0-9a-z]{40}$/;

export function isNodeId(text: string): text is NodeId {
  return nodeIdPattern.test(text);
}

/** Flags of a node as they travel in headers and gossip entries. */
export const nodeFlags = {
  primary: 1,
  replica: 2,
  suspected: 4,
  failed: 8,
  myself: 16,
  handshake: 32,
  noAddress: 64,
  meet: 128,
  migrateTo: 256,
  noFailover: 512,
} as const;

export const messageTypes = [
  "ping",
  "pong",
  "meet",
  "fail",
  "publish",
  "auth-req",
  "auth-ack",
  "update",
  "mfstart",
  "module",
  "publishshard",
] as const;

export type MessageType = (typeof messageTypes)[number];

/** What every message says about its sender. */
export interface BusHeader {
  readonly sender: string;
  readonly port: number;
  /** The TLS port where `port` is the plain one, or the other way round; 0 if there is none. */
  readonly secondaryPort: number;
  readonly busPort: number;
  readonly currentEpoch: number;
  /** Of the sender if it is a primary, else of its primary. */
  readonly configEpoch: number;
  readonly offset: number;
  /** Slots of the sender if it is a primary, else of its primary. Never mutated once sent. */
  readonly slots: Uint8Array;
  readonly primaryId: string | undefined;
  /** Empty unless the sender announces an address; receivers then look at the socket. */
  readonly announcedIp: string;
  readonly flags: number;
  readonly stateOk: boolean;
  /** The primary has paused its writers for a manual failover. */
  readonly paused: boolean;
  /** Vote even if the primary is up: a manual failover. */
  readonly forceAck: boolean;
  /** The sender reads every extension there is; only slotlog says so here. */
  readonly knowsExtensions: boolean;
}

export interface GossipEntry {
  readonly id: string;
  /** Of an entry that never was on the wire; see `IdNumbers`. */
  readonly idNumber?: number | undefined;
  /** Unix seconds; 0 if no ping is pending. */
  readonly pingSentSeconds: number;
  readonly pongReceivedSeconds: number;
  readonly ip: string;
  readonly port: number;
  readonly secondaryPort: number;
  readonly busPort: number;
  readonly flags: number;
}

export interface ForgottenNode {
  readonly id: string;
  readonly ttlSeconds: number;
}

/** Optional data behind the gossip entries; what is absent was not sent. */
export interface PingExtensions {
  readonly hostname?: string;
  readonly humanName?: string;
  readonly forgotten: readonly ForgottenNode[];
  readonly shardId?: string;
  /** How many extensions the packet held, known or not. */
  readonly count: number;
}

export interface HeartbeatMessage {
  readonly type: "ping" | "pong" | "meet";
  readonly header: BusHeader;
  readonly gossip: readonly GossipEntry[];
  /** Undefined if the packet does not carry the extension flag at all. */
  readonly extensions: PingExtensions | undefined;
}

export interface FailMessage {
  readonly type: "fail";
  readonly header: BusHeader;
  readonly failed: string;
}

export interface PublishMessage {
  readonly type: "publish" | "publishshard";
  readonly header: BusHeader;
  readonly channel: Uint8Array;
  readonly payload: Uint8Array;
}

export interface PlainMessage {
  readonly type: "auth-req" | "auth-ack" | "mfstart";
  readonly header: BusHeader;
}

export interface UpdateMessage {
  readonly type: "update";
  readonly header: BusHeader;
  readonly owner: string;
  readonly ownerConfigEpoch: number;
  readonly ownerSlots: Uint8Array;
}

/** Messages between modules of a real server; received and counted, never acted on. */
export interface ModuleMessage {
  readonly type: "module";
  readonly header: BusHeader;
}

export type BusMessage =
  | HeartbeatMessage
  | FailMessage
  | PublishMessage
  | PlainMessage
  | UpdateMessage
  | ModuleMessage;
