/**
 * Rewrites of the AOF as they are told of and paced: one at a time, what is said in the log, how
 * the last one went, and whether the next must wait. What a rewrite does is its caller's business.
 */
import { errnoText } from "../adapters/disk-error.js";
import {
  SnapshotCancelledError,
  type SnapshotClaim,
  type Snapshots,
} from "../dataset/snapshots.js";
import type { Clock, Log } from "../ports.js";
import { RewritePace } from "./rewrite-pace.js";

export interface RewriteRunsParts {
  readonly clock: Clock;
  readonly log: Log;
  readonly snapshots: Snapshots;
  readonly processId: number;
}

export class RewriteRuns {
  lastOk = true;
  /** Seconds that the last one took; -1 if there was none. */
  lastSeconds = -1;
  /** Begun so far. */
  count = 0;
  readonly #parts: RewriteRunsParts;
  readonly #pace = new RewritePace();
  #running: Promise<unknown> | undefined;
  #claim: SnapshotClaim | undefined;

  constructor(parts: RewriteRunsParts) {
    this.#parts = parts;
  }

  get running(): boolean {
    return this.#running !== undefined;
  }

  /** Seconds that the present one has taken; -1 without one. */
  get currentSeconds(): number {
    if (this.#claim === undefined) return -1;
    return Math.floor((this.#parts.clock.monotonic() - this.#claim.beganAt) / 1000);
  }

  get failuresInRow(): number {
    return this.#pace.failuresInRow;
  }

  /** Somebody asks for one: earlier failures do not delay it. */
  forgetFailures(): void {
    this.#pace.succeeded();
  }

  /** Whether it is too early to try again. */
  isLimited(): boolean {
    const { clock, log } = this.#parts;
    return this.#pace.isLimited(Math.floor(clock.now() / 1000), (minutes) => {
      log.warning(
        "Background AOF rewrite has repeatedly failed and triggered the limit, " +
          `will retry in ${minutes} minutes`,
      );
    });
  }

  /** The right to walk; `run` gives it back. */
  claim(): SnapshotClaim | undefined {
    if (this.#running !== undefined) return undefined;
    const claim = this.#parts.snapshots.claim("rewrite");
    if (claim === undefined) return undefined;
    this.#claim = claim;
    this.count += 1;
    return claim;
  }

  /** Resolves with `undefined` if it came to a good end, else with what went wrong. */
  run(claim: SnapshotClaim, operation: () => Promise<unknown>): Promise<unknown> {
    const { log, processId } = this.#parts;
    log.notice(`Background append only file rewriting started by pid ${processId}`);
    this.#running = operation().then(
      () => {
        log.notice("Background AOF rewrite terminated with success");
        this.lastOk = true;
        this.#pace.succeeded();
        this.#end(claim);
        return undefined;
      },
      (error: unknown) => {
        this.#failed(error);
        this.#end(claim);
        return error;
      },
    );
    return this.#running;
  }

  #end(claim: SnapshotClaim): void {
    this.lastSeconds = this.currentSeconds;
    this.#running = undefined;
    this.#claim = undefined;
    claim.release();
  }

  /** One that was stopped did not fail. */
  #failed(error: unknown): void {
    const { log } = this.#parts;
    if (error instanceof SnapshotCancelledError) {
      log.notice(`Background AOF rewrite stopped: ${error.message}`);
      return;
    }
    this.lastOk = false;
    this.#pace.failed();
    log.warning(`Background AOF rewrite terminated with error: ${errnoText(error)}`);
  }

  /** Stops its walk, if that is still under way. */
  cancel(reason: string): void {
    this.#claim?.cancel(reason);
  }

  /** Resolves when none is running. */
  async settled(): Promise<void> {
    await this.#running;
  }
}
