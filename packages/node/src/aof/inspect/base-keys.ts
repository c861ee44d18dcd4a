/**
 * The keys of an RDB part as lines of a listing: what each holds in short, or as the commands that
 * would make it. Owns the putting together of collections that come in parts; holds no values.
 */

import type { Argument } from "@slotlog/resp";
import { elementCount, formatStreamId, type RdbEvent, type RdbValue } from "../../rdb/index.js";
import { formatScore } from "../../rdb/score.js";

export interface BaseKey {
  readonly db: number;
  readonly key: Argument;
  readonly type: RdbValue["type"];
  /** Bytes of a string, elements of a collection. */
  readonly size: number;
  /** Unix milliseconds, -1 for none. */
  readonly expireAt: number;
}

export interface BaseKeySink {
  /** Asked once per key; false skips it. */
  wants(db: number, key: Argument): boolean;
  key?(key: BaseKey): void;
  /** Commands that make the value, part by part, the expiry last. */
  command?(db: number, argv: readonly Argument[]): void;
}

export class BaseKeyReader {
  private readonly sink: BaseKeySink;
  private current: BaseKey | undefined;

  constructor(sink: BaseKeySink) {
    this.sink = sink;
  }

  take(event: RdbEvent): void {
    if (event.kind === "key") {
      const { db, key, value, expireAt } = event;
      const wanted = this.sink.wants(db, key);
      this.current = wanted ? { db, key, type: value.type, size: 0, expireAt } : undefined;
      this.add(value, event.more);
    } else if (event.kind === "part") this.add(event.value, event.more);
  }

  private add(value: RdbValue, more: boolean): void {
    const { current, sink } = this;
    if (current === undefined) return;
    const { db, key, expireAt } = current;
    const grown = { ...current, size: current.size + sizeOf(value) };
    this.current = grown;
    if (sink.command !== undefined) {
      for (const argv of commandsOf(key, value)) sink.command(db, argv);
    }
    if (more) return;
    sink.key?.(grown);
    if (expireAt >= 0) sink.command?.(db, ["PEXPIREAT", key, String(expireAt)]);
    this.current = undefined;
  }
}

function sizeOf(value: RdbValue): number {
  if (value.type !== "string") return elementCount(value);
  return typeof value.value === "number" ? String(value.value).length : value.value.length;
}

/** The consumer groups of a stream are left out: they are no part of its entries. */
function commandsOf(key: Argument, value: RdbValue): Argument[][] {
  switch (value.type) {
    case "string":
      return [["SET", key, typeof value.value === "number" ? String(value.value) : value.value]];
    case "list":
      return [["RPUSH", key, ...value.items]];
    case "set":
      return [["SADD", key, ...value.members]];
    case "hash":
      return [["HSET", key, ...value.pairs]];
    case "zset": {
      const pairs = value.members.flatMap((member, index) => [
        formatScore(value.scores[index] ?? 0),
        member,
      ]);
      return [["ZADD", key, ...pairs]];
    }
    case "stream":
      return value.entries.map(({ id, fields }) => ["XADD", key, formatStreamId(id), ...fields]);
    default:
      return value satisfies never;
  }
}
