/** An open file of the simulated disk: the `DiskFile` port on a `SimFileContent`. */

import { DiskFailure } from "../adapters/disk-error.js";
import type { DiskFile, OpenMode } from "../ports.js";
import type { SimDisk } from "./sim-disk.js";
import { failure, SimCrashed } from "./sim-fault.js";
import type { SimFileContent } from "./sim-file.js";

export class SimDiskFile implements DiskFile {
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
      (bytes.length > room
        ? { operation: "write" as const, code: "ENOSPC", written: room }
        : undefined);
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
      if (this.disk.begin("sync", this.path, true) === "lies") return;
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
