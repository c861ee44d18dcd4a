/**
 * Where each field of a bus packet lies, in bytes. All integers are big endian. Owns the offsets
 * and asserts their arithmetic once at load; reads and writes nothing. The numbers are those that
 * Redis fixes by static asserts since 7.0, checked here against captured packets too.
 */

import { assert } from "../assert.js";
import { addressBytesMax, nodeIdLength } from "../message.js";
import { slotBitmapBytes } from "../slot-bitmap.js";

export const signature = "RCmb";
export const protocolVersion = 1;

export const headerAt = {
  signature: 0,
  totalLength: 4,
  version: 8,
  port: 10,
  type: 12,
  count: 14,
  currentEpoch: 16,
  configEpoch: 24,
  offset: 32,
  sender: 40,
  slots: 80,
  primaryId: 2128,
  announcedIp: 2168,
  extensions: 2214,
  reserved: 2216,
  secondaryPort: 2246,
  busPort: 2248,
  flags: 2250,
  state: 2252,
  messageFlags: 2253,
  data: 2256,
} as const;

export const headerBytes = headerAt.data;

/** Bits of the first message-flags byte. */
export const messageFlag = { paused: 1, forceAck: 2, extensions: 4 } as const;

/**
 * Bit of the third message-flags byte, which no server reads: "I know every extension". Set by
 * slotlog only.
 */
export const knowsExtensionsFlag = 0x80;

export const gossipAt = {
  id: 0,
  pingSent: 40,
  pongReceived: 44,
  ip: 48,
  port: 94,
  busPort: 96,
  flags: 98,
  secondaryPort: 100,
  reserved: 102,
} as const;

export const gossipBytes = 104;

export const updateAt = { configEpoch: 0, id: 8, slots: 48 } as const;
export const updateBytes = 2096;

export const publishAt = { channelLength: 0, payloadLength: 4, bytes: 8 } as const;

export const moduleAt = { id: 0, length: 8, type: 12, bytes: 13 } as const;

/** An extension is its own length, type and padding, then data padded to 8 bytes. */
export const extensionAt = { length: 0, type: 4, unused: 6, data: 8 } as const;

export const extensionType = { hostname: 0, humanName: 1, forgottenNode: 2, shardId: 3 } as const;

export const forgottenAt = { id: 0, ttl: 40 } as const;
export const forgottenBytes = 48;

assert(
  headerAt.slots + slotBitmapBytes === headerAt.primaryId,
  "slots end where the primary begins",
);
assert(
  headerAt.primaryId + nodeIdLength === headerAt.announcedIp,
  "the primary ends at the address",
);
assert(headerAt.announcedIp + addressBytesMax === headerAt.extensions, "the address is 46 bytes");
assert(headerAt.reserved + 30 === headerAt.secondaryPort, "30 bytes are reserved");
assert(headerAt.messageFlags + 3 === headerAt.data, "the header has 2256 bytes");
assert(gossipAt.ip + addressBytesMax === gossipAt.port, "a gossip address is 46 bytes");
assert(gossipAt.reserved + 2 === gossipBytes, "a gossip entry has 104 bytes");
assert(updateAt.slots + slotBitmapBytes === updateBytes, "an update has 2096 bytes");
