/**
 * The gate that holds replies until the log is durable enough for what they say: behind the
 * `write` of their records, or, under `appendfsync always`, behind the fsync.
 *
 * It owns the offset up to which replies may leave and the connections that wait for more.
 */

/** A connection with replies that wait. */
export interface GatedOutput {
  /** Sends what waits up to `offset`; true if something still waits. */
  release(offset: number): boolean;
  /** Answers what waits with an error instead; true if something still waits. */
  fail(error: string): boolean;
}

export class OutputGate {
  /** Replies that need no more than this log offset may leave. */
  #offset = 0;
  readonly #waiting = new Set<GatedOutput>();
  #failure: string | undefined;
  /** Replies that were answered with an error, since their change could not be made durable. */
  failedReplies = 0;

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
    for (const output of this.#waiting) {
      if (!output.release(offset)) this.#waiting.delete(output);
    }
  }
}
