/**
 * One client: its connection, its state, and the commands it waits for, in the order in which it
 * sent them. Owns when the client is read and when not. What a command does is decided in
 * `dispatch.ts`; what a reply does in `delivery.ts`.
 */
import { slotCount } from "@slotlog/cluster-bus";
import { CommandDecoder, type NameCache, ProtocolError } from "@slotlog/resp";
import { type BufferPool, ClientOutput } from "./client-output.js";
import type { Identity } from "./identity.js";
import { clientExpectedBytesMax, clientOutputPauseBytes, clientPendingMin } from "./limits.js";
import type { Link } from "./link.js";
import type { Socket } from "./ports.js";
import type { Request } from "./request.js";
import { Ring } from "./ring.js";

export interface SessionHost {
  /** The command that the decoder has found. */
  onCommand(session: Session): void;
  /** The end of the turn will flush it. */
  onUnflushed(session: Session): void;
  /** The end of the turn will let it go on. */
  onResumable(session: Session): void;
  onProtocolError(session: Session, error: ProtocolError): void;
  onClosed(session: Session): void;
  now(): number;
}

/** What a client in a special state does with a command in place of the usual. */
export interface SessionMode {
  /** False: it is handled as usual. */
  onCommand(session: Session): boolean;
  /** The client is gone. */
  onClosed(session: Session): void;
}

export class Session {
  readonly id: number;
  readonly socket: Socket;
  readonly decoder: CommandDecoder;
  readonly output: ClientOutput;
  readonly connectedAt: number;
  identity: Identity;
  protocol: 2 | 3 = 2;
  name = "";
  libraryName = "";
  libraryVersion = "";
  /** What a node has allowed its user, as far as it was asked. */
  readonly admitted = new Set<string>();
  noEvict = false;
  noTouch = false;
  lastCommand = "NULL";
  /** Monotonic ms of what it sent last. */
  activeAt: number;
  commandCount = 0;
  /** CLIENT REPLY: `skip` is about the next command, `skipping` about this one. */
  replyMode: "on" | "off" | "skip" | "skipping" = "on";
  /** A transaction is open, or keys are watched. */
  transaction: SessionMode | undefined;
  subscriptions: SessionMode | undefined;
  /** Commands sent and not answered, in order; those answered too early wait here as well. */
  readonly pending = new Ring<Request>();
  /** Bytes of replies that came before their turn. */
  heldBytes = 0;
  /** Commands that it may have under way. */
  window = clientPendingMin;
  /** Of the last replies, the latest counting most. */
  meanReplyBytes = 0;
  /** Requests that nodes have now. */
  inflight = 0;
  /** Requests to send again once all in flight are answered. */
  parked: Request[] = [];
  /** Monotonic ms before which they are not. */
  retryAt = 0;
  isRetryPlanned = false;
  sequence = 0;
  /** It is not read while somebody else decides (a blocking command, an AUTH). */
  holds = 0;
  /** The node that must answer more before this client is read again. */
  stalledBy: Link | undefined;
  /** Nothing is read any more; it ends when all is answered. */
  isEnding = false;
  /** To be done when nothing it said is unanswered. */
  onAnswered: (() => void) | undefined;
  isClosed = false;
  isUnflushed = false;
  isPaused = false;
  isResumable = false;
  /** A bit per slot it has written to, if it wants to read its own writes. */
  #written: Uint8Array | undefined;
  readonly #host: SessionHost;
  #isReading = false;

  constructor(options: {
    readonly id: number;
    readonly socket: Socket;
    readonly host: SessionHost;
    readonly pool: BufferPool;
    readonly names: NameCache;
    readonly identity: Identity;
  }) {
    this.id = options.id;
    this.socket = options.socket;
    this.#host = options.host;
    this.identity = options.identity;
    this.identity.users++;
    this.decoder = new CommandDecoder({}, options.names);
    this.output = new ClientOutput(options.pool, options.socket);
    this.connectedAt = options.host.now();
    this.activeAt = this.connectedAt;
    options.socket.setHandlers({
      onData: (chunk) => this.#onData(chunk),
      onDrain: () => this.resumeSoon(),
      onClose: () => this.#onClose(),
    });
  }

  get address(): string {
    return `${this.socket.remoteAddress}:${this.socket.remotePort}`;
  }

  /** Whether its next command has to wait. */
  get isHeld(): boolean {
    return (
      this.holds > 0 ||
      this.parked.length > 0 ||
      this.stalledBy !== undefined ||
      this.pending.length >= this.window ||
      this.pending.length * this.meanReplyBytes > clientExpectedBytesMax ||
      this.heldBytes + this.output.bytes > clientOutputPauseBytes ||
      this.isEnding ||
      this.isClosed
    );
  }

  /** Nobody wants the reply to the command that is being handled. */
  get isSilent(): boolean {
    return this.replyMode === "off" || this.replyMode === "skipping";
  }

  /** A command begins: what was said about replies of the one before is over. */
  nextReplyMode(): void {
    if (this.replyMode === "skipping") this.replyMode = "on";
    else if (this.replyMode === "skip") this.replyMode = "skipping";
  }

  writtenTo(slot: number): void {
    this.#written ??= new Uint8Array(slotCount / 8);
    (this.#written[slot >> 3] as number) |= 1 << (slot & 7);
  }

  hasWrittenTo(slot: number): boolean {
    return (
      this.#written !== undefined && ((this.#written[slot >> 3] ?? 0) & (1 << (slot & 7))) !== 0
    );
  }

  become(identity: Identity): void {
    this.admitted.clear();
    this.identity.users--;
    this.identity = identity;
    identity.users++;
  }

  write(bytes: Buffer, start: number, end: number): void {
    this.output.write(bytes, start, end);
    this.flushSoon();
  }

  flushSoon(): void {
    if (this.isUnflushed) return;
    this.isUnflushed = true;
    this.#host.onUnflushed(this);
  }

  flush(): void {
    this.isUnflushed = false;
    if (this.isClosed) return;
    this.output.flush();
    if (this.isPaused) this.resumeSoon();
    if (this.isEnding && this.pending.length === 0 && this.holds === 0) this.socket.end();
  }

  whenAnswered(then: () => void): void {
    if (this.pending.length === 0) then();
    else this.onAnswered = then;
  }

  /** Something that it waited for has happened. */
  resumeSoon(): void {
    if (!this.isPaused || this.isResumable || this.isHeld) return;
    this.isResumable = true;
    this.#host.onResumable(this);
  }

  resume(): void {
    this.isResumable = false;
    if (!this.isPaused || this.isHeld) return;
    this.isPaused = false;
    this.#pump();
    if (!this.isPaused && !this.isClosed) this.socket.resume();
  }

  /** Answers what is under way, then closes. */
  end(): void {
    this.isEnding = true;
    this.flushSoon();
  }

  #onData(chunk: Buffer): void {
    this.activeAt = this.#host.now();
    this.decoder.push(chunk);
    if (this.isPaused) {
      // What was read before the pause took effect waits in the decoder.
      this.decoder.park();
      return;
    }
    this.#pump();
  }

  #pump(): void {
    if (this.#isReading) return;
    this.#isReading = true;
    try {
      while (!this.isHeld) {
        if (!this.decoder.next()) return;
        this.commandCount++;
        this.#host.onCommand(this);
      }
      this.decoder.park();
      this.isPaused = true;
      if (!this.isClosed) this.socket.pause();
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.#host.onProtocolError(this, error);
    } finally {
      this.#isReading = false;
    }
  }

  #onClose(): void {
    this.isClosed = true;
    this.identity.users--;
    this.transaction?.onClosed(this);
    this.subscriptions?.onClosed(this);
    this.#host.onClosed(this);
  }
}
