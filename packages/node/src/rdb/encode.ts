/**
 * The RDB encoder: a data set in, chunks out. It writes version 10 in the order Redis does: header,
 * auxiliary fields, functions, then for each database its number, size hints and keys, then the end
 * with the checksum. It does no I/O, decides nothing about what belongs into the file, and asserts
 * the order and the counts it was promised.
 */

import assert from "node:assert/strict";
import { ByteWriter } from "./byte-writer.js";
import { elementCount } from "./decode-collection.js";
import { type RdbThresholds, ValueEncoder } from "./encode-value.js";
import { opcode, rdbVersionWritten } from "./format.js";
import type { Bytes, RdbCollection, RdbValue } from "./values.js";

export interface RdbEncoderOptions {
  /** `rdbcompression`, default true. */
  readonly compress?: boolean;
  /** `rdbchecksum`, default true. */
  readonly checksum?: boolean;
  readonly thresholds?: Partial<RdbThresholds>;
}

/** The auxiliary fields Redis writes, in its order. */
export interface RdbHeader {
  readonly redisVersion: string;
  /** Unix seconds. */
  readonly createdAt: number;
  readonly usedMemoryBytes: number;
  /** Where the data set stands in a replication stream. */
  readonly replication?: {
    readonly id: string;
    readonly offset: number;
    readonly streamDb: number;
  };
  readonly isAofBase: boolean;
}

/** A key and what goes in front of it. */
export interface RdbKeyMeta {
  readonly key: Bytes;
  /** Unix milliseconds, -1 for none. */
  readonly expireAt?: number;
  /** Written under an LRU policy only. */
  readonly idleSeconds?: number;
  /** Written under an LFU policy only. */
  readonly frequency?: number;
}

interface OpenCollection {
  readonly type: RdbCollection["type"];
  /** Elements that are still to come; of a stream its nodes. */
  left: number;
}

export class RdbEncoder {
  readonly #writer: ByteWriter;
  readonly #values: ValueEncoder;
  #open: OpenCollection | undefined;
  #ended = false;

  constructor(options: RdbEncoderOptions = {}) {
    this.#writer = new ByteWriter({
      compress: options.compress ?? true,
      checksum: options.checksum ?? true,
    });
    this.#values = new ValueEncoder(this.#writer, options.thresholds);
  }

  /** Bytes encoded and not taken yet. */
  get pendingBytes(): number {
    return this.#writer.pendingBytes;
  }

  /** Bytes encoded since the beginning. */
  get writtenBytes(): number {
    return this.#writer.writtenBytes;
  }

  /** Hands out what was encoded; the memory is the caller's. */
  takeChunks(): Buffer[] {
    return this.#writer.take();
  }

  header(header: RdbHeader): void {
    assert(this.writtenBytes === 0, "the header comes first");
    this.#writer.text(`REDIS${String(rdbVersionWritten).padStart(4, "0")}`);
    this.aux("redis-ver", header.redisVersion);
    this.aux("redis-bits", "64");
    this.aux("ctime", String(header.createdAt));
    this.aux("used-mem", String(header.usedMemoryBytes));
    if (header.replication !== undefined) {
      this.aux("repl-stream-db", String(header.replication.streamDb));
      this.aux("repl-id", header.replication.id);
      this.aux("repl-offset", String(header.replication.offset));
    }
    this.aux("aof-base", header.isAofBase ? "1" : "0");
  }

  aux(name: string, value: string): void {
    this.#between();
    this.#writer.byte(opcode.aux);
    this.#writer.string(name);
    this.#writer.string(value);
  }

  /** A function library, by its source code. */
  function(code: Bytes): void {
    this.#between();
    this.#writer.byte(opcode.function2);
    this.#writer.string(code);
  }

  selectDb(db: number): void {
    this.#between();
    this.#writer.byte(opcode.selectDb);
    this.#writer.length(db);
  }

  /** A hint about the selected database: how many keys, how many of them expire. */
  resizeDb(keys: number, expires: number): void {
    this.#between();
    this.#writer.byte(opcode.resizeDb);
    this.#writer.length(keys);
    this.#writer.length(expires);
  }

  key(meta: RdbKeyMeta, value: RdbValue): void {
    this.#between();
    this.#meta(meta);
    this.#values.write(value, () => this.#writer.string(meta.key));
  }

  /** As `key` for a string, without an object for the value. */
  stringKey(meta: RdbKeyMeta, value: Bytes | number): void {
    this.#between();
    this.#meta(meta);
    this.#writer.byte(0);
    this.#writer.string(meta.key);
    this.#writer.string(value);
  }

  /** Begins a collection of exactly `count` elements (pairs; nodes of a stream) in parts. */
  beginCollection(meta: RdbKeyMeta, type: RdbCollection["type"], count: number): void {
    this.#between();
    this.#meta(meta);
    this.#writer.byte(this.#values.partedType(type));
    this.#writer.string(meta.key);
    this.#writer.length(count);
    this.#open = { type, left: count };
  }

  /**
   * The next part of the collection begun. A stream's last part completes it; one that does not say
   * how it is divided into nodes is one node.
   */
  part(value: RdbCollection): void {
    const open = this.#open;
    assert(open !== undefined && open.type === value.type, "a part of the collection begun");
    const lengths = value.type === "stream" ? (value.nodeLengths ?? [value.entries.length]) : [];
    open.left -= value.type === "stream" ? lengths.length : elementCount(value);
    assert(open.left >= 0, "no more elements than were promised");
    if (value.type === "stream") {
      let start = 0;
      for (const length of lengths) {
        this.#values.streamNode(value.entries, start, start + length);
        start += length;
      }
      if (open.left === 0) this.#values.streamTail(value);
    } else {
      this.#values.part(value);
    }
    if (open.left === 0) this.#open = undefined;
  }

  /** The end of the data set, with the checksum. */
  end(): void {
    this.#between();
    this.#writer.byte(opcode.eof);
    this.#writer.checksum();
    this.#ended = true;
  }

  /** Asserts that something new may begin here. */
  #between(): void {
    assert(!this.#ended && this.#open === undefined, "inside a collection, or after the end");
  }

  #meta(meta: RdbKeyMeta): void {
    if (meta.expireAt !== undefined && meta.expireAt !== -1) {
      this.#writer.byte(opcode.expireTimeMs);
      this.#writer.time64(meta.expireAt);
    }
    if (meta.idleSeconds !== undefined) {
      this.#writer.byte(opcode.idle);
      this.#writer.length(meta.idleSeconds);
    }
    if (meta.frequency !== undefined) {
      this.#writer.byte(opcode.frequency);
      this.#writer.byte(meta.frequency);
    }
  }
}
