/**
 * The replica's side of replication: one primary, followed until `stop`. It dials, shakes hands,
 * receives the data set or goes on where it was, hands the stream's commands over, acknowledges,
 * and dials again when the connection ends. It does not know what the commands mean.
 */

import {
  CommandDecoder,
  encodeCommand,
  ProtocolError,
  ReplyDecoder,
  ReplyError,
} from "@slotlog/resp";
import type { Clock, Log, Net, Socket, SocketHandlers } from "../ports.js";
import { Handshake, type HandshakeStep } from "./core/handshake.js";
import { spanOfPosition } from "./core/divergence.js";
import type { HistoryPosition, ReplicationHistory } from "./core/history.js";
import { movePrimaryLink, type PrimaryLinkState } from "./core/link-state.js";
import { DataSetReceiver } from "./receive.js";
import type { ReplicationHost } from "./settings.js";
import { StreamReader } from "./stream-reader.js";

export interface PrimaryAddress {
  readonly host: string;
  readonly port: number;
}

export interface PrimaryLinkOptions {
  readonly address: PrimaryAddress;
  readonly host: ReplicationHost;
  readonly history: ReplicationHistory;
  readonly clock: Clock;
  readonly net: Net;
  readonly log: Log;
  /** Our data stand at the history's offset: a partial resynchronisation may be asked for. */
  readonly canContinue: boolean;
  /** The database that the stream had selected at that offset. */
  readonly streamDatabase: number;
  /** The primary is to become one by our request: whether it did. */
  readonly onTakeover?: (outcome: { readonly refusal: string | undefined }) => void;
  /** Our own replicas must come back: the history changed under them. */
  readonly onHistoryReplaced: (reason: string) => void;
}

export class PrimaryLink implements SocketHandlers {
  readonly address: PrimaryAddress;
  readonly #options: PrimaryLinkOptions;
  #state: PrimaryLinkState = "connect";
  #socket: Socket | undefined;
  /** Replies of the handshake. */
  #replies = new ReplyDecoder();
  #handshake: Handshake | undefined;
  #receiver: DataSetReceiver | undefined;
  /** Until it settles our data stay: what only we have is being kept aside. */
  #keeping: Promise<void> | undefined;
  /** The data set is complete and waits for that; what came behind it. */
  #complete: Buffer[] | undefined;
  #stream: StreamReader | undefined;
  #canContinue: boolean;
  #takesOver: boolean;
  #streamDatabase: number;
  /** Monotonic milliseconds of the last byte received, or of the last attempt. */
  #lastIoAt: number;
  #downSince: number | undefined;
  /** The offset that the primary asked for last, and what we last said to have on disk. */
  #askedOffset = 0;
  #toldDurable = 0;
  /** The primary asks for our offset; it is told once what has come is executed. */
  #ackDue = false;

  constructor(options: PrimaryLinkOptions) {
    this.#options = options;
    this.address = options.address;
    this.#canContinue = options.canContinue;
    this.#takesOver = options.onTakeover !== undefined;
    this.#streamDatabase = options.streamDatabase;
    this.#lastIoAt = options.clock.monotonic();
  }

  get state(): PrimaryLinkState {
    return this.#state;
  }

  get isUp(): boolean {
    return this.#state === "connected";
  }

  /** The database that the stream has selected. */
  get streamDatabase(): number {
    return this.#stream?.database ?? this.#streamDatabase;
  }

  get lastIoAt(): number {
    return this.#lastIoAt;
  }

  /** Monotonic milliseconds since when there is no link; `undefined` if there never was one. */
  get downSince(): number | undefined {
    return this.#downSince;
  }

  /** The transfer under way. */
  get receiver(): DataSetReceiver | undefined {
    return this.#receiver;
  }

  /** Bytes of the stream received; the offset, and what of the next command has come. */
  get readOffset(): number {
    return this.#options.history.offset + (this.#stream?.pendingBytes ?? 0);
  }

  /** Dials. Called once; later attempts are the link's own. */
  start(): void {
    this.#dial();
  }

  /** Ends for good. */
  stop(): void {
    if (this.#state === "none") return;
    const wasUp = this.isUp;
    this.#drop();
    this.#state = movePrimaryLink(this.#state, "none");
    if (wasUp) this.#options.host.onPrimaryLinkChanged(false);
  }

  /** Once a second: attempts, acknowledgement, timeouts. */
  everySecond(): void {
    if (this.#state === "connect") {
      this.#dial();
      return;
    }
    const silentMs = this.#options.clock.monotonic() - this.#lastIoAt;
    if (silentMs > this.#options.host.settings.timeoutSeconds * 1000) {
      this.#fail(`nothing from the primary for more than ${Math.floor(silentMs / 1000)} s`);
      return;
    }
    this.sendAck();
  }

  /** Tells the primary our offset. */
  sendAck(): void {
    if (this.#state !== "connected") return;
    const durable = this.#options.host.durableOffset();
    const ack = ["REPLCONF", "ACK", String(this.#options.history.offset)];
    if (durable !== undefined) {
      ack.push("FACK", String(durable));
      this.#toldDurable = durable;
    }
    this.#send(ack);
  }

  /** Our disk has got further: whoever waits for it there need not wait for the next second. */
  onDurable(): void {
    if (this.#toldDurable >= this.#askedOffset) return;
    const durable = this.#options.host.durableOffset();
    if (durable !== undefined && durable > this.#toldDurable) this.sendAck();
  }

  #dial(): void {
    const { net, log, clock } = this.#options;
    log.notice("connecting to the primary", { ...this.address });
    this.#state = movePrimaryLink(this.#state, "connecting");
    this.#lastIoAt = clock.monotonic();
    const socket = net.dial(this.address);
    this.#socket = socket;
    socket.setHandlers({
      onConnect: () => this.#guard(socket, () => this.onConnect()),
      onData: (chunk) => this.#guard(socket, () => this.onData(chunk)),
      onClose: (error) => this.#guard(socket, () => this.onClose(error)),
    });
  }

  /** What an earlier connection still tells is not meant for this one. */
  #guard(socket: Socket, action: () => void): void {
    if (this.#socket === socket) action();
  }

  onConnect(): void {
    const { settings } = this.#options.host;
    this.#state = movePrimaryLink(this.#state, "handshake");
    this.#replies = new ReplyDecoder();
    this.#handshake = new Handshake({
      announcedPort: settings.announcedPort,
      announcedAddress: settings.announcedAddress,
      user: settings.primaryUser,
      password: settings.primaryPassword,
      position: this.#canContinue ? this.#position() : undefined,
      takesOver: this.#takesOver,
      asksHistory: !this.#takesOver,
    });
    this.#step(this.#handshake.start());
  }

  onData(chunk: Buffer): void {
    this.#lastIoAt = this.#options.clock.monotonic();
    try {
      if (this.#stream !== undefined) this.#follow(this.#stream, chunk);
      else if (this.#receiver !== undefined) this.#receive(chunk);
      else this.#shakeHands(chunk);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.#fail(`protocol error from the primary: ${error.message}`);
    }
  }

  onClose(error: Error | undefined): void {
    this.#fail(error === undefined ? "the primary closed the connection" : error.message);
  }

  /** All requests for our offset that came with these bytes get one answer. */
  #follow(stream: StreamReader, chunk: Buffer): void {
    this.#ackDue = false;
    stream.push(chunk);
    if (this.#ackDue && this.#stream === stream) this.sendAck();
    this.#ackDue = false;
  }

  #position(): HistoryPosition {
    const { history } = this.#options;
    return { id: history.id, offset: history.offset };
  }

  #shakeHands(chunk: Buffer): void {
    this.#replies.push(chunk);
    while (this.#state === "handshake") {
      const reply = this.#replies.next();
      if (reply === undefined) return;
      const isError = reply instanceof ReplyError;
      const text = isError ? reply.message : textOf(reply);
      const step = this.#handshake?.reply({ isError, text });
      if (step !== undefined) this.#step(step);
    }
  }

  #step(step: HandshakeStep): void {
    switch (step.kind) {
      case "wait":
        return;
      case "send":
        for (const command of step.commands) this.#send(command);
        return;
      case "retry":
        this.#fail(step.reason);
        return;
      case "refused":
        this.#options.onTakeover?.({ refusal: step.reason });
        return;
      case "continue":
        this.#tookOver();
        this.#continue(step.id);
        return;
      case "full":
        this.#tookOver();
        this.#beginReceiving(step.position);
        return;
      case "full-unnamed":
        for (const command of step.commands) this.#send(command);
        this.#beginReceiving(undefined);
        return;
      default:
        step satisfies never;
    }
  }

  #tookOver(): void {
    if (!this.#takesOver) return;
    this.#takesOver = false;
    this.#options.onTakeover?.({ refusal: undefined });
  }

  #continue(id: string | undefined): void {
    const { history, host, log } = this.#options;
    log.notice("partial resynchronization with the primary", { offset: history.offset + 1 });
    const isNew = history.followUnder(id ?? history.id, host.settings.backlogBytes);
    if (isNew) {
      this.#options.onHistoryReplaced("the primary's replication id has changed");
      host.onHistoryChanged();
    }
    this.#beginStream(this.#streamDatabase, this.#replies.takeRest());
  }

  #beginReceiving(position: HistoryPosition | undefined): void {
    this.#options.log.notice("full synchronization with the primary", { ...position });
    this.#state = movePrimaryLink(this.#state, "sync");
    this.#receiver = new DataSetReceiver(this.#options.host.load, position);
    this.#keeping = this.#options.host.keepAside(
      this.#handshake?.history ?? spanOfPosition(position),
    );
    // How it ends is asked once the data set is here; a link that is gone before does not ask.
    this.#keeping.catch(() => {});
    const rest = this.#replies.takeRest();
    if (rest.length > 0) this.#receive(rest);
  }

  #receive(chunk: Buffer): void {
    if (this.#complete !== undefined) {
      this.#complete.push(Buffer.from(chunk));
      return;
    }
    const receiver = this.#receiver as DataSetReceiver;
    const result = receiver.push(chunk);
    // Once data were given to the load target, what we had cannot be continued from.
    if (receiver.hasBegun) this.#canContinue = false;
    switch (result.kind) {
      case "wait":
        return;
      case "failed":
        this.#fail(result.reason);
        return;
      case "done":
        void this.#adoptOnceKept(receiver, result.rest);
        return;
      default:
        result satisfies never;
    }
  }

  async #adoptOnceKept(receiver: DataSetReceiver, rest: Buffer): Promise<void> {
    const socket = this.#socket;
    const complete = [rest];
    this.#complete = complete;
    socket?.pause();
    let failure: string | undefined;
    try {
      await this.#keeping;
    } catch (error) {
      failure = error instanceof Error ? error.message : String(error);
    }
    // The link may have ended meanwhile, and another begun.
    if (this.#receiver !== receiver || this.#socket !== socket) return;
    this.#complete = undefined;
    if (failure !== undefined) {
      this.#fail(
        `what only this node has cannot be kept aside: ${failure}. Its data stay until it can; ` +
          "CONFIG SET salvage-max 0 gives it up",
      );
      return;
    }
    this.#adopt(receiver, Buffer.concat(complete));
    // Only now: what a socket held back may come during the call.
    if (this.#socket === socket) socket?.resume();
  }

  #adopt(receiver: DataSetReceiver, rest: Buffer): void {
    const { history, host, log } = this.#options;
    const { position } = receiver;
    this.#options.onHistoryReplaced("the data set was replaced by the primary's");
    receiver.commit();
    this.#receiver = undefined;
    if (position === undefined) history.adoptUnnamed(host.settings.backlogBytes);
    else history.adopt(position, host.settings.backlogBytes);
    this.#canContinue = position !== undefined;
    log.notice("full synchronization done", { ...position });
    host.onHistoryChanged();
    this.#beginStream(receiver.streamDatabase, rest);
    // The primary begins the stream behind an end mark when it hears from us.
    this.sendAck();
  }

  #beginStream(database: number, rest: Buffer): void {
    const { history, host } = this.#options;
    this.#state = movePrimaryLink(this.#state, "connected");
    this.#askedOffset = 0;
    this.#toldDurable = 0;
    this.#handshake = undefined;
    this.#downSince = undefined;
    this.#stream = new StreamReader({
      target: host.stream,
      history,
      decoder: new CommandDecoder({ bulkBytesMax: Number.POSITIVE_INFINITY }),
      database,
      onAckWanted: (offset) => {
        this.#askedOffset = offset;
        this.#ackDue = true;
      },
      onAppended: () => host.scheduleTurn(),
    });
    host.onPrimaryLinkChanged(true);
    if (rest.length > 0 && this.#state === "connected") this.#follow(this.#stream, rest);
  }

  #send(command: readonly string[]): void {
    this.#socket?.write(encodeCommand(command));
  }

  /** Hangs up; the next attempt comes at once after an established link, else within a second. */
  #fail(reason: string): void {
    if (this.#state === "none" || this.#state === "connect") return;
    const wasUp = this.isUp;
    this.#options.log.notice("link to the primary is down", { ...this.address, reason });
    this.#drop();
    this.#state = movePrimaryLink(this.#state, "connect");
    if (!wasUp) return;
    // Not of a link that never was up: who has nothing of a primary must not seem to have lost it
    // just now, and stand for election.
    this.#downSince = this.#options.clock.monotonic();
    this.#options.host.onPrimaryLinkChanged(false);
    if (this.#state === "connect") this.#dial();
  }

  #drop(): void {
    const socket = this.#socket;
    this.#socket = undefined;
    this.#streamDatabase = this.streamDatabase;
    this.#stream = undefined;
    this.#handshake = undefined;
    this.#receiver?.abort();
    this.#receiver = undefined;
    this.#keeping = undefined;
    this.#complete = undefined;
    socket?.destroy();
  }
}

function textOf(reply: unknown): string {
  if (Buffer.isBuffer(reply)) return reply.toString("latin1");
  return typeof reply === "string" ? reply : "";
}
