/**
 * The text of `nodes.conf` as data, read and written. Reads what Redis 7.0 and 7.2 write; writes
 * what both read without a word in their logs. 7.2 puts shard ids behind the address, which 7.0
 * takes for a hostname and serves to clients, so ours ride behind the link state, a field that
 * every loader skips (7.2 makes new shard ids then, as after an upgrade from 7.0).
 *
 * Refuses a file it does not understand, with the line: a node that starts under a wrong identity
 * harms the cluster.
 */

import type { NodeId } from "./message.js";
import { isNodeId } from "./message.js";
import { slotCount } from "./slot.js";
import type { SlotRange } from "./slot-bitmap.js";
import { formatSlotRanges } from "./slot-bitmap.js";

export interface OpenSlot {
  readonly slot: number;
  readonly direction: "migrating" | "importing";
  readonly node: NodeId;
}

export interface NodeLine {
  readonly id: NodeId;
  readonly ip: string;
  readonly port: number;
  readonly tlsPort: number;
  readonly busPort: number;
  readonly hostname: string;
  readonly humanName: string;
  /** Undefined in files of Redis 7.0. */
  readonly shardId: string | undefined;
  readonly flags: readonly string[];
  readonly primaryId: NodeId | undefined;
  /** Milliseconds in what we write; only "is it zero" counts when read. */
  readonly pingSent: number;
  readonly pongReceived: number;
  readonly configEpoch: number;
  readonly connected: boolean;
  readonly ranges: readonly SlotRange[];
  readonly openSlots: readonly OpenSlot[];
}

export interface NodesConf {
  readonly nodes: readonly NodeLine[];
  readonly currentEpoch: number;
  readonly lastVoteEpoch: number;
}

export class NodesConfError extends Error {
  override readonly name = "NodesConfError";
  readonly code = "SLOTLOG_NODES_CONF_CORRUPTED";
  readonly line: string;

  constructor(line: string, reason: string) {
    super(`Unrecoverable error: corrupted cluster config file "${line}": ${reason}`);
    this.line = line;
  }
}

const knownFlags: readonly string[] = [
  "myself",
  "master",
  "slave",
  "fail?",
  "fail",
  "handshake",
  "noaddr",
  "nofailover",
  "noflags",
];

const busPortIncrement = 10000;

/** The address, flags, epochs, link state and slots of one node, as CLUSTER NODES prints them. */
export function formatNodeLine(node: NodeLine, target: "client" | "file"): string {
  const hostname = node.hostname === "" ? "" : `,${node.hostname}`;
  const shard = target === "file" && node.shardId !== undefined ? `,shard-id=${node.shardId}` : "";
  const parts = [
    node.id,
    `${node.ip}:${node.port}@${node.busPort}${hostname}`,
    node.flags.length > 0 ? node.flags.join(",") : "noflags",
    node.primaryId ?? "-",
    String(node.pingSent),
    String(node.pongReceived),
    String(node.configEpoch),
    (node.connected ? "connected" : "disconnected") + shard,
  ];
  if (node.ranges.length > 0) parts.push(formatSlotRanges(node.ranges));
  for (const open of node.openSlots) {
    const arrow = open.direction === "migrating" ? "->-" : "-<-";
    parts.push(`[${open.slot}${arrow}${open.node}]`);
  }
  return parts.join(" ");
}

export function formatNodesConf(conf: NodesConf): string {
  const lines = conf.nodes.map((node) => formatNodeLine(node, "file"));
  lines.push(`vars currentEpoch ${conf.currentEpoch} lastVoteEpoch ${conf.lastVoteEpoch}`);
  return `${lines.join("\n")}\n`;
}

/** Undefined for an empty file: real nodes create one just to lock it. */
export function parseNodesConf(text: string): NodesConf | undefined {
  if (text.length === 0) return undefined;
  const nodes = new Map<string, NodeLine>();
  let currentEpoch = 0;
  let lastVoteEpoch = 0;
  let myselfCount = 0;
  for (const line of text.split("\n")) {
    const fields = line.split(/[ \t\r]+/).filter((field) => field !== "");
    const first = fields[0];
    if (first === undefined) continue;
    if (first.toLowerCase() === "vars") {
      if (fields.length % 2 === 0) throw new NodesConfError(line, "vars come in pairs");
      for (let i = 1; i < fields.length; i += 2) {
        const name = (fields[i] as string).toLowerCase();
        if (name === "currentepoch") currentEpoch = parseNumber(fields[i + 1] as string);
        else if (name === "lastvoteepoch") lastVoteEpoch = parseNumber(fields[i + 1] as string);
      }
      continue;
    }
    const node = parseNodeLine(line, fields);
    if (node.flags.includes("myself")) myselfCount++;
    nodes.set(node.id, node);
  }
  if (myselfCount !== 1) throw new NodesConfError("", "no line, or more than one, is `myself`");
  return { nodes: [...nodes.values()], currentEpoch, lastVoteEpoch };
}

function parseNodeLine(line: string, fields: readonly string[]): NodeLine {
  if (fields.length < 8) throw new NodesConfError(line, "fewer than 8 fields");
  const [id, address, flagText, primary, ping, pong, epoch, linkState] = fields as [
    string,
    string,
    string,
    string,
    string,
    string,
    string,
    string,
  ];
  if (!isNodeId(id)) throw new NodesConfError(line, "bad node id");
  let primaryId: NodeId | undefined;
  if (primary !== "-") {
    if (!isNodeId(primary)) throw new NodesConfError(line, "bad id of a primary");
    primaryId = primary;
  }
  const flags = flagText.toLowerCase().split(",");
  for (const flag of flags) {
    if (!knownFlags.includes(flag)) throw new NodesConfError(line, `unknown flag ${flag}`);
  }
  const [state, ...stateFields] = linkState.split(",");
  const ranges: SlotRange[] = [];
  const openSlots: OpenSlot[] = [];
  for (const field of fields.slice(8)) {
    if (field.startsWith("[")) openSlots.push(parseOpenSlot(line, field));
    else ranges.push(parseRange(line, field));
  }
  return {
    id,
    ...parseAddress(line, address, stateFields),
    flags: flags.filter((flag) => flag !== "noflags"),
    primaryId,
    pingSent: parseNumber(ping),
    pongReceived: parseNumber(pong),
    configEpoch: parseNumber(epoch),
    connected: state === "connected",
    ranges,
    openSlots,
  };
}

type AddressFields = Pick<
  NodeLine,
  "ip" | "port" | "tlsPort" | "busPort" | "hostname" | "humanName" | "shardId"
>;

/** `ip:port[@busport][,hostname][,name=value]*`, the ip with colons of its own if it is IPv6. */
function parseAddress(line: string, text: string, stateFields: readonly string[]): AddressFields {
  const [endpoint, hostname, ...auxiliary] = text.split(",") as [string, ...string[]];
  const colon = endpoint.lastIndexOf(":");
  if (colon < 0) throw new NodesConfError(line, "an address without a port");
  const [portText, busPortText] = endpoint.slice(colon + 1).split("@") as [string, ...string[]];
  let port = parseNumber(portText);
  let tlsPort = 0;
  let humanName = "";
  let shardId: string | undefined;
  for (const field of [...auxiliary, ...stateFields]) {
    const [name, value, ...more] = field.split("=");
    if (value === undefined || more.length > 0) throw new NodesConfError(line, `field ${field}`);
    if (name === "shard-id") {
      if (!isNodeId(value)) throw new NodesConfError(line, "bad shard id");
      shardId = value;
    } else if (name === "nodename") humanName = value;
    else if (name === "tls-port") tlsPort = parseNumber(value);
    // Written by a node whose bus runs over TLS: the port before the `@` is then the TLS one.
    else if (name === "tcp-port") {
      tlsPort = port;
      port = parseNumber(value);
    } else throw new NodesConfError(line, `unknown field ${field}`);
  }
  return {
    ip: endpoint.slice(0, colon),
    port,
    tlsPort,
    busPort: busPortText === undefined ? port + busPortIncrement : parseNumber(busPortText),
    hostname: hostname ?? "",
    humanName,
    shardId,
  };
}

function parseOpenSlot(line: string, field: string): OpenSlot {
  const match = /^\[(\d+)-([<>])-([0-9a-z]{40})\]$/.exec(field);
  if (match === null) throw new NodesConfError(line, `open slot ${field}`);
  const [, slotText, direction, node] = match as unknown as [string, string, string, string];
  return {
    slot: parseSlot(line, slotText),
    direction: direction === ">" ? "migrating" : "importing",
    node: node as NodeId,
  };
}

function parseRange(line: string, field: string): SlotRange {
  const match = /^(\d+)(?:-(\d+))?$/.exec(field);
  if (match === null) throw new NodesConfError(line, `slots ${field}`);
  const start = parseSlot(line, match[1] as string);
  return { start, end: match[2] === undefined ? start : parseSlot(line, match[2]) };
}

function parseSlot(line: string, text: string): number {
  const slot = Number(text);
  if (!Number.isInteger(slot) || slot < 0 || slot >= slotCount) {
    throw new NodesConfError(line, `slot ${text}`);
  }
  return slot;
}

/** Digits up to the first other character, as C's `strtoull` reads them. */
function parseNumber(text: string): number {
  const value = Number.parseInt(text, 10);
  return Number.isSafeInteger(value) && value > 0 ? value : 0;
}
