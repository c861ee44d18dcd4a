// A client that knows bytes: sends commands or anything else, and returns the exact bytes of each
// reply. Pushes (RESP3) are collected apart, because they may come at any time.

import { connect, type Socket } from "node:net";
import { parseReply } from "./reply.js";

export type Argument = string | Buffer;

interface Waiter {
  readonly resolve: (reply: Buffer) => void;
  readonly reject: (error: Error) => void;
}

const replyTimeoutMs = 20_000;

export class RawClient {
  readonly pushes: Buffer[] = [];
  /** Resolves with everything that was never claimed as a reply, when the server closes. */
  readonly closed: Promise<Buffer>;
  readonly #socket: Socket;
  readonly #waiters: Waiter[] = [];
  #received: Buffer = Buffer.alloc(0);
  #isClosed = false;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("data", (chunk) => this.#onData(chunk));
    this.closed = new Promise((resolve) => {
      socket.once("close", () => {
        this.#isClosed = true;
        for (const { reject } of this.#waiters.splice(0)) reject(new Error("connection closed"));
        resolve(this.#received);
      });
    });
    socket.on("error", () => {});
  }

  static connect(port: number, host = "127.0.0.1"): Promise<RawClient> {
    return new Promise((resolve, reject) => {
      const socket = connect({ port, host, noDelay: true });
      socket.once("error", reject);
      socket.once("connect", () => {
        socket.removeListener("error", reject);
        resolve(new RawClient(socket));
      });
    });
  }

  /** The reply's bytes; an error reply is a reply like any other. */
  call(...args: readonly Argument[]): Promise<Buffer> {
    this.write(encodeCommand(args));
    return this.read();
  }

  write(bytes: Argument): void {
    this.#socket.write(bytes);
  }

  /** The next reply nobody waits for yet. */
  read(timeoutMs = replyTimeoutMs): Promise<Buffer> {
    if (this.#isClosed) return Promise.reject(new Error("connection closed"));
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        const index = this.#waiters.indexOf(waiter);
        if (index >= 0) this.#waiters.splice(index, 1);
        reject(new Error(`no reply within ${timeoutMs} ms`));
      }, timeoutMs);
      const waiter: Waiter = {
        resolve: (reply) => {
          clearTimeout(timer);
          resolve(reply);
        },
        reject: (error) => {
          clearTimeout(timer);
          reject(error);
        },
      };
      this.#waiters.push(waiter);
      this.#deliver();
    });
  }

  /** Reads nothing any more: what comes fills the peer's buffers. */
  pause(): void {
    this.#socket.pause();
  }

  close(): void {
    this.#socket.destroy();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #onData(chunk: Buffer): void {
    this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
    this.#deliver();
  }

  #deliver(): void {
    for (;;) {
      const isPush = this.#received[0] === 0x3e;
      if (this.#waiters.length === 0 && !isPush) return;
      if (this.#received.length === 0) return;
      const parsed = parseReply(this.#received);
      if (parsed === undefined) return;
      const reply = Buffer.from(this.#received.subarray(0, parsed.end));
      this.#received = this.#received.subarray(parsed.end);
      if (isPush) this.pushes.push(reply);
      else this.#waiters.shift()?.resolve(reply);
    }
  }
}

export function encodeCommand(args: readonly Argument[]): Buffer {
  const parts: Buffer[] = [Buffer.from(`*${args.length}\r\n`)];
  for (const arg of args) {
    const bytes = typeof arg === "string" ? Buffer.from(arg, "latin1") : arg;
    parts.push(Buffer.from(`$${bytes.length}\r\n`), bytes, Buffer.from("\r\n"));
  }
  return Buffer.concat(parts);
}
