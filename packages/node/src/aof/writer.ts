/**
 * The append side of the AOF: binds the core that decides (`log-core.ts`) to a file, a clock and
 * the bytes (`tail-buffer.ts`). Owns the open increment from start to close. It refuses to append
 * anything twice: what failed is written again at the same offsets (`recovery.ts`).
 */

import { errnoText } from "../adapters/disk-error.js";
import type { Clock, DiskError, DiskFile, Log, Timer } from "../ports.js";
import type { AofDirectory } from "./directory.js";
import { type FsyncPolicy, LogCore, type LogPoint } from "./log-core.js";
import { withNextIncrement } from "./manifest.js";
import { type CurrentIncrement, continueInNewIncrement, rewriteInPlace } from "./recovery.js";
import { TailBuffer } from "./tail-buffer.js";

export interface AofWriterHooks {
  /**
   * More replies may leave. Called for what completes off the loop; after `append` the caller
   * looks at `releasedOffset` itself.
   */
  onReleased(offset: number): void;
  /** An fsync reached this offset (WAITAOF). */
  onDurable?(offset: number): void;
  /** Writes are refused from now on; held replies up to `acceptedOffset` cannot be confirmed yet. */
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
  readonly hooks: AofWriterHooks;
}

const syncIntervalMs = 1000;
const retryDelayMs = 1000;
/** Redis' measure of an fsync that takes too long, and of how often to complain about errors. */
const slowSyncMs = 2000;
const errorLogIntervalMs = 30_000;

export class AofWriter {
  private readonly clock: Clock;
  private readonly log: Log;
  private readonly directory: AofDirectory;
  private readonly hooks: AofWriterHooks;
  private readonly core: LogCore;
  private readonly tail = new TailBuffer();
  private readonly ticker: Timer;
  private increment: CurrentIncrement;
  private bufferLimit: number;
  private olderBytes: number;
  private sizeAtRewrite: number;
  private error: DiskError | undefined;
  private attempts = 0;
  private retry: Timer | undefined;
  private lastErrorLoggedAt = Number.NEGATIVE_INFINITY;
  private syncStartedAt = 0;
  private syncCountedAsSlow = false;
  private slowSyncs = 0;
  private prepared: DiskFile | undefined;
  private cut: Settle | undefined;
  private committing = false;
  private closing: Settle | undefined;
  private closed = false;

  constructor(options: AofWriterOptions) {
    this.clock = options.clock;
    this.log = options.log;
    this.directory = options.directory;
    this.hooks = options.hooks;
    this.increment = { file: options.file, startPosition: -options.file.writePosition };
    this.bufferLimit = options.bufferBytesMax;
    this.olderBytes = options.olderBytes;
    this.sizeAtRewrite = options.baseBytes;
    const start: LogPoint = { position: 0, offset: options.startOffset, db: 0 };
    this.core = new LogCore(options.policy, start);
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

  /** INFO aof_delayed_fsync: syncs that took longer than two seconds while writes waited. */
  get delayedSyncs(): number {
    return this.slowSyncs;
  }

  get policy(): FsyncPolicy {
    return this.core.policy;
  }

  /**
   * Takes all records of a turn. The chunks are copied, so their memory is free again at return.
   * `endOffset` is where the log stream stands behind them, `db` the database they leave selected.
   */
  append(chunks: readonly Uint8Array[], endOffset: number, db = 0): void {
    if (this.closing !== undefined) throw new Error("AOF: append after close");
    let bytes = 0;
    for (const chunk of chunks) {
      this.tail.append(chunk);
      bytes += chunk.length;
    }
    this.core.accept(bytes, endOffset, db);
    if (this.core.isSyncing) this.watchSlowSync();
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

  /** Makes the file of the next increment, before it is needed. */
  async prepareIncrement(): Promise<void> {
    if (this.prepared !== undefined) throw new Error("AOF: an increment is prepared already");
    const { directory } = this;
    const next = withNextIncrement(directory.manifest, directory.appendFilename);
    const name = next.increments.at(-1)?.name ?? "";
    const file = await directory.disk.open(directory.pathOf(name), "truncate");
    await directory.disk.syncDirectory(directory.path);
    this.prepared = file;
    this.log.notice(`Creating AOF incr file ${name} on background rewrite`);
  }

  /**
   * Ends the present increment here: what is appended from now on goes to the prepared one, and is
   * held until the old file is durable and the manifest names the new one, durably. So no crash
   * leaves a torn file in the middle of the manifest. Resolves when that stands. If it rejects,
   * the old increment goes on and nothing is lost; a snapshot begun at the cut must be dropped.
   */
  cutIncrement(): Promise<void> {
    if (this.prepared === undefined) throw new Error("AOF: no increment is prepared");
    if (!this.writable) return this.abandonCut(new Error("AOF: the disk is in trouble"));
    const result = new Promise<void>((resolve, reject) => {
      this.cut = { resolve, reject };
    });
    this.core.raiseBarrier();
    this.hooks.onNewIncrement?.();
    this.pump(true);
    return result;
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
    if (this.core.health === "broken" && !this.core.isBusy) this.startRecovery();
    this.pump(true);
    return result;
  }

  /** Starts whatever may start; tells of released offsets unless `append` is the caller. */
  private pump(tell: boolean): void {
    if (this.core.nextWrite() === "onLoop") this.writeNow(tell);
    if (this.core.nextWrite() === "offLoop") this.startWrite();
    if (this.core.wantsSync(false)) this.startSync();
    this.trimTail();
    if (this.cut !== undefined && this.core.health === "sound" && this.core.barrierReached) {
      this.commitIncrement(this.cut);
    }
    if (this.closing !== undefined && !this.closed && !this.committing && this.core.isDrained) {
      this.finishClose(this.closing);
    }
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
        if (this.core.health === "broken") this.scheduleRecovery();
        this.pump(true);
      },
      (error: DiskError) => {
        this.failWrite(error);
      },
    );
  }

  private startSync(): void {
    this.core.beginSync();
    this.syncStartedAt = this.clock.monotonic();
    this.syncCountedAsSlow = false;
    this.increment.file.sync().then(
      () => {
        this.hooks.onSyncLatency?.(this.clock.monotonic() - this.syncStartedAt);
        const released = this.core.finishSync();
        this.hooks.onDurable?.(this.core.durable.offset);
        if (released) this.hooks.onReleased(this.core.releasedOffset);
        if (this.core.health === "broken") this.scheduleRecovery();
        this.pump(true);
      },
      (error: DiskError) => {
        this.core.failSync();
        this.fail(error, `Fail to fsync the AOF file: ${errnoText(error)}`);
      },
    );
  }

  private watchSlowSync(): void {
    if (this.syncCountedAsSlow || this.clock.monotonic() - this.syncStartedAt < slowSyncMs) return;
    this.syncCountedAsSlow = true;
    this.slowSyncs++;
    this.log.notice(
      "Asynchronous AOF fsync is taking too long (disk is busy?). Replies to writes wait for it.",
    );
  }

  private failWrite(error: DiskError): void {
    const wanted = this.core.writable.position - this.core.written.position;
    const goodBytes = this.core.written.position - this.increment.startPosition;
    this.core.failWrite();
    // Nothing behind this point was acknowledged, and a file without a torn end loads anywhere.
    if (error.written !== undefined && error.written > 0) {
      try {
        this.increment.file.truncateSync(goodBytes);
      } catch (cutError) {
        this.log.warning(
          `Could not remove short write from the append-only file. Redis may refuse to load the ` +
            `AOF the next time it starts. ftruncate: ${errnoText(cutError)}`,
        );
      }
      this.fail(
        error,
        `Short write while writing to the AOF file: (nwritten=${error.written}, ` +
          `expected=${wanted}): ${errnoText(error)}`,
      );
    } else {
      this.fail(error, `Error writing to the AOF file: ${errnoText(error)}`);
    }
  }

  private fail(error: DiskError, message: string): void {
    this.error = error;
    const now = this.clock.monotonic();
    if (now - this.lastErrorLoggedAt > errorLogIntervalMs) {
      this.lastErrorLoggedAt = now;
      this.log.warning(message);
    }
    if (this.cut !== undefined) void this.abandonCut(error).catch(() => undefined);
    this.hooks.onFailure?.(error);
    this.scheduleRecovery();
  }

  private scheduleRecovery(): void {
    if (this.core.isBusy || this.retry !== undefined || this.core.health !== "broken") return;
    if (this.closing !== undefined) {
      this.startRecovery();
      return;
    }
    this.retry = this.clock.after(retryDelayMs, () => {
      this.retry = undefined;
      this.startRecovery();
    });
  }

  private startRecovery(): void {
    this.retry?.cancel();
    this.retry = undefined;
    const range = this.core.beginRecovery();
    this.attempts++;
    rewriteInPlace(this.increment, this.tail, range)
      .catch((error: DiskError) => this.leaveFile(error, range))
      .then(
        () => {
          this.finishRecovery(range.to);
        },
        (error: DiskError) => {
          this.core.failRecovery();
          if (this.closing !== undefined) this.failClose(this.closing, error);
          else this.fail(error, `The AOF still cannot be written: ${errnoText(error)}`);
        },
      );
  }

  /** A full disk is no fault of the file; anything else twice in a row is. */
  private async leaveFile(
    error: DiskError,
    range: { readonly from: LogPoint; readonly to: LogPoint },
  ): Promise<void> {
    if (this.attempts < 2 || error.code === "ENOSPC" || error.code === "EDQUOT") throw error;
    const old = this.increment;
    this.increment = await continueInNewIncrement(this.directory, old, this.tail, range);
    const goodBytes = range.from.position - old.startPosition;
    const copied = range.from.position - this.increment.startPosition >= goodBytes;
    if (!copied) this.olderBytes += goodBytes;
    this.log.warning(
      `The AOF file ${old.file.path} cannot be written any more (${errnoText(error)}); ` +
        `the log continues in ${this.increment.file.path}`,
    );
    await old.file.close().catch(() => undefined);
  }

  private finishRecovery(reached: LogPoint): void {
    const released = this.core.finishRecovery(reached);
    this.error = undefined;
    this.attempts = 0;
    this.lastErrorLoggedAt = Number.NEGATIVE_INFINITY;
    this.log.notice("AOF write error looks solved, writes are accepted again.");
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

  private commitIncrement(cut: Settle): void {
    const { prepared } = this;
    if (prepared === undefined) throw new Error("AOF: no increment is prepared");
    this.cut = undefined;
    this.committing = true;
    this.directory
      .replaceManifest((manifest) => withNextIncrement(manifest, this.directory.appendFilename))
      .then(
        () => {
          this.committing = false;
          const old = this.increment;
          const { position } = this.core.durable;
          this.olderBytes += position - old.startPosition;
          this.increment = { file: prepared, startPosition: position };
          this.prepared = undefined;
          this.core.liftBarrier();
          old.file.close().catch(() => undefined);
          cut.resolve();
          this.pump(true);
        },
        (error: Error) => {
          this.committing = false;
          this.cut = cut;
          void this.abandonCut(error).catch(() => undefined);
          this.pump(true);
        },
      );
  }

  private abandonCut(error: Error): Promise<void> {
    this.core.liftBarrier();
    this.prepared?.close().catch(() => undefined);
    this.prepared = undefined;
    this.cut?.reject(error);
    this.cut = undefined;
    return Promise.reject(error);
  }

  private finishClose(closing: Settle): void {
    this.closed = true;
    this.ticker.cancel();
    this.prepared?.close().catch(() => undefined);
    this.increment.file.close().then(closing.resolve, closing.reject);
  }

  private failClose(closing: Settle, error: Error): void {
    this.closed = true;
    this.ticker.cancel();
    this.increment.file.close().catch(() => undefined);
    closing.reject(error);
  }
}

interface Settle {
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}
