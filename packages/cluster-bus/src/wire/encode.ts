/**
 * Message → packet. Owns the writing of headers, gossip and bodies; extensions are in their own
 * file. Refuses (by assertion) what the format cannot carry, never truncates silently except
 * addresses and names, whose lengths are checked where they are configured.
 */

import { assert } from "../assert.js";
import type { BusHeader, BusMessage, GossipEntry } from "../message.js";
import { addressBytesMax, messageTypes, nodeIdLength } from "../message.js";
import { slotBitmapBytes } from "../slot-bitmap.js";
import { extensionsBytes, writeExtensions } from "./extensions.js";
import {
  gossipAt,
  gossipBytes,
  headerAt,
  headerBytes,
  knowsExtensionsFlag,
  messageFlag,
  protocolVersion,
  publishAt,
  signature,
  updateAt,
  updateBytes,
} from "./layout.js";

export function encodeMessage(message: BusMessage): Buffer {
  const total = packetBytes(message);
  const packet = Buffer.alloc(total);
  writeHeader(packet, message, total);
  switch (message.type) {
    case "ping":
    case "pong":
    case "meet": {
      let at: number = headerAt.data;
      for (const entry of message.gossip) {
        writeGossip(packet, at, entry);
        at += gossipBytes;
      }
      packet.writeUInt16BE(message.gossip.length, headerAt.count);
      if (message.extensions !== undefined) {
        const count = writeExtensions(packet, at, message.extensions);
        packet.writeUInt16BE(count, headerAt.extensions);
        packet[headerAt.messageFlags] =
          (packet[headerAt.messageFlags] as number) | messageFlag.extensions;
      }
      break;
    }
    case "fail":
      writeId(packet, headerAt.data, message.failed);
      break;
    case "publish":
    case "publishshard": {
      const at = headerAt.data;
      packet.writeUInt32BE(message.channel.length, at + publishAt.channelLength);
      packet.writeUInt32BE(message.payload.length, at + publishAt.payloadLength);
      packet.set(message.channel, at + publishAt.bytes);
      packet.set(message.payload, at + publishAt.bytes + message.channel.length);
      break;
    }
    case "update": {
      const at = headerAt.data;
      writeUint64(packet, at + updateAt.configEpoch, message.ownerConfigEpoch);
      writeId(packet, at + updateAt.id, message.owner);
      packet.set(message.ownerSlots, at + updateAt.slots);
      break;
    }
    case "auth-req":
    case "auth-ack":
    case "mfstart":
      break;
    case "module":
      assert(false, "module messages are never sent");
  }
  return packet;
}

/** How long the packet is, without making it. */
export function packetBytes(message: BusMessage): number {
  switch (message.type) {
    case "ping":
    case "pong":
    case "meet": {
      const extensions = message.extensions;
      return (
        headerBytes +
        message.gossip.length * gossipBytes +
        (extensions === undefined ? 0 : extensionsBytes(extensions))
      );
    }
    case "fail":
      return headerBytes + nodeIdLength;
    case "publish":
    case "publishshard":
      return headerBytes + publishAt.bytes + message.channel.length + message.payload.length;
    case "update":
      return headerBytes + updateBytes;
    case "auth-req":
    case "auth-ack":
    case "mfstart":
    case "module":
      return headerBytes;
  }
}

function writeHeader(packet: Buffer, message: BusMessage, total: number): void {
  const header: BusHeader = message.header;
  assert(header.slots.length === slotBitmapBytes, "a header carries a full slot bitmap");
  packet.write(signature, headerAt.signature, "latin1");
  packet.writeUInt32BE(total, headerAt.totalLength);
  packet.writeUInt16BE(protocolVersion, headerAt.version);
  packet.writeUInt16BE(header.port, headerAt.port);
  packet.writeUInt16BE(messageTypes.indexOf(message.type), headerAt.type);
  writeUint64(packet, headerAt.currentEpoch, header.currentEpoch);
  writeUint64(packet, headerAt.configEpoch, header.configEpoch);
  writeUint64(packet, headerAt.offset, header.offset);
  writeId(packet, headerAt.sender, header.sender);
  packet.set(header.slots, headerAt.slots);
  if (header.primaryId !== undefined) writeId(packet, headerAt.primaryId, header.primaryId);
  writeAddress(packet, headerAt.announcedIp, header.announcedIp);
  packet.writeUInt16BE(header.secondaryPort, headerAt.secondaryPort);
  packet.writeUInt16BE(header.busPort, headerAt.busPort);
  packet.writeUInt16BE(header.flags, headerAt.flags);
  packet[headerAt.state] = header.stateOk ? 0 : 1;
  packet[headerAt.messageFlags] =
    (header.paused ? messageFlag.paused : 0) | (header.forceAck ? messageFlag.forceAck : 0);
  packet[headerAt.messageFlags + 2] = header.knowsExtensions ? knowsExtensionsFlag : 0;
}

function writeGossip(packet: Buffer, at: number, entry: GossipEntry): void {
  writeId(packet, at + gossipAt.id, entry.id);
  packet.writeUInt32BE(entry.pingSentSeconds >>> 0, at + gossipAt.pingSent);
  packet.writeUInt32BE(entry.pongReceivedSeconds >>> 0, at + gossipAt.pongReceived);
  writeAddress(packet, at + gossipAt.ip, entry.ip);
  packet.writeUInt16BE(entry.port, at + gossipAt.port);
  packet.writeUInt16BE(entry.busPort, at + gossipAt.busPort);
  packet.writeUInt16BE(entry.flags, at + gossipAt.flags);
  packet.writeUInt16BE(entry.secondaryPort, at + gossipAt.secondaryPort);
}

function writeId(packet: Buffer, at: number, id: string): void {
  assert(id.length === nodeIdLength, "a node id has 40 characters");
  packet.write(id, at, nodeIdLength, "latin1");
}

function writeAddress(packet: Buffer, at: number, ip: string): void {
  // The last byte stays zero: receivers read the field as a C string.
  packet.write(ip, at, Math.min(ip.length, addressBytesMax - 1), "latin1");
}

export function writeUint64(packet: Buffer, at: number, value: number): void {
  assert(Number.isSafeInteger(value) && value >= 0, "epochs and offsets are safe integers");
  packet.writeUInt32BE(Math.floor(value / 2 ** 32), at);
  packet.writeUInt32BE(value % 2 ** 32, at + 4);
}
