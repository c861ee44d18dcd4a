/**
 * A connection to the node that keys go to: requests out, replies in, one exchange at a time. It
 * ends an exchange when nothing has moved for the timeout, and it says how far it came: only who
 * knows whether a reply was read knows whether a key may be at both ends.
 */
import { ProtocolError, ReplyDecoder, type ReplyValue } from "@slotlog/resp";
import type { Clock, Net, Socket, Timer } from "../ports.js";

export interface TargetAddress {
  readonly host: string;
  readonly port: number;
}

export interface Exchange {
  readonly chunks: readonly Buffer[];
  /** How many replies will come. */
  readonly replies: number;
  /** The longest time without progress. */
  readonly timeoutMs: number;
  onReply(reply: ReplyValue, index: number): void;
}

/** In which of Redis' three steps it ended, and whether by silence. */
export interface ExchangeFailure {
  readonly step: "connecting" | "writing" | "reading";
  readonly timedOut: boolean;
}

interface Running {
  readonly exchange: Exchange;
  readonly finish: (failure: ExchangeFailure | undefined) => void;
  replies: number;
}

/** Somebody answered that nobody is there; all else that can go wrong is about the way. */
const refusals: ReadonlySet<string> = new Set(["ECONNREFUSED", "ECONNRESET", "EHOSTUNREACH"]);

function codeOf(error: Error | undefined): string {
  return (error as NodeJS.ErrnoException | undefined)?.code ?? "";
}

const looksPerTimeout = 8;

/** Written in such pieces, so that the queue of the socket shows progress. */
const pieceBytes = 64 * 1024;

export class TargetConnection {
  readonly address: TargetAddress;
  /** The database that the far side has selected; -1 if it is not known. */
  database = -1;
  /** Monotonic. */
  lastUsedAt: number;
  readonly #clock: Clock;
  readonly #socket: Socket;
  readonly #replies = new ReplyDecoder();
  #connected = false;
  #refused = false;
  #open = true;
  #running: Running | undefined;
  #timer: Timer | undefined;
  #progressAt = 0;
  #buffered = 0;

  constructor(ports: { readonly clock: Clock; readonly net: Net }, address: TargetAddress) {
    this.address = address;
    this.#clock = ports.clock;
    this.lastUsedAt = ports.clock.monotonic();
    this.#socket = ports.net.dial(address);
    this.#socket.setHandlers({
      onConnect: () => {
        this.#connected = true;
        this.#progressAt = this.#clock.monotonic();
      },
      onData: (chunk) => this.#read(chunk),
      onClose: (error) => {
        // Redis notices with its first write that it was refused; and says so.
        this.#refused = !this.#connected && refusals.has(codeOf(error));
        this.close();
      },
    });
  }

  /** False once it was closed, from either side. */
  get open(): boolean {
    return this.#open;
  }

  /** Sends and waits for the replies. Resolves to `undefined` when all have come. */
  exchange(exchange: Exchange): Promise<ExchangeFailure | undefined> {
    return new Promise((resolve) => {
      this.#running = { exchange, replies: 0, finish: resolve };
      if (!this.#open) {
        this.#fail(false);
        return;
      }
      this.#progressAt = this.#clock.monotonic();
      for (const chunk of exchange.chunks) {
        for (let at = 0; at < chunk.length; at += pieceBytes) {
          this.#socket.write(chunk.subarray(at, at + pieceBytes));
        }
      }
      this.#buffered = this.#socket.bufferedBytes;
      this.#watch(exchange.timeoutMs);
      this.#endIfComplete();
    });
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#socket.destroy();
    this.#fail(false);
  }

  #read(chunk: Buffer): void {
    this.#progressAt = this.#clock.monotonic();
    this.#replies.push(chunk);
    try {
      for (;;) {
        const reply = this.#replies.next();
        if (reply === undefined) return;
        const running = this.#running;
        if (running === undefined) {
          // It says what nobody asked for: whatever follows cannot be trusted.
          this.close();
          return;
        }
        running.exchange.onReply(reply, running.replies);
        running.replies += 1;
        this.#endIfComplete();
      }
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.close();
    }
  }

  #endIfComplete(): void {
    const running = this.#running;
    if (running === undefined || running.replies < running.exchange.replies) return;
    this.#end()?.finish(undefined);
  }

  #watch(timeoutMs: number): void {
    const left = this.#progressAt + timeoutMs - this.#clock.monotonic();
    // That the socket took bytes is only seen by looking: often enough to know about when it was.
    const wait = Math.min(left, timeoutMs / looksPerTimeout);
    this.#timer = this.#clock.after(Math.max(1, Math.ceil(wait)), () => {
      const buffered = this.#socket.bufferedBytes;
      if (buffered !== this.#buffered) {
        this.#buffered = buffered;
        this.#progressAt = this.#clock.monotonic();
      }
      if (this.#clock.monotonic() - this.#progressAt < timeoutMs) this.#watch(timeoutMs);
      else {
        this.#fail(true);
        this.close();
      }
    });
  }

  #fail(timedOut: boolean): void {
    const running = this.#end();
    if (running === undefined) return;
    const sent = running.replies > 0 || this.#socket.bufferedBytes === 0;
    const reached = sent && !this.#refused ? "reading" : "writing";
    const step = this.#connected || this.#refused ? reached : "connecting";
    running.finish({ step, timedOut });
  }

  #end(): Running | undefined {
    const running = this.#running;
    this.#running = undefined;
    this.#timer?.cancel();
    this.#timer = undefined;
    this.lastUsedAt = this.#clock.monotonic();
    return running;
  }
}
