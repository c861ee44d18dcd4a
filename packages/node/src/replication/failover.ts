/**
 * FAILOVER: hands this primary's role to one of its replicas without losing a write. Writes are
 * paused; as soon as a replica has confirmed the whole stream, this node follows it and asks it, in
 * its PSYNC, to become the primary; what comes of that ends the pause. It knows no clients: pausing
 * is the node's.
 */
import type { Clock, Log, Timer } from "../ports.js";
import type { PrimaryAddress } from "./primary-link.js";
import type { ReplicaLink } from "./replica-link.js";
import type { Replicas } from "./replicas.js";

/** As INFO calls them. */
export type FailoverState = "no-failover" | "waiting-for-sync" | "failover-in-progress";

export interface FailoverHost {
  readonly clock: Clock;
  readonly log: Log;
  readonly replicas: Replicas;
  /** The end of the stream. */
  readonly offset: () => number;
  pauseWrites(): void;
  unpauseWrites(): void;
  /** Becomes a replica of one that shall become the primary. */
  follow(address: PrimaryAddress): void;
  /** Becomes a primary again. */
  unfollow(): void;
}

export interface FailoverRequest {
  /** `undefined`: whichever replica is first to have everything. */
  readonly target: PrimaryAddress | undefined;
  /** At the timeout, fail over although the target lacks something. */
  readonly force: boolean;
  /** `undefined`: until it succeeds or is aborted. */
  readonly timeoutMs: number | undefined;
}

/** Replicas acknowledge every second; what they confirm between is looked at as it comes. */
const checkIntervalMs = 100;

export class Failover {
  readonly #host: FailoverHost;
  #state: FailoverState = "no-failover";
  #target: PrimaryAddress | undefined;
  #force = false;
  /** Monotonic. */
  #endsAt = Number.POSITIVE_INFINITY;
  #timer: Timer | undefined;

  constructor(host: FailoverHost) {
    this.#host = host;
  }

  get state(): FailoverState {
    return this.#state;
  }

  get isRunning(): boolean {
    return this.#state !== "no-failover";
  }

  start({ force, target, timeoutMs }: FailoverRequest): void {
    const { clock, log } = this.#host;
    const name = target === undefined ? "any replica" : addressText(target);
    log.notice(`FAILOVER requested to ${name}.`);
    this.#state = "waiting-for-sync";
    this.#target = target;
    this.#force = force;
    this.#endsAt = clock.monotonic() + (timeoutMs ?? Number.POSITIVE_INFINITY);
    this.#host.pauseWrites();
    this.#timer = clock.every(checkIntervalMs, () => this.check());
  }

  /** FAILOVER ABORT, or a reason of our own. */
  abort(reason: string): void {
    if (!this.isRunning) return;
    const name = this.#target === undefined ? "any replica" : addressText(this.#target);
    this.#host.log.notice(`FAILOVER to ${name} aborted: ${reason}`);
    if (this.#state === "failover-in-progress") this.#host.unfollow();
    this.#end();
  }

  /** Something was confirmed, or time has passed. Between turns. */
  check(): void {
    if (this.#state !== "waiting-for-sync") return;
    if (this.#host.clock.monotonic() >= this.#endsAt) {
      if (this.#force && this.#target !== undefined) {
        this.#handOver(this.#target, "time out exceeded, failing over.");
      } else this.abort("Replica never caught up before timeout");
      return;
    }
    for (const link of this.#host.replicas.links) {
      const address = addressOf(link);
      if (link.state !== "online" || link.acknowledgedOffset !== this.#host.offset()) continue;
      if (this.#target !== undefined && !sameAddress(this.#target, address)) continue;
      this.#handOver(address, "is synced, failing over.");
      return;
    }
  }

  /** What the replica said to our request. */
  onTakeover({ refusal }: { readonly refusal: string | undefined }): void {
    if (this.#state !== "failover-in-progress") return;
    if (refusal === undefined) this.#end();
    else this.abort(`Failover target rejected psync request: ${refusal}`);
  }

  /** The node stops: nothing is to come any more. */
  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #handOver(target: PrimaryAddress, why: string): void {
    this.#host.log.notice(`Failover target ${addressText(target)} ${why}`);
    this.stop();
    this.#state = "failover-in-progress";
    this.#target = target;
    this.#host.follow(target);
  }

  #end(): void {
    this.stop();
    this.#state = "no-failover";
    this.#target = undefined;
    this.#force = false;
    this.#endsAt = Number.POSITIVE_INFINITY;
    this.#host.unpauseWrites();
  }
}

/** The replica with this address, as it announced it. */
export function findReplica(replicas: Replicas, address: PrimaryAddress): ReplicaLink | undefined {
  for (const link of replicas.links) if (sameAddress(addressOf(link), address)) return link;
  return undefined;
}

function addressOf(link: ReplicaLink): PrimaryAddress {
  return { host: link.address, port: link.peer.listeningPort };
}

function sameAddress(left: PrimaryAddress, right: PrimaryAddress): boolean {
  return left.port === right.port && left.host.toLowerCase() === right.host.toLowerCase();
}

function addressText({ host, port }: PrimaryAddress): string {
  return `${host}:${port}`;
}
