/**
 * A snapshot as the commands that make it again: the base of an AOF without RDB preamble
 * (`aof-use-rdb-preamble no`). The commands are those that Redis writes, collections in portions of
 * 64 elements, so that no reader meets a command longer than its limits.
 */
import { type Argument, encodeCommand, formatDouble } from "@slotlog/resp";
import type { BaseSeal } from "../aof/batch-header.js";
import { toNeutral } from "../rdb/values-bridge.js";
import { formatStreamId } from "../rdb/index.js";
import type { Bytes, RdbCollection, RdbStream, RdbStreamGroup, RdbZset } from "../rdb/values.js";
import { isNeutral, type SnapshotValue } from "../store/snapshot-walk.js";
import { isStringValue, stringBytes } from "../store/value.js";
import type { PartedEntry, SnapshotForm } from "./snapshot-form.js";

/** Redis' AOF_REWRITE_ITEMS_PER_CMD. */
const elementsPerCommand = 64;

export interface CommandFormOptions {
  /** Unix seconds for a `#TS:` line in front, if `aof-timestamp-enabled`. */
  readonly timestamp: number | undefined;
  readonly functions: readonly string[];
  /** Makes a header for every chunk. */
  readonly batches?: BaseSeal;
}

export class CommandForm implements SnapshotForm {
  #chunks: Buffer[] = [];
  #pendingBytes = 0;
  #database = -1;
  /** The key whose parts are coming. */
  #open: PartedEntry | undefined;
  #lastPart: RdbCollection | undefined;

  readonly #batches: BaseSeal | undefined;
  /** In front of everything. */
  #lead: Buffer;
  #ended = false;
  #told = false;

  constructor(options: CommandFormOptions) {
    const { batches, functions, timestamp } = options;
    this.#batches = batches;
    this.#lead = Buffer.from(timestamp === undefined ? "" : `#TS:${timestamp}\r\n`, "latin1");
    for (const code of functions) this.#command(["FUNCTION", "LOAD", code]);
  }

  get pendingBytes(): number {
    return this.#pendingBytes;
  }

  takeChunks(): Buffer[] {
    const joined = Buffer.concat(this.#chunks, this.#pendingBytes);
    this.#chunks = [];
    this.#pendingBytes = 0;
    const batches = this.#batches;
    // The last header is wanted even if no record is left: it says where the data set stands.
    const isLast = this.#ended && !this.#told;
    if (joined.length === 0 && (batches === undefined || !isLast)) return [];
    this.#told = this.#ended;
    const lead = this.#lead;
    this.#lead = Buffer.alloc(0);
    return batches === undefined ? [lead, joined] : [lead, batches.header(joined), joined];
  }

  entry(database: number, key: string, value: SnapshotValue, expireAt: number): void {
    this.#select(database);
    if (isNeutral(value)) this.#collection(key, value);
    else if (isStringValue(value)) this.#command(["SET", key, Buffer.from(stringBytes(value))]);
    else {
      const neutral = toNeutral(value);
      if (neutral.type !== "string") this.#collection(key, neutral);
    }
    this.#expire(key, expireAt);
  }

  beginParts(entry: PartedEntry): void {
    this.#select(entry.database);
    this.#open = entry;
  }

  part(elements: RdbCollection): void {
    if (this.#open === undefined) throw new Error("a part of no collection");
    const { key } = this.#open;
    this.#lastPart = elements;
    if (elements.type === "stream") this.#streamEntries(key, elements);
    else this.#collection(key, elements);
  }

  endParts(): void {
    const last = this.#lastPart;
    if (this.#open !== undefined) {
      const { expireAt, key } = this.#open;
      if (last?.type === "stream") this.#completeStream(key, last);
      this.#expire(key, expireAt);
    }
    this.#open = undefined;
    this.#lastPart = undefined;
  }

  end(): void {
    this.#ended = true;
    if (this.#batches !== undefined) this.#batches.complete = true;
  }

  #select(database: number): void {
    if (database === this.#database) return;
    this.#database = database;
    this.#command(["SELECT", String(database)]);
  }

  #expire(key: string, expireAt: number): void {
    if (expireAt === Number.POSITIVE_INFINITY) return;
    this.#command(["PEXPIREAT", key, String(expireAt)]);
  }

  #push(bytes: Buffer): void {
    this.#chunks.push(bytes);
    this.#pendingBytes += bytes.length;
  }

  #command(argv: readonly Argument[]): void {
    this.#push(encodeCommand(argv));
  }

  #collection(key: string, value: RdbCollection): void {
    switch (value.type) {
      case "list":
        this.#portions(["RPUSH", key], value.items, 1);
        return;
      case "set":
        this.#portions(["SADD", key], value.members, 1);
        return;
      case "hash":
        this.#portions(["HMSET", key], value.pairs, 2);
        return;
      case "zset":
        this.#portions(["ZADD", key], scoresAndMembers(value), 2);
        return;
      case "stream":
        this.#stream(key, value);
        return;
      default:
        value satisfies never;
    }
  }

  /** `width` words belong to one element. */
  #portions(head: readonly string[], words: readonly Bytes[], width: number): void {
    const step = elementsPerCommand * width;
    for (let at = 0; at < words.length; at += step) {
      this.#command([...head, ...words.slice(at, at + step)]);
    }
  }

  #stream(key: string, stream: RdbStream): void {
    this.#streamEntries(key, stream);
    this.#completeStream(key, stream);
  }

  #streamEntries(key: string, { entries }: RdbStream): void {
    for (const { id, fields } of entries) {
      this.#command(["XADD", key, formatStreamId(id), ...fields]);
    }
  }

  #completeStream(key: string, stream: RdbStream): void {
    // An empty stream: an entry that is cut off at once.
    if (stream.length === 0) this.#command(["XADD", key, "MAXLEN", "0", "0-1", "x", "y"]);
    this.#command([
      "XSETID",
      key,
      formatStreamId(stream.lastId),
      "ENTRIESADDED",
      String(stream.entriesAdded),
      "MAXDELETEDID",
      formatStreamId(stream.maxDeletedId),
    ]);
    for (const group of stream.groups) this.#group(key, group);
  }

  #group(key: string, group: RdbStreamGroup): void {
    const { name, lastId, entriesRead, consumers } = group;
    this.#command([
      "XGROUP",
      "CREATE",
      key,
      name,
      formatStreamId(lastId),
      "ENTRIESREAD",
      String(entriesRead),
    ]);
    const byId = new Map(group.pending.map((pending) => [pending.id, pending]));
    for (const consumer of consumers) {
      if (consumer.pending.length === 0) {
        this.#command(["XGROUP", "CREATECONSUMER", key, name, consumer.name]);
      }
      for (const id of consumer.pending) {
        const pending = byId.get(id);
        this.#command([
          "XCLAIM",
          key,
          name,
          consumer.name,
          "0",
          formatStreamId(id),
          "TIME",
          String(pending?.deliveredAt ?? 0),
          "RETRYCOUNT",
          String(pending?.deliveryCount ?? 1),
          "JUSTID",
          "FORCE",
        ]);
      }
    }
  }
}

function scoresAndMembers({ members, scores }: RdbZset): Bytes[] {
  const words: Bytes[] = [];
  for (const [index, member] of members.entries()) {
    words.push(formatDouble(scores[index] as number), member);
  }
  return words;
}
