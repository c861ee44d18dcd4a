/**
 * Snapshots of the data set without fork: the one place where a walk begins, so that there is never
 * more than one. AOF rewrites, saves and full synchronisations all read the same `Snapshot`.
 *
 * A snapshot is read as chunks. Whoever reads it drives it: between two reads the walk goes on for
 * at most a millisecond, and rests to the end of the turn. It ends by being read to its end or by
 * `cancel`; it fails if too much changed ahead of it (`snapshot-preimage-max`).
 */
import type { Clock } from "../ports.js";
import type { Database } from "../store/database.js";
import type { DatabaseSet } from "../store/database-set.js";
import { EntryBatch } from "../store/entry-batch.js";
import type { SnapshotWalk } from "../store/snapshot-walk.js";
import type { Value } from "../store/value.js";
import { SnapshotEncoder } from "./snapshot-encoder.js";
import type { DatabaseCount, SnapshotForm } from "./snapshot-form.js";

/** Who walks: what Redis calls an RDB child, an AOF child, and the child of a diskless sync. */
export type SnapshotPurpose = "save" | "rewrite" | "sync";

/** One slice of the walk. Turns of a busy node are about as long, so it gets half of the time. */
const sliceMs = 1;
/** So much is encoded before chunks are handed out: few large writes cost less than many small. */
const readyBytes = 256 * 1024;
/** Entries looked up at once where nothing else may run. */
const entriesAtOnce = 512;

/** More changed ahead of the walk than `snapshot-preimage-max` allows to remember. */
export class SnapshotAbandonedError extends Error {
  constructor() {
    super("more data changed during the snapshot than snapshot-preimage-max allows to keep");
    this.name = "SnapshotAbandonedError";
  }
}

/** The snapshot was stopped by us: the node shuts down, or what asked for it is off. */
export class SnapshotCancelledError extends Error {
  constructor(reason: string) {
    super(reason);
    this.name = "SnapshotCancelledError";
  }
}

export interface SnapshotsOptions {
  readonly clock: Clock;
  readonly databases: DatabaseSet;
  /** `snapshot-preimage-max` */
  preimageBytesMax(): number;
  /** Nobody walks any more: who waited may begin. */
  onIdle(): void;
}

export class Snapshots {
  readonly #options: SnapshotsOptions;
  #claim: SnapshotClaim | undefined;
  /** Walks that were begun: INFO total_forks, since each stands for a child of Redis. */
  begun = 0;

  constructor(options: SnapshotsOptions) {
    this.#options = options;
  }

  /** What is under way, if anything. */
  get active(): SnapshotClaim | undefined {
    return this.#claim;
  }

  /** The right to walk, until `release`; `undefined` while another has it. */
  claim(purpose: SnapshotPurpose): SnapshotClaim | undefined {
    if (this.#claim !== undefined) return undefined;
    const { clock, databases, preimageBytesMax, onIdle } = this.#options;
    const claim: SnapshotClaim = new SnapshotClaim({
      purpose,
      clock,
      databases,
      preimageBytesMax,
      onReleased: () => {
        this.#claim = undefined;
        onIdle();
      },
    });
    this.#claim = claim;
    this.begun += 1;
    return claim;
  }

  /** All at once, between two commands: SAVE, and what must be exact and may stall. */
  *now(form: SnapshotForm): Generator<Buffer> {
    for (const database of this.#options.databases.databases) {
      yield* encodeWhole(database, form);
    }
    form.end();
    yield* form.takeChunks();
  }

  /** How many keys each database holds now. */
  counts(): DatabaseCount[] {
    return this.#options.databases.databases.map(({ size, volatileSize }) => ({
      keys: size,
      expires: volatileSize,
    }));
  }
}

function* encodeWhole({ index, tables }: Database, form: SnapshotForm): Generator<Buffer> {
  const batch = new EntryBatch();
  for (let cursor = 0; ; ) {
    batch.clear();
    cursor = tables.collect(cursor, entriesAtOnce, batch);
    for (let at = 0; at < batch.length; at++) {
      const { expireAts, keys, metas, values } = batch;
      const value = values[at] as Value;
      form.entry(index, keys[at] as string, value, expireAts[at] as number, metas[at] as number);
    }
    if (form.pendingBytes >= readyBytes) yield* form.takeChunks();
    if (cursor === 0) return;
  }
}

interface ClaimOptions {
  readonly purpose: SnapshotPurpose;
  readonly clock: Clock;
  readonly databases: DatabaseSet;
  preimageBytesMax(): number;
  onReleased(): void;
}

export class SnapshotClaim {
  readonly purpose: SnapshotPurpose;
  /** Monotonic ms. */
  readonly beganAt: number;
  readonly #options: ClaimOptions;
  #snapshot: Snapshot | undefined;
  #released = false;

  constructor(options: ClaimOptions) {
    this.#options = options;
    this.purpose = options.purpose;
    this.beganAt = options.clock.monotonic();
  }

  /** The snapshot of this very moment. Without data only what the form has written already. */
  begin(form: SnapshotForm, includeData = true): Snapshot {
    const { clock, databases, preimageBytesMax } = this.#options;
    const total = includeData ? databases.size : 0;
    const encoder = new SnapshotEncoder(form);
    const walk = includeData
      ? databases.beginWalk({ sink: encoder, preimageBytesMax: preimageBytesMax() })
      : undefined;
    this.#snapshot = new Snapshot({ clock, form, encoder, walk, total });
    return this.#snapshot;
  }

  get keysWritten(): number {
    return this.#snapshot?.keysWritten ?? 0;
  }

  get keysTotal(): number {
    return this.#snapshot?.keysTotal ?? 0;
  }

  /** Old values held for it now. */
  get preimageBytes(): number {
    return this.#snapshot?.preimageBytes ?? 0;
  }

  /** Stops the walk; whoever reads the snapshot gets an error. */
  cancel(reason: string): void {
    this.#snapshot?.cancel(reason);
  }

  /** Gives the right back; stops what has not ended. */
  release(): void {
    if (this.#released) return;
    this.#released = true;
    this.#snapshot?.cancel("the snapshot was given up");
    this.#options.onReleased();
  }
}

export class Snapshot implements AsyncIterableIterator<Buffer> {
  readonly keysTotal: number;
  readonly #clock: Clock;
  readonly #form: SnapshotForm;
  readonly #encoder: SnapshotEncoder;
  readonly #walk: SnapshotWalk | undefined;
  #ready: Buffer[] = [];
  #at = 0;
  #worked = false;
  #ended = false;
  #cancelled: string | undefined;

  constructor(options: {
    readonly clock: Clock;
    readonly form: SnapshotForm;
    readonly encoder: SnapshotEncoder;
    readonly walk: SnapshotWalk | undefined;
    readonly total: number;
  }) {
    this.#clock = options.clock;
    this.#form = options.form;
    this.#encoder = options.encoder;
    this.#walk = options.walk;
    this.keysTotal = options.total;
  }

  get keysWritten(): number {
    return this.#walk?.written ?? 0;
  }

  get preimageBytes(): number {
    return this.#walk?.preimageBytes ?? 0;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<Buffer, undefined>> {
    for (;;) {
      const chunk = this.#ready[this.#at];
      if (chunk !== undefined) {
        this.#at += 1;
        return { value: chunk, done: false };
      }
      if (this.#cancelled !== undefined) throw new SnapshotCancelledError(this.#cancelled);
      if (this.#ended) return { value: undefined, done: true };
      if (this.#worked) await this.#nextTurn();
      if (this.#cancelled === undefined) this.#work();
    }
  }

  return(): Promise<IteratorResult<Buffer, undefined>> {
    this.cancel("nobody reads the snapshot");
    return Promise.resolve({ value: undefined, done: true });
  }

  cancel(reason: string): void {
    if (this.#ended) return;
    this.#cancelled ??= reason;
    this.#ready = [];
    this.#encoder.clear();
    this.#walk?.abandon();
  }

  #nextTurn(): Promise<void> {
    return new Promise((resolve) => {
      this.#clock.defer(resolve);
    });
  }

  #work(): void {
    this.#worked = true;
    this.#ready = [];
    this.#at = 0;
    const finished = this.#slice();
    if (finished) {
      this.#form.end();
      this.#ended = true;
    }
    if (finished || this.#form.pendingBytes >= readyBytes) this.#ready = this.#form.takeChunks();
  }

  /** True when everything is encoded. */
  #slice(): boolean {
    const clock = this.#clock;
    const encoder = this.#encoder;
    const walk = this.#walk;
    if (walk === undefined) return true;
    const deadline = clock.monotonic() + sliceMs;
    const outOfTime = (): boolean => clock.monotonic() >= deadline;
    do {
      encoder.encode(outOfTime);
      // The walk goes on when nothing of its last batch waits, and stops at the next.
      if (encoder.idle) walk.step(() => !encoder.idle || outOfTime());
      if (walk.abandoned) {
        encoder.clear();
        throw new SnapshotAbandonedError();
      }
    } while (!outOfTime() && !(walk.finished && encoder.idle));
    return walk.finished && encoder.idle;
  }
}
