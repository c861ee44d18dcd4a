/**
 * The append side of the AOF: binds the core that decides (`log-core.ts`) to a file, a clock and
 * the bytes (`tail-buffer.ts`). Owns the open increment from start to close. It refuses to append
 * anything twice: what failed is written again at the same offsets (`recovery.ts`).
 */

import type { Clock, DiskError, DiskFile, Log, Timer } from "../ports.js";
import type { BatchSeal } from "./batch-header.js";
import type { AofDirectory } from "./directory.js";
import { closeQuietly, IncrementSwitch } from "./increment-switch.js";
import { type FsyncPolicy, LogCore, type LogPoint } from "./log-core.js";
import {
  type CurrentIncrement,
  continueInNewIncrement,
  rewriteInPlace,
  type TailRange,
} from "./recovery.js";
import { TailBuffer } from "./tail-buffer.js";
import { TroubleLog } from "./trouble-log.js";

export interface AofWriterHooks {
  /**
   * More replies may leave. Called for what completes off the loop; after `append` the caller
   * looks at `releasedOffset` itself.
   */
  onReleased(offset: number): void;
  /** An fsync reached this offset (WAITAOF). */
  onDurable?(offset: number): void;
  /**
   * Writes are refused from now on, and what is held up to `acceptedOffset` cannot be confirmed
   * yet. Called again for every retry that fails.
   */
  onFailure?(error: DiskError): void;
  /** Everything accepted so far is durable and writes are admitted again. */
  onRecovered?(): void;
  /** The next batch begins a new file: it must select its database first. */
  onNewIncrement?(): void;
  onSyncLatency?(milliseconds: number): void;
}

export interface AofWriterOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly directory: AofDirectory;
  /** The last increment, open at its end. */
  readonly file: DiskFile;
  readonly policy: FsyncPolicy;
  /** `aof-buffer-max` */
  readonly bufferBytesMax: number;
  /** Where the log stream stands: nothing before it will be appended. */
  readonly startOffset: number;
  /** Bytes in the base and in the increments before this one, for INFO. */
  readonly olderBytes: number;
  readonly baseBytes: number;
  /** Makes the header of every batch; without it there are none. */
  readonly seal?: BatchSeal;
  readonly hooks: AofWriterHooks;
}

const syncIntervalMs = 1000;
const retryDelayMs = 1000;

/**
 * Under `always` the clients that a sync has released send their next writes at once. If the next
 * sync began without them they would wait for it and for one more: two groups of clients would take
 * turns at the disk. So it waits some passes of the loop for them (none takes time if nothing
 * comes), but no longer than a part of what a sync takes. Measured with 50 clients: 1.4 times the
 * writes per second with a sync of 0.06 ms, 1.6 times with one of 1 ms.
 */
const gatherPassesMax = 6;
const gatherSyncShare = 0.5;
const gatherMsMin = 0.2;

export class AofWriter {
  private readonly clock: Clock;
  private readonly directory: AofDirectory;
  private readonly hooks: AofWriterHooks;
  private readonly core: LogCore;
  private readonly tail = new TailBuffer();
  private readonly trouble: TroubleLog;
  private readonly switching: IncrementSwitch;
  private readonly seal: BatchSeal | undefined;
  private readonly ticker: Timer;
  private increment: CurrentIncrement;
  private bufferLimit: number;
  private olderBytes: number;
  private sizeAtRewrite: number;
  private error: DiskError | undefined;
  /** Recoveries begun since the last success, and the timer of the next one. */
  private attempts = 0;
  private retry: Timer | undefined;
  /** Whoever waits for the sync in flight, however it ends. */
  private afterSync: (() => void) | undefined;
  private closing: { resolve: () => void; reject: (error: Error) => void } | undefined;
  private closed = false;
  private gathering = false;

  constructor(options: AofWriterOptions) {
    this.clock = options.clock;
    this.directory = options.directory;
    this.hooks = options.hooks;
    this.seal = options.seal;
    this.increment = { file: options.file, startPosition: -options.file.writePosition };
    this.bufferLimit = options.bufferBytesMax;
    this.olderBytes = options.olderBytes;
    this.sizeAtRewrite = options.baseBytes;
    this.trouble = new TroubleLog(options.log, options.clock);
    const chain = options.seal?.chain ?? "";
    const start: LogPoint = { position: 0, offset: options.startOffset, db: 0, chain };
    this.core = new LogCore(options.policy, start);
    this.switching = new IncrementSwitch(options.directory, this.core, {
      onSwitched: (file) => {
        this.switchTo(file);
      },
      onAbandoned: () => {
        this.pump(true);
      },
    });
    this.ticker = this.clock.every(syncIntervalMs, () => {
      if (this.core.wantsSync(true)) this.startSync();
    });
  }

  /** Replies to writes up to this offset may leave. */
  get releasedOffset(): number {
    return this.core.releasedOffset;
  }

  /** Everything up to this offset survives a power loss. */
  get durableOffset(): number {
    return this.core.durable.offset;
  }

  get acceptedOffset(): number {
    return this.core.accepted.offset;
  }

  /** False while a failed write or fsync is not made good: refuse writes with MISCONF. */
  get writable(): boolean {
    return this.core.health === "sound";
  }

  /** What failed last; `undefined` while all is well. */
  get lastError(): DiskError | undefined {
    return this.error;
  }

  /** More is waiting for the disk than allowed: stop reading sockets that sent writes. */
  get overLimit(): boolean {
    return this.bufferedBytes > this.bufferLimit;
  }

  /** INFO aof_buffer_length: accepted and not yet handed to the kernel. */
  get bufferedBytes(): number {
    return this.core.accepted.position - this.core.written.position;
  }

  /** Memory held for the log's end, which is more than what waits: see `tail-buffer.ts`. */
  get heldBytes(): number {
    return this.tail.length;
  }

  /** INFO aof_current_size */
  get currentSize(): number {
    return this.olderBytes + this.core.written.position - this.increment.startPosition;
  }

  /** INFO aof_base_size: the size after the last rewrite, or of the base loaded at start. */
  get baseSize(): number {
    return this.sizeAtRewrite;
  }

  /** INFO aof_pending_bio_fsync */
  get pendingSyncs(): number {
    return this.core.isSyncing ? 1 : 0;
  }

  /** INFO aof_delayed_fsync */
  get delayedSyncs(): number {
    return this.trouble.slowSyncs;
  }

  get policy(): FsyncPolicy {
    return this.core.policy;
  }

  /**
   * Takes all records of a turn. The chunks are copied, so their memory is free again at return.
   * `endOffset` is where the log stream stands behind them, `db` the database they leave selected,
   * `lead` what stands in front of the batch: a cut by time then leaves no header without records.
   */
  append(chunks: readonly Uint8Array[], endOffset: number, db = 0, lead?: Uint8Array): void {
    if (this.closing !== undefined) throw new Error("AOF: append after close");
    if (lead !== undefined) this.tail.append(lead);
    const header = this.seal?.header(chunks);
    let bytes = (header?.length ?? 0) + (lead?.length ?? 0);
    if (header !== undefined) this.tail.append(header);
    for (const chunk of chunks) {
      this.tail.append(chunk);
      bytes += chunk.length;
    }
    this.core.accept(bytes, endOffset, db, this.seal?.chain);
    if (this.core.isSyncing) this.trouble.writeDuringSync();
    this.pump(false);
  }

  setPolicy(policy: FsyncPolicy): void {
    const before = this.core.releasedOffset;
    this.core.setPolicy(policy);
    if (this.core.releasedOffset > before) this.hooks.onReleased(this.core.releasedOffset);
    this.pump(true);
  }

  setBufferLimit(bytes: number): void {
    this.bufferLimit = bytes;
  }

  /**
   * Makes the file of the next increment, before it is needed, and syncs the present one, so that
   * the cut, which holds replies until it stands, has little left to sync.
   */
  async prepareIncrement(): Promise<void> {
    await this.switching.prepare();
    if (this.core.policy === "always" || this.core.health !== "sound") return;
    if (!this.core.isSyncing && this.core.hasUnsynced) this.startSync();
    if (!this.core.isSyncing) return;
    await new Promise<void>((resolve) => {
      this.afterSync = resolve;
    });
  }

  /**
   * Ends the present increment here: what is appended from now on goes to the prepared one, and is
   * held until the manifest names that, durably. Resolves then, with the sequence number of the new
   * increment. If it rejects, the old one goes on and nothing is lost; a snapshot begun at the cut
   * must be dropped.
   */
  cutIncrement(): Promise<number> {
    if (!this.writable) {
      const error = new Error("AOF: the disk is in trouble");
      this.switching.abandon(error);
      return Promise.reject(error);
    }
    this.gathering = false;
    const cut = this.switching.begin();
    this.seal?.restart();
    this.hooks.onNewIncrement?.();
    this.pump(true);
    return cut;
  }

  /** A rewrite made all files before the present one superfluous. */
  noteRewrite(baseBytes: number): void {
    this.olderBytes = baseBytes;
    this.sizeAtRewrite = this.currentSize;
  }

  /** Writes and syncs all that was accepted, then closes the file. Rejects if that failed. */
  close(): Promise<void> {
    if (this.closed) return Promise.resolve();
    if (this.closing !== undefined) throw new Error("AOF: closed twice");
    const result = new Promise<void>((resolve, reject) => {
      this.closing = { resolve, reject };
    });
    this.core.drain();
    this.gathering = false;
    this.scheduleRecovery();
    this.pump(true);
    return result;
  }

  /** Starts whatever may start; tells of released offsets unless `append` is the caller. */
  private pump(tell: boolean): void {
    if (this.gathering) return;
    if (this.core.nextWrite() === "onLoop") this.writeNow(tell);
    if (this.core.nextWrite() === "offLoop") this.startWrite();
    if (this.core.wantsSync(false)) this.startSync();
    this.trimTail();
    this.switching.continueIfReached();
    if (this.core.isDrained && !this.switching.isCommitting) this.finishClose();
  }

  /** Nobody waits for more than the log: an increment that ends, a node that stops. */
  private get mayGather(): boolean {
    const isCut = this.core.barrier !== undefined;
    return this.core.policy === "always" && !isCut && this.closing === undefined;
  }

  /** Goes on with writing when those who were released have had time to come back. */
  private gather(syncMs: number): void {
    if (this.gathering) return;
    this.gathering = true;
    const until = this.clock.monotonic() + Math.max(gatherMsMin, syncMs * gatherSyncShare);
    let passes = 0;
    const pass = (): void => {
      if (!this.gathering) return;
      passes++;
      if (passes < gatherPassesMax && this.clock.monotonic() < until) {
        this.clock.defer(pass);
        return;
      }
      this.gathering = false;
      this.pump(true);
    };
    this.clock.defer(pass);
  }

  private writeNow(tell: boolean): void {
    const from = this.core.written.position;
    const { position: to } = this.core.beginWrite();
    try {
      this.increment.file.writeSync(this.tail.spans(from, to));
    } catch (error) {
      this.failWrite(error as DiskError);
      return;
    }
    if (this.core.finishWrite() && tell) this.hooks.onReleased(this.core.releasedOffset);
  }

  private startWrite(): void {
    const from = this.core.written.position;
    const { position: to } = this.core.beginWrite();
    this.increment.file.write(this.tail.spans(from, to)).then(
      () => {
        if (this.core.finishWrite()) this.hooks.onReleased(this.core.releasedOffset);
        this.scheduleRecovery();
        this.pump(true);
      },
      (error: DiskError) => {
        this.failWrite(error);
      },
    );
  }

  private startSync(): void {
    this.core.beginSync();
    this.trouble.syncBegins();
    this.increment.file.sync().then(
      () => {
        this.afterSync?.();
        const syncMs = this.trouble.syncEnds();
        this.hooks.onSyncLatency?.(syncMs);
        const released = this.core.finishSync();
        this.hooks.onDurable?.(this.core.durable.offset);
        if (released) this.hooks.onReleased(this.core.releasedOffset);
        this.scheduleRecovery();
        if (released && this.mayGather) this.gather(syncMs);
        else this.pump(true);
      },
      (error: DiskError) => {
        this.afterSync?.();
        this.core.failSync();
        this.trouble.syncFailed(error);
        this.fail(error);
      },
    );
  }

  private failWrite(error: DiskError): void {
    const expected = this.core.writable.position - this.core.written.position;
    const goodBytes = this.core.written.position - this.increment.startPosition;
    this.core.failWrite();
    this.trouble.writeFailed(error, expected);
    // Nothing behind this point was acknowledged, and a file without a torn end loads anywhere.
    if (error.written !== undefined && error.written > 0) {
      try {
        this.increment.file.truncateSync(goodBytes);
      } catch (cutError) {
        this.trouble.cutFailed(cutError);
      }
    }
    this.fail(error);
  }

  private fail(error: DiskError): void {
    this.error = error;
    if (this.core.barrier !== undefined) this.switching.abandon(error);
    this.hooks.onFailure?.(error);
    this.scheduleRecovery();
  }

  /** Sees to it that a broken log is tried again, once nothing is in flight. */
  private scheduleRecovery(): void {
    if (this.core.health !== "broken" || this.core.isBusy || this.closed) return;
    if (this.closing !== undefined) {
      this.startRecovery();
      return;
    }
    this.retry ??= this.clock.after(retryDelayMs, () => {
      this.startRecovery();
    });
  }

  private startRecovery(): void {
    this.retry?.cancel();
    this.retry = undefined;
    const range = this.core.beginRecovery();
    this.attempts++;
    this.directory
      .settle()
      .then(() => rewriteInPlace(this.increment, this.tail, range))
      .catch((error: DiskError) => this.leaveFile(error, range))
      .then(
        () => {
          this.finishRecovery(range.to);
        },
        (error: DiskError) => {
          this.core.failRecovery();
          this.trouble.stillFailing(error);
          if (this.closing !== undefined) this.failClose(error);
          else this.fail(error);
        },
      );
  }

  /** A full disk is no fault of the file; anything else twice in a row is. */
  private async leaveFile(error: DiskError, range: TailRange): Promise<void> {
    if (this.attempts < 2 || error.code === "ENOSPC" || error.code === "EDQUOT") throw error;
    const old = this.increment;
    const next = await continueInNewIncrement(this.directory, old, this.tail, range);
    if (!next.replacesOld) this.olderBytes += range.from.position - old.startPosition;
    this.increment = next;
    this.trouble.fileGivenUp(error, old.file.path, next.file.path);
    closeQuietly(old.file);
  }

  private finishRecovery(reached: LogPoint): void {
    const released = this.core.finishRecovery(reached);
    this.error = undefined;
    this.attempts = 0;
    this.trouble.solved();
    this.hooks.onDurable?.(reached.offset);
    if (released) this.hooks.onReleased(this.core.releasedOffset);
    this.hooks.onRecovered?.();
    this.pump(true);
  }

  /** Frees what no retry can need, and what is beyond the limit though a retry might want it. */
  private trimTail(): void {
    this.tail.release(this.core.neededFrom);
    if (this.tail.length <= this.bufferLimit || this.core.health !== "sound") return;
    this.tail.release(Math.min(this.core.written.position, this.tail.end - this.bufferLimit));
  }

  private switchTo(file: DiskFile): void {
    const old = this.increment;
    const { position } = this.core.durable;
    this.olderBytes += position - old.startPosition;
    this.increment = { file, startPosition: position };
    closeQuietly(old.file);
    this.pump(true);
  }

  private finishClose(): void {
    if (this.closing === undefined || this.closed) return;
    this.closed = true;
    this.ticker.cancel();
    this.switching.closePrepared();
    this.increment.file.close().then(this.closing.resolve, this.closing.reject);
  }

  private failClose(error: Error): void {
    this.closed = true;
    this.ticker.cancel();
    this.switching.closePrepared();
    closeQuietly(this.increment.file);
    this.closing?.reject(error);
  }
}
