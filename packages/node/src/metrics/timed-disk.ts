/**
 * The `Disk` port with a watch on the append-only file: how long its writes and fsyncs take, and
 * what the disk does not have yet. It sits between the node and the port, so that the AOF itself
 * measures nothing. Two looks at a clock per batch, not per command.
 */
import type { Clock, Disk, DiskFile } from "../ports.js";

export interface DiskTimes {
  wrote(seconds: number): void;
  synced(seconds: number): void;
}

export class TimedDisk {
  /** The port. */
  readonly disk: Disk;
  readonly #clock: Pick<Clock, "monotonic">;
  readonly #times: DiskTimes;
  readonly #isWatched: (path: string) => boolean;
  /** Written and not synced, over all watched files. */
  unsyncedBytes = 0;
  /** Monotonic time of the first of these writes. */
  #unsyncedSince = -1;

  constructor(options: {
    readonly disk: Disk;
    readonly clock: Pick<Clock, "monotonic">;
    readonly times: DiskTimes;
    readonly isWatched: (path: string) => boolean;
  }) {
    const { disk } = options;
    this.#clock = options.clock;
    this.#times = options.times;
    this.#isWatched = options.isWatched;
    const watch = (file: DiskFile): DiskFile =>
      this.#isWatched(file.path) ? this.#watched(file) : file;
    this.disk = new Proxy(disk, {
      get: (target, name) => {
        if (name === "open")
          return async (...args: Parameters<Disk["open"]>) => watch(await disk.open(...args));
        if (name === "openSync")
          return (...args: Parameters<Disk["openSync"]>) => watch(disk.openSync(...args));
        return boundMember(target, name);
      },
    });
  }

  get unsyncedSeconds(): number {
    if (this.#unsyncedSince < 0) return 0;
    return (this.#clock.monotonic() - this.#unsyncedSince) / 1000;
  }

  #watched(file: DiskFile): DiskFile {
    const timed: Partial<DiskFile> = {
      writeSync: (chunks) => {
        const began = this.#clock.monotonic();
        file.writeSync(chunks);
        this.#wrote(chunks, began);
      },
      write: async (chunks) => {
        const began = this.#clock.monotonic();
        await file.write(chunks);
        this.#wrote(chunks, began);
      },
      sync: async () => {
        const began = this.#clock.monotonic();
        const bytes = this.unsyncedBytes;
        await file.sync();
        this.#synced(bytes, began);
      },
      syncSync: () => {
        const began = this.#clock.monotonic();
        file.syncSync();
        this.#synced(this.unsyncedBytes, began);
      },
    };
    return new Proxy(file, {
      get: (target, name) => {
        const own = Reflect.get(timed, name) as unknown;
        return own ?? boundMember(target, name);
      },
    });
  }

  #wrote(chunks: readonly Uint8Array[], began: number): void {
    const now = this.#clock.monotonic();
    this.#times.wrote((now - began) / 1000);
    if (this.unsyncedBytes === 0) this.#unsyncedSince = began;
    for (const chunk of chunks) this.unsyncedBytes += chunk.length;
  }

  /** What was written while the sync ran is as old as its begin, at most. */
  #synced(bytes: number, began: number): void {
    this.#times.synced((this.#clock.monotonic() - began) / 1000);
    this.unsyncedBytes -= bytes;
    this.#unsyncedSince = this.unsyncedBytes > 0 ? began : -1;
  }
}

/** Accessors and private fields need the object itself. */
function boundMember(target: object, name: string | symbol): unknown {
  const member = Reflect.get(target, name, target) as unknown;
  if (typeof member !== "function") return member;
  return (...args: unknown[]): unknown => Reflect.apply(member, target, args);
}
