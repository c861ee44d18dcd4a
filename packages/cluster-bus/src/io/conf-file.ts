/**
 * Keeps `nodes.conf` on disk: temp file, write, fsync, rename, fsync of the directory. Owns two
 * ways to do it. What peers will rely on (votes, epochs) is written and synced at once on this
 * thread, so that it never waits behind the AOF's syncs in the thread pool; it is rare. All else
 * is written soon, off the thread, once for all changes of a moment, and just as safely: a rename
 * over a file whose data is still in memory can leave an empty file after a power loss, and with
 * it a node without an identity.
 */

import { Buffer } from "node:buffer";
import type { BusClock, BusDisk, BusDiskFile, BusTimer } from "./ports.js";

/** Changes within this time are one write. */
const coalesceMs = 100;
/** After a failed write that nobody waits for. */
const retryMs = 1000;

export interface ConfFileOptions {
  readonly disk: BusDisk;
  readonly clock: BusClock;
  readonly directory: string;
  readonly name: string;
  readonly content: () => string;
  /** A write that nobody waits for failed; it is tried again. */
  readonly onError: (error: unknown) => void;
}

export class ConfFile {
  readonly #options: ConfFileOptions;
  readonly #path: string;
  #timer: BusTimer | undefined;
  #writing: Promise<void> | undefined;
  /** Counts writes, so that a slow one never replaces a newer one. */
  #generation = 0;
  #closed = false;

  constructor(options: ConfFileOptions) {
    this.#options = options;
    this.#path = `${options.directory}/${options.name}`;
  }

  /** Durable when it returns; throws if it could not be done. */
  saveNow(): void {
    const { disk, directory } = this.#options;
    this.#generation++;
    this.#cancelTimer();
    const temporary = `${this.#path}.tmp-sync`;
    const file = disk.openSync(temporary, "truncate");
    try {
      file.writeSync([Buffer.from(this.#options.content(), "latin1")]);
      file.syncSync();
    } finally {
      file.closeSync();
    }
    disk.renameSync(temporary, this.#path);
    disk.syncDirectorySync(directory);
  }

  saveSoon(): void {
    if (this.#closed || this.#timer !== undefined) return;
    this.#timer = this.#options.clock.after(coalesceMs, () => this.#flushTimer());
  }

  /** Writes what is pending; nothing is written afterwards. */
  async close(): Promise<void> {
    const pending = this.#timer !== undefined;
    this.#closed = true;
    this.#cancelTimer();
    await this.#writing;
    if (pending) this.saveNow();
  }

  #flushTimer(): void {
    this.#timer = undefined;
    if (this.#writing !== undefined) {
      // One at a time: the next one takes the content of its own moment.
      this.saveSoon();
      return;
    }
    this.#writing = this.#saveAsync()
      .catch((error: unknown) => {
        this.#options.onError(error);
        if (!this.#closed && this.#timer === undefined) {
          this.#timer = this.#options.clock.after(retryMs, () => this.#flushTimer());
        }
      })
      .finally(() => {
        this.#writing = undefined;
      });
  }

  async #saveAsync(): Promise<void> {
    const { disk, directory } = this.#options;
    const generation = ++this.#generation;
    const temporary = `${this.#path}.tmp-async`;
    const content = Buffer.from(this.#options.content(), "latin1");
    const file: BusDiskFile = await disk.open(temporary, "truncate");
    try {
      await file.write([content]);
      await file.sync();
    } finally {
      await file.close();
    }
    if (generation !== this.#generation) {
      disk.removeSync(temporary);
      return;
    }
    disk.renameSync(temporary, this.#path);
    await disk.syncDirectory(directory);
  }

  #cancelTimer(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }
}
