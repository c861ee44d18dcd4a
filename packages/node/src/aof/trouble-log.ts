/**
 * What the log says about a disk in trouble: Redis' lines, which operators search for, and not more
 * often than Redis writes them. Also counts the fsyncs that took too long.
 */

import { errnoText } from "../adapters/disk-error.js";
import type { Clock, DiskError, Log } from "../ports.js";

/** Redis' measures of too slow and too often. */
const slowSyncMs = 2000;
const errorLogIntervalMs = 30_000;

export class TroubleLog {
  /** Syncs that took longer than two seconds while writes waited. */
  slowSyncs = 0;
  private readonly log: Log;
  private readonly clock: Clock;
  private lastErrorAt = Number.NEGATIVE_INFINITY;
  private syncStartedAt = 0;
  private countedAsSlow = false;

  constructor(log: Log, clock: Clock) {
    this.log = log;
    this.clock = clock;
  }

  syncBegins(): void {
    this.syncStartedAt = this.clock.monotonic();
    this.countedAsSlow = false;
  }

  /** Milliseconds since the sync began. */
  syncEnds(): number {
    return this.clock.monotonic() - this.syncStartedAt;
  }

  /** A write arrives while a sync is in flight. */
  writeDuringSync(): void {
    if (this.countedAsSlow || this.syncEnds() < slowSyncMs) return;
    this.countedAsSlow = true;
    this.slowSyncs++;
    this.log.notice(
      "Asynchronous AOF fsync is taking too long (disk is busy?). Replies to writes wait for it.",
    );
  }

  writeFailed(error: DiskError, expectedBytes: number): void {
    if (error.written === undefined || error.written === 0) {
      this.complain(`Error writing to the AOF file: ${errnoText(error)}`);
      return;
    }
    this.complain(
      `Short write while writing to the AOF file: (nwritten=${error.written}, ` +
        `expected=${expectedBytes}): ${errnoText(error)}`,
    );
  }

  cutFailed(error: unknown): void {
    this.log.warning(
      `Could not remove short write from the append-only file. Redis may refuse to load the AOF ` +
        `the next time it starts. ftruncate: ${errnoText(error)}`,
    );
  }

  syncFailed(error: DiskError): void {
    this.complain(`Fail to fsync the AOF file: ${errnoText(error)}`);
  }

  stillFailing(error: DiskError): void {
    this.complain(`The AOF still cannot be written: ${errnoText(error)}`);
  }

  fileGivenUp(error: DiskError, oldPath: string, newPath: string): void {
    this.log.warning(
      `The AOF file ${oldPath} cannot be written any more (${errnoText(error)}); ` +
        `the log continues in ${newPath}`,
    );
  }

  solved(): void {
    this.lastErrorAt = Number.NEGATIVE_INFINITY;
    this.log.notice("AOF write error looks solved, writes are accepted again.");
  }

  private complain(message: string): void {
    const now = this.clock.monotonic();
    if (now - this.lastErrorAt <= errorLogIntervalMs) return;
    this.lastErrorAt = now;
    this.log.warning(message);
  }
}
