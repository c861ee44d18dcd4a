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
}

export class OutputGate {
  /** Replies that need no more than this log offset may leave. */
  #offset = 0;
  readonly #waiting = new Set<GatedOutput>();

  get offset(): number {
    return this.#offset;
  }

  get waitingCount(): number {
    return this.#waiting.size;
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
