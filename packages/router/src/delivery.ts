/**
 * What becomes of replies: to the client in its order, to whoever gathers several, or, if a node
 * asks for it, the command goes to another node or is repeated after a while.
 *
 * Nothing is reordered: a command is repeated only when everything that its client sent after it
 * was answered, and not at all if a later one on its slot was done. Nothing is done twice: what
 * changes data and may have been done is never repeated, its client is told so.
 */
import { attemptsMax, clientPendingMax, retryDelayMsMax, retryDelayMsMin } from "./limits.js";
import type { ClusterView } from "./cluster.js";
import type { Link, LinkEnding, LinkHost } from "./link.js";
import type { Clock, Log, Net } from "./ports.js";
import { verdictOf } from "./redirect.js";
import { errorReply } from "./render.js";
import { type Request, type RequestPool, noSlot } from "./request.js";
import type { Session } from "./session.js";
import type { Statistics } from "./statistics.js";
import type { UpstreamNode } from "./upstream.js";

export interface DeliveryHost {
  readonly clock: Clock;
  readonly net: Net;
  readonly log: Log;
  readonly cluster: ClusterView;
  readonly pool: RequestPool;
  readonly statistics: Statistics;
  readonly timeoutMs: number;
  readonly clientOutputBytesMax: number;
  /** Something is not where it was thought to be. */
  refreshSoon(): void;
  /** The shared connection on which that client's requests to that node go. */
  linkTo(node: UpstreamNode, session: Session): Link;
  /** Where a request without a slot, or to a slot without a node, goes. */
  anyNode(session: Session): UpstreamNode | undefined;
}

/** Between ASKING and its command nothing may come: the reply is nobody's. */
const askingOwner = { takesRedirects: true, onReply: (): void => {} };
const askingWords = ["ASKING"];

export class Delivery implements LinkHost {
  readonly clock: Clock;
  readonly net: Net;
  readonly #host: DeliveryHost;
  readonly #links: Link[] = [];
  readonly #sessions: Session[] = [];
  readonly #resumable: Session[] = [];
  readonly #retriable: Session[] = [];
  #isDeferred = false;
  /** Monotonic ms of what is being handled: read once per chunk and not per command. */
  now = 0;

  constructor(host: DeliveryHost) {
    this.#host = host;
    this.clock = host.clock;
    this.net = host.net;
    this.now = host.clock.monotonic();
  }

  tick(): void {
    this.now = this.clock.monotonic();
  }

  onUnflushed(target: Link | Session): void {
    if ("output" in target) this.#sessions.push(target);
    else this.#links.push(target);
    this.#endTurnLater();
  }

  onResumable(session: Session): void {
    this.#resumable.push(session);
    this.#endTurnLater();
  }

  onRelief(waiting: readonly Session[]): void {
    for (const session of waiting) {
      session.stalledBy = undefined;
      session.resumeSoon();
    }
  }

  onReply(link: Link, request: Request, bytes: Buffer, start: number, end: number): void {
    const { session, owner } = request;
    if (session !== undefined) session.inflight--;
    if (bytes[start] === 0x2d) {
      link.node.errors++;
      if (owner?.takesRedirects !== true && this.#redirected(link, request, bytes, start, end)) {
        return;
      }
    }
    this.#answered(request, bytes, start, end);
    if (session !== undefined && session.parked.length > 0) this.#retryWhenSettled(session);
  }

  onClosed(link: Link, { reason, refusal, sent, unsent }: LinkEnding): void {
    const { address } = link.node;
    if (sent.length > 0 || unsent.length > 0) {
      this.#host.log.warning(`connection to ${address} ended`, {
        reason,
        unanswered: sent.length,
        unsent: unsent.length,
      });
    }
    this.tick();
    if (!link.node.isReachable) this.#host.refreshSoon();
    const unknown = Buffer.from(
      `-UNCONFIRMED slotlog router: the connection to ${address} ended before the reply ` +
        `(${reason}); whether the command was done is not known, and it was not repeated\r\n`,
      "latin1",
    );
    const undone =
      refusal === undefined
        ? Buffer.from(`-CLUSTERDOWN slotlog router: ${address} cannot be reached (${reason})\r\n`)
        : Buffer.from(`-${refusal}\r\n`, "latin1");
    for (const request of sent) {
      this.#lost(request, request.command?.isReadOnly === true ? undone : unknown, unknown);
    }
    for (const request of unsent)
      this.#lost(request, undone, refusal === undefined ? undefined : undone);
  }

  /** An answer that did not come from a node. */
  answer(request: Request, reply: Buffer): void {
    this.#answered(request, reply, 0, reply.length);
  }

  /** A request that no node could be found for, or that its node cannot do now. */
  park(request: Request, error: Buffer, delayMs: number): void {
    const { session } = request;
    if (session === undefined || session.isClosed) {
      this.#answered(request, error, 0, error.length);
      return;
    }
    request.reply = [error];
    session.parked.push(request);
    session.retryAt = Math.max(session.retryAt, this.now + delayMs);
    this.#retryWhenSettled(session);
  }

  /** The client is gone: what it still waits for is nobody's. */
  forget(session: Session): void {
    const parked = session.parked;
    session.parked = [];
    for (const request of parked) {
      const reply = request.reply?.[0] ?? Buffer.alloc(0);
      if (request.owner === undefined) this.#host.pool.give(request);
      else this.#answered(request, reply, 0, reply.length);
    }
    if (session.stalledBy === undefined) return;
    const { waiting } = session.stalledBy;
    const at = waiting.indexOf(session);
    if (at >= 0) waiting.splice(at, 1);
  }

  /** `error` if it may be repeated; `final`, if it is given, when it may not. */
  #lost(request: Request, error: Buffer, final: Buffer | undefined): void {
    const { session, owner } = request;
    if (session !== undefined) session.inflight--;
    const mayRepeat = final === undefined || error !== final;
    if (session === undefined || owner?.takesRedirects === true || !mayRepeat) {
      const reply = final ?? error;
      this.#answered(request, reply, 0, reply.length);
    } else {
      if (request.slot !== noSlot || owner === undefined) request.target = undefined;
      this.park(request, error, pauseOf(request));
    }
    if (session !== undefined && session.parked.length > 0) this.#retryWhenSettled(session);
  }

  #redirected(link: Link, request: Request, bytes: Buffer, start: number, end: number): boolean {
    const verdict = verdictOf(bytes, start, end);
    if (verdict === undefined) return false;
    const { cluster } = this.#host;
    link.node.redirects++;
    request.asking = false;
    // What was for one node of all stays with it.
    if (request.slot !== noSlot || request.owner === undefined) request.target = undefined;
    let delay = 0;
    if (verdict.kind === "not-now") {
      delay = pauseOf(request);
      if (verdict.refresh) this.#host.refreshSoon();
    } else {
      const host = verdict.host === "" ? link.node.host : verdict.host;
      request.target = cluster.node(host, verdict.port);
      request.asking = verdict.kind === "ask";
      // A replica that is only read from sends on what it does not serve: that moves no slot.
      if (verdict.kind === "moved") {
        if (!link.node.isReplica) cluster.move(verdict.slot, request.target);
        this.#host.refreshSoon();
      }
      // The second redirect in a row is no longer news but a disagreement between nodes.
      if (request.attempts > 1) delay = pauseOf(request);
    }
    this.park(request, Buffer.from(bytes.subarray(start, end)), delay);
    return true;
  }

  #answered(request: Request, bytes: Buffer, start: number, end: number): void {
    const { owner, session } = request;
    const { command } = request;
    if (command !== undefined && owner === undefined) {
      const isError = bytes[start] === 0x2d;
      this.#host.statistics.count(
        command.index,
        request.slot,
        this.now - request.startedAt,
        isError,
      );
    }
    if (session !== undefined && session.parked.length > 0) overtake(session, request);
    if (owner !== undefined) {
      owner.onReply(request, Buffer.from(bytes.subarray(start, end)));
      this.#host.pool.give(request);
      return;
    }
    if (session === undefined || session.isClosed) {
      this.#host.pool.give(request);
      return;
    }
    if (session.window < clientPendingMax) session.window++;
    session.meanReplyBytes += (end - start - session.meanReplyBytes) / 8;
    if (session.pending.first !== request) {
      request.reply = [Buffer.from(bytes.subarray(start, end))];
      request.done = true;
      session.heldBytes += end - start;
      this.boundOutput(session);
      return;
    }
    session.pending.shift();
    if (!request.silent) session.write(bytes, start, end);
    this.#host.pool.give(request);
    this.#deliverHeld(session);
    if (session.onAnswered !== undefined && session.pending.length === 0) {
      const then = session.onAnswered;
      session.onAnswered = undefined;
      then();
    }
    if (session.isPaused) session.resumeSoon();
    if (session.output.bytes > this.#host.clientOutputBytesMax) this.boundOutput(session);
    if (session.isEnding) session.flushSoon();
  }

  /** What was answered before its turn, and whose turn it is now. */
  #deliverHeld(session: Session): void {
    for (;;) {
      const request = session.pending.first;
      if (request === undefined || !request.done) return;
      session.pending.shift();
      for (const part of request.reply ?? []) {
        session.heldBytes -= part.length;
        if (!request.silent) session.write(part, 0, part.length);
      }
      this.#host.pool.give(request);
    }
  }

  /** Ends a client that does not read, before it costs everybody's memory. */
  boundOutput(session: Session): void {
    const bytes = session.heldBytes + session.output.bytes;
    if (bytes <= this.#host.clientOutputBytesMax) return;
    this.#host.log.warning("a client is closed: it does not read its replies", {
      client: session.address,
      bytes,
    });
    session.socket.destroy();
  }

  #retryWhenSettled(session: Session): void {
    if (session.inflight > 0 || session.isRetryPlanned || session.parked.length === 0) return;
    session.isRetryPlanned = true;
    const delay = session.retryAt - this.now;
    if (delay <= 0) {
      this.#retriable.push(session);
      this.#endTurnLater();
      return;
    }
    this.clock.after(delay, () => {
      this.tick();
      this.#retry(session);
    });
  }

  #retry(session: Session): void {
    session.isRetryPlanned = false;
    // They may have come back from several nodes in any order.
    const parked = session.parked.sort((left, right) => left.sequence - right.sequence);
    session.parked = [];
    session.retryAt = 0;
    for (const request of parked) this.#again(session, request);
    if (session.parked.length === 0) session.resumeSoon();
    else this.#retryWhenSettled(session);
  }

  #again(session: Session, request: Request): void {
    const error = request.reply?.[0] ?? Buffer.alloc(0);
    request.reply = undefined;
    const isLate = this.now - request.startedAt > this.#host.timeoutMs;
    if (session.isClosed || request.overtaken || isLate || request.attempts >= attemptsMax) {
      const reply = withoutRedirect(error);
      this.#answered(request, reply, 0, reply.length);
      return;
    }
    const { cluster } = this.#host;
    const mapped = request.slot === noSlot ? undefined : cluster.primaryOf(request.slot);
    const isFree = request.slot === noSlot && request.owner === undefined;
    const node = request.target ?? mapped ?? (isFree ? this.#host.anyNode(session) : undefined);
    if (node === undefined) {
      request.attempts++;
      this.#host.refreshSoon();
      this.park(request, error, pauseOf(request));
      return;
    }
    this.#host.statistics.retries++;
    const link = this.#host.linkTo(node, session);
    if (request.asking) this.ask(link);
    this.track(session, request, node);
    link.sendAgain(request);
  }

  /** The node will take the next command on this connection for a slot that moves to it. */
  ask(link: Link): void {
    const asking = this.#host.pool.take();
    asking.owner = askingOwner;
    asking.startedAt = this.now;
    link.sendCommand(asking, askingWords);
  }

  /** To be called for each request that is sent. */
  track(session: Session, request: Request, node: UpstreamNode): void {
    session.inflight++;
    request.attempts++;
    node.requests++;
  }

  #endTurnLater(): void {
    if (this.#isDeferred) return;
    this.#isDeferred = true;
    this.clock.defer(() => this.#endTurn());
  }

  #endTurn(): void {
    this.#isDeferred = false;
    this.tick();
    // Each may add to the next; what is added to an earlier one waits for the next turn.
    for (const session of this.#retriable.splice(0)) this.#retry(session);
    for (const session of this.#resumable.splice(0)) session.resume();
    for (let i = 0; i < this.#links.length; i++) this.#links[i]?.flush();
    this.#links.length = 0;
    for (let i = 0; i < this.#sessions.length; i++) this.#sessions[i]?.flush();
    this.#sessions.length = 0;
  }
}

/** Marks what would be reordered if it were repeated now. */
function overtake(session: Session, done: Request): void {
  for (const request of session.parked) {
    if (request.slot !== done.slot || request.sequence >= done.sequence) continue;
    if (request.command?.isReadOnly === true && done.command?.isReadOnly === true) continue;
    request.overtaken = true;
  }
}

/** A plain client could not follow a MOVED: if it cannot be followed here, it is an error. */
function withoutRedirect(error: Buffer): Buffer {
  const text = error.toString("latin1", 1, error.length - 2);
  if (!/^(MOVED|ASK) /.test(text)) return error;
  return errorReply(
    `CLUSTERDOWN slotlog router: the nodes send this command to each other, the last one said ${text}`,
  );
}

function pauseOf(request: Request): number {
  return Math.min(retryDelayMsMax, retryDelayMsMin * 2 ** Math.min(10, request.attempts));
}
