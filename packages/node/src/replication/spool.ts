/**
 * A data set on its way to replicas that must be told its length first: written to a temporary
 * file, then read back, so that it is never whole in memory. Nobody reads the file after a crash,
 * so it is not synced; the next one overwrites what a crash left.
 */
import type { Disk, DiskFile } from "../ports.js";

const pieceBytes = 256 * 1024;

export interface SpoolPlace {
  readonly disk: Disk;
  readonly path: string;
}

export class Spool {
  readonly #place: SpoolPlace;
  #file: DiskFile | undefined;
  #exists = false;
  #bytes = 0;

  constructor(place: SpoolPlace) {
    this.#place = place;
  }

  get bytes(): number {
    return this.#bytes;
  }

  async write(chunk: Buffer): Promise<void> {
    const { disk, path } = this.#place;
    if (this.#file === undefined) {
      this.#file = await disk.open(path, "truncate");
      this.#exists = true;
    }
    await this.#file.write([chunk]);
    this.#bytes += chunk.length;
  }

  async *read(): AsyncGenerator<Buffer> {
    const { disk, path } = this.#place;
    await this.#close();
    this.#file = await disk.open(path, "read");
    for (let at = 0; at < this.#bytes; ) {
      const piece = await this.#file.read(at, Math.min(pieceBytes, this.#bytes - at));
      if (piece.length === 0) throw new Error(`${path} became shorter while it was sent`);
      at += piece.length;
      yield piece;
    }
  }

  /** Removes the file; without one it does nothing. */
  async discard(): Promise<void> {
    await this.#close();
    if (!this.#exists) return;
    this.#exists = false;
    await this.#place.disk.remove(this.#place.path);
  }

  async #close(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    await file?.close();
  }
}
