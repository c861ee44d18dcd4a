/**
 * Packet → message. Owns every check of lengths and ranges, so that whatever it returns can be
 * used without looking at bytes again. Never throws on input: a packet that does not add up is
 * `invalid` with a reason for the log, one of a later protocol is `unknown`; both are dropped
 * whole by the caller and change nothing.
 */

import type { BusHeader, BusMessage, GossipEntry, MessageType } from "../message.js";
import { addressBytesMax, messageTypes, nodeIdLength } from "../message.js";
import { slotBitmapBytes } from "../slot-bitmap.js";
import { readExtensions } from "./extensions.js";
import {
  gossipAt,
  gossipBytes,
  headerAt,
  headerBytes,
  knowsExtensionsFlag,
  messageFlag,
  moduleAt,
  protocolVersion,
  publishAt,
  signature,
  updateAt,
  updateBytes,
} from "./layout.js";

export type DecodeResult =
  | { readonly kind: "message"; readonly message: BusMessage }
  | { readonly kind: "invalid"; readonly reason: string }
  | { readonly kind: "unknown"; readonly typeNumber: number };

/** `bytes` is one whole packet, as the framer cuts it; the result shares no memory with it. */
export function decodePacket(bytes: Uint8Array): DecodeResult {
  const packet = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (packet.length < headerBytes) return invalid("shorter than a header");
  if (packet.toString("latin1", 0, 4) !== signature) return invalid("bad signature");
  if (packet.readUInt32BE(headerAt.totalLength) !== packet.length) return invalid("bad length");
  const version = packet.readUInt16BE(headerAt.version);
  if (version !== protocolVersion) return invalid(`protocol version ${version}`);
  const typeNumber = packet.readUInt16BE(headerAt.type);
  const type = messageTypes[typeNumber];
  if (type === undefined) return { kind: "unknown", typeNumber };
  const header = readHeader(packet);
  if (header === undefined) return invalid("epoch or offset out of range");
  const message = readBody(packet, type, header);
  if (message === undefined) return invalid(`${type} packet of ${packet.length} bytes`);
  return { kind: "message", message };
}

function invalid(reason: string): DecodeResult {
  return { kind: "invalid", reason };
}

function readHeader(packet: Buffer): BusHeader | undefined {
  const currentEpoch = readUint64(packet, headerAt.currentEpoch);
  const configEpoch = readUint64(packet, headerAt.configEpoch);
  const offset = readUint64(packet, headerAt.offset);
  if (currentEpoch < 0 || configEpoch < 0 || offset < 0) return undefined;
  const flagByte = packet[headerAt.messageFlags] as number;
  return {
    sender: packet.toString("latin1", headerAt.sender, headerAt.sender + nodeIdLength),
    port: packet.readUInt16BE(headerAt.port),
    secondaryPort: packet.readUInt16BE(headerAt.secondaryPort),
    busPort: packet.readUInt16BE(headerAt.busPort),
    currentEpoch,
    configEpoch,
    offset,
    slots: new Uint8Array(packet.subarray(headerAt.slots, headerAt.slots + slotBitmapBytes)),
    primaryId: readOptionalId(packet, headerAt.primaryId),
    announcedIp: readAddress(packet, headerAt.announcedIp),
    flags: packet.readUInt16BE(headerAt.flags),
    stateOk: packet[headerAt.state] === 0,
    paused: (flagByte & messageFlag.paused) !== 0,
    forceAck: (flagByte & messageFlag.forceAck) !== 0,
    knowsExtensions: ((packet[headerAt.messageFlags + 2] as number) & knowsExtensionsFlag) !== 0,
  };
}

function readBody(packet: Buffer, type: MessageType, header: BusHeader): BusMessage | undefined {
  const bodyBytes = packet.length - headerBytes;
  const at = headerAt.data;
  switch (type) {
    case "ping":
    case "pong":
    case "meet":
      return readHeartbeat(packet, type, header);
    case "fail":
      if (bodyBytes !== nodeIdLength) return undefined;
      return { type, header, failed: packet.toString("latin1", at, at + nodeIdLength) };
    case "publish":
    case "publishshard": {
      if (bodyBytes < publishAt.bytes) return undefined;
      const channelBytes = packet.readUInt32BE(at + publishAt.channelLength);
      const payloadBytes = packet.readUInt32BE(at + publishAt.payloadLength);
      if (bodyBytes !== publishAt.bytes + channelBytes + payloadBytes) return undefined;
      const middle = at + publishAt.bytes + channelBytes;
      return {
        type,
        header,
        channel: Buffer.from(packet.subarray(at + publishAt.bytes, middle)),
        payload: Buffer.from(packet.subarray(middle)),
      };
    }
    case "auth-req":
    case "auth-ack":
    case "mfstart":
      return bodyBytes === 0 ? { type, header } : undefined;
    case "update": {
      if (bodyBytes !== updateBytes) return undefined;
      const ownerConfigEpoch = readUint64(packet, at + updateAt.configEpoch);
      if (ownerConfigEpoch < 0) return undefined;
      const slotsAt = at + updateAt.slots;
      return {
        type,
        header,
        owner: packet.toString("latin1", at + updateAt.id, at + updateAt.id + nodeIdLength),
        ownerConfigEpoch,
        ownerSlots: new Uint8Array(packet.subarray(slotsAt, slotsAt + slotBitmapBytes)),
      };
    }
    case "module":
      if (bodyBytes < moduleAt.bytes) return undefined;
      if (bodyBytes !== moduleAt.bytes + packet.readUInt32BE(at + moduleAt.length))
        return undefined;
      return { type, header };
  }
}

function readHeartbeat(
  packet: Buffer,
  type: "ping" | "pong" | "meet",
  header: BusHeader,
): BusMessage | undefined {
  const count = packet.readUInt16BE(headerAt.count);
  const gossipEnd = headerAt.data + count * gossipBytes;
  if (gossipEnd > packet.length) return undefined;
  const gossip: GossipEntry[] = [];
  for (let at: number = headerAt.data; at < gossipEnd; at += gossipBytes) {
    gossip.push(readGossip(packet, at));
  }
  if (((packet[headerAt.messageFlags] as number) & messageFlag.extensions) === 0) {
    if (gossipEnd !== packet.length) return undefined;
    return { type, header, gossip, extensions: undefined };
  }
  const read = readExtensions(packet, {
    start: gossipEnd,
    end: packet.length,
    count: packet.readUInt16BE(headerAt.extensions),
  });
  if (read === undefined || read.end !== packet.length) return undefined;
  return { type, header, gossip, extensions: read.extensions };
}

function readGossip(packet: Buffer, at: number): GossipEntry {
  return {
    id: packet.toString("latin1", at + gossipAt.id, at + gossipAt.id + nodeIdLength),
    pingSentSeconds: packet.readUInt32BE(at + gossipAt.pingSent),
    pongReceivedSeconds: packet.readUInt32BE(at + gossipAt.pongReceived),
    ip: readAddress(packet, at + gossipAt.ip),
    port: packet.readUInt16BE(at + gossipAt.port),
    busPort: packet.readUInt16BE(at + gossipAt.busPort),
    flags: packet.readUInt16BE(at + gossipAt.flags),
    secondaryPort: packet.readUInt16BE(at + gossipAt.secondaryPort),
  };
}

/** A zeroed id field means "none". */
function readOptionalId(packet: Buffer, at: number): string | undefined {
  if (packet[at] === 0) return undefined;
  return packet.toString("latin1", at, at + nodeIdLength);
}

function readAddress(packet: Buffer, at: number): string {
  const zero = packet.indexOf(0, at);
  const end = at + addressBytesMax - 1;
  return packet.toString("latin1", at, zero >= 0 && zero < end ? zero : end);
}

/** -1 if the value exceeds 2^53 - 1: no honest epoch or offset gets there. */
function readUint64(packet: Buffer, at: number): number {
  const high = packet.readUInt32BE(at);
  if (high >= 2 ** 21) return -1;
  return high * 2 ** 32 + packet.readUInt32BE(at + 4);
}
