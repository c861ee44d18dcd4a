/**
 * WAIT and WAITAOF: clients that wait until replicas have their writes, or until disks have. It
 * owns who waits for what, and when they are looked at again: at the end of a turn in which a
 * replica confirmed something, our own disk got further, or the AOF was switched.
 *
 * A write of this turn has no replication offset yet: it gets one when the turn's log is handed on.
 */
import type { ReplyWriter } from "@slotlog/resp";
import { replyErrors } from "@slotlog/resp";
import type { Command } from "../commands/registry.js";
import type { BlockedState, Client } from "../net/client.js";
import type { Clock, Timer } from "../ports.js";
import type { LateClient, LateReplies } from "./late-replies.js";

export interface ReplicaWaitsHost {
  readonly clock: Clock;
  readonly late: LateReplies;
  /** The end of the turn will come, and with it `serve`. */
  scheduleTurn(): void;
  /**
   * The replication offset that says that a replica has the log up to there; `undefined` while this
   * part of the log was not handed on.
   */
  replicationOffsetOf(logOffset: number): number | undefined;
  /** How many replicas have confirmed that offset, or have it on their disks. */
  countAcknowledged(replicationOffset: number): number;
  countDurable(replicationOffset: number): number;
  /** Asks the replicas at the end of this turn. */
  requestAcks(): void;
  /** The log offset up to which our own disk has everything; `undefined` if it has no AOF. */
  durableOffset(): number | undefined;
  readonly appendOnly: boolean;
}

export interface ReplicaWait {
  /** WAITAOF: our own disk must have the writes. */
  readonly local: boolean;
  readonly replicas: number;
  readonly kind: "wait" | "waitaof";
  /** Unix ms, 0 for never. */
  readonly timeoutAt: number;
}

export const aofRequired =
  "ERR WAITAOF cannot be used when numlocal is set but appendonly is disabled.";

/** Timers of Node.js end at 2^31 - 1 ms, some 24 days; longer waits set another one. */
const timerMsMax = 2 ** 31 - 1;

class Waiting implements BlockedState, LateClient {
  readonly client: Client;
  readonly command: Command;
  readonly wait: ReplicaWait;
  readonly isSilent: boolean;
  /** Of the last write before the command. */
  readonly logOffset: number;
  timer: Timer | undefined;
  readonly #owner: ReplicaWaits;

  constructor(owner: ReplicaWaits, client: Client, command: Command, wait: ReplicaWait) {
    this.#owner = owner;
    this.client = client;
    this.command = command;
    this.wait = wait;
    this.isSilent = client.replyMode !== "on";
    this.logOffset = client.writeOffset;
  }

  get reason(): "wait" | "waitaof" {
    return this.wait.kind;
  }

  cancel(how: "timeout" | "error" | "closed"): void {
    this.#owner.cancel(this, how);
  }
}

export class ReplicaWaits {
  readonly #host: ReplicaWaitsHost;
  readonly #waiting = new Set<Waiting>();
  #changed = false;

  constructor(host: ReplicaWaitsHost) {
    this.#host = host;
  }

  get count(): number {
    return this.#waiting.size;
  }

  /** Replicas that have this client's writes, or have them on disk. */
  countReplicas(kind: ReplicaWait["kind"], logOffset: number): number {
    const offset = this.#host.replicationOffsetOf(logOffset);
    if (offset === undefined) return 0;
    return kind === "wait" ? this.#host.countAcknowledged(offset) : this.#host.countDurable(offset);
  }

  /** 1 if our own disk has this client's writes. */
  countLocal(logOffset: number): number {
    const durable = this.#host.durableOffset();
    // Without an AOF Redis counts no offsets, and all that was never counted as being there.
    return logOffset <= (durable ?? 0) ? 1 : 0;
  }

  /** Blocks the client; called by its command, when what it waits for is not there. */
  wait(client: Client, command: Command, wait: ReplicaWait): void {
    const waiting = new Waiting(this, client, command, wait);
    client.blocked = waiting;
    this.#waiting.add(waiting);
    const { clock } = this.#host;
    if (wait.timeoutAt !== 0) {
      this.#setTimer(waiting, clock.monotonic() + wait.timeoutAt - clock.now());
    }
    this.#host.requestAcks();
  }

  /** A replica or a disk has got further, or is gone: somebody may have waited for it. */
  changed(): void {
    if (this.#waiting.size === 0) return;
    this.#changed = true;
    this.#host.scheduleTurn();
  }

  /** Answers those who have what they wait for. */
  serve(): void {
    if (!this.#changed) return;
    this.#changed = false;
    for (const waiting of this.#waiting) this.#look(waiting);
  }

  /** Ends a wait without what it waited for. */
  cancel(waiting: Waiting, how: "timeout" | "error" | "closed"): void {
    if (!this.#remove(waiting)) return;
    if (how === "closed") waiting.client.blocked = undefined;
    else if (how === "error") this.#refuse(waiting, replyErrors.unblocked);
    else this.#host.late.answer(waiting, (reply) => this.#writeCounts(reply, waiting));
  }

  /** This node is no primary any more: its offsets mean nothing to who waits. */
  disconnectAll(): void {
    for (const waiting of this.#waiting) {
      this.#remove(waiting);
      this.#refuse(waiting, replyErrors.unblockedByRoleChange);
      waiting.client.link.closeAfterReplies();
    }
  }

  #look(waiting: Waiting): void {
    const { kind, local, replicas } = waiting.wait;
    if (local && !this.#host.appendOnly) {
      this.#remove(waiting);
      this.#refuse(waiting, aofRequired);
      return;
    }
    if (this.countReplicas(kind, waiting.logOffset) < replicas) return;
    if (local && this.countLocal(waiting.logOffset) === 0) return;
    this.#remove(waiting);
    this.#host.late.answer(waiting, (reply) => this.#writeCounts(reply, waiting));
  }

  #writeCounts(reply: ReplyWriter, { logOffset, wait }: Waiting): void {
    if (wait.kind === "waitaof") {
      reply.array(2);
      reply.integer(this.countLocal(logOffset));
    }
    reply.integer(this.countReplicas(wait.kind, logOffset));
  }

  #refuse(waiting: Waiting, text: string): void {
    this.#host.late.answer(waiting, (reply) => reply.error(text));
  }

  #remove(waiting: Waiting): boolean {
    waiting.timer?.cancel();
    return this.#waiting.delete(waiting);
  }

  #setTimer(waiting: Waiting, deadline: number): void {
    const { clock } = this.#host;
    const delay = Math.min(Math.max(0, deadline - clock.monotonic()), timerMsMax);
    waiting.timer = clock.after(Math.ceil(delay), () => {
      if (clock.monotonic() < deadline) this.#setTimer(waiting, deadline);
      else this.cancel(waiting, "timeout");
    });
  }
}
