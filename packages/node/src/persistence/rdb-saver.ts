/**
 * RDB files of one node: SAVE, BGSAVE, the `save` points, and what is told of them. It owns the
 * file `dbfilename`; the AOF's base is none of its business.
 *
 * A save in the background reads a snapshot in slices and writes it off the loop; it counts as
 * failed only for what the disk did: a snapshot that was abandoned since too much changed is tried
 * again, and does not stop writes.
 */
import path from "node:path";
import { textOfBytes } from "../config/byte-string.js";
import type { NodeConfig } from "../config/config.js";
import { type RdbFileTarget, writeRdbFile, writeRdbFileSync } from "../dataset/rdb-file.js";
import type { SnapshotForm } from "../dataset/snapshot-form.js";
import {
  type SnapshotClaim,
  SnapshotAbandonedError,
  SnapshotCancelledError,
  type Snapshots,
} from "../dataset/snapshots.js";
import type { Ports } from "../ports.js";

/** Redis' CONFIG_BGSAVE_RETRY_DELAY. */
const retryDelaySeconds = 5;

export interface RdbSaverParts {
  readonly ports: Ports;
  readonly config: NodeConfig;
  readonly snapshots: Snapshots;
  readonly stats: { dirty: number };
  readonly processId: number;
  /** The beginning of an RDB of the data set as it is now. */
  form(): SnapshotForm;
  /** Hands on what the turn has logged: the RDB's replication offset covers it. */
  flushLog(): void;
}

export class RdbSaver {
  readonly #parts: RdbSaverParts;
  #running: Promise<void> | undefined;
  #claim: SnapshotClaim | undefined;
  /** A save is wanted as soon as nothing else walks. */
  scheduled = false;
  /** Unix seconds of the last successful save, at first of the start. */
  lastSaveAt: number;
  lastOk = true;
  /** Seconds that the last save in the background took; -1 if there was none. */
  lastDuration = -1;
  /** Saves begun. */
  saves = 0;
  /** Unix seconds until which nothing is tried of itself, after a failure. */
  #retryAt = 0;

  constructor(parts: RdbSaverParts) {
    this.#parts = parts;
    this.lastSaveAt = this.#now();
  }

  /** Where the RDB of this node lies. */
  get path(): string {
    const { dir, dbfilename } = this.#parts.config;
    return path.join(textOfBytes(dir), textOfBytes(dbfilename));
  }

  get isRunning(): boolean {
    return this.#running !== undefined;
  }

  /** Seconds that the present save has taken; -1 without one. */
  get currentSeconds(): number {
    if (this.#claim === undefined) return -1;
    const { clock } = this.#parts.ports;
    return Math.floor((clock.monotonic() - this.#claim.beganAt) / 1000);
  }

  /** SAVE: true if the data set is on the disk now. Nothing else runs meanwhile. */
  save(): boolean {
    const { flushLog, form, ports, snapshots, stats } = this.#parts;
    this.saves += 1;
    flushLog();
    try {
      writeRdbFileSync(this.#target("save"), snapshots.now(form()));
    } catch (error) {
      if (!(error instanceof Error && "code" in error)) throw error;
      return false;
    }
    ports.log.notice("DB saved on disk");
    stats.dirty = 0;
    this.#succeeded();
    return true;
  }

  /** BGSAVE: false if something else is under way. Call it between commands only. */
  startBackground(): boolean {
    const { flushLog, form, ports, processId, snapshots, stats } = this.#parts;
    const claim = this.#running === undefined ? snapshots.claim("save") : undefined;
    if (claim === undefined) return false;
    this.#claim = claim;
    this.scheduled = false;
    this.saves += 1;
    flushLog();
    const dirtyBefore = stats.dirty;
    const snapshot = claim.begin(form());
    ports.log.notice(`Background saving started by pid ${processId}`);
    const end = (error?: unknown): void => {
      this.lastDuration = this.currentSeconds;
      this.#running = undefined;
      this.#claim = undefined;
      if (error === undefined) {
        stats.dirty = Math.max(0, stats.dirty - dirtyBefore);
        this.#succeeded();
        ports.log.notice("Background saving terminated with success");
      } else this.#failed(error);
      claim.release();
    };
    this.#running = writeRdbFile(this.#target("bgsave"), snapshot).then(() => {
      ports.log.notice("DB saved on disk");
      end();
    }, end);
    return true;
  }

  /** Stops a save in the background; resolves when it has ended. */
  async cancel(reason: string): Promise<void> {
    this.scheduled = false;
    this.#claim?.cancel(reason);
    await this.#running;
  }

  /**
   * SHUTDOWN: true if the data set is on the disk. What writes in the background is stopped by
   * `cancel` before the process ends, and writes another temporary file; it may still rename it
   * into place behind us, so then the node saves once more when it stops.
   */
  saveFinally(): boolean {
    this.#claim?.cancel("the node shuts down");
    return this.save();
  }

  /**
   * FLUSHALL: what a save in the background writes is no more, and with save points the file must
   * not bring it back.
   */
  afterFlush(): void {
    if (this.#savesSoon) return;
    this.#claim?.cancel("all data were flushed");
    if (this.#parts.config.save.length === 0) return;
    this.#savesSoon = true;
    const save = (): void => {
      this.#savesSoon = false;
      this.save();
    };
    // A save in the background may have come as far as its rename, which must not come behind ours;
    // and a transaction must end before its records can be counted.
    if (this.#running === undefined) this.#parts.ports.clock.defer(save);
    else void this.#running.then(save);
  }
  #savesSoon = false;

  /** Ten times a second while nothing walks: the save points, and what was scheduled. */
  startDue(): void {
    const { config, ports, stats } = this.#parts;
    const now = this.#now();
    if (now <= this.#retryAt) return;
    for (const { changes, seconds } of config.save) {
      if (stats.dirty < changes || now - this.lastSaveAt <= seconds) continue;
      ports.log.notice(`${changes} changes in ${seconds} seconds. Saving...`);
      this.startBackground();
      return;
    }
    if (this.scheduled) this.startBackground();
  }

  /** Whether writes must be refused, since the `save` points cannot be kept. */
  get stopsWrites(): boolean {
    const { save, stopWritesOnBgsaveError } = this.#parts.config;
    return stopWritesOnBgsaveError && !this.lastOk && save.length > 0;
  }

  #now(): number {
    return Math.floor(this.#parts.ports.clock.now() / 1000);
  }

  #succeeded(): void {
    this.lastSaveAt = this.#now();
    this.lastOk = true;
    this.#retryAt = 0;
  }

  #failed(error: unknown): void {
    const { log } = this.#parts.ports;
    this.#retryAt = this.#now() + retryDelaySeconds;
    if (error instanceof SnapshotAbandonedError) {
      this.scheduled = true;
      log.warning(`Background saving abandoned, will be tried again: ${error.message}`);
    } else if (error instanceof SnapshotCancelledError) {
      log.warning(`Background saving stopped: ${error.message}`);
    } else {
      this.lastOk = false;
      log.warning("Background saving error");
    }
  }

  #target(kind: "save" | "bgsave"): RdbFileTarget {
    const { config, ports, processId } = this.#parts;
    return {
      disk: ports.disk,
      log: ports.log,
      directory: textOfBytes(config.dir),
      name: textOfBytes(config.dbfilename),
      temporaryName: kind === "save" ? `temp-${processId}.rdb` : `temp-bg-${processId}.rdb`,
      syncsOnTheWay: config.rdbSaveIncrementalFsync,
    };
  }
}
