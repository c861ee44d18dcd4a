/**
 * One connection to a node: requests go out in order, replies come back in the same order. Owns
 * the socket, what was sent and not answered, and the bytes of a reply that is not complete. What a
 * reply means, and what becomes of requests when the connection ends, is its host's business.
 */
import { type Argument, encodeCommand, ProtocolError } from "@slotlog/resp";
import type { Identity } from "./identity.js";
import { connectTimeoutMs } from "./limits.js";
import { Outbox } from "./outbox.js";
import type { Clock, Net, Socket, Timer } from "./ports.js";
import { ReplyScanner } from "./reply-scanner.js";
import type { Request } from "./request.js";
import { Ring } from "./ring.js";
import type { Session } from "./session.js";
import type { UpstreamNode } from "./upstream.js";

export interface LinkHost {
  readonly clock: Clock;
  readonly net: Net;
  /** Monotonic ms, as of the last `tick`. */
  readonly now: number;
  /** Something came: reads the clock, once for all that came with it. */
  tick(): void;
  /** `bytes[start, end)` is only valid during the call. */
  onReply(link: Link, request: Request, bytes: Buffer, start: number, end: number): void;
  /** The end of the turn will flush it. */
  onUnflushed(link: Link): void;
  /**
   * It is over. `sent` are the requests whose fate is unknown; `unsent` were never handed over.
   * `refusal` is what the node said to the greeting, if that is why.
   */
  onClosed(link: Link, ending: LinkEnding): void;
  /** Enough was answered that clients may go on that waited for it. */
  onRelief(waiting: readonly Session[]): void;
}

export interface LinkEnding {
  readonly reason: string;
  readonly refusal: string | undefined;
  readonly sent: readonly Request[];
  readonly unsent: readonly Request[];
}

export type LinkState = "connecting" | "greeting" | "up" | "closed";

export class Link {
  readonly node: UpstreamNode;
  readonly identity: Identity;
  state: LinkState = "connecting";
  /** Bytes of requests that are not answered: what back-pressure looks at. */
  unansweredBytes = 0;
  /** Clients that are not read until the node has answered more. */
  waiting: Session[] = [];
  /** Pushes that come between replies; a shared connection has none. */
  onPush: ((bytes: Buffer) => void) | undefined = undefined;
  /** Told once that it is over. */
  onEnd: (() => void) | undefined = undefined;
  isUnflushed = false;
  readonly #host: LinkHost;
  readonly #socket: Socket;
  readonly #outbox = new Outbox();
  readonly #inflight = new Ring<Request>();
  readonly #scanner = new ReplyScanner();
  readonly #reliefBytes: number;
  readonly #connectTimer: Timer;
  /** What has come of an unfinished reply and is understood. */
  #pieces: Buffer[] = [];
  /** Behind that, the beginning of a line. */
  #tail: Buffer | undefined;
  #greetingsLeft = 0;
  /** The last so many in flight were not handed to the socket yet. */
  #unsent = 0;
  #reason = "the connection was closed by the node";
  #refusal: string | undefined;
  #isWanted = false;
  #receivedAt = 0;

  constructor(host: LinkHost, node: UpstreamNode, identity: Identity, reliefBytes: number) {
    this.#host = host;
    this.node = node;
    this.identity = identity;
    this.#reliefBytes = reliefBytes;
    this.#socket = host.net.dial({ host: node.host, port: node.port });
    this.#socket.setHandlers({
      onConnect: () => this.#greet(),
      onData: (chunk) => this.#onData(chunk),
      onClose: (error) => this.#onClose(error),
    });
    this.#connectTimer = host.clock.after(connectTimeoutMs, () =>
      this.close(`no connection within ${connectTimeoutMs} ms`),
    );
  }

  get inflight(): number {
    return this.#inflight.length;
  }

  /** Monotonic ms since which nothing came although a request waits; `undefined` if none does. */
  get waitingSince(): number | undefined {
    const first = this.#inflight.first;
    return first === undefined ? undefined : Math.max(first.sentAt, this.#receivedAt);
  }

  sendRaw(request: Request, source: Buffer, start: number, end: number): void {
    this.#outbox.addRaw(request, source, start, end);
    this.#sent(request);
  }

  sendCommand(request: Request, argv: readonly Argument[]): void {
    this.#outbox.addCommand(request, argv);
    this.#sent(request);
  }

  sendAgain(request: Request): void {
    this.#outbox.addAgain(request);
    this.#sent(request);
  }

  flush(): void {
    this.isUnflushed = false;
    if (this.state === "up") this.#flushNow();
  }

  /** `wanted`: it says nothing about the node. */
  close(reason: string, wanted = false): void {
    if (this.state === "closed") return;
    this.#reason = reason;
    this.#isWanted = wanted;
    this.#socket.destroy();
  }

  #sent(request: Request): void {
    request.sentAt = this.#host.now;
    this.#inflight.push(request);
    this.#unsent++;
    this.unansweredBytes += request.bytes;
    if (this.isUnflushed) return;
    this.isUnflushed = true;
    this.#host.onUnflushed(this);
  }

  #greet(): void {
    this.#connectTimer.cancel();
    this.node.isReachable = true;
    const greeting = this.identity.greeting();
    this.#greetingsLeft = greeting.length;
    this.state = greeting.length === 0 ? "up" : "greeting";
    // Nothing else is sent before the node agreed: it would run as somebody else.
    for (const command of greeting) this.#socket.write(encodeCommand(command));
    if (this.state === "up") this.#flushNow();
  }

  #flushNow(): void {
    this.#unsent = 0;
    this.#outbox.flush(this.#socket);
  }

  #onData(chunk: Buffer): void {
    this.#host.tick();
    this.#receivedAt = this.#host.now;
    try {
      this.#read(chunk);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.close(`what the node sent is no Redis protocol: ${error.message}`);
    }
  }

  #read(chunk: Buffer): void {
    let bytes = chunk;
    if (this.#tail !== undefined) {
      bytes = Buffer.concat([this.#tail, chunk]);
      this.#tail = undefined;
    }
    const end = bytes.length;
    let start = 0;
    while (start < end && this.state !== "closed") {
      const behind = this.#scanner.scan(bytes, start, end);
      if (behind === -1) {
        const { position } = this.#scanner;
        if (position > start) this.#pieces.push(Buffer.from(bytes.subarray(start, position)));
        if (position < end) this.#tail = Buffer.from(bytes.subarray(position, end));
        return;
      }
      if (this.#pieces.length > 0) {
        this.#pieces.push(bytes.subarray(start, behind));
        const whole = Buffer.concat(this.#pieces);
        this.#pieces = [];
        this.#onReply(whole, 0, whole.length);
      } else {
        this.#onReply(bytes, start, behind);
      }
      start = behind;
    }
  }

  #onReply(bytes: Buffer, start: number, end: number): void {
    if (bytes[start] === 0x3e) {
      this.onPush?.(bytes.subarray(start, end));
      return;
    }
    if (this.state === "greeting") {
      this.#onGreeting(bytes, start, end);
      return;
    }
    const request = this.#inflight.shift();
    if (request === undefined) {
      this.close("the node answered what nobody asked");
      return;
    }
    this.unansweredBytes -= request.bytes;
    this.#host.onReply(this, request, bytes, start, end);
    if (this.waiting.length > 0 && this.unansweredBytes <= this.#reliefBytes) {
      const { waiting } = this;
      this.waiting = [];
      this.#host.onRelief(waiting);
    }
  }

  #onGreeting(bytes: Buffer, start: number, end: number): void {
    if (bytes[start] === 0x2d) {
      this.#refusal = bytes.toString("latin1", start + 1, end - 2);
      this.close(`the node refused the connection: ${this.#refusal}`);
      return;
    }
    this.#greetingsLeft--;
    if (this.#greetingsLeft > 0) return;
    this.state = "up";
    this.#flushNow();
  }

  #onClose(error: Error | undefined): void {
    this.state = "closed";
    this.#connectTimer.cancel();
    if (!this.#isWanted) this.node.isReachable = false;
    this.#pieces = [];
    this.#tail = undefined;
    const left = [...this.#inflight];
    const known = left.length - this.#unsent;
    const reason = error === undefined ? this.#reason : error.message;
    this.#host.onClosed(this, {
      reason,
      refusal: this.#refusal,
      sent: left.slice(0, known),
      unsent: left.slice(known),
    });
    const { waiting } = this;
    this.waiting = [];
    this.#host.onRelief(waiting);
    this.onEnd?.();
  }
}
