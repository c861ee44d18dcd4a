/**
 * How the data set comes from the disk: at the start, from the AOF or the RDB file as the
 * configuration says, and when DEBUG asks for it again. It counts what it loaded, for INFO, and
 * never takes a file that it cannot read for an empty data set.
 */
import type { Argument } from "@slotlog/resp";
import type { AofDirectory } from "../aof/directory.js";
import { positionOfAux } from "../aof/stream-position.js";
import { type AofLoadResult, loadAppendOnly } from "../aof/loader.js";
import type { NodeConfig } from "../config/config.js";
import { DatasetLoader, ReplacementDataset } from "../dataset/load.js";
import { loadRdbFile, loadRdbFileSync } from "../dataset/load-file.js";
import type { DiskFile, Ports } from "../ports.js";
import type { DatabaseSet } from "../store/database-set.js";
import type { DatasetPosition } from "./snapshot-forms.js";

/** What was found at the start. */
export interface LoadOutcome {
  /** Set if what was loaded tells it. */
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

export interface DatasetLoadingParts {
  readonly ports: Ports;
  readonly config: NodeConfig;
  readonly databases: DatabaseSet;
  readonly directory: AofDirectory;
  /** Where the RDB file lies now. */
  rdbPath(): string;
  /** Applies one record; false if there is no such command. */
  execute(argv: readonly Argument[], database: number): boolean;
  loadFunction(code: string): void;
  isReplica(): boolean;
}

export class DatasetLoading {
  /** Of the last RDB that was loaded. */
  keysLoaded = 0;
  keysExpired = 0;
  /** The running checksum at the end of the AOF that was loaded. */
  chain: string | undefined;
  /** Set while the data set is loaded at the start. */
  state: LoadState | undefined;
  readonly #parts: DatasetLoadingParts;

  constructor(parts: DatasetLoadingParts) {
    this.#parts = parts;
  }

  /** Loads what the configuration says is the data set. Throws where Redis would not start. */
  async load(): Promise<LoadOutcome> {
    const { clock, log } = this.#parts.ports;
    const began = clock.monotonic();
    this.state = { startedAt: clock.now(), totalBytes: 0, loadedBytes: 0 };
    const seconds = (): string => ((clock.monotonic() - began) / 1000).toFixed(3);
    try {
      if (!this.#parts.config.appendonly) return await this.#loadRdb(seconds);
      const { chain, position, status } = await this.loadAof();
      this.chain = chain;
      if (status !== "absent") log.notice(`DB loaded from append only file: ${seconds()} seconds`);
      else await this.#warnOfUnreadRdb();
      return position === undefined ? { expired: [] } : { expired: [], position };
    } finally {
      this.state = undefined;
    }
  }

  /** Adds what the AOF holds to what is there. */
  async loadAof(): Promise<AofLoadResult> {
    const { config, execute, ports } = this.#parts;
    let rdbPosition: DatasetPosition | undefined;
    const result = await loadAppendOnly({
      directory: this.#parts.directory,
      verify: config.aofChecksum,
      loadTruncated: config.aofLoadTruncated,
      monotonic: () => ports.clock.monotonic(),
      onProgress: ({ loadedBytes, totalBytes }) => this.#progress(loadedBytes, totalBytes),
      execute,
      loadRdb: async (file, onProgress) => {
        // Keys that have expired since are deleted by records behind it.
        const loader = new DatasetLoader({ ...this.#loadingInto(), dropExpiredAt: undefined });
        const bytes = await loadRdbFile({ ...this.#rdbFile(file, loader), onProgress });
        this.#countLoaded(loader);
        rdbPosition = positionOfAux(loader.aux);
        return bytes;
      },
      rdbPosition: () => rdbPosition,
    });
    return result;
  }

  async #loadRdb(seconds: () => string): Promise<LoadOutcome> {
    const { disk, log } = this.#parts.ports;
    if ((await disk.fileSize(this.#parts.rdbPath())) === undefined) return { expired: [] };
    const file = await disk.open(this.#parts.rdbPath(), "read");
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
      throw new DatasetLoadError(this.#parts.rdbPath(), error);
    } finally {
      await file.close();
    }
    this.#countLoaded(loader);
    log.notice(`DB loaded from disk: ${seconds()} seconds`);
    const position = positionOfAux(loader.aux);
    return position === undefined ? { expired } : { expired, position };
  }

  /** As Redis does, the AOF alone counts; but nobody should find that out by losing a data set. */
  async #warnOfUnreadRdb(): Promise<void> {
    const { disk, log } = this.#parts.ports;
    if ((await disk.fileSize(this.#parts.rdbPath())) === undefined) return;
    log.warning(
      `${this.#parts.rdbPath()} was not loaded: 'appendonly' is on and there is no append-only file yet. ` +
        "To keep its data, start with 'appendonly no' and then CONFIG SET appendonly yes.",
    );
  }

  #progress(loadedBytes: number, totalBytes: number): void {
    if (this.state === undefined) return;
    this.state.loadedBytes = loadedBytes;
    this.state.totalBytes = totalBytes;
  }

  #countLoaded({ expired, keys }: DatasetLoader): void {
    this.keysLoaded = keys;
    this.keysExpired = expired;
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

  /** DEBUG RELOAD, after its save: the text of the error reply if it failed. */
  reload(options: { readonly flush: boolean; readonly merge: boolean }): string | undefined {
    const { databases, ports } = this.#parts;
    const replacement = options.flush ? new ReplacementDataset(this.#loadingInto()) : undefined;
    const loader =
      replacement?.loader ??
      new DatasetLoader({ ...this.#loadingInto(), refuseExisting: !options.merge });
    try {
      const file = ports.disk.openSync(this.#parts.rdbPath(), "read");
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
}

/** An RDB that cannot be loaded: nothing may be served in its place. */
export class DatasetLoadError extends Error {
  readonly code = "SLOTLOG_RDB_LOAD";

  constructor(path: string, cause: unknown) {
    super(`${path} cannot be loaded: ${messageOf(cause)}`, { cause });
    this.name = "DatasetLoadError";
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
