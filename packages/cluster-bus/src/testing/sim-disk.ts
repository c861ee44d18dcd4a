/**
 * A disk in virtual time behind the bus' own port: what was written is in the page cache, what was
 * synced is on the platter, and names follow only when their directory was synced. A killed process
 * keeps the cache, a power loss keeps the platter. Owns the crash between any two steps; refuses
 * nothing that a real file system would do.
 */

import { Buffer } from "node:buffer";
import type { BusDisk, BusDiskFile } from "../io/ports.js";
import type { SeededRandom, SimClock } from "./sim-world.js";

interface Inode {
  cached: Buffer;
  durable: Buffer;
}

/** Thrown out of a disk operation during which the power failed. */
export class PowerLoss extends Error {
  override readonly name = "PowerLoss";
}

/** How long an operation off the thread takes, at most. */
const asyncOperationMsMax = 8;

export class SimDisk implements BusDisk {
  /** The power fails in the middle of the operation this many steps from now; negative: never. */
  powerLossIn = -1;
  readonly #clock: SimClock;
  readonly #random: SeededRandom;
  #names = new Map<string, Inode>();
  #durableNames = new Map<string, Inode>();
  /** Operations begun in a former life of the machine never complete. */
  #life = 0;

  constructor(clock: SimClock, random: SeededRandom) {
    this.#clock = clock;
    this.#random = random;
  }

  /** What a process would read now. */
  read(path: string): string | undefined {
    return this.#names.get(path)?.cached.toString("latin1");
  }

  /** What is left if the power fails now. */
  readDurable(path: string): string | undefined {
    return this.#durableNames.get(path)?.durable.toString("latin1");
  }

  crash(kind: "process" | "power"): void {
    this.#life++;
    this.powerLossIn = -1;
    if (kind === "process") return;
    // A journal may have written more than was synced, but never less, and names all or none.
    if (this.#random.below(2) === 0) this.#names = new Map(this.#durableNames);
    for (const inode of this.#names.values()) inode.cached = inode.durable;
    this.#durableNames = new Map(this.#names);
  }

  openSync(path: string): BusDiskFile {
    this.#step();
    const inode: Inode = { cached: Buffer.alloc(0), durable: Buffer.alloc(0) };
    this.#names.set(path, inode);
    return this.#file(inode);
  }

  renameSync(from: string, to: string): void {
    this.#step();
    const inode = this.#names.get(from);
    if (inode === undefined) throw new Error(`ENOENT: ${from}`);
    this.#names.delete(from);
    this.#names.set(to, inode);
  }

  removeSync(path: string): void {
    this.#step();
    this.#names.delete(path);
  }

  syncDirectorySync(): void {
    this.#step();
    this.#durableNames = new Map(this.#names);
  }

  open(path: string): Promise<BusDiskFile> {
    return this.#later(() => this.openSync(path));
  }

  syncDirectory(): Promise<void> {
    return this.#later(() => this.syncDirectorySync());
  }

  #file(inode: Inode): BusDiskFile {
    const write = (chunks: readonly Uint8Array[]): void => {
      this.#step();
      inode.cached = Buffer.concat([inode.cached, ...chunks]);
    };
    const sync = (): void => {
      this.#step();
      inode.durable = inode.cached;
    };
    return {
      writeSync: write,
      syncSync: sync,
      closeSync: () => {},
      write: (chunks) => this.#later(() => write(chunks)),
      sync: () => this.#later(sync),
      close: () => Promise.resolve(),
    };
  }

  #step(): void {
    if (this.powerLossIn < 0 || this.powerLossIn-- > 0) return;
    throw new PowerLoss("the power failed");
  }

  #later<T>(run: () => T): Promise<T> {
    const life = this.#life;
    return new Promise((resolve) => {
      this.#clock.after(1 + this.#random.below(asyncOperationMsMax), () => {
        if (life !== this.#life) return;
        // Off the thread nobody catches the power loss: it is for operations on the thread only.
        const armed = this.powerLossIn;
        this.powerLossIn = -1;
        resolve(run());
        this.powerLossIn = armed;
        this.#clock.settlePromises();
      });
    });
  }
}
