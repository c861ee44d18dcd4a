/**
 * What the append side of the AOF does next: a state machine over positions, without I/O, clock or
 * bytes. It decides when to write and to sync, what has thereby become acknowledgeable, and where a
 * retry after a failure begins. `writer.ts` carries it out.
 *
 * Two number lines, never mixed. A *position* counts bytes given to this writer since it was made,
 * and locates them in files. An *offset* is the caller's: where its log stream stood at the end of
 * a batch. The core maps one to the other at the ends of operations only, which is all that is ever
 * asked, so no list of batches is kept.
 *
 *     durable <= written <= accepted          (positions, and the offsets that go with them)
 */

export type FsyncPolicy = "always" | "everysec" | "no";

/** A point in the log: where it is, what the caller calls it, and which database it leaves. */
export interface LogPoint {
  readonly position: number;
  readonly offset: number;
  readonly db: number;
  /** The running checksum of batches there (see `batch-header.ts`); empty without one. */
  readonly chain: string;
}

/**
 * `sound`: operations run. `broken`: one failed; nothing runs until a recovery. `recovering`: the
 * tail from the last good point is being written again.
 */
export type LogHealth = "sound" | "broken" | "recovering";

export type WriteStep = "none" | "onLoop" | "offLoop";

/**
 * Under everysec a sync begins early once so much is written but not durable: it bounds what a
 * failed fsync makes us repeat, and the burst of dirty pages that one fsync meets.
 */
export const unsyncedBytesMax = 32 * 1024 * 1024;

/** Copying 1 MiB into the page cache takes some 0.2 ms; more is not worth holding the loop for. */
export const onLoopBytesMax = 1024 * 1024;

export class LogCore {
  private fsyncPolicy: FsyncPolicy;
  private currentHealth: LogHealth = "sound";
  private acceptedPoint: LogPoint;
  private writtenPoint: LogPoint;
  private durablePoint: LogPoint;
  private released: number;
  /** What the write and the sync in flight will have reached, if there is one. */
  private writingTo: LogPoint | undefined;
  private syncingTo: LogPoint | undefined;
  /** Where the present file must end; what is accepted beyond belongs to the next one. */
  private barrierPoint: LogPoint | undefined;
  /** The last point known to be good when an operation failed. */
  private goodPoint: LogPoint | undefined;
  private draining = false;

  constructor(policy: FsyncPolicy, start: LogPoint) {
    this.fsyncPolicy = policy;
    this.acceptedPoint = start;
    this.writtenPoint = start;
    this.durablePoint = start;
    this.released = start.offset;
  }

  get policy(): FsyncPolicy {
    return this.fsyncPolicy;
  }

  get health(): LogHealth {
    return this.currentHealth;
  }

  get accepted(): LogPoint {
    return this.acceptedPoint;
  }

  get written(): LogPoint {
    return this.writtenPoint;
  }

  get durable(): LogPoint {
    return this.durablePoint;
  }

  /** Replies to writes up to this offset may leave. It never goes back. */
  get releasedOffset(): number {
    return this.released;
  }

  get isSyncing(): boolean {
    return this.syncingTo !== undefined;
  }

  get isWriting(): boolean {
    return this.writingTo !== undefined;
  }

  get isBusy(): boolean {
    return this.isWriting || this.isSyncing;
  }

  get barrier(): LogPoint | undefined {
    return this.barrierPoint;
  }

  /** The last point of what may go to the present file. */
  get writable(): LogPoint {
    return this.barrierPoint ?? this.acceptedPoint;
  }

  /** Something is written and not yet durable. */
  get hasUnsynced(): boolean {
    return this.writtenPoint.position > this.durablePoint.position;
  }

  /** Everything accepted is durable and nothing is in flight. */
  get isDrained(): boolean {
    return this.durablePoint.position === this.acceptedPoint.position && !this.isBusy;
  }

  /** The present file is complete and durable up to the barrier. */
  get barrierReached(): boolean {
    return this.barrierPoint?.position === this.durablePoint.position && !this.isBusy;
  }

  /** The first byte that may have to be written again. */
  get neededFrom(): number {
    if (this.fsyncPolicy !== "no" || this.draining) return this.durablePoint.position;
    return (this.goodPoint ?? this.writtenPoint).position;
  }

  setPolicy(policy: FsyncPolicy): void {
    this.fsyncPolicy = policy;
    this.release();
  }

  drain(): void {
    this.draining = true;
  }

  accept(bytes: number, offset: number, db: number, chain = ""): void {
    const { position } = this.acceptedPoint;
    if (offset < this.acceptedPoint.offset) throw new Error("AOF: the log offset went back");
    this.acceptedPoint = { position: position + bytes, offset, db, chain };
  }

  /**
   * How to write what is accepted. On the loop only if no fsync is in flight, since a write to the
   * file can block for as long as the fsync takes, and only if it is small. Under `always` what
   * arrives during a fsync waits for its end, and all of it shares the next one.
   */
  nextWrite(): WriteStep {
    if (this.currentHealth !== "sound" || this.isWriting) return "none";
    const bytes = this.writable.position - this.writtenPoint.position;
    if (bytes === 0) return "none";
    if (!this.isSyncing) return bytes <= onLoopBytesMax ? "onLoop" : "offLoop";
    return this.fsyncPolicy === "always" ? "none" : "offLoop";
  }

  /** Whether to sync now; `due` is true once a second. */
  wantsSync(due: boolean): boolean {
    if (this.currentHealth !== "sound" || this.isSyncing) return false;
    if (!this.hasUnsynced) return false;
    if (this.draining) return !this.isWriting;
    if (this.writtenPoint.position === this.barrierPoint?.position) return true;
    switch (this.fsyncPolicy) {
      case "always":
        return !this.isWriting;
      case "everysec":
        return due || this.writtenPoint.position - this.durablePoint.position >= unsyncedBytesMax;
      case "no":
        return false;
    }
  }

  /** Where the write that begins now will end. */
  beginWrite(): LogPoint {
    if (this.isWriting) throw new Error("AOF: a write is in flight");
    this.writingTo = this.writable;
    return this.writingTo;
  }

  /** Returns whether more replies may leave. */
  finishWrite(): boolean {
    if (this.writingTo === undefined) throw new Error("AOF: no write is in flight");
    const reached = this.writingTo;
    this.writingTo = undefined;
    // A sync that failed meanwhile has set the log back; recovery writes this part again.
    if (this.currentHealth !== "sound") return false;
    this.writtenPoint = reached;
    return this.release();
  }

  beginSync(): LogPoint {
    if (this.isSyncing) throw new Error("AOF: a sync is in flight");
    this.syncingTo = this.writtenPoint;
    return this.syncingTo;
  }

  finishSync(): boolean {
    if (this.syncingTo === undefined) throw new Error("AOF: no sync is in flight");
    const reached = this.syncingTo;
    this.syncingTo = undefined;
    if (reached.position > this.durablePoint.position) this.durablePoint = reached;
    return this.release();
  }

  /** The write in flight failed: what stands behind the last whole write must be cut. */
  failWrite(): void {
    this.writingTo = undefined;
    this.breakAt(this.writtenPoint);
  }

  /**
   * The sync in flight failed. The kernel may have dropped the pages and reports that only once, so
   * everything since the last successful sync counts as lost, whatever a later fsync says.
   */
  failSync(): void {
    this.syncingTo = undefined;
    this.breakAt(this.durablePoint);
  }

  private breakAt(point: LogPoint): void {
    this.currentHealth = "broken";
    if (this.goodPoint === undefined || point.position < this.goodPoint.position) {
      this.goodPoint = point;
    }
  }

  /**
   * Begins to write again everything from the good point to what may be written now. What stands
   * before `written` was handed to the kernel whole, and may have been acknowledged.
   */
  beginRecovery(): { readonly from: LogPoint; readonly written: LogPoint; readonly to: LogPoint } {
    if (this.currentHealth !== "broken" || this.goodPoint === undefined || this.isBusy) {
      throw new Error("AOF: nothing to recover from now");
    }
    this.currentHealth = "recovering";
    return { from: this.goodPoint, written: this.writtenPoint, to: this.writable };
  }

  /** The tail up to `reached` is written again and durable. */
  finishRecovery(reached: LogPoint): boolean {
    this.currentHealth = "sound";
    this.goodPoint = undefined;
    this.writtenPoint = reached;
    this.durablePoint = reached;
    return this.release();
  }

  /**
   * The fsync of a recovery can fail like any other, and then what was only written before it is
   * lost too.
   */
  failRecovery(): void {
    this.currentHealth = "broken";
    this.breakAt(this.durablePoint);
  }

  /** From here on batches belong to the next file; nothing beyond is written until it is lifted. */
  raiseBarrier(): LogPoint {
    if (this.barrierPoint !== undefined) throw new Error("AOF: a new increment is being begun");
    this.barrierPoint = this.acceptedPoint;
    return this.barrierPoint;
  }

  liftBarrier(): void {
    this.barrierPoint = undefined;
  }

  private release(): boolean {
    const reached = this.fsyncPolicy === "always" ? this.durablePoint : this.writtenPoint;
    if (reached.offset <= this.released) return false;
    this.released = reached.offset;
    return true;
  }
}
