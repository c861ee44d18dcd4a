/**
 * Persistence of one node, put together: what is loaded at the start, the append-only file, the RDB
 * file, and the snapshots that both and full synchronisations are made of. It tells the guards when
 * writes must be refused, and INFO what is going on.
 */
import type { Argument } from "@slotlog/resp";
import type { AofDirectory } from "./aof/directory.js";
import { loadAppendOnly } from "./aof/loader.js";
import type { BaseFormat } from "./aof/rewrite.js";
import type { AofWriter } from "./aof/writer.js";
import type { NodeConfig } from "./config/config.js";
import { CommandForm } from "./dataset/command-form.js";
import { DatasetLoader, ReplacementDataset } from "./dataset/load.js";
import { loadRdbFile, loadRdbFileSync } from "./dataset/load-file.js";
import { RdbForm, type UseStatistics } from "./dataset/rdb-form.js";
import type { SnapshotForm } from "./dataset/snapshot-form.js";
import { type SnapshotClaim, Snapshots } from "./dataset/snapshots.js";
import { thresholdsOf } from "./dataset/thresholds.js";
import type { PersistenceHealth, ReloadOptions } from "./dispatch/services.js";
import type { LogStream } from "./log/stream.js";
import type { OutputGate } from "./net/output-gate.js";
import { AppendOnly } from "./persistence/append-only.js";
import { RdbSaver } from "./persistence/rdb-saver.js";
import type { DiskFile, Ports } from "./ports.js";
import type { RdbHeader } from "./rdb/index.js";
import type { SnapshotRequest, SnapshotSource } from "./replication/settings.js";
import type { DatabaseSet } from "./store/database-set.js";
import { redisVersion } from "./version.js";

/** Where a data set stands in a replication history, as an RDB tells it. */
export interface DatasetPosition {
  readonly id: string;
  readonly offset: number;
  readonly streamDatabase: number;
}

export interface PersistenceParts {
  readonly ports: Ports;
  readonly config: NodeConfig;
  readonly databases: DatabaseSet;
  readonly stats: { dirty: number };
  readonly stream: LogStream;
  readonly gate: OutputGate;
  readonly processId: number;
  /** Applies one loaded record; false if there is no such command. */
  execute(argv: readonly Argument[], database: number): boolean;
  usedMemory(): number;
  /** Hands what the turn has logged so far to its readers; false inside a transaction. */
  flushLog(): boolean;
  /** Where the data set stands now, what was flushed included. */
  position(): DatasetPosition;
  /** Source code of the function libraries. */
  functionSources(): readonly string[];
  loadFunction(code: string): void;
  isReplica(): boolean;
  /** The AOF's writer came or went. */
  onWriterChanged(): void;
  /** The AOF can take more again: sockets that were stopped may be read. */
  onRoom(): void;
  /** No snapshot is under way any more: a full synchronisation may begin. */
  onSnapshotEnd(): void;
  onDurable(offset: number): void;
  onSyncLatency(milliseconds: number): void;
}

/** What was found at the start. */
export interface LoadOutcome {
  /** Set if an RDB told it. */
  readonly position?: DatasetPosition;
  /** Keys that were not kept, since their time was over, where replicas must be told. */
  readonly expired: readonly ExpiredKey[];
}

export interface ExpiredKey {
  readonly database: number;
  readonly key: string;
}

/** Bytes of the file that is being loaded, for INFO. */
export interface LoadState {
  readonly startedAt: number;
  totalBytes: number;
  loadedBytes: number;
}

const saveError =
  "MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to " +
  "disk. Commands that may modify the data set are disabled, because this instance is configured " +
  "to report errors during writes if RDB snapshotting fails (stop-writes-on-bgsave-error option). " +
  "Please check the Redis logs for details about the RDB error.";

export class Persistence implements PersistenceHealth {
  readonly snapshots: Snapshots;
  readonly rdb: RdbSaver;
  readonly appendOnly: AppendOnly;
  /** Full synchronisations read the same snapshots. */
  readonly syncSource: SnapshotSource;
  /** Of the last RDB that was loaded. */
  keysLoaded = 0;
  keysExpiredAtLoad = 0;
  /** Set while the data set is loaded. */
  loadState: LoadState | undefined;
  readonly #parts: PersistenceParts;

  constructor(parts: PersistenceParts) {
    const { config, ports } = parts;
    this.#parts = parts;
    this.snapshots = new Snapshots({
      clock: ports.clock,
      databases: parts.databases,
      preimageBytesMax: () => config.snapshotPreimageMax,
      onIdle: () => {
        this.appendOnly.applyDirectives();
        parts.onSnapshotEnd();
      },
    });
    const { snapshots } = this;
    this.rdb = new RdbSaver({
      ...parts,
      snapshots,
      form: () => this.#rdbForm({ isAofBase: false }),
      flushLog: () => void parts.flushLog(),
    });
    this.appendOnly = new AppendOnly({
      ...parts,
      snapshots,
      form: (format) => this.#baseForm(format),
      flushLog: () => void parts.flushLog(),
    });
    this.syncSource = this.#syncSource();
  }

  get writer(): AofWriter | undefined {
    return this.appendOnly.writer;
  }

  get directory(): AofDirectory {
    return this.appendOnly.directory;
  }

  /** End of a turn. */
  write(batch: Buffer): void {
    this.appendOnly.write(batch);
  }

  get overLimit(): boolean {
    return this.appendOnly.overLimit;
  }

  get misconfiguration(): string | undefined {
    if (this.rdb.stopsWrites) return saveError;
    const { trouble } = this.appendOnly;
    return trouble === undefined ? undefined : `MISCONF Errors writing to the AOF file: ${trouble}`;
  }

  /** Ten times a second, between commands. */
  cron(): void {
    if (this.snapshots.active === undefined) this.rdb.startDue();
    this.appendOnly.startDue();
  }

  /** All data were replaced by those of a full synchronisation. */
  onDatasetReplaced(): void {
    this.appendOnly.onDatasetReplaced();
  }

  // What the commands ask (`PersistenceHealth`).

  save(): string | undefined {
    if (this.#isSaving) return "ERR Background save already in progress";
    return this.rdb.save() ? undefined : "ERR";
  }

  /** A full synchronisation is a save too, as Redis sees it: a child that makes an RDB. */
  get #isSaving(): boolean {
    const purpose = this.snapshots.active?.purpose;
    return this.rdb.isRunning || purpose === "sync";
  }

  backgroundSave(options: { readonly schedule: boolean; readonly inTransaction: boolean }): string {
    if (this.#isSaving) return "-ERR Background save already in progress";
    if (this.snapshots.active !== undefined || options.inTransaction) {
      if (!options.schedule && !options.inTransaction) {
        return (
          "-ERR Another child process is active (AOF?): can't BGSAVE right now. " +
          "Use BGSAVE SCHEDULE in order to schedule a BGSAVE whenever possible."
        );
      }
      this.rdb.scheduled = true;
      return "+Background saving scheduled";
    }
    return this.rdb.startBackground() ? "+Background saving started" : "-ERR";
  }

  backgroundRewrite(inTransaction: boolean): string {
    const { appendOnly } = this;
    if (appendOnly.rewriting) {
      return "-ERR Background append only file rewriting already in progress";
    }
    if (this.snapshots.active !== undefined || inTransaction || !appendOnly.startRewrite()) {
      appendOnly.rewriteScheduled = true;
      appendOnly.pace.succeeded();
      return "+Background append only file rewriting scheduled";
    }
    return "+Background append only file rewriting started";
  }

  reload(options: ReloadOptions): string | undefined {
    if (options.save && !this.rdb.save()) return "ERR";
    const { databases, ports } = this.#parts;
    const replacement = options.flush ? new ReplacementDataset(this.#loadingInto()) : undefined;
    const loader =
      replacement?.loader ??
      new DatasetLoader({ ...this.#loadingInto(), refuseExisting: !options.merge });
    try {
      const file = ports.disk.openSync(this.rdb.path, "read");
      try {
        loadRdbFileSync(this.#rdbFile(file, loader));
      } finally {
        file.closeSync();
      }
    } catch (error) {
      ports.log.warning(`The RDB cannot be loaded: ${messageOf(error)}`);
      return "ERR Error trying to load the RDB dump, check server logs.";
    }
    replacement?.commit();
    this.#countLoaded(loader);
    ports.log.notice(`DB reloaded by DEBUG RELOAD, ${databases.size} keys`);
    return undefined;
  }

  /** DEBUG LOADAOF: what the files hold comes to what is there. */
  async loadAppendOnly(): Promise<void> {
    await this.#loadAof();
    this.#parts.ports.log.notice("Append Only File loaded by DEBUG LOADAOF");
  }

  // The start.

  /** Loads what the configuration says is the data set. Throws where Redis would not start. */
  async load(): Promise<LoadOutcome> {
    const { clock, log } = this.#parts.ports;
    const began = clock.monotonic();
    this.loadState = { startedAt: clock.now(), totalBytes: 0, loadedBytes: 0 };
    const seconds = (): string => ((clock.monotonic() - began) / 1000).toFixed(3);
    try {
      if (!this.#parts.config.appendonly) return await this.#loadRdb(seconds);
      const { status } = await this.#loadAof();
      if (status !== "absent") log.notice(`DB loaded from append only file: ${seconds()} seconds`);
      else await this.#warnOfUnreadRdb();
      return { expired: [] };
    } finally {
      this.loadState = undefined;
    }
  }

  async #loadAof(): Promise<{ readonly status: string }> {
    const { config, execute, ports } = this.#parts;
    const result = await loadAppendOnly({
      directory: this.directory,
      loadTruncated: config.aofLoadTruncated,
      monotonic: () => ports.clock.monotonic(),
      onProgress: ({ loadedBytes, totalBytes }) => this.#progress(loadedBytes, totalBytes),
      execute,
      loadRdb: async (file, onProgress) => {
        // Keys that have expired since are deleted by records behind it.
        const loader = new DatasetLoader({ ...this.#loadingInto(), dropExpiredAt: undefined });
        const bytes = await loadRdbFile({ ...this.#rdbFile(file, loader), onProgress });
        this.#countLoaded(loader);
        return bytes;
      },
    });
    return result;
  }

  async #loadRdb(seconds: () => string): Promise<LoadOutcome> {
    const { disk, log } = this.#parts.ports;
    if ((await disk.fileSize(this.rdb.path)) === undefined) return { expired: [] };
    const file = await disk.open(this.rdb.path, "read");
    const expired: ExpiredKey[] = [];
    const loader = new DatasetLoader({
      ...this.#loadingInto(),
      onExpired: (database, key) => {
        // Only replicas that go on where the RDB ends have to hear of it.
        if (loader.aux.has("repl-id")) expired.push({ database, key });
      },
    });
    try {
      const totalBytes = file.size();
      await loadRdbFile({
        ...this.#rdbFile(file, loader),
        onProgress: (bytes) => this.#progress(bytes, totalBytes),
      });
    } catch (error) {
      log.warning("Fatal error loading the DB, check server logs. Exiting.");
      throw new DatasetLoadError(this.rdb.path, error);
    } finally {
      await file.close();
    }
    this.#countLoaded(loader);
    log.notice(`DB loaded from disk: ${seconds()} seconds`);
    const position = positionOf(loader.aux);
    return position === undefined ? { expired } : { expired, position };
  }

  /** As Redis does, the AOF alone counts; but nobody should find that out by losing a data set. */
  async #warnOfUnreadRdb(): Promise<void> {
    const { disk, log } = this.#parts.ports;
    if ((await disk.fileSize(this.rdb.path)) === undefined) return;
    log.warning(
      `${this.rdb.path} was not loaded: 'appendonly' is on and there is no append-only file yet. ` +
        "To keep its data, start with 'appendonly no' and then CONFIG SET appendonly yes.",
    );
  }

  #progress(loadedBytes: number, totalBytes: number): void {
    if (this.loadState === undefined) return;
    this.loadState.loadedBytes = loadedBytes;
    this.loadState.totalBytes = totalBytes;
  }

  #countLoaded({ expired, keys }: DatasetLoader): void {
    this.keysLoaded = keys;
    this.keysExpiredAtLoad = expired;
  }

  #loadingInto(): ConstructorParameters<typeof DatasetLoader>[0] {
    const { databases, isReplica, loadFunction, ports } = this.#parts;
    // A replica waits for its primary's DEL.
    const dropExpiredAt = isReplica() ? undefined : ports.clock.now();
    return { databases, loadFunction, dropExpiredAt };
  }

  #rdbFile(file: DiskFile, loader: DatasetLoader): Parameters<typeof loadRdbFileSync>[0] {
    const { config, databases, ports } = this.#parts;
    return {
      file,
      loader,
      databaseCount: databases.count,
      verifyChecksum: config.rdbchecksum,
      log: ports.log,
      now: ports.clock.now(),
    };
  }

  /** Opens the AOF behind `load`; from here on records are kept. */
  open(): Promise<void> {
    return this.appendOnly.open();
  }

  /** Everything accepted is written and synced; a save in the background is given up. */
  async close(): Promise<void> {
    await this.rdb.cancel("the node stops");
    await this.appendOnly.close();
  }

  // Snapshots.

  #header(isAofBase: boolean, position: DatasetPosition): RdbHeader {
    const { ports, usedMemory } = this.#parts;
    return {
      redisVersion,
      createdAt: Math.floor(ports.clock.now() / 1000),
      usedMemoryBytes: usedMemory(),
      replication: {
        id: position.id,
        offset: position.offset,
        streamDb: position.streamDatabase,
      },
      isAofBase,
    };
  }

  #rdbForm(options: {
    readonly isAofBase: boolean;
    readonly position?: DatasetPosition;
    readonly functions?: boolean;
  }): RdbForm {
    const { config, databases, functionSources, position } = this.#parts;
    return new RdbForm({
      header: this.#header(options.isAofBase, options.position ?? position()),
      encoder: {
        compress: config.rdbcompression,
        checksum: config.rdbchecksum,
        thresholds: thresholdsOf(config),
      },
      functions: options.functions === false ? [] : functionSources(),
      counts: this.snapshots.counts(),
      access: databases.parts.access,
      statistics: statisticsOf(config.maxmemoryPolicy),
    });
  }

  #baseForm(format: BaseFormat): SnapshotForm {
    const { config, functionSources, ports } = this.#parts;
    if (format === "rdb") return this.#rdbForm({ isAofBase: true });
    return new CommandForm({
      timestamp: config.aofTimestampEnabled ? Math.floor(ports.clock.now() / 1000) : undefined,
      functions: functionSources(),
    });
  }

  #syncSource(): SnapshotSource {
    const { snapshots } = this;
    return {
      get busy() {
        return snapshots.active !== undefined;
      },
      begin: ({ includeData, includeFunctions, position }: SnapshotRequest) => {
        const claim = snapshots.claim("sync");
        if (claim === undefined) throw new Error("two snapshots at once");
        const form = this.#rdbForm({
          isAofBase: false,
          position: { ...position, streamDatabase: 0 },
          functions: includeFunctions,
        });
        return released(claim.begin(form, includeData), claim);
      },
    };
  }
}

/** An RDB that cannot be loaded: nothing may be served in its place. */
export class DatasetLoadError extends Error {
  readonly code = "SLOTLOG_RDB_LOAD";

  constructor(path: string, cause: unknown) {
    super(`${path} cannot be loaded: ${messageOf(cause)}`, { cause });
    this.name = "DatasetLoadError";
  }
}

/** Gives the claim back when the reader has all, or wants no more. */
async function* released(
  chunks: AsyncIterable<Buffer>,
  claim: SnapshotClaim,
): AsyncGenerator<Buffer> {
  try {
    yield* chunks;
  } finally {
    claim.release();
  }
}

function positionOf(aux: ReadonlyMap<string, string>): DatasetPosition | undefined {
  const id = aux.get("repl-id") ?? "";
  const offset = Number(aux.get("repl-offset") ?? Number.NaN);
  const streamDatabase = Number(aux.get("repl-stream-db") ?? -1);
  if (!/^[0-9a-f]{40}$/.test(id) || !Number.isSafeInteger(offset) || streamDatabase < 0) {
    return undefined;
  }
  return { id, offset, streamDatabase };
}

function statisticsOf(policy: string): UseStatistics {
  if (policy.endsWith("-lru")) return "lru";
  return policy.endsWith("-lfu") ? "lfu" : "none";
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
