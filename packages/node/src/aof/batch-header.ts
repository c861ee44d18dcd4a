/**
 * The annotation line in front of each batch of the AOF: how long the batch is, its checksum, and
 * where the data set stands in the replication history once it is applied. Redis 7.0 and later skip
 * such lines when they load. Owns the form of the line and the running checksum of the file that is
 * being written; `batch-reader.ts` verifies it.
 *
 *     #HDR:v1;len:61;seed:0;replid:8a…f3;reploff:1204;checksum:9127340912734091273;
 *
 * The form, `len`, `replid`, `reploff` and `checksum` are those of a proposal for Valkey (its pull
 * request 3565): CRC-64 of Redis, as a decimal number, which runs on from batch to batch over each
 * header up to its `checksum:` and then over the batch. Ours are `seed` (the value that this header
 * runs on from, where that is not the one before), `next` (the value that the next one runs on
 * from, where that is not this one) and `db` (the database selected in the replication stream).
 */

import { Crc64 } from "../rdb/crc64.js";
import { annotationBytesMax } from "./record-scanner.js";
import type { StreamPosition } from "./stream-position.js";

export interface BatchHeader {
  /** Bytes of the batch behind the line. */
  readonly length: number;
  readonly seed: string | undefined;
  readonly next: string | undefined;
  /** Absent: that of the header before. */
  readonly replicationId: string | undefined;
  readonly replicationOffset: number | undefined;
  readonly streamDatabase: number;
  readonly checksum: string | undefined;
  /** Characters of the line that the checksum counts. */
  readonly checkedChars: number;
}

/** How every header begins. */
export const headerPrefix = "#HDR:";
const versionPrefix = "#HDR:v1;";

export function isBatchHeader(line: string): boolean {
  return line.startsWith(headerPrefix);
}

/** `undefined` if the line is not of that form, or of a version that we do not know. */
export function parseBatchHeader(line: string): BatchHeader | undefined {
  if (!line.startsWith(versionPrefix)) return undefined;
  const fields: Record<string, string> = {};
  let checkedChars = 0;
  for (let at = versionPrefix.length; at < line.length; ) {
    const colon = line.indexOf(":", at);
    const end = line.indexOf(";", at);
    if (colon <= at || end <= colon + 1) return undefined;
    const key = line.slice(at, colon);
    fields[key] = line.slice(colon + 1, end);
    if (key === "checksum") checkedChars = colon + 1;
    at = end + 1;
  }
  const { len, seed, next, replid, reploff, db, checksum } = fields;
  for (const number of [len, seed, next, reploff, db, checksum]) {
    if (number !== undefined && !/^\d{1,20}$/.test(number)) return undefined;
  }
  if (len === undefined || (replid !== undefined && !/^[0-9a-f]{40}$/.test(replid))) {
    return undefined;
  }
  return {
    length: Number(len),
    seed,
    next,
    replicationId: replid,
    replicationOffset: reploff === undefined ? undefined : Number(reploff),
    streamDatabase: Number(db ?? 0),
    checksum,
    checkedChars,
  };
}

export interface BatchSealOptions {
  /** `aof-checksum`, asked at each batch. */
  enabled(): boolean;
  /**
   * Where the data set stands with all that was logged so far; `undefined` if nobody counts, or if
   * the files do not show that data set.
   */
  position(): StreamPosition | undefined;
}

/** Makes the headers of the file that is being written. */
export class BatchSeal {
  readonly #options: BatchSealOptions;
  readonly #line = Buffer.allocUnsafeSlow(annotationBytesMax);
  #checksum = new Crc64();
  /** The running checksum; empty: the next header begins anew. */
  #chain: string;
  #writtenId = "";
  #writtenOffset = -1;

  /** `chain`: the running checksum of the file that is continued, if it has one. */
  constructor(options: BatchSealOptions, chain?: string) {
    this.#options = options;
    this.#chain = chain ?? "";
    if (chain !== undefined) this.#checksum.continueFrom(chain);
  }

  /** The running checksum behind the last batch; empty if there is none. */
  get chain(): string {
    return this.#chain;
  }

  /** The next batch begins a new file. */
  restart(): void {
    this.#chain = "";
    this.#writtenId = "";
    this.#writtenOffset = -1;
  }

  /** The stream has gone on since the last header without any record: PING, GETACK. */
  get isBehind(): boolean {
    if (!this.#options.enabled()) return false;
    const position = this.#options.position();
    return position !== undefined && position.offset !== this.#writtenOffset;
  }

  /** The header for a batch; valid until the next call. Without chunks it only tells an offset. */
  header(chunks: readonly Uint8Array[]): Buffer | undefined {
    if (!this.#options.enabled()) return undefined;
    let length = 0;
    for (const chunk of chunks) length += chunk.length;
    const beginning = this.#beginning(length, this.#options.position());
    if (this.#chain === "") this.#checksum = new Crc64();
    const line = this.#line;
    const checked = line.write(beginning, 0, "latin1");
    this.#checksum.update(line, 0, checked);
    for (const chunk of chunks) this.#checksum.update(chunk, 0, chunk.length);
    this.#chain = this.#checksum.toDecimal();
    return line.subarray(0, checked + line.write(`${this.#chain};\r\n`, checked, "latin1"));
  }

  #beginning(length: number, position: StreamPosition | undefined): string {
    let text = `${versionPrefix}len:${length};`;
    if (this.#chain === "") text += "seed:0;";
    if (position !== undefined) {
      if (position.id !== this.#writtenId) text += `replid:${position.id};`;
      text += `reploff:${position.offset};`;
      if (position.streamDatabase !== 0) text += `db:${position.streamDatabase};`;
      this.#writtenId = position.id;
      this.#writtenOffset = position.offset;
    }
    return `${text}checksum:`;
  }
}

/** Makes the headers of a base of records: it has a place in the history once it is complete. */
export class BaseSeal {
  complete = false;
  readonly #seal: BatchSeal;

  constructor(position: StreamPosition | undefined) {
    this.#seal = new BatchSeal({
      enabled: () => true,
      position: () => (this.complete ? position : undefined),
    });
  }

  header(records: Buffer): Buffer {
    return Buffer.from(this.#seal.header([records]) ?? "");
  }
}

/** A header with a checksum of its own, whatever stands before it, and the batch behind it. */
export function separateBatch(records: Buffer, next?: string): Buffer {
  const then = next === undefined ? "" : `next:${next};`;
  const beginning = Buffer.from(`${versionPrefix}len:${records.length};seed:0;${then}checksum:`);
  const checksum = new Crc64();
  checksum.update(beginning, 0, beginning.length);
  checksum.update(records, 0, records.length);
  const end = Buffer.from(`${checksum.toDecimal()};\r\n`);
  return Buffer.concat([beginning, end, records]);
}

/**
 * Ends a batch that is not whole and never will be: what follows runs on from here. It stands where
 * a file was cut inside of a batch.
 */
export const closingLine: Buffer = separateBatch(Buffer.alloc(0));
