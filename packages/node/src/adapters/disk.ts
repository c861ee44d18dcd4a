/**
 * The `Disk` port on `node:fs`. It owns file descriptors, the loop that completes short writes, and
 * the translation of errors; it refuses to interpret what the files hold.
 *
 * Synchronous calls run on the loop; the others go through libuv's pool of 4 threads. Writes carry
 * their position (pwrite) instead of relying on O_APPEND, because a retried write must land on the
 * same offsets as the one that failed, also where cutting the file failed too.
 */

import fs from "node:fs";
import type { Disk, DiskFile, DirectoryLock, OpenMode } from "../ports.js";
import { lockDirectory } from "./directory-lock.js";
import { errorCode, toDiskFailure } from "./disk-error.js";

const openFlags: Readonly<Record<OpenMode, number>> = {
  read: fs.constants.O_RDONLY,
  append: fs.constants.O_RDWR | fs.constants.O_CREAT,
  truncate: fs.constants.O_RDWR | fs.constants.O_CREAT | fs.constants.O_TRUNC,
  update: fs.constants.O_RDWR,
};

/** The production disk. */
export function createDisk(): Disk {
  return new NodeDisk();
}

class NodeDisk implements Disk {
  open(path: string, mode: OpenMode): Promise<DiskFile> {
    return new Promise((resolve, reject) => {
      fs.open(path, openFlags[mode], 0o644, (error, descriptor) => {
        if (error !== null) {
          reject(toDiskFailure(error, path));
          return;
        }
        try {
          resolve(new NodeDiskFile(path, descriptor, mode));
        } catch (failure) {
          fs.close(descriptor);
          reject(failure as Error);
        }
      });
    });
  }

  openSync(path: string, mode: OpenMode): DiskFile {
    const descriptor = attempt(path, () => fs.openSync(path, openFlags[mode], 0o644));
    return new NodeDiskFile(path, descriptor, mode);
  }

  readFile(path: string): Promise<Buffer | undefined> {
    return absentAsUndefined(path, fs.promises.readFile(path));
  }

  readFileSync(path: string): Buffer | undefined {
    return attemptIfPresent(path, () => fs.readFileSync(path));
  }

  async list(path: string): Promise<readonly string[] | undefined> {
    return (await absentAsUndefined(path, fs.promises.readdir(path)))?.sort();
  }

  listSync(path: string): readonly string[] | undefined {
    return attemptIfPresent(path, () => fs.readdirSync(path))?.sort();
  }

  async fileSize(path: string): Promise<number | undefined> {
    return (await absentAsUndefined(path, fs.promises.stat(path)))?.size;
  }

  async makeDirectory(path: string): Promise<void> {
    await wrapped(path, fs.promises.mkdir(path, { recursive: true }));
  }

  makeDirectorySync(path: string): void {
    attempt(path, () => fs.mkdirSync(path, { recursive: true }));
  }

  rename(from: string, to: string): Promise<void> {
    return wrapped(from, fs.promises.rename(from, to));
  }

  renameSync(from: string, to: string): void {
    attempt(from, () => fs.renameSync(from, to));
  }

  remove(path: string): Promise<void> {
    return wrapped(path, fs.promises.unlink(path));
  }

  removeSync(path: string): void {
    attempt(path, () => fs.unlinkSync(path));
  }

  async syncDirectory(path: string): Promise<void> {
    // Windows opens no directories; its file systems log renames by themselves.
    if (process.platform === "win32") return;
    const handle = await wrapped(path, fs.promises.open(path, "r"));
    try {
      await wrapped(path, handle.sync());
    } finally {
      await handle.close();
    }
  }

  syncDirectorySync(path: string): void {
    if (process.platform === "win32") return;
    const descriptor = attempt(path, () => fs.openSync(path, "r"));
    try {
      attempt(path, () => fs.fsyncSync(descriptor));
    } finally {
      fs.closeSync(descriptor);
    }
  }

  lockDirectory(path: string): Promise<DirectoryLock> {
    return lockDirectory(path);
  }
}

class NodeDiskFile implements DiskFile {
  readonly path: string;
  private readonly descriptor: number;
  private position: number;
  private writing = false;

  constructor(path: string, descriptor: number, mode: OpenMode) {
    this.path = path;
    this.descriptor = descriptor;
    this.position = mode === "append" ? this.size() : 0;
  }

  get writePosition(): number {
    return this.position;
  }

  seek(position: number): void {
    this.assertIdle();
    this.position = position;
  }

  size(): number {
    return attempt(this.path, () => fs.fstatSync(this.descriptor).size);
  }

  writeSync(chunks: readonly Uint8Array[]): void {
    this.assertIdle();
    const total = totalLength(chunks);
    let written = 0;
    while (written < total) {
      const rest = chunksFrom(chunks, written);
      const only = rest[0];
      try {
        written +=
          rest.length === 1 && only !== undefined
            ? fs.writeSync(this.descriptor, only, 0, only.length, this.position + written)
            : fs.writevSync(this.descriptor, rest, this.position + written);
      } catch (error) {
        throw toDiskFailure(error, this.path, written);
      }
    }
    this.position += total;
  }

  async write(chunks: readonly Uint8Array[]): Promise<void> {
    this.assertIdle();
    const total = totalLength(chunks);
    this.writing = true;
    let written = 0;
    try {
      while (written < total) {
        written += await this.writeSome(chunksFrom(chunks, written), this.position + written);
      }
      this.position += total;
    } catch (error) {
      throw toDiskFailure(error, this.path, written);
    } finally {
      this.writing = false;
    }
  }

  sync(): Promise<void> {
    return new Promise((resolve, reject) => {
      fs.fdatasync(this.descriptor, (error) => {
        if (error === null) resolve();
        else reject(toDiskFailure(error, this.path));
      });
    });
  }

  syncSync(): void {
    attempt(this.path, () => fs.fdatasyncSync(this.descriptor));
  }

  async read(position: number, length: number): Promise<Buffer> {
    const target = Buffer.allocUnsafe(length);
    return target.subarray(0, await this.readInto(target, position));
  }

  readSync(position: number, length: number): Buffer {
    const target = Buffer.allocUnsafe(length);
    let filled = 0;
    while (filled < length) {
      const start = filled;
      const read = attempt(this.path, () =>
        fs.readSync(this.descriptor, target, start, length - start, position + start),
      );
      if (read === 0) break;
      filled += read;
    }
    return target.subarray(0, filled);
  }

  async readInto(target: Uint8Array, position: number): Promise<number> {
    let filled = 0;
    while (filled < target.length) {
      const read = await this.readSome(target, filled, position + filled);
      if (read === 0) break;
      filled += read;
    }
    return filled;
  }

  truncate(size: number): Promise<void> {
    this.assertIdle();
    return new Promise((resolve, reject) => {
      fs.ftruncate(this.descriptor, size, (error) => {
        if (error !== null) {
          reject(toDiskFailure(error, this.path));
          return;
        }
        this.position = Math.min(this.position, size);
        resolve();
      });
    });
  }

  truncateSync(size: number): void {
    this.assertIdle();
    attempt(this.path, () => fs.ftruncateSync(this.descriptor, size));
    this.position = Math.min(this.position, size);
  }

  close(): Promise<void> {
    return new Promise((resolve, reject) => {
      fs.close(this.descriptor, (error) => {
        if (error === null || error === undefined) resolve();
        else reject(toDiskFailure(error, this.path));
      });
    });
  }

  closeSync(): void {
    attempt(this.path, () => fs.closeSync(this.descriptor));
  }

  private writeSome(chunks: readonly Uint8Array[], position: number): Promise<number> {
    return new Promise((resolve, reject) => {
      fs.writev(this.descriptor, chunks, position, (error, written) => {
        if (error === null) resolve(written);
        else reject(error);
      });
    });
  }

  private readSome(target: Uint8Array, offset: number, position: number): Promise<number> {
    return new Promise((resolve, reject) => {
      const length = target.length - offset;
      fs.read(this.descriptor, target, offset, length, position, (error, read) => {
        if (error === null) resolve(read);
        else reject(toDiskFailure(error, this.path));
      });
    });
  }

  private assertIdle(): void {
    if (this.writing) throw new Error(`${this.path}: one write at a time`);
  }
}

function totalLength(chunks: readonly Uint8Array[]): number {
  let total = 0;
  for (const chunk of chunks) total += chunk.length;
  return total;
}

/**
 * What of `chunks` is left after `skip` bytes; the same array when nothing was skipped. A writev of
 * more than 2 GiB returns short on Linux, so the loops above come back here.
 */
function chunksFrom(chunks: readonly Uint8Array[], skip: number): readonly Uint8Array[] {
  if (skip === 0) return chunks;
  const rest: Uint8Array[] = [];
  let before = 0;
  for (const chunk of chunks) {
    const start = Math.max(0, skip - before);
    if (start < chunk.length) rest.push(start === 0 ? chunk : chunk.subarray(start));
    before += chunk.length;
  }
  return rest;
}

function attempt<T>(path: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw toDiskFailure(error, path);
  }
}

function attemptIfPresent<T>(path: string, action: () => T): T | undefined {
  try {
    return action();
  } catch (error) {
    if (errorCode(error) === "ENOENT") return undefined;
    throw toDiskFailure(error, path);
  }
}

async function wrapped<T>(path: string, promise: Promise<T>): Promise<T> {
  try {
    return await promise;
  } catch (error) {
    throw toDiskFailure(error, path);
  }
}

async function absentAsUndefined<T>(path: string, promise: Promise<T>): Promise<T | undefined> {
  try {
    return await promise;
  } catch (error) {
    if (errorCode(error) === "ENOENT") return undefined;
    throw toDiskFailure(error, path);
  }
}
