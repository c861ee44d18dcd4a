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
import { SimFileContent } from "./sim-file.js";

export type SimOperation =
  | "open"
  | "write"
  | "sync"
  | "read"
  | "truncate"
  | "close"
  | "rename"
  | "remove"
  | "makeDirectory"
  | "syncDirectory";

export interface SimFault {
  readonly operation: SimOperation;
  readonly code: string;
  /** Only paths that contain this. */
  readonly path?: string;
  /** How many matching operations succeed first; default 0. */
  readonly skip?: number;
  /** How many fail then; default 1. */
  readonly times?: number;
  /** Bytes of a failing write that reach the file. */
  readonly written?: number;
}

export interface SimDiskOptions {
  /** With a clock, operations off the loop take `latencyMs`; without, they end at once. */
  readonly clock?: Clock;
  readonly random?: Random;
  readonly latencyMs?: (operation: SimOperation, random: Random | undefined) => number;
  /** Bytes all files together may have. */
  readonly capacityBytes?: number;
}

/** What of the changes not made durable a power loss leaves; the default is nothing. */
export interface SimCrashOptions {
  /** Of `unsynced` bytes at the end of a file, how many survive. */
  readonly keepBytes?: (path: string, unsynced: number) => number;
  /** Of `pending` changes of names in a directory, how many survive (the first ones). */
  readonly keepNames?: (directory: string, pending: number) => number;
}

/** The machine is down: thrown by every operation from the crash on until `restart`. */
export class SimCrashed extends Error {
  constructor() {
    super("the simulated machine is down");
    this.name = "SimCrashed";
  }
}

type NameChange = { readonly name: string; readonly content: SimFileContent | undefined };

interface SimDirectory {
  readonly durable: Map<string, SimFileContent>;
  readonly visible: Map<string, SimFileContent>;
  /** In order; a rename is two of them that survive together. */
  pending: (readonly NameChange[])[];
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

  /** The machine goes down at the start of the `nth` mutating operation from now, 0 for the next. */
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
    this.begin("syncDirectory", path, true);
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

  /** Counts the operation, goes down at the crash point, and fails if a fault says so. */
  begin(operation: SimOperation, path: string, mutating: boolean): void {
    if (this.down) throw new SimCrashed();
    if (mutating && this.operations++ >= this.crashPoint) {
      this.down = true;
      throw new SimCrashed();
    }
    if (operation === "write") return;
    const fault = this.takeFault(operation, path);
    if (fault !== undefined) throw failure(fault, operation, path);
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

class SimDiskFile implements DiskFile {
  readonly path: string;
  private readonly disk: SimDisk;
  private readonly content: SimFileContent;
  private readonly life: number;
  private position: number;
  private writing = false;
  private closed = false;

  constructor(disk: SimDisk, path: string, content: SimFileContent, mode: OpenMode) {
    this.disk = disk;
    this.life = disk.life;
    this.path = path;
    this.content = content;
    this.position = mode === "append" ? content.length : 0;
  }

  get writePosition(): number {
    return this.position;
  }

  seek(position: number): void {
    this.assertUsable();
    this.position = position;
  }

  size(): number {
    return this.content.length;
  }

  writeSync(chunks: readonly Uint8Array[]): void {
    this.assertUsable();
    this.disk.begin("write", this.path, true);
    const bytes = Buffer.concat(chunks);
    const room = this.disk.capacityBytes - this.disk.usedBytes() + this.overlap(bytes.length);
    const fault =
      this.disk.takeFault("write", this.path) ??
      (bytes.length > room ? { operation: "write" as const, code: "ENOSPC", written: room } : undefined);
    if (fault !== undefined) {
      const written = Math.max(0, Math.min(fault.written ?? 0, bytes.length));
      this.content.write(this.position, bytes.subarray(0, written));
      throw failure({ ...fault, written }, "write", this.path);
    }
    this.content.write(this.position, bytes);
    this.position += bytes.length;
  }

  async write(chunks: readonly Uint8Array[]): Promise<void> {
    this.assertUsable();
    const given = Buffer.concat(chunks);
    this.writing = true;
    try {
      await this.disk.later("write", () => {
        this.writing = false;
        if (!given.equals(Buffer.concat(chunks))) {
          throw new Error(`${this.path}: the memory of a write changed before it ended`);
        }
        this.writeSync(chunks);
      });
    } finally {
      this.writing = false;
    }
  }

  sync(): Promise<void> {
    return this.disk.later("sync", () => {
      this.syncSync();
    });
  }

  syncSync(): void {
    this.assertOpen();
    try {
      this.disk.begin("sync", this.path, true);
    } catch (error) {
      if (error instanceof DiskFailure) this.content.failSync();
      throw error;
    }
    this.content.sync();
  }

  read(position: number, length: number): Promise<Buffer> {
    return this.disk.later("read", () => this.readSync(position, length));
  }

  readSync(position: number, length: number): Buffer {
    this.assertOpen();
    this.disk.begin("read", this.path, false);
    return this.content.read(position, length);
  }

  readInto(target: Uint8Array, position: number): Promise<number> {
    return this.disk.later("read", () => {
      const bytes = this.readSync(position, target.length);
      target.set(bytes);
      return bytes.length;
    });
  }

  truncate(size: number): Promise<void> {
    return this.disk.later("truncate", () => {
      this.truncateSync(size);
    });
  }

  truncateSync(size: number): void {
    this.assertUsable();
    this.disk.begin("truncate", this.path, true);
    this.content.truncate(size);
    this.position = Math.min(this.position, size);
  }

  close(): Promise<void> {
    return this.disk.later("close", () => {
      this.closeSync();
    });
  }

  closeSync(): void {
    this.assertOpen();
    this.disk.begin("close", this.path, false);
    this.closed = true;
  }

  private overlap(length: number): number {
    return Math.max(0, Math.min(length, this.content.length - this.position));
  }

  private assertOpen(): void {
    if (this.life !== this.disk.life) throw new SimCrashed();
    if (this.closed) throw new Error(`${this.path}: used after close`);
  }

  private assertUsable(): void {
    this.assertOpen();
    if (this.writing) throw new Error(`${this.path}: one write at a time`);
  }
}

function crashDirectory(path: string, directory: SimDirectory, options: SimCrashOptions): void {
  const { durable, visible, pending } = directory;
  const kept = Math.min(options.keepNames?.(path, pending.length) ?? 0, pending.length);
  for (const changes of pending.slice(0, kept)) applyNames(durable, changes);
  directory.pending = [];
  visible.clear();
  const crashed = new Set<SimFileContent>();
  for (const [name, content] of durable) {
    visible.set(name, content);
    if (crashed.has(content)) continue;
    crashed.add(content);
    const unsynced = Math.max(0, content.length - content.durableLength);
    const keep = options.keepBytes?.(`${path}/${name}`, unsynced) ?? 0;
    content.crash(Math.max(0, Math.min(keep, unsynced)));
  }
}

function applyNames(names: Map<string, SimFileContent>, changes: readonly NameChange[]): void {
  for (const { name, content } of changes) {
    if (content === undefined) names.delete(name);
    else names.set(name, content);
  }
}

function failure(fault: SimFault, operation: SimOperation, path: string): DiskFailure {
  return new DiskFailure(fault.code, `${fault.code}: injected, ${operation} '${path}'`, {
    path,
    ...(fault.written === undefined ? {} : { written: fault.written }),
  });
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
