/**
 * The change from one increment to the next. Owns the prepared file and the steps of the change;
 * the core holds back what belongs to the new file meanwhile (its barrier).
 *
 * The order is: new file, everything before the cut durable in the old file, manifest durable, and
 * only then the first byte into the new file. So no crash leaves a torn file that is not the last.
 */

import type { DiskFile } from "../ports.js";
import type { AofDirectory } from "./directory.js";
import type { LogCore } from "./log-core.js";
import { lastIncrement, withNextIncrement } from "./manifest.js";

interface Settle {
  readonly resolve: (sequence: number) => void;
  readonly reject: (error: Error) => void;
}

interface PreparedFile {
  readonly file: DiskFile;
  readonly sequence: number;
}

export interface SwitchOutcome {
  /** The manifest names this file: it is the one to write from now on. */
  onSwitched(file: DiskFile): void;
  /** The old file stays; nothing was lost. */
  onAbandoned(): void;
}

export class IncrementSwitch {
  private readonly directory: AofDirectory;
  private readonly core: LogCore;
  private readonly outcome: SwitchOutcome;
  private prepared: PreparedFile | undefined;
  private preparing = false;
  /** Whoever waits for a cut that has begun. */
  private waiting: Settle | undefined;
  private committing = false;

  constructor(directory: AofDirectory, core: LogCore, outcome: SwitchOutcome) {
    this.directory = directory;
    this.core = core;
    this.outcome = outcome;
  }

  /** The manifest is being replaced: the present file must stay open. */
  get isCommitting(): boolean {
    return this.committing;
  }

  /** Makes the next increment's file; cutting is quicker when it exists. */
  async prepare(): Promise<void> {
    if (this.preparing || this.prepared !== undefined) {
      throw new Error("AOF: an increment is prepared already");
    }
    this.preparing = true;
    try {
      this.prepared = await this.makeFile();
    } finally {
      this.preparing = false;
    }
  }

  private async makeFile(): Promise<PreparedFile> {
    const { directory } = this;
    const next = withNextIncrement(directory.manifest, directory.appendFilename);
    const { name, sequence } = lastIncrement(next);
    const file = await directory.disk.open(directory.pathOf(name), "truncate");
    try {
      // A file of this name may be left of a change that failed: it must not come back with what
      // it held after a power loss.
      await file.sync();
      await directory.disk.syncDirectory(directory.path);
    } catch (error) {
      closeQuietly(file);
      throw error;
    }
    directory.log.notice(`Creating AOF incr file ${name} on background rewrite`);
    return { file, sequence };
  }

  /** Raises the barrier here; resolves with the sequence number of the new increment. */
  begin(): Promise<number> {
    if (this.prepared === undefined) throw new Error("AOF: no increment is prepared");
    this.core.raiseBarrier();
    return new Promise<number>((resolve, reject) => {
      this.waiting = { resolve, reject };
    });
  }

  /** Goes on if everything before the cut is durable. */
  continueIfReached(): void {
    if (this.waiting === undefined || this.committing) return;
    if (this.core.health !== "sound" || !this.core.barrierReached) return;
    const { directory, prepared } = this;
    this.committing = true;
    directory
      .replaceManifest((manifest) => {
        const next = withNextIncrement(manifest, directory.appendFilename);
        // Another change took the prepared name: ours would point to a file that is not ours.
        if (lastIncrement(next).sequence !== prepared?.sequence) {
          throw new Error("AOF: the manifest changed behind a prepared increment");
        }
        return next;
      })
      .then(
        () => {
          this.finish();
        },
        (error: Error) => {
          this.committing = false;
          this.abandon(error);
          // Best done soon: a manifest on disk that names the new file makes ours not the last.
          directory.settle().catch(() => undefined);
          this.outcome.onAbandoned();
        },
      );
  }

  /** Gives the change up; what was held goes to the old file. */
  abandon(error: Error): void {
    this.core.liftBarrier();
    this.closePrepared();
    const { waiting } = this;
    this.waiting = undefined;
    waiting?.reject(error);
  }

  closePrepared(): void {
    if (this.prepared !== undefined) closeQuietly(this.prepared.file);
    this.prepared = undefined;
  }

  private finish(): void {
    const { prepared, waiting } = this;
    if (prepared === undefined) throw new Error("AOF: no increment is prepared");
    this.committing = false;
    this.prepared = undefined;
    this.waiting = undefined;
    this.core.liftBarrier();
    this.outcome.onSwitched(prepared.file);
    waiting?.resolve(prepared.sequence);
  }
}

/** Closes a file that nothing depends on any more. */
export function closeQuietly(file: DiskFile): void {
  file.close().catch(() => undefined);
}
