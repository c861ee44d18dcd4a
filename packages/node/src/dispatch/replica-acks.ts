/**
 * `replica-acks`: replies to writes leave only when enough replicas have the writes. It owns how
 * far replicas have confirmed the log, and until when a reply may wait; the replies themselves are
 * held by their connections, behind the gate.
 *
 * It refuses to undo anything: what is answered UNCONFIRMED was done here, and its client is told.
 */
import type { OutputGate } from "../net/output-gate.js";
import type { Clock, Timer } from "../ports.js";
import type { NodeStats } from "./stats.js";

export interface ReplicaAcksHost {
  readonly clock: Clock;
  readonly gate: OutputGate;
  readonly stats: NodeStats;
  /** `replica-acks` */
  readonly wanted: number;
  /** False as a replica, whose writes are nobody's. */
  readonly isPrimary: boolean;
  readonly timeoutMs: number;
  /** `replica-acks-fsync` */
  readonly durably: boolean;
  /** End of the log, the present turn's records included. */
  readonly logOffset: number;
  /** The log offset up to which so many replicas have everything; `undefined` if none is known. */
  confirmedBy(count: number, durably: boolean): number | undefined;
  /** Counts the stream from now on, whether or not somebody follows. */
  countStream(): void;
  /** Asks the replicas at the end of this turn. */
  requestAcks(): void;
  /** Replies have left: who was not read because of them may be. */
  onSettled(): void;
}

/** What was written within so many milliseconds times out together. */
const bucketMs = 10;

/** Writes up to `offset` are given up at `deadline`, monotonic. */
interface Bucket {
  offset: number;
  readonly endsAt: number;
  readonly deadline: number;
}

export class ReplicaAcks {
  readonly #host: ReplicaAcksHost;
  /** In order of time; some hundreds at most for each second of the timeout. */
  #buckets: Bucket[] = [];
  #timer: Timer | undefined;
  /** A reply of this turn waits. */
  #heldTo = 0;

  constructor(host: ReplicaAcksHost) {
    this.#host = host;
  }

  /** CONFIG SET, or another role. */
  applyDirectives(): void {
    const { gate, isPrimary, logOffset, wanted } = this.#host;
    const confirms = wanted > 0 && isPrimary;
    if (confirms && !gate.confirms) {
      this.#host.countStream();
      gate.confirmedOffset = logOffset;
    }
    gate.confirms = confirms;
    if (confirms) this.changed();
    else if (isPrimary) {
      gate.confirmTo(logOffset);
      this.#settle();
    }
  }

  /** A reply waits for replicas to have the log up to there. */
  hold(offset: number): void {
    // Who was blocked is served, and writes, inside of the command that served him.
    this.#heldTo = Math.max(this.#heldTo, offset);
  }

  /** The turn's log was handed to the replicas. */
  endTurn(): void {
    const { gate } = this.#host;
    if (gate.lostReplies > 0) {
      this.#count(gate.lostReplies);
      gate.lostReplies = 0;
    }
    if (this.#heldTo === 0) return;
    const { clock, requestAcks, timeoutMs } = this.#host;
    const now = clock.monotonic();
    const last = this.#buckets.at(-1);
    if (last !== undefined && now < last.endsAt) last.offset = this.#heldTo;
    else {
      const endsAt = now + bucketMs;
      this.#buckets.push({ offset: this.#heldTo, endsAt, deadline: endsAt + timeoutMs });
    }
    this.#heldTo = 0;
    this.#setTimer();
    requestAcks.call(this.#host);
  }

  /** A replica confirmed something, came, or went. */
  changed(): void {
    const { durably, gate, wanted } = this.#host;
    if (!gate.confirms) return;
    const offset = this.#host.confirmedBy(wanted, durably);
    if (offset === undefined || offset <= gate.confirmedOffset) return;
    gate.confirmTo(offset);
    this.#settle();
  }

  /** Nothing that waits will be confirmed: `why` ends a sentence on this node. */
  giveUp(why: string): void {
    const { gate, logOffset, wanted } = this.#host;
    if (!gate.confirms) return;
    this.#count(gate.giveUpTo(logOffset, unconfirmedText(`${why} before ${needed(wanted)}`)));
    this.#settle();
  }

  /** These slots are another node's now, whose clients do not see what was written here. */
  giveUpSlots(slots: readonly number[]): void {
    const { gate, wanted } = this.#host;
    if (!gate.confirms || this.#buckets.length + this.#heldTo === 0) return;
    const lost = new Set(slots);
    const error = unconfirmedText(`its slot was given to another node before ${needed(wanted)}`);
    const isLost = (write: { readonly offset: number; readonly slot: number }): boolean =>
      lost.has(write.slot) && write.offset > gate.confirmedOffset;
    this.#count(gate.giveUp(isLost, error));
  }

  /** The node stops: what waits, and what may still come, is not confirmed by anybody. */
  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    const { gate, wanted } = this.#host;
    if (!gate.confirms) return;
    const error = unconfirmedText(`this node was shut down before ${needed(wanted)}`);
    this.#count(gate.giveUpTo(Number.POSITIVE_INFINITY, error));
  }

  #settle(): void {
    const { gate } = this.#host;
    const open = this.#buckets.findIndex(({ offset }) => offset > gate.confirmedOffset);
    this.#buckets = open < 0 ? [] : this.#buckets.slice(open);
    this.#setTimer();
    this.#host.onSettled();
  }

  #setTimer(): void {
    const { clock } = this.#host;
    const first = this.#buckets[0];
    if (first === undefined) {
      this.#timer?.cancel();
      this.#timer = undefined;
      return;
    }
    // It may be early, if what it was set for is confirmed; then it looks again.
    this.#timer ??= clock.after(Math.max(1, Math.ceil(first.deadline - clock.monotonic())), () => {
      this.#timer = undefined;
      this.#expire();
      this.#setTimer();
    });
  }

  #expire(): void {
    const { clock, gate, timeoutMs, wanted } = this.#host;
    const now = clock.monotonic();
    const due = this.#buckets.filter(({ deadline }) => deadline <= now);
    const last = due.at(-1);
    if (last === undefined) return;
    this.#buckets = this.#buckets.slice(due.length);
    const error = unconfirmedText(`not confirmed by ${replicas(wanted)} within ${timeoutMs} ms`);
    this.#count(gate.giveUpTo(last.offset, error));
    this.#host.onSettled();
  }

  #count(writes: number): void {
    this.#host.stats.unconfirmedWrites += writes;
    for (let left = writes; left > 0; left -= 1) this.#host.stats.countError("UNCONFIRMED ");
  }
}

function unconfirmedText(what: string): string {
  return `UNCONFIRMED the write was done here: ${what}`;
}

function needed(wanted: number): string {
  return `${replicas(wanted)} confirmed it`;
}

function replicas(count: number): string {
  return count === 1 ? "1 replica" : `${count} replicas`;
}
