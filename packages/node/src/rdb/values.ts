/**
 * The neutral forms between RDB bytes and the store: what every encoding of a type decodes to, and
 * what encoding starts from. They know neither how a file spells them nor how the store holds them.
 */

/** Bytes: a latin1 string (each char code is a byte) below 64 KiB, else a Buffer of its own. */
export type Bytes = string | Buffer;

/** A number stands for its decimal text: RDB's integer encodings, at most 32 bits wide. */
export interface RdbString {
  readonly type: "string";
  readonly value: Bytes | number;
}

export interface RdbList {
  readonly type: "list";
  readonly items: readonly Bytes[];
}

/** Integers come as their decimal text, whichever encoding they were stored in. */
export interface RdbSet {
  readonly type: "set";
  readonly members: readonly Bytes[];
}

/** Field, value, field, value, … */
export interface RdbHash {
  readonly type: "hash";
  readonly pairs: readonly Bytes[];
}

/** `scores[i]` belongs to `members[i]`. Decoded in the order of the file: not always sorted. */
export interface RdbZset {
  readonly type: "zset";
  readonly members: readonly Bytes[];
  readonly scores: readonly number[];
}

/**
 * Sixteen char codes: milliseconds, then sequence, eight bytes each, most significant first. Such
 * strings compare like the ids do, and serve as keys. See stream-id.ts.
 */
export type StreamIdBytes = string;

export interface RdbStreamEntry {
  readonly id: StreamIdBytes;
  /** Field, value, field, value, … */
  readonly fields: readonly Bytes[];
}

export interface RdbStreamPending {
  readonly id: StreamIdBytes;
  /** Unix milliseconds. */
  readonly deliveredAt: number;
  readonly deliveryCount: number;
}

export interface RdbStreamConsumer {
  readonly name: Bytes;
  /** Unix milliseconds. */
  readonly seenAt: number;
  /** Unix milliseconds, -1 if never; not written by us (Redis 7.0 could not read it). */
  readonly activeAt: number;
  /** Ids of the group's pending entries that this consumer owns. */
  readonly pending: readonly StreamIdBytes[];
}

export interface RdbStreamGroup {
  readonly name: Bytes;
  readonly lastId: StreamIdBytes;
  /** -1 when it is not known. */
  readonly entriesRead: number;
  readonly pending: readonly RdbStreamPending[];
  readonly consumers: readonly RdbStreamConsumer[];
}

/** In parts, `entries` are split; all else is complete only in the last part. */
export interface RdbStream {
  readonly type: "stream";
  readonly entries: readonly RdbStreamEntry[];
  /** How the entries are divided into nodes, where that is decided already: their sum is all. */
  readonly nodeLengths?: readonly number[];
  readonly length: number;
  readonly lastId: StreamIdBytes;
  readonly firstId: StreamIdBytes;
  readonly maxDeletedId: StreamIdBytes;
  readonly entriesAdded: number;
  readonly groups: readonly RdbStreamGroup[];
}

export type RdbCollection = RdbList | RdbSet | RdbHash | RdbZset | RdbStream;
export type RdbValue = RdbString | RdbCollection;
