/**
 * Connections to nodes that one client has for itself, for as long as it needs them: a node that
 * makes somebody wait, or that keeps state between commands, must not do so to everybody. They are
 * bounded in number and used again. Blocking commands, which need nothing else, are here too.
 */
import type { Argument } from "@slotlog/resp";
import type { RoutedCommand } from "./catalog.js";
import type { Identity } from "./identity.js";
import { attemptsMax, retryDelayMsMax, retryDelayMsMin } from "./limits.js";
import { Link } from "./link.js";
import { integerOf } from "./merge.js";
import { verdictOf } from "./redirect.js";
import { errorReply, isError } from "./render.js";
import { noSlot, type Request, type RequestPool } from "./request.js";
import type { Router } from "./router.js";
import type { Session } from "./session.js";
import type { UpstreamNode } from "./upstream.js";

/** Connections kept for the next client, per node and user. */
const idleMax = 8;

export interface DedicatedOptions {
  readonly router: Router;
  readonly pool: RequestPool;
  readonly max: number;
}

interface Blocked {
  readonly link: Link;
  readonly node: UpstreamNode;
  readonly slot: number;
  /** Monotonic ms since which the slot is elsewhere; 0 if it is not. */
  strayedAt: number;
  /** The node's own number of this connection, once it has told. */
  id: number;
}

export class Dedicated {
  readonly #router: Router;
  readonly #pool: RequestPool;
  readonly #max: number;
  readonly #idle = new Map<string, Link[]>();
  readonly #used = new Set<Link>();
  /** Of those in use: the node may take as long as it likes. */
  readonly #patient = new Set<Link>();
  readonly #blocked = new Map<Session, Blocked>();

  constructor({ router, pool, max }: DedicatedOptions) {
    this.#router = router;
    this.#pool = pool;
    this.#max = max;
  }

  get count(): number {
    return this.#used.size;
  }

  /** `undefined` if there are too many already. */
  acquire(node: UpstreamNode, identity: Identity, patient = false): Link | undefined {
    const idle = this.#idle.get(keyOf(node, identity));
    let link = idle?.pop();
    while (link !== undefined && link.state === "closed") link = idle?.pop();
    if (link === undefined) {
      this.#forgetClosed();
      if (this.#used.size >= this.#max) return undefined;
      link = new Link(this.#router.delivery, node, identity, 0);
    }
    this.#used.add(link);
    if (patient) this.#patient.add(link);
    return link;
  }

  /** Its state must be that of a new connection. */
  release(link: Link): void {
    this.#used.delete(link);
    this.#patient.delete(link);
    if (link.state === "closed") return;
    const key = keyOf(link.node, link.identity);
    const idle = this.#idle.get(key) ?? [];
    this.#idle.set(key, idle);
    link.onPush = undefined;
    link.onEnd = undefined;
    if (link.inflight > 0 || idle.length >= idleMax) link.close("it is not needed any more", true);
    else idle.push(link);
  }

  drop(link: Link, reason = "its client is gone"): void {
    this.#used.delete(link);
    this.#patient.delete(link);
    link.close(reason, true);
  }

  close(): void {
    for (const link of this.#used) link.close("the router stops", true);
    for (const links of this.#idle.values()) {
      for (const link of links) link.close("the router stops", true);
    }
  }

  /** Ends those whose node does not answer. */
  sweep(now: number, timeoutMs: number): void {
    this.#sweepBlocked(now, timeoutMs);
    for (const link of this.#used) {
      if (this.#patient.has(link)) continue;
      const since = link.waitingSince;
      if (since !== undefined && now - since > timeoutMs) {
        link.close(`no reply within ${timeoutMs} ms`);
      }
    }
  }

  /** A node that lost the slot tells those who wait there, unless it hangs. */
  #sweepBlocked(now: number, timeoutMs: number): void {
    for (const blocked of this.#blocked.values()) {
      const isHere = this.#router.cluster.primaryOf(blocked.slot) === blocked.node;
      if (isHere) blocked.strayedAt = 0;
      else if (blocked.strayedAt === 0) blocked.strayedAt = now;
      else if (now - blocked.strayedAt > timeoutMs) blocked.link.close("another node has the slot");
    }
  }

  /** Sends on a connection of one's own; redirects come to `then` as replies. */
  send(link: Link, words: readonly Argument[], then: (reply: Buffer) => void): Request {
    const request = this.#pool.take();
    request.startedAt = this.#router.delivery.now;
    request.owner = { takesRedirects: true, onReply: (_, reply) => then(reply) };
    link.sendCommand(request, words);
    return request;
  }

  block(session: Session, command: RoutedCommand, argv: readonly Argument[]): void {
    const { dispatcher } = this.#router;
    const slot = dispatcher.slotOrReply(session, command, argv);
    if (slot === undefined) return;
    const isStream = command.fullName.startsWith("xread");
    const waits = !isStream || argv.some((each) => String(each).toLowerCase() === "block");
    if (slot === noSlot) dispatcher.sendAnywhere(session, command, argv);
    else if (!waits) dispatcher.sendToSlot(session, command, slot, argv);
    else this.#wait(session, command, slot, argv.slice());
  }

  #wait(session: Session, command: RoutedCommand, slot: number, argv: readonly Argument[]): void {
    const { cluster, delivery, dispatcher, limits, topology } = this.#router;
    const head = dispatcher.open(session, command, slot);
    session.holds++;
    const begin = delivery.now;
    let attempts = 0;
    const finish = (reply: Buffer): void => {
      session.holds--;
      delivery.answer(head, reply);
      session.resumeSoon();
    };
    const again = (reply: Buffer, target: UpstreamNode | undefined, asking: boolean): void => {
      attempts++;
      const isLate = delivery.now - begin > limits.timeoutMs && target === undefined;
      if (session.isClosed || isLate || attempts > attemptsMax) finish(reply);
      else if (target !== undefined && attempts < 3) attempt(target, asking);
      else {
        topology.refreshSoon();
        const pause = Math.min(retryDelayMsMax, retryDelayMsMin * 2 ** Math.min(attempts, 10));
        delivery.clock.after(pause, () => attempt(cluster.primaryOf(slot), false));
      }
    };
    const attempt = (node: UpstreamNode | undefined, asking: boolean): void => {
      if (session.isClosed) {
        finish(Buffer.alloc(0));
        return;
      }
      if (node === undefined) {
        again(errorReply("CLUSTERDOWN Hash slot not served"), undefined, false);
        return;
      }
      const link = this.acquire(node, session.identity, true);
      if (link === undefined) {
        finish(errorReply(tooMany(this.#max)));
        return;
      }
      const blocked: Blocked = { link, node, slot, strayedAt: 0, id: 0 };
      this.#blocked.set(session, blocked);
      this.send(link, ["CLIENT", "ID"], (reply) => {
        if (!isError(reply)) blocked.id = integerOf(reply);
      });
      if (asking) this.send(link, ["ASKING"], () => {});
      node.requests++;
      this.send(link, argv, (reply) => {
        this.#blocked.delete(session);
        const verdict = isError(reply) ? verdictOf(reply, 0, reply.length) : undefined;
        this.release(link);
        if (verdict === undefined) finish(reply);
        else if (verdict.kind === "not-now") again(reply, undefined, false);
        else {
          topology.refreshSoon();
          const host = verdict.host === "" ? node.host : verdict.host;
          again(reply, cluster.node(host, verdict.port), verdict.kind === "ask");
        }
      });
    };
    // What it said before goes another way, and must not come after this.
    session.whenAnswered(() => {
      session.pending.push(head);
      attempt(cluster.primaryOf(slot), false);
    });
  }

  /** The client is gone: the node must not give it anything any more. */
  forget(session: Session): void {
    const blocked = this.#blocked.get(session);
    if (blocked !== undefined) this.drop(blocked.link);
  }

  unblock(session: Session, asError: boolean): boolean {
    const blocked = this.#blocked.get(session);
    if (blocked === undefined || blocked.id === 0) return false;
    const words = ["CLIENT", "UNBLOCK", String(blocked.id), asError ? "ERROR" : "TIMEOUT"];
    this.#router.ask(session, words, false, () => {}, blocked.node);
    return true;
  }

  #forgetClosed(): void {
    for (const link of this.#used) {
      if (link.state !== "closed") continue;
      this.#used.delete(link);
      this.#patient.delete(link);
    }
  }
}

export function tooMany(max: number): string {
  return (
    `ERR slotlog router: ${max} connections are in use by transactions, blocking commands and ` +
    "subscriptions already; raise --dedicated-max or try again later"
  );
}

function keyOf(node: UpstreamNode, identity: Identity): string {
  return `${identity.index} ${node.address}`;
}
