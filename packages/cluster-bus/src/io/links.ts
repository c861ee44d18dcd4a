/**
 * The sockets behind the core's links: dialling, accepting, cutting input into packets, encoding
 * each message once for all its receivers, and the limits. Decides nothing; what it sees it hands
 * to the core as inputs.
 */

import type { Buffer } from "node:buffer";
import type { LinkId } from "../core/effects.js";
import type { BusMessage } from "../message.js";
import { decodePacket } from "../wire/decode.js";
import { encodeMessage } from "../wire/encode.js";
import { PacketFramer } from "../wire/framer.js";
import { headerAt } from "../wire/layout.js";
import type { BusLog, BusNet, BusSocket } from "./ports.js";

/**
 * The most a stranger may send in one packet: the largest ping there can be is 65,535 gossip
 * entries of 104 bytes, 6.5 MiB.
 */
const strangerPacketBytesMax = 8 * 1024 * 1024;
/** From nodes we know, a PUBLISH of the largest string (512 MiB), with its channel. */
const memberPacketBytesMax = 1024 * 1024 * 1024;
/** Accepted links on which no known node has spoken yet. */
const strangersMax = 256;

interface LinkSocket {
  readonly id: LinkId;
  readonly socket: BusSocket;
  readonly framer: PacketFramer;
  readonly inbound: boolean;
}

export interface LinkEvents {
  nextLinkId(): LinkId;
  linkIsKnown(link: LinkId): boolean;
  onAccepted(link: LinkId, socket: BusSocket): void;
  onConnected(link: LinkId, socket: BusSocket): void;
  onClosed(link: LinkId): void;
  onMessage(link: LinkId, message: BusMessage): void;
}

export class Links {
  readonly #net: BusNet;
  readonly #log: BusLog;
  readonly #events: LinkEvents;
  readonly #sockets = new Map<LinkId, LinkSocket>();
  /** Packets with this type number are lost on arrival: what a test wants to go missing. */
  droppedType: number | undefined;

  constructor(options: {
    readonly net: BusNet;
    readonly log: BusLog;
    readonly events: LinkEvents;
  }) {
    this.#net = options.net;
    this.#log = options.log;
    this.#events = options.events;
  }

  accept(socket: BusSocket): void {
    this.#log.verbose(
      `Accepting cluster node connection from ${socket.remoteAddress}:${socket.remotePort}`,
    );
    this.#makeRoomForStranger();
    const id = this.#events.nextLinkId();
    this.#attach(id, socket, true);
    this.#events.onAccepted(id, socket);
  }

  dial(id: LinkId, host: string, port: number): void {
    const socket = this.#net.dial({ host, port });
    this.#attach(id, socket, false);
  }

  /** No event follows. */
  disconnect(id: LinkId): void {
    const link = this.#sockets.get(id);
    if (link === undefined) return;
    this.#sockets.delete(id);
    link.framer.close();
    link.socket.destroy();
  }

  send(ids: readonly LinkId[], message: BusMessage): void {
    let packet: Buffer | undefined;
    for (const id of ids) {
      const link = this.#sockets.get(id);
      if (link === undefined) continue;
      // One packet for all: nobody changes it, so all sockets may hold it.
      packet ??= encodeMessage(message);
      link.socket.write(packet);
    }
  }

  bufferedBytes(id: LinkId): number {
    return this.#sockets.get(id)?.socket.bufferedBytes ?? 0;
  }

  /** Bytes that all links hold: unsent ones, and packets that have not arrived whole. */
  get heldBytes(): number {
    let bytes = 0;
    for (const { socket, framer } of this.#sockets.values()) {
      bytes += socket.bufferedBytes + framer.heldBytes;
    }
    return bytes;
  }

  /** Links whose unsent bytes exceed the limit. */
  overLimit(bytesMax: number): LinkId[] {
    const over: LinkId[] = [];
    for (const link of this.#sockets.values()) {
      if (link.socket.bufferedBytes > bytesMax) over.push(link.id);
    }
    return over;
  }

  closeAll(): void {
    for (const id of this.#sockets.keys()) this.disconnect(id);
  }

  #attach(id: LinkId, socket: BusSocket, inbound: boolean): void {
    const framer = new PacketFramer((packet) => this.#onPacket(id, packet));
    this.#sockets.set(id, { id, socket, framer, inbound });
    socket.setHandlers({
      onConnect: () => {
        if (this.#sockets.has(id)) this.#events.onConnected(id, socket);
      },
      onData: (chunk) => this.#onData(id, chunk),
      onClose: () => this.#onClose(id),
    });
  }

  #onData(id: LinkId, chunk: Buffer): void {
    const link = this.#sockets.get(id);
    if (link === undefined) return;
    const known = this.#events.linkIsKnown(id);
    const bytesMax = known ? memberPacketBytesMax : strangerPacketBytesMax;
    if (link.framer.push(chunk, bytesMax) === undefined) return;
    const { remoteAddress, remotePort } = link.socket;
    this.#log.warning(
      "Bad message length or signature received on the Cluster bus " +
        `from ${remoteAddress}:${remotePort}`,
    );
    this.disconnect(id);
    this.#events.onClosed(id);
  }

  #onPacket(id: LinkId, packet: Buffer): void {
    if (this.droppedType === packet.readUInt16BE(headerAt.type)) return;
    const result = decodePacket(packet);
    switch (result.kind) {
      case "message":
        this.#events.onMessage(id, result.message);
        break;
      case "invalid":
        this.#log.warning(`Received invalid packet on the Cluster bus: ${result.reason}`);
        break;
      case "unknown":
        this.#log.warning(`Received unknown packet type: ${result.typeNumber}`);
        break;
    }
  }

  #onClose(id: LinkId): void {
    const link = this.#sockets.get(id);
    if (link === undefined) return;
    this.#sockets.delete(id);
    link.framer.close();
    this.#events.onClosed(id);
  }

  /** Closes the oldest stranger when there are too many; members are never affected. */
  #makeRoomForStranger(): void {
    let strangers = 0;
    let oldest: LinkId | undefined;
    for (const link of this.#sockets.values()) {
      if (!link.inbound || this.#events.linkIsKnown(link.id)) continue;
      strangers++;
      oldest ??= link.id;
    }
    if (strangers < strangersMax || oldest === undefined) return;
    this.disconnect(oldest);
    this.#events.onClosed(oldest);
  }
}
