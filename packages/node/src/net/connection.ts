/**
 * One client connection: bytes in, requests to dispatch, replies out in order.
 *
 * It owns the socket, the decoder and the replies on their way: those of this turn, and those that
 * wait at the gate. It knows no command.
 */
import {
  type Argument,
  CommandDecoder,
  type NameCache,
  ProtocolError,
  type ReplyWriter,
} from "@slotlog/resp";
import type { Dispatcher } from "../dispatch/dispatcher.js";
import type { Turn, TurnOutput } from "../dispatch/turn.js";
import type { Socket, SocketHandlers } from "../ports.js";
import { formatAddress } from "./addresses.js";
import type { Client, ClientLink } from "./client.js";
import type { GatedOutput, OutputGate, WriteReply } from "./output-gate.js";
import { type HeldReplies, replaceReplies, unconfirmed } from "./unconfirmed.js";
import { writeChunks } from "./write-chunks.js";

/** What all connections of a node share. */
export interface ConnectionHost {
  readonly reply: ReplyWriter;
  readonly dispatcher: Dispatcher;
  readonly turn: Turn;
  readonly gate: OutputGate;
  readonly names: NameCache;
  /** True if this turn has logged nothing so far. */
  readonly logIsWritten: boolean;
  /** Copies what the log borrowed from the read buffer. */
  sealLog(): void;
  countInput(bytes: number): void;
  countOutput(bytes: number): void;
  /** `client-output-buffer-limit`: true if the client must be closed. */
  exceedsOutputLimit(client: Client, bytes: number): boolean;
  /** `client-query-buffer-limit`. */
  readonly queryBufferBytesMax: number;
  readonly bulkBytesMax: number;
  /** Runs that once everybody else had a turn. */
  defer(callback: () => void): void;
  /** True while sockets that write must not be read, because the log cannot follow. */
  readonly writersStopped: boolean;
  /** This connection is not read until `resumeReading`: the log must follow first. */
  onReadingStopped(connection: Connection): void;
  /** `replica-acks`: a reply waits for replicas to have the log up to there; a key's slot. */
  onWriteHeld(offset: number): number;
  onProtocolError(client: Client, message: string): void;
  onClose(connection: Connection): void;
  /** The connection is no client's any more. */
  onTakenOver(connection: Connection): void;
}

const noWrites: readonly WriteReply[] = [];

/** Replies of so many bytes do not wait for the end of the turn. */
const leaveAtOnceBytes = 64 * 1024;

/**
 * Requests of a pipeline between two looks at the clock. When it has had its time
 * (`Dispatcher.batchIsOver`), others come first, and the rest in the next turn: the loop is not
 * held by one client's thousand slow requests, nor by its first ones, which V8 has yet to compile.
 */
const requestsPerLook = 8;

export class Connection implements ClientLink, TurnOutput, GatedOutput, SocketHandlers {
  readonly #host: ConnectionHost;
  readonly #socket: Socket;
  readonly #decoder: CommandDecoder;
  #client: Client | undefined;
  #chunks: Buffer[] = [];
  #chunkBytes = 0;
  #touched = false;
  #held: HeldReplies[] = [];
  /** Replies of this turn that wait for replicas; empty without `replica-acks`. */
  #writes: WriteReply[] = [];
  /** Log offset of the last write that is among them, or whose reply has left. */
  #notedWrite = 0;
  /** Where the reply to what this client was blocked on begins; -1 if none came. */
  #lateStart = -1;
  #lateSlot = 0;
  /** Messages to this client that came up while its own command ran; they follow the reply. */
  readonly #pushed: Buffer[] = [];
  #heldBytes = 0;
  #closing = false;
  #closed = false;
  #processing = false;
  #readingStopped = false;
  /** The rest of what was read waits for the next turn. */
  #yielded = false;
  /** Set when the connection is handed over to something else than request processing. */
  #takenOver: SocketHandlers | undefined;

  constructor(host: ConnectionHost, socket: Socket) {
    this.#host = host;
    this.#socket = socket;
    this.#decoder = new CommandDecoder({ bulkBytesMax: host.bulkBytesMax }, host.names);
  }

  /** Begins to read; called once. */
  start(client: Client): void {
    this.#client = client;
    this.#socket.setHandlers(this);
  }

  get client(): Client {
    return this.#client as Client;
  }

  get socket(): Socket {
    return this.#socket;
  }

  get remoteAddress(): string {
    return formatAddress(this.#socket.remoteAddress, this.#socket.remotePort);
  }

  get localAddress(): string {
    return formatAddress(this.#socket.localAddress, this.#socket.localPort);
  }

  get queryBufferBytes(): number {
    // The request that runs now is held until it is done.
    const { bufferedBytes, rawEnd, rawStart } = this.#decoder;
    return this.#processing && rawStart >= 0 ? bufferedBytes + rawEnd - rawStart : bufferedBytes;
  }

  get argumentBytes(): number {
    return this.#decoder.isInsideCommand ? this.#decoder.argumentBytes : 0;
  }

  get outputBufferBytes(): number {
    return this.#chunkBytes + this.#heldBytes + this.#socket.bufferedBytes;
  }

  get outputChunks(): number {
    return this.#chunks.length + this.#held.reduce((sum, held) => sum + held.chunks.length, 0);
  }

  onData(chunk: Buffer): void {
    const host = this.#host;
    host.countInput(chunk.length);
    if (this.#takenOver !== undefined) {
      this.#takenOver.onData(chunk);
      return;
    }
    if (this.#closing) return;
    this.#decoder.push(chunk);
    if (this.client.blocked !== undefined || this.#yielded) {
      this.#decoder.park();
    } else {
      host.dispatcher.startBatch();
      this.#processRequests();
    }
    if (this.#decoder.bufferedBytes > host.queryBufferBytesMax) {
      this.closeNow("query buffer limit exceeded");
    }
    if (host.writersStopped) this.#stopReading();
  }

  /** Who has written what the log does not have yet must wait for it; others go on. */
  #stopReading(): void {
    const host = this.#host;
    if (this.#readingStopped || this.#closed || this.#takenOver !== undefined) return;
    if (this.client.replyOffset <= host.gate.offset && this.#held.length === 0) return;
    this.#readingStopped = true;
    this.#socket.pause();
    host.onReadingStopped(this);
  }

  resumeReading(): void {
    if (!this.#readingStopped) return;
    this.#readingStopped = false;
    this.#read();
  }

  #read(): void {
    if (!this.#closed && !this.#readingStopped && !this.#yielded) this.#socket.resume();
  }

  #yield(): void {
    this.#socket.pause();
    this.#host.defer(() => {
      this.#yielded = false;
      this.#read();
      this.resume();
    });
  }

  /** `deferred` is a request that came earlier and goes first. */
  #processRequests(deferred?: readonly Argument[]): void {
    const host = this.#host;
    const { reply, dispatcher } = host;
    const decoder = this.#decoder;
    const client = this.client;
    this.#noteLateWrite();
    this.#processing = true;
    const hadYielded = this.#yielded;
    let untilLook = requestsPerLook;
    reply.attach(this, client.protocol);
    try {
      decoder.authenticated = client.authenticated;
      if (deferred !== undefined) {
        const hasLarge = deferred.some((word) => typeof word !== "string");
        dispatcher.process(client, deferred, hasLarge);
        this.#noteWrite(this.#chunkBytes, this.#chunkBytes + reply.mark());
        this.#appendPushed();
      }
      while (this.#mayGoOn(client) && decoder.next()) {
        const start = reply.mark();
        if (client.replyMode === "on") {
          dispatcher.process(client, decoder.argv, decoder.hasLargeArgument, decoder);
        } else this.#processSilently(client);
        if (client.writeOffset !== this.#notedWrite) {
          this.#noteWrite(this.#chunkBytes + start, this.#chunkBytes + reply.mark());
        }
        if (this.#pushed.length > 0) this.#appendPushed();
        decoder.authenticated = client.authenticated;
        untilLook--;
        if (untilLook > 0) continue;
        untilLook = requestsPerLook;
        if (!dispatcher.batchIsOver || !this.#mayGoOn(client)) continue;
        this.#yielded = true;
        break;
      }
      if (this.#takenOver === undefined) decoder.park();
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      reply.error(`ERR Protocol error: ${error.message}`);
      host.onProtocolError(client, error.message);
      this.closeAfterReplies();
    } finally {
      dispatcher.endBatch();
      host.sealLog();
      reply.detach();
      this.#processing = false;
    }
    this.#flushOrTouch();
    client.lastActiveAt = dispatcher.now;
    // Also without a reply the turn must end: the log may have grown.
    host.turn.schedule(dispatcher.batchBeganAt);
    if (this.#yielded && !hadYielded) this.#yield();
  }

  /** The client wrote: the reply between the two places waits for replicas, if it must. */
  #noteWrite(start: number, end: number, lateSlot?: number): void {
    const { writeOffset } = this.client;
    if (writeOffset === this.#notedWrite) return;
    this.#notedWrite = writeOffset;
    const host = this.#host;
    if (!host.gate.confirms || end === start) return;
    const slot = lateSlot ?? host.onWriteHeld(writeOffset);
    this.#writes.push({ start, end, offset: writeOffset, slot });
  }

  /** Before the turn's log is handed on, so that replicas are asked for it. */
  #beginLateReply(): void {
    if (this.#lateStart < 0) this.#lateStart = this.#chunkBytes;
    const { gate } = this.#host;
    const { writeOffset } = this.client;
    if (writeOffset === this.#notedWrite || !gate.confirms) return;
    this.#lateSlot = this.#host.onWriteHeld(writeOffset);
  }

  /** What served this client while it was blocked may have been a write. */
  #noteLateWrite(): void {
    if (this.#lateStart < 0) return;
    this.#noteWrite(this.#lateStart, this.#chunkBytes, this.#lateSlot);
    this.#lateStart = -1;
  }

  /**
   * Replies leave together at the turn's end: a client that gets them one by one is woken for each,
   * which costs both sides more than its wait (a tenth of all CPU time, measured). Only large ones
   * that wait for nothing leave at once, so that no turn fills the memory with them; what the turn
   * has logged any reply may show, and all wait for the log then.
   */
  #flushOrTouch(): void {
    if (this.#chunks.length === 0 && !this.#closing) return;
    const host = this.#host;
    if (this.#chunkBytes >= leaveAtOnceBytes && host.logIsWritten && !this.#touched) {
      if (this.flush()) host.turn.keepArena();
    } else this.#touch();
  }

  #touch(): void {
    if (this.#touched) return;
    this.#touched = true;
    this.#host.turn.touch(this);
  }

  #mayGoOn(client: Client): boolean {
    return client.blocked === undefined && !this.#closing && this.#takenOver === undefined;
  }

  /** A client that publishes to itself, or changes what it tracks, reads its reply first. */
  #appendPushed(): void {
    for (const message of this.#pushed.splice(0)) this.#host.reply.raw(message);
  }

  /** `CLIENT REPLY OFF` and `SKIP`: the reply is made, then dropped; what is pushed is not. */
  #processSilently(client: Client): void {
    const { reply, dispatcher } = this.#host;
    const decoder = this.#decoder;
    const before = client.replyMode;
    if (before === "skip-next") client.replyMode = "skip";
    const mark = reply.mark();
    dispatcher.process(client, decoder.argv, decoder.hasLargeArgument, decoder);
    // CLIENT REPLY ON speaks again at once.
    if ((client.replyMode as string) === "on") return;
    reply.rollback(mark);
    if (client.replyMode === "skip") client.replyMode = "on";
  }

  /** Goes on with what was held back while the client was blocked. */
  resume(): void {
    if (this.#closed || this.#closing || this.#processing) return;
    if (this.#takenOver !== undefined) return;
    this.#host.dispatcher.startBatch();
    this.#processRequests();
  }

  runDeferred(argv: readonly Argument[]): void {
    if (this.#closed || this.#closing) return;
    this.#host.dispatcher.startBatch();
    this.#processRequests(argv);
  }

  /** Replies come here when the writer is detached, in order. */
  chunk(bytes: Buffer): void {
    if (this.#closed) return;
    if (!this.#processing) this.#beginLateReply();
    this.#chunks.push(bytes);
    this.#chunkBytes += bytes.length;
    if (!this.#processing) this.#touch();
  }

  push(bytes: Buffer): void {
    // While this client's own requests are processed, its replies are still in the writer.
    if (this.#processing) this.#pushed.push(bytes);
    else this.chunk(bytes);
  }

  flush(): boolean {
    this.#touched = false;
    this.#noteLateWrite();
    const chunks = this.#chunks;
    const writes = this.#writes;
    this.#chunks = [];
    this.#chunkBytes = 0;
    if (writes.length > 0) this.#writes = [];
    if (this.#closed) return false;
    const { gate } = this.#host;
    const offset = this.client.replyOffset;
    if (this.#held.length > 0 || offset > gate.offset || writes.length > 0) {
      return this.#flushToGate({ chunks, offset, writes });
    }
    const inUse = writeChunks(this.#socket, chunks, this.#host);
    if (this.#closing) this.#socket.end();
    else if (inUse || this.#socket.bufferedBytes > 0) this.#checkOutputLimit();
    return inUse;
  }

  /** Replies that wait for the log or for replicas, or behind others that do. */
  #flushToGate(flushed: HeldReplies): boolean {
    const { gate } = this.#host;
    // Writes of this turn may have been given up before their replies came here.
    const { count, replies } = replaceReplies(flushed, (write) => gate.lossOf(write));
    gate.lostReplies += count;
    if (replies.chunks.length > 0) this.#hold(replies);
    if (gate.failure !== undefined) this.fail(gate.failure);
    if (this.release(gate.offset)) {
      gate.wait(this);
      if (this.#host.writersStopped) this.#stopReading();
    }
    this.#checkOutputLimit();
    return true;
  }

  #hold(replies: HeldReplies): void {
    this.#held.push(replies);
    for (const chunk of replies.chunks) this.#countHeld(chunk.length);
  }

  #countHeld(bytes: number): void {
    this.#heldBytes += bytes;
    this.#host.gate.heldBytes += bytes;
  }

  release(offset: number): boolean {
    if (this.#closed) return false;
    const { gate } = this.#host;
    let count = 0;
    for (const held of this.#held) {
      if (held.offset > offset) break;
      if (held.writes.some((write) => !gate.isSettled(write))) break;
      count += 1;
      for (const chunk of held.chunks) this.#countHeld(-chunk.length);
      writeChunks(this.#socket, held.chunks, this.#host);
    }
    this.#held.splice(0, count);
    if (this.#held.length > 0) return true;
    if (this.#closing && !this.#touched) this.#socket.end();
    return false;
  }

  fail(error: string): boolean {
    if (this.#closed) return false;
    if (this.#hasMessages) return this.#held.length > 0;
    const { gate } = this.#host;
    const all = this.#held;
    // What the disk has and only replicas lack is not for this error.
    const first = all.findIndex(({ offset }) => offset > gate.offset);
    if (first < 0) return all.length > 0;
    this.#held = all.slice(0, first);
    for (const { chunks } of all.slice(first)) {
      for (const chunk of chunks) this.#countHeld(-chunk.length);
      const { bytes, replies } = unconfirmed(chunks, error);
      gate.failedReplies += replies;
      this.#hold({ chunks: [bytes], offset: gate.offset, writes: noWrites });
    }
    // What this client reads from now on need not wait for what was given up.
    this.client.replyOffset = gate.offset;
    return this.release(gate.offset);
  }

  giveUp(isLost: (write: WriteReply) => boolean, error: string): number {
    let count = 0;
    this.#held = this.#held.map((held) => {
      const replaced = replaceReplies(held, (write) => (isLost(write) ? error : undefined));
      count += replaced.count;
      this.#countHeld(replaced.addedBytes);
      return replaced.replies;
    });
    return count;
  }

  /** In RESP2 messages look like replies: they wait, since nobody could tell which is which. */
  get #hasMessages(): boolean {
    return this.client.subscriptions > 0 && this.client.protocol === 2;
  }

  #checkOutputLimit(): void {
    const bytes = this.outputBufferBytes;
    if (this.#host.exceedsOutputLimit(this.client, bytes)) this.closeNow("output buffer limit");
  }

  closeAfterReplies(): void {
    this.#closing = true;
    this.client.closing = true;
    if (this.#processing || this.#touched || this.#held.length > 0) {
      // The end of the turn, or the gate, closes it; without a reply nothing would.
      if (!this.#processing) this.#touch();
      return;
    }
    this.#socket.end();
  }

  closeNow(_reason: string): void {
    if (this.#closed) return;
    this.#closing = true;
    this.client.closing = true;
    this.#socket.destroy();
  }

  /**
   * The connection stops being a client's: what follows in its stream goes to `handlers`. Returns
   * the socket and the bytes that were read already.
   */
  takeOver(handlers: SocketHandlers): { readonly socket: Socket; readonly rest: Buffer } {
    this.#takenOver = handlers;
    this.#host.onTakenOver(this);
    return { socket: this.#socket, rest: this.#decoder.takeRest() };
  }

  onDrain(): void {
    this.#takenOver?.onDrain?.();
  }

  onClose(error: Error | undefined): void {
    this.#closed = true;
    this.#chunks = [];
    this.#held = [];
    this.#countHeld(-this.#heldBytes);
    this.#host.gate.forget(this);
    this.#takenOver?.onClose(error);
    this.#host.onClose(this);
  }
}
