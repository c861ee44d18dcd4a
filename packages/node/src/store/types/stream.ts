/**
 * The stream: entries in nodes of Redis' sizes, the ids and counters that XADD, XDEL and trimming
 * leave behind, and the consumer groups.
 *
 * It does not know keys, replies or the log. Unlike other collections it may be empty and stay.
 */
import type { RdbStream } from "../../rdb/values.js";
import type { CollectionValue } from "../value.js";
import { BlockAccount, type BlockHolder } from "./block-memory.js";
import type { CollectionEnvironment } from "./environment.js";
import { OrderedBlocks } from "./ordered-blocks.js";
import { entriesReadUnknown, NamedList, type StreamGroup } from "./stream-group.js";
import {
  addLong,
  compareIds,
  isZeroId,
  type Long,
  maxId,
  nextId,
  type StreamId,
  subtractLong,
  zeroId,
} from "./stream-id.js";
import { streamFromNeutral, streamToNeutral } from "./stream-neutral.js";
import { EntryReader, StreamNode } from "./stream-node.js";

/** Redis' listpacks end here, whatever is configured. */
const NODE_BYTES_MAX = 1024 * 1024 * 1024;

export class NodeList extends OrderedBlocks<StreamNode, StreamId> implements BlockHolder {
  /** Whose the blocks are; `undefined` as long as no node is full. */
  account: BlockAccount | undefined = undefined;

  /** Removes a node with its memory. */
  drop(node: StreamNode): void {
    this.remove(node);
    node.release();
  }

  releasePiece(): boolean {
    const { last } = this;
    if (last !== undefined) this.drop(last);
    return last !== undefined;
  }

  get blockBytes(): number {
    return this.account?.bytes ?? 0;
  }

  protected compare(item: StreamNode, key: StreamId): number {
    return compareIds(item, key);
  }

  protected keyOf(item: StreamNode): StreamId {
    return item;
  }
}

export interface TrimOptions {
  /** What stays: so many entries at most, or only those with this id or a later one. */
  readonly maxLength?: number;
  readonly minId?: StreamId;
  /** Removes only whole nodes. */
  readonly approximate: boolean;
  /** Entries removed at most; 0 is no limit. */
  readonly limit: number;
}

export class StreamValue implements CollectionValue {
  readonly type = "stream";
  memoryCharged = 0;
  readonly encoding = "stream";
  readonly nodes = new NodeList();
  readonly groups = new NamedList<StreamGroup>();
  length = 0;
  /** The greatest id ever added, or what XSETID said. */
  lastId: StreamId = zeroId;
  /** The first entry that is not deleted; 0-0 in an empty stream. */
  firstId: StreamId = zeroId;
  /** The greatest id that XDEL deleted. */
  maxDeletedId: StreamId = zeroId;
  /** Entries added in all the stream's life. */
  entriesAdded: Long = 0;
  readonly #environment: CollectionEnvironment;

  constructor(environment: CollectionEnvironment) {
    this.#environment = environment;
  }

  static fromNeutral(neutral: RdbStream, environment: CollectionEnvironment): StreamValue {
    return streamFromNeutral(neutral, new StreamValue(environment));
  }

  /** The id that XADD's `*` stands for; `undefined` if the last one is used up. */
  automaticId(now: number): StreamId | undefined {
    return now > this.lastId.ms ? { ms: now, seq: 0 } : nextId(this.lastId);
  }

  /** Adds an entry behind all others; words `from` on are field, value, field, value, … */
  append(id: StreamId, words: readonly string[], from: number): void {
    this.appendEntry(id, words, from);
    this.entriesAdded = addLong(this.entriesAdded, 1);
    this.lastId = id;
    if (this.length === 1) this.firstId = id;
  }

  /** Only the entry: the stream's ids and its counter of additions are the caller's. */
  appendEntry(id: StreamId, words: readonly string[], from: number): void {
    let node = this.nodes.last;
    if (node === undefined || this.#isFull(node, words, from)) {
      const fields = sharedFields(node, words, from);
      const free = node?.seal(this.#openAccount());
      node = new StreamNode(id, fields, free);
      this.nodes.append(node);
    }
    node.append(id, words, from);
    this.length++;
  }

  /** Of all full nodes, whose memory is to be freed when nobody has this stream any more. */
  #openAccount(): BlockAccount {
    const { nodes } = this;
    if (nodes.account === undefined) {
      const { blocks } = this.#environment;
      nodes.account = new BlockAccount(blocks);
      blocks.releaseAfter(this, nodes);
    }
    return nodes.account;
  }

  #isFull(node: StreamNode, words: readonly string[], from: number): boolean {
    const { streamNodeMaxBytes, streamNodeMaxEntries } = this.#environment.limits;
    let bytes = node.listpackBytes;
    for (let index = from; index < words.length; index++) bytes += (words[index] as string).length;
    const bytesMax = streamNodeMaxBytes === 0 ? NODE_BYTES_MAX : streamNodeMaxBytes;
    if (bytes >= Math.min(bytesMax, NODE_BYTES_MAX)) return true;
    return streamNodeMaxEntries !== 0 && node.live + node.deleted >= streamNodeMaxEntries;
  }

  /** True if there was such an entry. `firstId` is the caller's to put right. */
  delete(id: StreamId): boolean {
    const range = new StreamRange(this, id, id);
    if (!range.next()) return false;
    const { node, flagsAt } = range.entry;
    if (node.live === 1) this.nodes.drop(node);
    else node.markDeleted(flagsAt);
    this.length--;
    return true;
  }

  has(id: StreamId): boolean {
    return new StreamRange(this, id, id).next();
  }

  /** The last entry that is not deleted, 0-0 if there is none. */
  lastValidId(): StreamId {
    const range = new StreamRange(this, zeroId, maxId, { reverse: true });
    return range.next() ? { ms: range.entry.ms, seq: range.entry.seq } : zeroId;
  }

  /** The first entry; the greatest id of all if there is none. */
  edgeId(withDeleted: boolean): StreamId {
    const range = new StreamRange(this, zeroId, maxId, { withDeleted });
    return range.next() ? { ms: range.entry.ms, seq: range.entry.seq } : maxId;
  }

  /** After deletions. */
  updateFirstId(): void {
    this.firstId = this.length === 0 ? zeroId : this.edgeId(false);
  }

  /** Removes entries from the beginning; returns how many. */
  trim(options: TrimOptions): number {
    const { maxLength, minId = zeroId, approximate, limit } = options;
    let deleted = 0;
    for (;;) {
      const node = this.nodes.first;
      if (node === undefined || (maxLength !== undefined && this.length <= maxLength)) break;
      const { live } = node;
      if (limit !== 0 && deleted + live > limit) break;
      const whole =
        maxLength === undefined
          ? compareIds(lastEntryOf(node), minId) < 0
          : this.length - live >= maxLength;
      if (whole) {
        this.nodes.drop(node);
        this.length -= live;
        deleted += live;
        continue;
      }
      if (!approximate) deleted += this.#trimWithin(node, maxLength, minId);
      break;
    }
    if (deleted > 0 || this.length === 0) this.updateFirstId();
    return deleted;
  }

  #trimWithin(node: StreamNode, maxLength: number | undefined, minId: StreamId): number {
    const reader = new EntryReader(node);
    let deleted = 0;
    while (reader.forward()) {
      const stop =
        maxLength === undefined ? compareIds(reader, minId) >= 0 : this.length <= maxLength;
      if (stop) break;
      if (reader.isDeleted) continue;
      node.markDeleted(reader.flagsAt);
      this.length--;
      deleted++;
    }
    return deleted;
  }

  /** True if XDEL left a hole at or behind the id. */
  hasTombstonesFrom(start: StreamId): boolean {
    if (this.length === 0 || isZeroId(this.maxDeletedId)) return false;
    if (compareIds(this.firstId, this.maxDeletedId) > 0) return false;
    return compareIds(start, this.maxDeletedId) <= 0;
  }

  /** How many entries had been added up to the id, or `entriesReadUnknown`. */
  entriesUpTo(id: StreamId): Long {
    const { entriesAdded, length } = this;
    if (entriesAdded === 0) return 0;
    const toLast = compareIds(id, this.lastId);
    if (length === 0 && toLast <= 0) return entriesAdded;
    if (toLast === 0) return entriesAdded;
    if (toLast > 0) return entriesReadUnknown;
    if (isZeroId(this.maxDeletedId) || compareIds(this.maxDeletedId, this.firstId) < 0) {
      const toFirst = compareIds(id, this.firstId);
      const before = subtractLong(entriesAdded, length);
      if (toFirst < 0) return before;
      if (toFirst === 0) return addLong(before, 1);
    }
    return entriesReadUnknown;
  }

  /** Entries that the group has not read yet; `undefined` if that cannot be told. */
  lagOf(group: StreamGroup): Long | undefined {
    if (this.entriesAdded === 0) return 0;
    if (group.entriesRead !== entriesReadUnknown && !this.hasTombstonesFrom(group.lastId)) {
      return subtractLong(this.entriesAdded, group.entriesRead);
    }
    const read = this.entriesUpTo(group.lastId);
    return read === entriesReadUnknown ? undefined : subtractLong(this.entriesAdded, read);
  }

  /** The group was delivered the entry `id`: moves it on if that is news. True if it was. */
  advance(group: StreamGroup, id: StreamId): boolean {
    if (compareIds(id, group.lastId) <= 0) return false;
    if (group.entriesRead !== entriesReadUnknown && !this.hasTombstonesFrom(id)) {
      // Signed, other than the stream's own number: beyond the largest comes the smallest.
      group.entriesRead = subtractLong(group.entriesRead, -1);
    } else if (this.entriesAdded !== 0) {
      group.entriesRead = this.entriesUpTo(id);
    }
    group.lastId = { ms: id.ms, seq: id.seq };
    return true;
  }

  toNeutral(): RdbStream {
    return streamToNeutral(this);
  }

  copy(): StreamValue {
    const copy = new StreamValue(this.#environment);
    // What both share is freed when both are gone: the copy's end has to be told as well.
    if (this.nodes.account !== undefined) copy.#openAccount();
    for (let node = this.nodes.seekFirst(); node !== undefined; node = this.nodes.next()) {
      copy.nodes.append(node.copy());
    }
    for (let group = this.groups.seekFirst(); group !== undefined; group = this.groups.next()) {
      copy.groups.append(group.copy());
    }
    copy.length = this.length;
    copy.lastId = this.lastId;
    copy.firstId = this.firstId;
    copy.maxDeletedId = this.maxDeletedId;
    copy.entriesAdded = this.entriesAdded;
    return copy;
  }

  memoryUsage(samples: number): number {
    const wanted = samples === 0 ? this.nodes.size : Math.min(samples, this.nodes.size);
    let sampled = 0;
    let node = this.nodes.seekFirst();
    for (let left = wanted; left > 0 && node !== undefined; left--) {
      sampled += NODE_OVERHEAD_BYTES + node.bytes.length;
      node = this.nodes.next();
    }
    let bytes = STREAM_OVERHEAD_BYTES;
    if (wanted > 0) bytes += (sampled * this.nodes.size) / wanted;
    for (let group = this.groups.seekFirst(); group !== undefined; group = this.groups.next()) {
      bytes += GROUP_OVERHEAD_BYTES * (1 + group.consumers.size);
      bytes += PENDING_BYTES * group.pending.size;
    }
    return Math.round(bytes);
  }
}

/** A node's object with ten fields, its Buffer, and what shares both with copies. */
const NODE_OVERHEAD_BYTES = 300;
const STREAM_OVERHEAD_BYTES = 400;
const GROUP_OVERHEAD_BYTES = 250;
/** An object with five fields, two boxed doubles, and its place in two lists. */
const PENDING_BYTES = 112;

/** The names of the new entry's fields, the former node's array if they are the same. */
function sharedFields(
  former: StreamNode | undefined,
  words: readonly string[],
  from: number,
): readonly string[] {
  const count = (words.length - from) >>> 1;
  let same = former?.fields.length === count;
  for (let index = 0; same && index < count; index++) {
    same = former?.fields[index] === words[from + 2 * index];
  }
  if (same && former !== undefined) return former.fields;
  const fields: string[] = [];
  for (let index = 0; index < count; index++) fields.push(words[from + 2 * index] as string);
  return fields;
}

/** The id of the last entry of a node, deleted or not. */
function lastEntryOf(node: StreamNode): StreamId {
  const reader = new EntryReader(node);
  reader.enter(node, true);
  reader.backward();
  return reader;
}

/** Walks the entries from `start` to `end`, both included. The stream must not change meanwhile. */
export class StreamRange {
  readonly #stream: StreamValue;
  readonly #start: StreamId;
  readonly #end: StreamId;
  readonly #reverse: boolean;
  readonly #withDeleted: boolean;
  #reader: EntryReader | undefined;

  constructor(
    stream: StreamValue,
    start: StreamId,
    end: StreamId,
    options: { readonly reverse?: boolean; readonly withDeleted?: boolean } = {},
  ) {
    this.#stream = stream;
    this.#start = start;
    this.#end = end;
    this.#reverse = options.reverse === true;
    this.#withDeleted = options.withDeleted === true;
    const { nodes } = stream;
    const node = this.#reverse
      ? nodes.seekFloor(end)
      : (nodes.seekFloor(start) ?? nodes.seekFirst());
    if (node === undefined) return;
    this.#reader = new EntryReader(node);
    this.#reader.enter(node, this.#reverse);
  }

  /** The present entry; only valid after `next` said true. */
  get entry(): EntryReader {
    return this.#reader as EntryReader;
  }

  /** Moves to the next entry; false at the end. */
  next(): boolean {
    const reader = this.#reader;
    if (reader === undefined) return false;
    const reverse = this.#reverse;
    for (;;) {
      while (reverse ? reader.backward() : reader.forward()) {
        if (reader.isDeleted && !this.#withDeleted) continue;
        if (reverse) {
          if (compareIds(reader, this.#end) > 0) continue;
          return compareIds(reader, this.#start) >= 0;
        }
        if (compareIds(reader, this.#start) < 0) continue;
        return compareIds(reader, this.#end) <= 0;
      }
      const { nodes } = this.#stream;
      const node = reverse ? nodes.previous() : nodes.next();
      if (node === undefined) return false;
      reader.enter(node, reverse);
    }
  }
}
