/**
 * Binds the AOF to a node: loads it at the start, hands it each turn's records, and tells the
 * output gate what may leave. Without an AOF everything may leave at once.
 */
import type { Argument } from "@slotlog/resp";
import { AofDirectory } from "./aof/directory.js";
import { loadAppendOnly } from "./aof/loader.js";
import { openForAppend } from "./aof/open.js";
import { rewriteAppendOnly } from "./aof/rewrite.js";
import { AofWriter } from "./aof/writer.js";
import { textOfBytes } from "./config/byte-string.js";
import type { NodeConfig } from "./config/config.js";
import type { PersistenceHealth } from "./dispatch/services.js";
import type { LogStream } from "./log/stream.js";
import type { OutputGate } from "./net/output-gate.js";
import type { DiskFile, Ports } from "./ports.js";

export interface PersistenceParts {
  readonly ports: Ports;
  readonly config: NodeConfig;
  readonly stream: LogStream;
  readonly gate: OutputGate;
  /** Applies one loaded record; false if there is no such command. */
  execute(argv: readonly Argument[], database: number): boolean;
  loadRdb(file: DiskFile, onProgress: (bytes: number) => void): Promise<number>;
  usedMemory(): number;
  /** Hands what the turn has logged so far to the writer. */
  flushLog(): void;
  /** The data set as it is now, as an RDB. */
  snapshot(): Iterable<Buffer>;
  /** The AOF can take more again: sockets that were stopped may be read. */
  onRoom(): void;
}

export interface LoadOutcome {
  readonly records: number;
  readonly truncated: boolean;
}

export class Persistence implements PersistenceHealth {
  readonly #parts: PersistenceParts;
  readonly directory: AofDirectory;
  writer: AofWriter | undefined;
  loadedBytes = 0;
  totalBytesToLoad = 0;
  #wasOverLimit = false;
  /** Database that the last record of the stream is for. */
  selectedDatabase = 0;

  constructor(parts: PersistenceParts) {
    this.#parts = parts;
    const { config, ports } = parts;
    this.directory = new AofDirectory({
      disk: ports.disk,
      log: ports.log,
      dataDirectory: textOfBytes(config.dir),
      directoryName: textOfBytes(config.appenddirname),
      appendFilename: textOfBytes(config.appendfilename),
    });
  }

  /** Replays what the directory holds. Throws where Redis would not start either. */
  async load(): Promise<LoadOutcome> {
    const { config, ports, execute, loadRdb } = this.#parts;
    const result = await loadAppendOnly({
      directory: this.directory,
      loadTruncated: config.aofLoadTruncated,
      monotonic: () => ports.clock.monotonic(),
      onProgress: (progress) => {
        this.loadedBytes = progress.loadedBytes;
        this.totalBytesToLoad = progress.totalBytes;
      },
      execute,
      loadRdb,
    });
    return { records: result.records, truncated: result.truncated };
  }

  /** Opens the last increment; from here on records are kept. */
  async open(): Promise<void> {
    const { config, ports, stream, gate, usedMemory } = this.#parts;
    const opened = await openForAppend({
      directory: this.directory,
      useRdbPreamble: config.aofUseRdbPreamble,
      now: ports.clock.now(),
      usedMemoryBytes: usedMemory(),
    });
    this.writer = new AofWriter({
      clock: ports.clock,
      log: ports.log,
      directory: this.directory,
      file: opened.file,
      policy: config.appendfsync,
      bufferBytesMax: config.aofBufferMax,
      startOffset: stream.offset,
      olderBytes: opened.olderBytes,
      baseBytes: opened.baseBytes,
      hooks: {
        onReleased: (offset) => {
          gate.releaseTo(offset);
          this.#checkRoom();
        },
        onNewIncrement: () => stream.forgetDatabase(),
      },
    });
    stream.active = true;
    stream.forgetDatabase();
  }

  /** End of a turn: the batch goes to the disk, and what may leave is released. */
  write(batch: Buffer): void {
    const { stream, gate } = this.#parts;
    const { writer } = this;
    if (writer === undefined) {
      gate.releaseTo(stream.offset);
      return;
    }
    if (batch.length > 0) writer.append([batch], stream.offset, stream.database);
    gate.releaseTo(writer.releasedOffset);
    this.#checkRoom();
  }

  #checkRoom(): void {
    const over = this.writer?.overLimit === true;
    if (this.#wasOverLimit && !over) this.#parts.onRoom();
    this.#wasOverLimit = over;
  }

  get overLimit(): boolean {
    return this.#wasOverLimit;
  }

  get misconfiguration(): string | undefined {
    const { writer } = this;
    if (writer === undefined || writer.writable) return undefined;
    return `MISCONF Errors writing to the AOF file: ${writer.lastError?.message ?? "unknown"}`;
  }

  /** True while a rewrite is under way. */
  get rewriting(): boolean {
    return this.#rewrite !== undefined;
  }

  #rewrite: Promise<void> | undefined;
  #rewriteAgain = false;
  lastRewriteFailed = false;
  /** Seconds that the last rewrite took; -1 if there was none. */
  lastRewriteSeconds = -1;

  /**
   * Makes the AOF anew from what is in memory. While one is under way, another follows it: what
   * asked for it may have come behind the cut.
   */
  rewrite(): void {
    const { writer } = this;
    if (writer === undefined) return;
    if (this.#rewrite !== undefined) {
      this.#rewriteAgain = true;
      return;
    }
    const { ports, flushLog, snapshot } = this.#parts;
    const began = ports.clock.monotonic();
    const done = rewriteAppendOnly({ directory: this.directory, writer, flushLog, snapshot });
    this.#rewrite = done.then(
      () => {
        this.lastRewriteFailed = false;
      },
      (error: unknown) => {
        this.lastRewriteFailed = true;
        ports.log.warning(`AOF rewrite failed, the old files stay in force: ${String(error)}`);
      },
    ).then(() => {
      this.lastRewriteSeconds = Math.round((ports.clock.monotonic() - began) / 1000);
      this.#rewrite = undefined;
      if (this.#rewriteAgain) {
        this.#rewriteAgain = false;
        this.rewrite();
      }
    });
  }

  /** Everything accepted is written and synced. */
  async close(): Promise<void> {
    this.#rewriteAgain = false;
    await this.#rewrite;
    await this.writer?.close();
  }
}
