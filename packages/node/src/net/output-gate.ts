/**
 * The gate that holds replies until the log is durable enough for what they say: behind the
 * `write` of their records, or, under `appendfsync always`, behind the fsync; and with
 * `replica-acks` the replies to writes until enough replicas have them.
 *
 * It owns the offset up to which replies may leave and the connections that wait for more.
 */

/** The reply to one write, among the bytes of the replies that wait with it. */
export interface WriteReply {
  readonly start: number;
  readonly end: number;
  /** Log offset that replicas must have. */
  readonly offset: number;
  /** Of a key that it changed. */
  readonly slot: number;
}

/** A connection with replies that wait. */
export interface GatedOutput {
  /** Sends what waits up to `offset`; true if something still waits. */
  release(offset: number): boolean;
  /** Answers what waits with an error instead; true if something still waits. */
  fail(error: string): boolean;
  /** Answers writes that replicas have not confirmed with an error; how many these were. */
  giveUp(isLost: (write: WriteReply) => boolean, error: string): number;
}

export class OutputGate {
  /** Replies that need no more than this log offset may leave. */
  #offset = 0;
  readonly #waiting = new Set<GatedOutput>();
  #failure: string | undefined;
  /** Replies that were answered with an error, since their change could not be made durable. */
  failedReplies = 0;

  /** Replies that were given up before they came to the gate; whoever counts them resets it. */
  lostReplies = 0;

  /** Bytes of replies that wait, of all connections. */
  heldBytes = 0;

  get offset(): number {
    return this.#offset;
  }

  get waitingCount(): number {
    return this.#waiting.size;
  }

  /** The error for replies that cannot be confirmed, while the log cannot be written. */
  get failure(): string | undefined {
    return this.#failure;
  }

  /** The log cannot be written: what waits is not confirmed, and what comes does not wait. */
  fail(error: string): void {
    this.#failure = error;
    for (const output of this.#waiting) {
      if (!output.fail(error)) this.#waiting.delete(output);
    }
  }

  /** Everything accepted so far is durable after all. */
  recover(): void {
    this.#failure = undefined;
  }

  /** `replica-acks`: replies to writes wait for replicas, too. */
  confirms = false;
  /** Enough replicas have the log up to there. */
  confirmedOffset = 0;
  /** Writes up to there that are not confirmed will never be; their clients are told why. */
  #lostOffset = 0;
  #lostError = "";

  /** The write waits neither for replicas nor for being given up. */
  isSettled({ offset }: WriteReply): boolean {
    return offset <= this.confirmedOffset || offset <= this.#lostOffset;
  }

  /** The error for a write that will not be confirmed any more. */
  lossOf({ offset }: WriteReply): string | undefined {
    const isLost = offset > this.confirmedOffset && offset <= this.#lostOffset;
    return isLost ? this.#lostError : undefined;
  }

  /** Enough replicas have the log up to `offset`. */
  confirmTo(offset: number): void {
    if (offset <= this.confirmedOffset) return;
    this.confirmedOffset = offset;
    this.#releaseAll();
  }

  /** Nobody will confirm what stands in the log up to `offset`. Returns how many were told. */
  giveUpTo(offset: number, error: string): number {
    const confirmed = this.confirmedOffset;
    this.#lostOffset = Math.max(this.#lostOffset, offset);
    this.#lostError = error;
    return this.giveUp((write) => write.offset > confirmed && write.offset <= offset, error);
  }

  giveUp(isLost: (write: WriteReply) => boolean, error: string): number {
    let count = 0;
    for (const output of this.#waiting) count += output.giveUp(isLost, error);
    this.#releaseAll();
    return count;
  }

  wait(output: GatedOutput): void {
    this.#waiting.add(output);
  }

  forget(output: GatedOutput): void {
    this.#waiting.delete(output);
  }

  /** The log reached `offset`. */
  releaseTo(offset: number): void {
    if (offset <= this.#offset) return;
    this.#offset = offset;
    this.#releaseAll();
  }

  #releaseAll(): void {
    for (const output of this.#waiting) {
      if (!output.release(this.#offset)) this.#waiting.delete(output);
    }
  }
}
