/**
 * The append-only file of a running node: open or not, its rewrites, and the changes from one to
 * the other by CONFIG SET. It owns the writer and says what its state means for replies.
 *
 * Turning on and off happens off the loop, one after the other; what is wanted is asked again after
 * each step, so that a quick `yes`, `no`, `yes` ends as it was said last.
 */
import { errnoText } from "../adapters/disk-error.js";
import { BatchSeal } from "../aof/batch-header.js";
import type { StreamPosition } from "../aof/stream-position.js";
import { AofDirectory } from "../aof/directory.js";
import { openForAppend } from "../aof/open.js";
import {
  type BaseFormat,
  enableAppendOnly,
  rewriteAppendOnly,
  rewriteOffline,
} from "../aof/rewrite.js";
import { AofWriter } from "../aof/writer.js";
import { textOfBytes } from "../config/byte-string.js";
import type { NodeConfig } from "../config/config.js";
import type { SnapshotForm } from "../dataset/snapshot-form.js";
import {
  type Snapshot,
  SnapshotAbandonedError,
  type SnapshotClaim,
  type Snapshots,
} from "../dataset/snapshots.js";
import type { LogStream } from "../log/stream.js";
import type { OutputGate } from "../net/output-gate.js";
import type { DiskError, DiskFile, Ports } from "../ports.js";
import { RewriteRuns } from "./rewrite-runs.js";

export interface AppendOnlyParts {
  readonly ports: Ports;
  readonly config: NodeConfig;
  readonly stream: LogStream;
  readonly gate: OutputGate;
  readonly snapshots: Snapshots;
  readonly processId: number;
  /** The beginning of a base with the data set as it is now. */
  form(format: BaseFormat): SnapshotForm;
  usedMemory(): number;
  /** Where the data set stands now in the replication history; `undefined` if nobody counts. */
  countedPosition(): StreamPosition | undefined;
  isReplica(): boolean;
  inTransaction(): boolean;
  /** Hands on what the turn has logged so far. */
  flushLog(): void;
  /** The writer came or went. */
  onWriterChanged(): void;
  /** The AOF can take more again. */
  onRoom(): void;
  /** An fsync reached this offset of the log stream. */
  onDurable(offset: number): void;
  /** Milliseconds that an fsync took. */
  onSyncLatency(milliseconds: number): void;
}

export class AppendOnly {
  readonly directory: AofDirectory;
  writer: AofWriter | undefined;
  /** A rewrite is wanted as soon as nothing else walks and none has failed too recently. */
  rewriteScheduled = false;
  readonly runs: RewriteRuns;
  readonly #parts: AppendOnlyParts;
  #wanted = false;
  #settling: Promise<void> | undefined;
  /** A writer that takes no more and is not closed yet: what it holds may still wait for it. */
  #leaving: AofWriter | undefined;
  #wasOverLimit = false;
  /** Unix seconds of the last `#TS:` line. */
  #timestamp = 0;
  #closed = false;
  #batches: BatchSeal | undefined;
  /** The data were replaced and no base shows it yet; and the same as the present rewrite began. */
  #replaced = false;
  #replacedBefore = false;

  constructor(parts: AppendOnlyParts) {
    const { config, ports } = parts;
    this.#parts = parts;
    const { processId, snapshots } = parts;
    this.runs = new RewriteRuns({ clock: ports.clock, log: ports.log, snapshots, processId });
    this.directory = new AofDirectory({
      disk: ports.disk,
      log: ports.log,
      dataDirectory: textOfBytes(config.dir),
      directoryName: textOfBytes(config.appenddirname),
      appendFilename: textOfBytes(config.appendfilename),
    });
  }

  /** Opens the last increment once the data set is loaded; `chain` as the loader found it. */
  async open(chain?: string): Promise<void> {
    const { config, ports, usedMemory } = this.#parts;
    this.#wanted = true;
    const opened = await openForAppend({
      directory: this.directory,
      useRdbPreamble: config.aofUseRdbPreamble,
      now: ports.clock.now(),
      usedMemoryBytes: usedMemory(),
    });
    this.#use(opened.file, opened.baseBytes, opened.olderBytes, chain);
  }

  /** Resolves when all that was accepted is in the file, durable or not; rejects if it fails. */
  async written(): Promise<void> {
    for (;;) {
      const { writer } = this;
      if (writer === undefined || writer.bufferedBytes === 0) return;
      if (!writer.writable) throw writer.lastError ?? new Error("the AOF cannot be written");
      await new Promise<void>((resolve) => this.#parts.ports.clock.after(1, resolve));
    }
  }

  /** On, or about to be: what INFO calls enabled. */
  get enabled(): boolean {
    return this.writer !== undefined || this.#wanted;
  }

  /**
   * The log offset up to which the files on the disk have everything; `undefined` without an AOF,
   * and while its base does not show the data set that its increments begin with.
   */
  get durableOffset(): number | undefined {
    if (this.#settling !== undefined || this.#baseIsOfOtherData) return undefined;
    return this.writer?.durableOffset;
  }

  /** The data set was replaced, and the base that shows the new one does not count yet. */
  get #baseIsOfOtherData(): boolean {
    return this.#replaced || (this.runs.running && this.#replacedBefore);
  }

  /** End of a turn: the batch goes to the disk, and what may leave is released. */
  write(batch: Buffer): void {
    const { stream, gate } = this.#parts;
    const { writer } = this;
    if (writer === undefined) {
      if (this.#leaving === undefined) gate.releaseTo(stream.offset);
      return;
    }
    if (batch.length > 0) {
      writer.append([batch], stream.offset, stream.database, this.#timestampLine());
    }
    gate.releaseTo(writer.releasedOffset);
    this.#checkRoom();
  }

  #timestampLine(): Buffer | undefined {
    const { config, ports } = this.#parts;
    if (!config.aofTimestampEnabled) return undefined;
    const now = Math.floor(ports.clock.now() / 1000);
    if (now <= this.#timestamp) return undefined;
    this.#timestamp = now;
    return Buffer.from(`#TS:${now}\r\n`, "latin1");
  }

  get overLimit(): boolean {
    return this.#wasOverLimit;
  }

  #checkRoom(): void {
    const { config, gate } = this.#parts;
    const waiting = (this.writer?.bufferedBytes ?? 0) + gate.heldBytes;
    const over = this.writer !== undefined && waiting > config.aofBufferMax;
    if (this.#wasOverLimit && !over) {
      this.#wasOverLimit = false;
      this.#parts.onRoom();
    }
    this.#wasOverLimit = over;
  }

  /** What is wrong with the disk, in the system's words. */
  get trouble(): string | undefined {
    const { writer } = this;
    if (writer === undefined || writer.writable) return undefined;
    return errnoText(writer.lastError);
  }

  /** `appendfsync`, `no-appendfsync-on-rewrite` and `aof-buffer-max` as they are now. */
  applyDirectives(): void {
    const { config, snapshots } = this.#parts;
    const { writer } = this;
    if (writer === undefined) return;
    const suspended = config.noAppendfsyncOnRewrite && snapshots.active !== undefined;
    const policy = suspended ? "no" : config.appendfsync;
    if (writer.policy !== policy) writer.setPolicy(policy);
    writer.setBufferLimit(config.aofBufferMax);
    this.#checkRoom();
  }

  /** CONFIG SET appendonly. */
  want(on: boolean): void {
    this.#wanted = on;
    if (!on) this.rewriteScheduled = false;
    this.#settle();
  }

  #settle(): void {
    if (this.#settling !== undefined || this.#closed) return;
    if (this.#wanted === (this.writer !== undefined)) return;
    this.#settling = (async () => {
      while (!this.#closed && this.#wanted !== (this.writer !== undefined)) {
        if (this.#wanted ? !(await this.#turnOn()) : !(await this.#turnOff())) break;
      }
      this.#settling = undefined;
      this.#parts.onDurable(this.writer?.durableOffset ?? 0);
    })();
  }

  /** False if it must be tried again later. */
  async #turnOn(): Promise<boolean> {
    const { log } = this.#parts.ports;
    if (this.runs.running) {
      // It was begun without the AOF and gathers no increment.
      log.notice(
        "AOF was enabled but there is already an AOF rewriting in background. " +
          "Stopping background AOF and starting a rewrite now.",
      );
      await this.#cancelRunning("the AOF is turned on");
    }
    // In a transaction everything else of it comes first, as a new child would wait for its end.
    const claim = this.#parts.inTransaction() ? undefined : this.#claimRewrite();
    if (claim === undefined) {
      this.rewriteScheduled = true;
      log.notice(
        "AOF was enabled but there is already another background operation. " +
          "An AOF background was scheduled to start when possible.",
      );
      return false;
    }
    const format = this.#format();
    return this.#run(claim, () =>
      enableAppendOnly({
        directory: this.directory,
        format,
        keepHistory: this.#parts.config.aofDisableAutoGc,
        openWriter: (file) => {
          // What was logged up to here is part of the base.
          this.#parts.flushLog();
          return this.#use(file, 0, 0);
        },
        snapshot: () => this.#begin(claim, format),
        dropWriter: (writer) => this.#release(writer),
      }).finally(() => {
        this.#left();
      }),
    );
  }

  async #turnOff(): Promise<boolean> {
    const { flushLog, ports } = this.#parts;
    await this.#cancelRunning("the AOF is turned off");
    const { writer } = this;
    if (writer === undefined) return true;
    flushLog();
    this.#release(writer);
    try {
      await writer.close();
    } catch (error) {
      ports.log.warning(`Fail to fsync the AOF file: ${errnoText(error)}`);
    }
    this.#left();
    return true;
  }

  /** The writer gets no more. Replies that wait for what it has still wait. */
  #release(writer: AofWriter): void {
    this.writer = undefined;
    this.#leaving = writer;
    this.#parts.onWriterChanged();
  }

  #left(): void {
    if (this.#leaving === undefined) return;
    this.#leaving = undefined;
    this.#parts.gate.recover();
    this.#parts.gate.releaseTo(this.#parts.stream.offset);
    this.#checkRoom();
  }

  /** What the headers of batches say; a loader believes it of all the files together. */
  #seal(chain: string | undefined): BatchSeal {
    const { config, countedPosition } = this.#parts;
    return new BatchSeal(
      {
        enabled: () => config.aofChecksum,
        position: () => (this.#baseIsOfOtherData ? undefined : countedPosition()),
      },
      chain,
    );
  }

  /**
   * The stream moves on by PING and GETACK too. A primary notes that: its replicas are beyond what
   * the last record says, and could not go on with it after a restart.
   */
  #notePosition(): void {
    const { stream } = this.#parts;
    const { writer } = this;
    if (writer === undefined || !writer.writable || stream.batchBytes > 0) return;
    if (this.#batches?.isBehind === true) writer.append([], stream.offset, stream.database);
  }

  #use(file: DiskFile, baseBytes: number, olderBytes: number, chain?: string): AofWriter {
    const { config, gate, ports, stream, onDurable, onSyncLatency, onWriterChanged } = this.#parts;
    const seal = this.#seal(chain);
    this.#batches = seal;
    const writer: AofWriter = new AofWriter({
      seal,
      clock: ports.clock,
      log: ports.log,
      directory: this.directory,
      file,
      policy: config.appendfsync,
      bufferBytesMax: config.aofBufferMax,
      startOffset: stream.offset,
      olderBytes,
      baseBytes,
      hooks: {
        onReleased: (offset) => {
          gate.releaseTo(offset);
          this.#checkRoom();
        },
        onDurable,
        onSyncLatency,
        onNewIncrement: () => {
          this.#timestamp = 0;
          stream.forgetDatabase();
        },
        onFailure: (error) => this.#onFailure(error),
        onRecovered: () => {
          gate.recover();
          this.#checkRoom();
        },
      },
    });
    this.writer = writer;
    this.#timestamp = 0;
    stream.active = true;
    stream.forgetDatabase();
    onWriterChanged();
    this.applyDirectives();
    return writer;
  }

  #onFailure(error: DiskError): void {
    this.#parts.gate.fail(
      `MISCONF Errors writing to the AOF file: ${errnoText(error)}. ` +
        "The command was applied in memory, but it is not on disk.",
    );
  }

  // Rewrites.

  /** Whether nothing else walks; then a rewrite has begun. Call it between commands only. */
  startRewrite(): boolean {
    if (this.runs.running || this.#settling !== undefined) return false;
    const claim = this.#claimRewrite();
    if (claim === undefined) return false;
    const { directory, writer } = this;
    const { config, flushLog } = this.#parts;
    const format = this.#format();
    const common = {
      directory,
      format,
      keepHistory: config.aofDisableAutoGc,
      snapshot: (): Snapshot => this.#begin(claim, format),
    };
    void this.#run(claim, () =>
      writer === undefined
        ? rewriteOffline(common)
        : rewriteAppendOnly({ ...common, writer, flushLog }),
    );
    return true;
  }

  /** All data were replaced by others that are in no record: only a new base is true. */
  onDatasetReplaced(): void {
    if (!this.enabled) return;
    this.rewriteScheduled = true;
    this.#replaced = true;
    this.runs.cancel("all data were replaced");
    this.startDue();
  }

  /** Ten times a second, and when a walk ends: what is scheduled, and what has grown. */
  startDue(): void {
    const { config, isReplica, ports, snapshots } = this.#parts;
    if (!isReplica()) this.#notePosition();
    if (snapshots.active !== undefined || this.#closed || this.#settling !== undefined) return;
    if (this.rewriteScheduled) {
      if (this.runs.isLimited()) return;
      if (this.#wanted === (this.writer !== undefined)) this.startRewrite();
      else this.#settle();
      return;
    }
    const { writer } = this;
    const percentage = config.autoAofRewritePercentage;
    if (writer === undefined || percentage === 0) return;
    const { currentSize, baseSize } = writer;
    if (currentSize <= config.autoAofRewriteMinSize) return;
    const growth = Math.floor((currentSize * 100) / (baseSize || 1)) - 100;
    if (growth < percentage || this.runs.isLimited()) return;
    ports.log.notice(`Starting automatic rewriting of AOF on ${growth}% growth`);
    this.startRewrite();
  }

  #format(): BaseFormat {
    return this.#parts.config.aofUseRdbPreamble ? "rdb" : "aof";
  }

  #claimRewrite(): SnapshotClaim | undefined {
    const claim = this.runs.claim();
    if (claim !== undefined) {
      this.rewriteScheduled = false;
      this.applyDirectives();
    }
    return claim;
  }

  #begin(claim: SnapshotClaim, format: BaseFormat): Snapshot {
    this.#replacedBefore = this.#replaced;
    this.#replaced = false;
    return claim.begin(this.#parts.form(format));
  }

  /** True if it came to a good end. */
  async #run(claim: SnapshotClaim, operation: () => Promise<unknown>): Promise<boolean> {
    const error = await this.runs.run(claim, operation);
    this.applyDirectives();
    if (error === undefined) {
      this.#parts.onDurable(this.writer?.durableOffset ?? 0);
      return true;
    }
    this.#replaced ||= this.#replacedBefore;
    const needed = this.#wanted && (this.#replaced || this.writer === undefined);
    const tooMuchChanged = error instanceof SnapshotAbandonedError;
    if (needed || tooMuchChanged) this.rewriteScheduled = true;
    return false;
  }

  async #cancelRunning(reason: string): Promise<void> {
    this.runs.cancel(reason);
    await this.runs.settled();
  }

  /** Everything accepted is written and synced. */
  async close(): Promise<void> {
    this.#closed = true;
    this.rewriteScheduled = false;
    await this.#cancelRunning("the node stops");
    await this.#settling;
    this.#notePosition();
    const { writer } = this;
    this.writer = undefined;
    await writer?.close();
    this.#parts.gate.releaseTo(this.#parts.stream.offset);
  }
}
