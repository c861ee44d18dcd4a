/**
 * Reads an RDB from a file into a loader: off the loop at the start, on it for DEBUG RELOAD. It
 * says in the log what Redis says about the file.
 */
import type { DiskFile, Log } from "../ports.js";
import { RdbDecoder, RdbError } from "../rdb/index.js";
import type { DatasetLoader } from "./load.js";

/** An RDB is read from the disk in pieces of this size. */
const readBytes = 1024 * 1024;

export interface RdbFileOptions {
  readonly file: DiskFile;
  readonly loader: DatasetLoader;
  readonly databaseCount: number;
  /** `rdbchecksum` */
  readonly verifyChecksum: boolean;
  readonly log: Log;
  /** Unix ms. */
  readonly now: number;
  onProgress?(bytes: number): void;
}

/** Loads all of it and returns its length. Throws an `RdbError`, a `DiskError`. */
export async function loadRdbFile(options: RdbFileOptions): Promise<number> {
  const reader = new RdbFileReader(options);
  while (!reader.finished) {
    reader.take(await options.file.read(reader.position, readBytes));
  }
  return reader.end();
}

/** As `loadRdbFile`, without letting anything else run. */
export function loadRdbFileSync(options: RdbFileOptions): number {
  const reader = new RdbFileReader(options);
  while (!reader.finished) reader.take(options.file.readSync(reader.position, readBytes));
  return reader.end();
}

class RdbFileReader {
  readonly #options: RdbFileOptions;
  readonly #decoder: RdbDecoder;
  position = 0;

  constructor(options: RdbFileOptions) {
    const { databaseCount, verifyChecksum } = options;
    this.#options = options;
    this.#decoder = new RdbDecoder({ databaseCount, verifyChecksum });
  }

  get finished(): boolean {
    return this.#decoder.finished;
  }

  take(chunk: Buffer): void {
    const { file, loader, onProgress } = this.#options;
    if (chunk.length === 0) {
      throw new RdbError("corrupt", `the RDB in ${file.path} ends too early`);
    }
    this.position += chunk.length;
    const decoder = this.#decoder;
    decoder.push(chunk);
    for (let event = decoder.next(); event !== undefined; event = decoder.next()) {
      if (event.kind === "aux") this.#tell(event.name, event.value);
      loader.apply(event);
    }
    onProgress?.(decoder.consumedBytes);
  }

  end(): number {
    const { keys, expired } = this.#options.loader;
    this.#options.log.notice(`Done loading RDB, keys loaded: ${keys}, keys expired: ${expired}.`);
    return this.#decoder.consumedBytes;
  }

  #tell(name: string, value: string): void {
    const { log, now } = this.#options;
    const number = Number.parseInt(value, 10) || 0;
    if (name === "redis-ver") log.notice(`Loading RDB produced by version ${value}`);
    else if (name === "ctime") {
      log.notice(`RDB age ${Math.max(0, Math.floor(now / 1000) - number)} seconds`);
    } else if (name === "used-mem") {
      log.notice(`RDB memory usage when created ${(number / 1024 / 1024).toFixed(2)} Mb`);
    } else if (name === "aof-base" && number !== 0) log.notice("RDB is base AOF");
  }
}
