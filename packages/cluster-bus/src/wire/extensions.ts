/**
 * The optional data behind the gossip of a ping, pong or meet: hostname, human name, forgotten
 * nodes, shard id. Owns their encoding and the walk over received ones. An extension of unknown
 * type is skipped by its length; one whose length is not a multiple of 8, or reaches beyond the
 * packet, makes the packet invalid.
 */

import type { ForgottenNode, PingExtensions } from "../message.js";
import { nodeIdLength } from "../message.js";
import { extensionAt, extensionType, forgottenAt, forgottenBytes } from "./layout.js";

export interface ReadExtensions {
  readonly extensions: PingExtensions;
  /** Where the last one ends. */
  readonly end: number;
}

export function extensionsBytes(extensions: PingExtensions): number {
  let bytes = 0;
  if (extensions.hostname !== undefined) bytes += textBytes(extensions.hostname);
  if (extensions.humanName !== undefined) bytes += textBytes(extensions.humanName);
  bytes += extensions.forgotten.length * (extensionAt.data + forgottenBytes);
  if (extensions.shardId !== undefined) bytes += extensionAt.data + nodeIdLength;
  return bytes;
}

/** Writes all and returns how many there were. */
export function writeExtensions(packet: Buffer, start: number, extensions: PingExtensions): number {
  let at = start;
  let count = 0;
  const begin = (type: number, length: number): number => {
    packet.writeUInt32BE(length, at + extensionAt.length);
    packet.writeUInt16BE(type, at + extensionAt.type);
    const data = at + extensionAt.data;
    at += length;
    count++;
    return data;
  };
  if (extensions.hostname !== undefined) {
    const data = begin(extensionType.hostname, textBytes(extensions.hostname));
    packet.write(extensions.hostname, data, "latin1");
  }
  if (extensions.humanName !== undefined) {
    const data = begin(extensionType.humanName, textBytes(extensions.humanName));
    packet.write(extensions.humanName, data, "latin1");
  }
  for (const forgotten of extensions.forgotten) {
    const data = begin(extensionType.forgottenNode, extensionAt.data + forgottenBytes);
    packet.write(forgotten.id, data + forgottenAt.id, nodeIdLength, "latin1");
    packet.writeUInt32BE(forgotten.ttlSeconds, data + forgottenAt.ttl + 4);
  }
  if (extensions.shardId !== undefined) {
    const data = begin(extensionType.shardId, extensionAt.data + nodeIdLength);
    packet.write(extensions.shardId, data, nodeIdLength, "latin1");
  }
  return count;
}

/** Reads `count` extensions between `start` and `end`; undefined if they do not fit. */
export function readExtensions(
  packet: Buffer,
  range: { readonly start: number; readonly end: number; readonly count: number },
): ReadExtensions | undefined {
  let at = range.start;
  let hostname: string | undefined;
  let humanName: string | undefined;
  let shardId: string | undefined;
  const forgotten: ForgottenNode[] = [];
  for (let i = 0; i < range.count; i++) {
    if (range.end - at < extensionAt.data) return undefined;
    const length = packet.readUInt32BE(at + extensionAt.length);
    if (length < extensionAt.data || length % 8 !== 0 || length > range.end - at) return undefined;
    const data = at + extensionAt.data;
    const end = at + length;
    switch (packet.readUInt16BE(at + extensionAt.type)) {
      case extensionType.hostname:
        hostname = readText(packet, data, end);
        break;
      case extensionType.humanName:
        humanName = readText(packet, data, end);
        break;
      case extensionType.forgottenNode:
        if (end - data < forgottenBytes) return undefined;
        forgotten.push({
          id: packet.toString("latin1", data, data + nodeIdLength),
          ttlSeconds: readTtl(packet, data + forgottenAt.ttl),
        });
        break;
      case extensionType.shardId:
        if (end - data < nodeIdLength) return undefined;
        shardId = packet.toString("latin1", data, data + nodeIdLength);
        break;
      default:
        break;
    }
    at = end;
  }
  const extensions: PingExtensions = {
    ...(hostname === undefined ? {} : { hostname }),
    ...(humanName === undefined ? {} : { humanName }),
    forgotten,
    ...(shardId === undefined ? {} : { shardId }),
    count: range.count,
  };
  return { extensions, end: at };
}

/** Header, text, at least one zero, padded to 8 bytes. */
function textBytes(text: string): number {
  return extensionAt.data + Math.ceil((text.length + 1) / 8) * 8;
}

function readText(packet: Buffer, start: number, end: number): string {
  const zero = packet.indexOf(0, start);
  return packet.toString("latin1", start, zero >= 0 && zero < end ? zero : end);
}

/** A ban is some minutes at most; anything absurd is cut to an hour. */
function readTtl(packet: Buffer, at: number): number {
  const high = packet.readUInt32BE(at);
  return Math.min(high === 0 ? packet.readUInt32BE(at + 4) : 3600, 3600);
}
