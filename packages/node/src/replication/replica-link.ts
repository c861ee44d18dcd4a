/**
 * One replica of ours, from its request to its end: its state, what it has confirmed, and sending
 * it the stream out of the shared backlog. It holds no bytes of the stream itself: a slow replica
 * costs what the backlog keeps for it, up to `client-output-buffer-limit replica`.
 */

import { CommandDecoder, ProtocolError } from "@slotlog/resp";
import type { Socket, SocketHandlers } from "../ports.js";
import type { Backlog } from "./core/backlog.js";
import { moveReplicaLink, type ReplicaLinkState } from "./core/link-state.js";
import { answerReplconf, type ReplicaPeer } from "./replica-peer.js";
import type { ReplicationSettings } from "./settings.js";

/** So much may lie in a socket; the rest waits in the backlog, where it is shared. */
const socketBytesMax = 1024 * 1024;

export interface ReplicaLinkHost {
  readonly settings: ReplicationSettings;
  /** Monotonic milliseconds. */
  now(): number;
  onAcknowledged(link: ReplicaLink): void;
  /** The stream may begin: the replica has confirmed that it has the data set. */
  onConfirmed(link: ReplicaLink): void;
  /** Its socket can take more. */
  onDrain(link: ReplicaLink): void;
  onClosed(link: ReplicaLink, reason: string): void;
}

export class ReplicaLink implements SocketHandlers {
  readonly peer: ReplicaPeer;
  /** It asked with SYNC: it sends no ACKs and expects no answer line. */
  readonly isOld: boolean;
  #state: ReplicaLinkState = "waiting";
  readonly #host: ReplicaLinkHost;
  readonly #decoder = new CommandDecoder();
  #socket: Socket | undefined;
  /** Offset of the next byte to send; meaningful from "receiving" on. */
  #nextOffset = 0;
  #acknowledgedOffset = 0;
  #durableOffset = 0;
  #tellsDurable = false;
  #acknowledgedAt: number;
  #overSoftSince: number | undefined;

  constructor(host: ReplicaLinkHost, peer: ReplicaPeer, options: { readonly isOld: boolean }) {
    this.#host = host;
    this.peer = peer;
    this.isOld = options.isOld;
    this.#acknowledgedAt = host.now();
  }

  /** Begins to read; `rest` is what came behind the request. */
  start(socket: Socket, rest: Buffer): void {
    this.#socket = socket;
    if (rest.length > 0) this.onData(rest);
  }

  get state(): ReplicaLinkState {
    return this.#state;
  }

  get acknowledgedOffset(): number {
    return this.#acknowledgedOffset;
  }

  /** What it says to have on disk (7.2 and later, with an AOF). */
  get durableOffset(): number {
    return this.#durableOffset;
  }

  /** Its last acknowledgement said how far its disk is. */
  get tellsDurable(): boolean {
    return this.#tellsDurable;
  }

  /** Monotonic milliseconds of the last sign of life. */
  get acknowledgedAt(): number {
    return this.#acknowledgedAt;
  }

  get address(): string {
    return this.peer.address ?? this.#socket?.remoteAddress ?? "";
  }

  get name(): string {
    return `${this.address}:${this.peer.listeningPort}`;
  }

  get nextOffset(): number {
    return this.#nextOffset;
  }

  /** The offset the backlog must keep for it. */
  get neededFrom(): number {
    const reads = this.#state !== "waiting" && this.#state !== "closed" && !this.peer.dataOnly;
    return reads ? this.#nextOffset : Number.POSITIVE_INFINITY;
  }

  /** Bytes in its socket. */
  get bufferedBytes(): number {
    return this.#socket?.bufferedBytes ?? 0;
  }

  become(state: ReplicaLinkState): void {
    this.#state = moveReplicaLink(this.#state, state);
    if (state === "online" || state === "confirming") this.#acknowledgedAt = this.#host.now();
  }

  /** The stream will go on from `offset`. */
  positionAt(offset: number): void {
    this.#nextOffset = offset;
  }

  /** Sends bytes that are not of the stream: answer lines and the data set. */
  send(bytes: Uint8Array): boolean {
    return this.#socket?.write(bytes) ?? true;
  }

  sendText(text: string): void {
    this.send(Buffer.from(text, "latin1"));
  }

  /** Sends what the backlog has for it, as far as its socket takes it. */
  flush(backlog: Backlog): void {
    const socket = this.#socket;
    if (this.#state !== "online" || socket === undefined) return;
    while (socket.bufferedBytes < socketBytesMax) {
      const slice = backlog.read(this.#nextOffset);
      if (slice === undefined) break;
      this.#nextOffset += slice.length;
      socket.write(slice);
    }
  }

  /** Why it must be closed, if so. `endOffset` is the offset of the next byte of the stream. */
  overdue(endOffset: number): string | undefined {
    const { settings } = this.#host;
    const now = this.#host.now();
    const silentMs = now - this.#acknowledgedAt;
    const acknowledges = this.#state === "online" || this.#state === "confirming";
    if (acknowledges && !this.isOld && silentMs > settings.timeoutSeconds * 1000) {
      return "no ACK within repl-timeout";
    }
    const reads = this.neededFrom !== Number.POSITIVE_INFINITY;
    const waiting = this.bufferedBytes + (reads ? endOffset - this.#nextOffset : 0);
    return this.#overLimit(waiting, now);
  }

  #overLimit(bytes: number, now: number): string | undefined {
    const { outputHardBytes, outputSoftBytes, outputSoftSeconds, backlogBytes } =
      this.#host.settings;
    // A limit below the backlog's size would close links for bytes that are kept anyway.
    const hard = outputHardBytes === 0 ? 0 : Math.max(outputHardBytes, backlogBytes);
    const soft = outputSoftBytes === 0 ? 0 : Math.max(outputSoftBytes, backlogBytes);
    if (hard !== 0 && bytes > hard) return `output buffer of ${bytes} bytes, the limit is ${hard}`;
    if (soft === 0 || bytes <= soft) {
      this.#overSoftSince = undefined;
      return undefined;
    }
    this.#overSoftSince ??= now;
    if (now - this.#overSoftSince <= outputSoftSeconds * 1000) return undefined;
    return `output buffer above ${soft} bytes for more than ${outputSoftSeconds} s`;
  }

  close(reason: string): void {
    if (this.#state === "closed") return;
    this.#state = moveReplicaLink(this.#state, "closed");
    const socket = this.#socket;
    this.#socket = undefined;
    socket?.destroy();
    this.#host.onClosed(this, reason);
  }

  /** Closes once everything written has left. */
  end(): void {
    if (this.#state === "closed") return;
    this.#state = moveReplicaLink(this.#state, "closed");
    const socket = this.#socket;
    this.#socket = undefined;
    socket?.end();
    this.#host.onClosed(this, "it has what it wanted");
  }

  onData(chunk: Buffer): void {
    if (this.#state === "closed") return;
    try {
      this.#decoder.push(chunk);
      while (this.#decoder.next()) this.#command();
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.close(`protocol error: ${error.message}`);
    }
  }

  onDrain(): void {
    if (this.#state !== "closed") this.#host.onDrain(this);
  }

  onClose(error: Error | undefined): void {
    this.close(error === undefined ? "the connection ended" : error.message);
  }

  /** Replicas send REPLCONF; whatever else they send is not answered. */
  #command(): void {
    const { argv } = this.#decoder;
    if (String(argv[0]).toLowerCase() !== "replconf") return;
    answerReplconf(this.peer, argv, {
      acknowledge: (offset, durableOffset) => this.#acknowledge(offset, durableOffset),
      sendAck: () => {},
    });
  }

  #acknowledge(offset: number, durableOffset: number | undefined): void {
    if (offset > this.#acknowledgedOffset) this.#acknowledgedOffset = offset;
    this.#tellsDurable = durableOffset !== undefined;
    if (durableOffset !== undefined && durableOffset > this.#durableOffset) {
      this.#durableOffset = durableOffset;
    }
    this.#acknowledgedAt = this.#host.now();
    if (this.#state === "confirming") {
      this.become("online");
      this.#host.onConfirmed(this);
    }
    this.#host.onAcknowledged(this);
  }
}
