/**
 * Where ends of turns stand: by log offset, which the AOF counts, and by replication offset, which
 * replicas confirm. The two run apart (PING, GETACK and PUBLISH are in one of them only), so they
 * are only ever compared at ends of turns, where both are known.
 *
 * It keeps a bounded number of turns. What it has forgotten it answers on the safe side: a write
 * counts as later than it was, what is durable as less than it is.
 */

/** Some thousand turns are a second of a busy node; fsyncs and ACKs come about that often. */
const turnsMax = 4096;
const turnsInitial = 64;

export class StreamPositions {
  /** Ascending log offsets of ends of turns. */
  #log = new Float64Array(turnsInitial);
  /** The replication offset when the log was first there, and when it last was. */
  #first = new Float64Array(turnsInitial);
  #last = new Float64Array(turnsInitial);
  #count = 0;

  /** The end of a turn, or any other moment at which the two are known to agree. */
  note(logOffset: number, replicationOffset: number): void {
    const end = this.#count - 1;
    if (end >= 0 && this.#log[end] === logOffset) {
      this.#last[end] = replicationOffset;
      return;
    }
    if (this.#count === this.#log.length) this.#makeRoom();
    this.#log[this.#count] = logOffset;
    this.#first[this.#count] = replicationOffset;
    this.#last[this.#count] = replicationOffset;
    this.#count += 1;
  }

  /** The history changed: what was known before is about other offsets. */
  restart(logOffset: number, replicationOffset: number): void {
    this.#count = 0;
    this.note(logOffset, replicationOffset);
  }

  /** The log up to there has been noted. */
  covers(logOffset: number): boolean {
    return this.#count > 0 && logOffset <= (this.#log[this.#count - 1] as number);
  }

  /**
   * A replication offset that no one has confirmed without having all of the log up to
   * `logOffset`; `undefined` if the log is not noted up to there.
   */
  reachedBy(logOffset: number): number | undefined {
    const index = this.#firstAtLeast(logOffset);
    return index < this.#count ? this.#first[index] : undefined;
  }

  /** The largest replication offset up to which `logOffset` has everything, if any is known. */
  coveredBy(logOffset: number): number | undefined {
    const next = this.#firstAtLeast(logOffset);
    const index = next < this.#count && this.#log[next] === logOffset ? next : next - 1;
    return index >= 0 ? this.#last[index] : undefined;
  }

  /** The log offset up to which whoever confirmed `replicationOffset` has everything, if known. */
  reachedAt(replicationOffset: number): number | undefined {
    let low = 0;
    let high = this.#count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#first[middle] as number) <= replicationOffset) low = middle + 1;
      else high = middle;
    }
    return low > 0 ? this.#log[low - 1] : undefined;
  }

  #firstAtLeast(logOffset: number): number {
    let low = 0;
    let high = this.#count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#log[middle] as number) < logOffset) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #makeRoom(): void {
    if (this.#log.length < turnsMax) {
      const length = this.#log.length * 2;
      this.#log = grown(this.#log, length);
      this.#first = grown(this.#first, length);
      this.#last = grown(this.#last, length);
      return;
    }
    // Every other turn goes; the youngest stays, since it says how far the log is known.
    let kept = 0;
    for (let index = 1; index < this.#count; index += 2) {
      this.#log[kept] = this.#log[index] as number;
      this.#first[kept] = this.#first[index] as number;
      this.#last[kept] = this.#last[index] as number;
      kept += 1;
    }
    this.#count = kept;
  }
}

function grown(array: Float64Array<ArrayBuffer>, length: number): Float64Array<ArrayBuffer> {
  const copy = new Float64Array(length);
  copy.set(array);
  return copy;
}
