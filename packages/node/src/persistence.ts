/**
 * Persistence of one node, put together: what is loaded at the start, the append-only file, the RDB
 * file, and the snapshots that both and full synchronisations are made of. It tells the guards when
 * writes must be refused, and INFO what is going on.
 */
import type { Argument } from "@slotlog/resp";
import type { AofDirectory } from "./aof/directory.js";
import type { AofWriter } from "./aof/writer.js";
import type { NodeConfig } from "./config/config.js";
import { Snapshots } from "./dataset/snapshots.js";
import type { PersistenceHealth, ReloadOptions } from "./dispatch/services.js";
import type { LogStream } from "./log/stream.js";
import type { OutputGate } from "./net/output-gate.js";
import { AppendOnly } from "./persistence/append-only.js";
import { DatasetLoading, type LoadOutcome } from "./persistence/dataset-loading.js";
import { RdbSaver } from "./persistence/rdb-saver.js";
import { type DatasetPosition, SnapshotForms } from "./persistence/snapshot-forms.js";
import type { Ports } from "./ports.js";
import type { SnapshotSource } from "./replication/settings.js";
import type { DatabaseSet } from "./store/database-set.js";

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
  /** The same, if the stream is counted. */
  countedPosition(): DatasetPosition | undefined;
  /** Source code of the function libraries. */
  functionSources(): readonly string[];
  loadFunction(code: string): void;
  isReplica(): boolean;
  /** A command runs that is part of a transaction. */
  inTransaction(): boolean;
  /** The AOF's writer came or went. */
  onWriterChanged(): void;
  /** The AOF can take more again: sockets that were stopped may be read. */
  onRoom(): void;
  /** No snapshot is under way any more: a full synchronisation may begin. */
  onSnapshotEnd(): void;
  onDurable(offset: number): void;
  onSyncLatency(milliseconds: number): void;
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
  readonly loading: DatasetLoading;
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
    const forms = new SnapshotForms({ ...parts, clock: ports.clock, snapshots });
    const flushLog = (): void => void parts.flushLog();
    this.rdb = new RdbSaver({ ...parts, snapshots, flushLog, form: () => forms.file() });
    this.appendOnly = new AppendOnly({
      ...parts,
      snapshots,
      flushLog,
      form: (format) => forms.base(format),
    });
    this.loading = new DatasetLoading({
      ...parts,
      directory: this.appendOnly.directory,
      rdbPath: () => this.rdb.path,
    });
    this.syncSource = forms.syncSource();
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
    if (appendOnly.runs.running) {
      return "-ERR Background append only file rewriting already in progress";
    }
    if (this.snapshots.active !== undefined || inTransaction || !appendOnly.startRewrite()) {
      appendOnly.rewriteScheduled = true;
      appendOnly.runs.forgetFailures();
      return "+Background append only file rewriting scheduled";
    }
    return "+Background append only file rewriting started";
  }

  reload(options: ReloadOptions): string | undefined {
    if (options.save && !this.rdb.save()) return "ERR";
    return this.loading.reload(options);
  }

  /** DEBUG LOADAOF: what the files hold comes to what is there. */
  async loadAppendOnly(): Promise<void> {
    await this.loading.loadAof();
    this.#parts.ports.log.notice("Append Only File loaded by DEBUG LOADAOF");
  }

  // The start.

  /** Loads what the configuration says is the data set. Throws where Redis would not start. */
  load(): Promise<LoadOutcome> {
    return this.loading.load();
  }

  /** Opens the AOF behind `load`; from here on records are kept. */
  open(): Promise<void> {
    return this.appendOnly.open(this.loading.chain);
  }

  /** Everything accepted is written and synced; a save in the background is given up. */
  async close(): Promise<void> {
    await this.rdb.cancel("the node stops");
    await this.appendOnly.close();
  }
}
