/**
 * One command on its way to a node: whose it is, where its bytes stand so that it can be sent
 * again, and what became of it. Requests are taken from a pool, since there is one per command.
 */
import type { RoutedCommand } from "./catalog.js";
import type { RequestChunk } from "./outbox.js";
import type { Session } from "./session.js";
import type { UpstreamNode } from "./upstream.js";

/** Who wants the reply in place of a client: what gathers several, or prepares a connection. */
export interface ReplyOwner {
  /** Redirects and refusals come here too, and are not followed. */
  readonly takesRedirects: boolean;
  /** `reply` is a copy. */
  onReply(request: Request, reply: Buffer): void;
}

/** What a client said that has no declaration: it goes to some node, which answers. */
export const noSlot = -1;

export class Request {
  session: Session | undefined = undefined;
  owner: ReplyOwner | undefined = undefined;
  command: RoutedCommand | undefined = undefined;
  slot = noSlot;
  /** Counts the client's commands: who came before whom. */
  sequence = 0;
  /** Its bytes: `[start, end)` of a chunk, or parts of their own when they are many. */
  chunk: RequestChunk | undefined = undefined;
  start = 0;
  end = 0;
  parts: readonly Buffer[] | undefined = undefined;
  bytes = 0;
  /** Where to send it next, against what the slot map says. */
  target: UpstreamNode | undefined = undefined;
  asking = false;
  /** Monotonic ms at which the client's command was read. */
  startedAt = 0;
  /** Monotonic ms at which it was given to the connection that it is on. */
  sentAt = 0;
  attempts = 0;
  /** Nobody reads the reply (CLIENT REPLY). */
  silent = false;
  /** Answered, but something before it is not. */
  done = false;
  reply: Buffer[] | undefined = undefined;
  /** A later command of the same client on the same slot was done: repeating would reorder. */
  overtaken = false;
  /** Which part of a gathered reply this is. */
  part = 0;

  clear(): void {
    this.session = undefined;
    this.owner = undefined;
    this.command = undefined;
    this.slot = noSlot;
    this.chunk = undefined;
    this.parts = undefined;
    this.target = undefined;
    this.asking = false;
    this.attempts = 0;
    this.silent = false;
    this.done = false;
    this.reply = undefined;
    this.overtaken = false;
    this.part = 0;
  }
}

/** Idle requests kept for the next commands: a few hundred kilobytes. */
const idleMax = 4096;

export class RequestPool {
  readonly #idle: Request[] = [];

  take(): Request {
    return this.#idle.pop() ?? new Request();
  }

  give(request: Request): void {
    request.chunk?.release();
    request.clear();
    if (this.#idle.length < idleMax) this.#idle.push(request);
  }
}
