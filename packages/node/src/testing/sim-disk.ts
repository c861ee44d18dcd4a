/**
 * An in-memory `Disk` that tells written from durable data: it can crash (a power loss forgets what
 * was not synced, names of files included, and tears a write at any byte), fail the operation of
 * one's choice, run full, and take its time on a virtual clock. Owns nothing outside this process.
 *
 * Names are durable by `syncDirectory`, contents by `sync`, each alone, which is the least that
 * POSIX promises. Changes of one directory reach the disk in their order.
 */

import { DiskFailure } from "../adapters/disk-error.js";
import type { Clock, Disk, DiskFile, DirectoryLock, OpenMode, Random } from "../ports.js";
import {
  applyNames,
  crashDirectory,
  type NameChange,
  type SimCrashOptions,
  type SimDirectory,
} from "./sim-directory.js";
import { SimDiskFile } from "./sim-disk-file.js";
import {
  failure,
  SimCrashed,
  type SimFault,
  type SimOperation,
  simOperations,
} from "./sim-fault.js";
import { SimFileContent } from "./sim-file.js";

export type { SimCrashOptions, SimFault, SimOperation };
export { SimCrashed, simOperations };

export interface SimDiskOptions {
  /** With a clock, operations off the loop take `latencyMs`; without, they end at once. */
  readonly clock?: Clock;
  readonly random?: Random;
  readonly latencyMs?: (operation: SimOperation, random: Random | undefined) => number;
  /** Bytes all files together may have. */
  readonly capacityBytes?: number;
}

interface ArmedFault {
  readonly fault: SimFault;
  skip: number;
  times: number;
}

export class SimDisk implements Disk {
  /** Changes how much fits from now on. */
  capacityBytes: number;
  /** Mutating operations begun so far: what `crashAt` counts. */
  operations = 0;
  private readonly options: SimDiskOptions;
  private readonly directories = new Map<string, SimDirectory>();
  private readonly locked = new Set<string>();
  private faults: ArmedFault[] = [];
  private crashPoint = Number.POSITIVE_INFINITY;
  private down = false;
  private lives = 0;

  constructor(options: SimDiskOptions = {}) {
    this.options = options;
    this.capacityBytes = options.capacityBytes ?? Number.POSITIVE_INFINITY;
  }

  inject(fault: SimFault): void {
    this.faults.push({ fault, skip: fault.skip ?? 0, times: fault.times ?? 1 });
  }

  clearFaults(): void {
    this.faults = [];
  }

  /** The machine goes down at the start of the `nth` mutating operation from now (0: the next). */
  crashAt(nth: number): void {
    this.crashPoint = this.operations + nth;
  }

  /** Files and completions of an earlier life, of the machine or the process, are dead. */
  get life(): number {
    return this.lives;
  }

  get isDown(): boolean {
    return this.down;
  }

  /**
   * The disk for one process: whatever that process begins after a restart fails, as it must, since
   * its promises may still run here.
   */
  forProcess(): Disk {
    const life = this.lives;
    return new Proxy<Disk>(this, {
      get: (_, name) => {
        if (life !== this.lives) throw new SimCrashed();
        const member: unknown = Reflect.get(this, name);
        return typeof member === "function" ? (member.bind(this) as unknown) : member;
      },
    });
  }

  /** Brings the machine up again after a power loss (or brings one about, and then up). */
  restart(options: SimCrashOptions = {}): void {
    this.lives++;
    this.down = false;
    this.crashPoint = Number.POSITIVE_INFINITY;
    this.faults = [];
    this.locked.clear();
    for (const [path, directory] of this.directories) crashDirectory(path, directory, options);
  }

  /**
   * As `kill -9`: the process is gone, the kernel keeps everything. What a failed sync dropped is
   * forgiven, because no later process can learn of it.
   */
  restartProcess(): void {
    for (const { visible } of this.directories.values()) {
      for (const content of visible.values()) content.forgive();
    }
    this.lives++;
    this.down = false;
    this.crashPoint = Number.POSITIVE_INFINITY;
    this.faults = [];
    this.locked.clear();
  }

  /** The file as a reader sees it, for tests. */
  contentOf(path: string): Buffer | undefined {
    return this.find(path)?.visible();
  }

  /** Puts a durable file there, for tests. */
  plant(path: string, content: Uint8Array | string): void {
    const bytes = typeof content === "string" ? Buffer.from(content, "latin1") : content;
    const file = new SimFileContent();
    file.write(0, bytes);
    file.sync();
    const [directory, name] = split(path);
    const entry = this.directoryAt(directory);
    entry.visible.set(name, file);
    entry.durable.set(name, file);
  }

  usedBytes(): number {
    let used = 0;
    for (const directory of this.directories.values()) {
      for (const file of directory.visible.values()) used += file.length;
    }
    return used;
  }

  open(path: string, mode: OpenMode): Promise<DiskFile> {
    return this.later("open", () => this.openSync(path, mode));
  }

  openSync(path: string, mode: OpenMode): DiskFile {
    this.begin("open", path, mode !== "read" && mode !== "update");
    const [directoryPath, name] = split(path);
    const directory = this.directories.get(directoryPath);
    let content = directory?.visible.get(name);
    if (content === undefined) {
      if (mode === "read" || mode === "update" || directory === undefined) throw notFound(path);
      content = new SimFileContent();
      this.change(directoryPath, [{ name, content }]);
    } else if (mode === "truncate") {
      content.truncate(0);
    }
    return new SimDiskFile(this, path, content, mode);
  }

  readFile(path: string): Promise<Buffer | undefined> {
    return this.later("read", () => this.readFileSync(path));
  }

  readFileSync(path: string): Buffer | undefined {
    this.begin("read", path, false);
    return this.find(path)?.visible();
  }

  list(path: string): Promise<readonly string[] | undefined> {
    return this.later("read", () => this.listSync(path));
  }

  listSync(path: string): readonly string[] | undefined {
    this.begin("read", path, false);
    const directory = this.directories.get(normal(path));
    return directory === undefined ? undefined : [...directory.visible.keys()].toSorted();
  }

  fileSize(path: string): Promise<number | undefined> {
    return this.later("read", () => {
      this.begin("read", path, false);
      return this.find(path)?.length;
    });
  }

  makeDirectory(path: string): Promise<void> {
    return this.later("makeDirectory", () => {
      this.makeDirectorySync(path);
    });
  }

  makeDirectorySync(path: string): void {
    this.begin("makeDirectory", path, true);
    this.directoryAt(path);
  }

  rename(from: string, to: string): Promise<void> {
    return this.later("rename", () => {
      this.renameSync(from, to);
    });
  }

  renameSync(from: string, to: string): void {
    this.begin("rename", from, true);
    const content = this.find(from);
    if (content === undefined) throw notFound(from);
    const [fromDirectory, fromName] = split(from);
    const [toDirectory, toName] = split(to);
    if (fromDirectory === toDirectory) {
      this.change(fromDirectory, [
        { name: fromName, content: undefined },
        { name: toName, content },
      ]);
    } else {
      this.change(toDirectory, [{ name: toName, content }]);
      this.change(fromDirectory, [{ name: fromName, content: undefined }]);
    }
  }

  remove(path: string): Promise<void> {
    return this.later("remove", () => {
      this.removeSync(path);
    });
  }

  removeSync(path: string): void {
    this.begin("remove", path, true);
    if (this.find(path) === undefined) throw notFound(path);
    const [directory, name] = split(path);
    this.change(directory, [{ name, content: undefined }]);
  }

  syncDirectory(path: string): Promise<void> {
    return this.later("syncDirectory", () => {
      this.syncDirectorySync(path);
    });
  }

  syncDirectorySync(path: string): void {
    if (this.begin("syncDirectory", path, true) === "lies") return;
    const directory = this.directories.get(normal(path));
    if (directory === undefined) throw notFound(path);
    for (const changes of directory.pending) applyNames(directory.durable, changes);
    directory.pending = [];
  }

  lockDirectory(path: string): Promise<DirectoryLock> {
    return this.later("open", () => {
      const name = normal(path);
      if (this.locked.has(name)) throw new Error(`The directory ${path} belongs to a live node.`);
      this.locked.add(name);
      const life = this.life;
      return {
        weakness: undefined,
        release: () => {
          if (life === this.life) this.locked.delete(name);
          return Promise.resolve();
        },
      };
    });
  }

  /** Syncs so far that reported success and made nothing durable. */
  lies = 0;

  /**
   * Counts the operation, goes down at the crash point, and fails if a fault says so. "lies": it is
   * to report success and do nothing.
   */
  begin(operation: SimOperation, path: string, mutating: boolean): "lies" | undefined {
    if (this.down) throw new SimCrashed();
    if (mutating && this.operations++ >= this.crashPoint) {
      this.down = true;
      throw new SimCrashed();
    }
    if (operation === "write") return undefined;
    const fault = this.takeFault(operation, path);
    if (fault === undefined) return undefined;
    if (fault.lies !== true) throw failure(fault, operation, path);
    this.lies += 1;
    return "lies";
  }

  takeFault(operation: SimOperation, path: string): SimFault | undefined {
    for (const armed of this.faults) {
      if (armed.fault.operation !== operation || armed.times === 0) continue;
      if (armed.fault.path !== undefined && !path.includes(armed.fault.path)) continue;
      if (armed.skip > 0) {
        armed.skip--;
        continue;
      }
      armed.times--;
      return armed.fault;
    }
    return undefined;
  }

  /** Runs `action` when the operation ends: at once, or after its latency. */
  later<T>(operation: SimOperation, action: () => T): Promise<T> {
    const { clock, random, latencyMs } = this.options;
    const life = this.life;
    if (clock === undefined) {
      return Promise.resolve().then(() => (life === this.life ? action() : forever<T>()));
    }
    return new Promise<T>((resolve, reject) => {
      clock.after(latencyMs?.(operation, random) ?? 0, () => {
        if (life !== this.life) return;
        try {
          resolve(action());
        } catch (error) {
          reject(error as Error);
        }
      });
    });
  }

  private find(path: string): SimFileContent | undefined {
    const [directory, name] = split(path);
    return this.directories.get(directory)?.visible.get(name);
  }

  private directoryAt(path: string): SimDirectory {
    const name = normal(path);
    let directory = this.directories.get(name);
    if (directory === undefined) {
      // Directories themselves are made durable at once: losing one loses all that is in it, which
      // the changes inside it show just as well.
      directory = { durable: new Map(), visible: new Map(), pending: [] };
      this.directories.set(name, directory);
    }
    return directory;
  }

  private change(path: string, changes: readonly NameChange[]): void {
    const directory = this.directories.get(path);
    if (directory === undefined) throw notFound(path);
    applyNames(directory.visible, changes);
    directory.pending.push(changes);
  }
}

function notFound(path: string): DiskFailure {
  return new DiskFailure("ENOENT", `ENOENT: no such file or directory '${path}'`, { path });
}

function normal(path: string): string {
  return path.replaceAll("\\", "/").replace(/\/+$/, "");
}

function split(path: string): [directory: string, name: string] {
  const whole = normal(path);
  const slash = whole.lastIndexOf("/");
  return slash < 0 ? [".", whole] : [whole.slice(0, slash), whole.slice(slash + 1)];
}

function forever<T>(): Promise<T> {
  return new Promise<T>(() => undefined);
}
