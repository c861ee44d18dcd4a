/**
 * A run of stream entries, packed: what a listpack in the radix tree is in Redis. It owns the bytes
 * of its entries, the field names that most of them share, and the count of bytes that Redis'
 * listpack would take, since that and the number of entries decide where a run ends, and with it
 * what an approximate trimming removes.
 *
 * An entry is, with integers of seven bits a byte, the low ones first: its length, flags, how many
 * milliseconds it is later than the node, its sequence (relative to the node's within the same
 * millisecond), then, unless it has the node's fields, their number; each name and value with its
 * length in front; and the length once more, to be read backwards. Ids beyond 2^53 are sixteen
 * bytes.
 */
import { writeLatin1 } from "@slotlog/resp";
import { CHUNK_MASK, CHUNK_SHIFT, PAGE_WORDS, type SlabPages } from "../slab-pages.js";
import type { BlockAccount } from "./block-memory.js";
import { elementOf, listpackEntryBytes } from "./element.js";
import { addLong, longOf, type Long, type StreamId, subtractLong } from "./stream-id.js";

const deletedFlag = 1;
const sameFieldsFlag = 2;
const wideIdFlag = 4;

/** Six bytes of header and the end mark. */
const LISTPACK_FRAME_BYTES = 7;
/** Flags, which are below 128, and the zero behind the field names. */
const SMALL_INTEGER_BYTES = 2;
const CAPACITY_INITIAL = 64;
/** A longer node keeps a buffer of its own. */
const SEALED_BYTES_MAX = 4 * PAGE_WORDS;
const NO_BYTES = Buffer.alloc(0);
/** Below this a loop over char codes is faster than the call into `latin1Write`. */
const LOOP_LENGTH_MAX = 24;

/** The block of a full node, and of its copies until they change. */
class SealedBytes {
  owners = 1;
  readonly bytes: Buffer;
  readonly #account: BlockAccount;
  readonly #slab: SlabPages;
  readonly #block: number;

  /** Takes `used` bytes of `source`, of which there must not be more than a page has. */
  constructor(source: Buffer, used: number, account: BlockAccount) {
    this.#account = account;
    this.#slab = account.memory.openSlab();
    this.#block = account.allocate(this.#slab, (used + 3) >>> 2);
    const place = (this.#block & CHUNK_MASK) << 2;
    const chunk = this.#slab.bytes[this.#block >>> CHUNK_SHIFT] as Buffer;
    this.bytes = chunk.subarray(place, place + used);
    source.copy(this.bytes, 0, 0, used);
  }

  /** The same bytes in a block of its own. */
  copy(): SealedBytes {
    return new SealedBytes(this.bytes, this.bytes.length, this.#account);
  }

  release(): void {
    this.owners--;
    if (this.owners > 0) return;
    this.#account.free(this.#slab, this.#block, (this.bytes.length + 3) >>> 2);
  }
}

export class StreamNode implements StreamId {
  /** The id of the first entry that was ever in it. */
  readonly ms: Long;
  readonly seq: Long;
  /** Field names that entries need not repeat. */
  readonly fields: readonly string[];
  bytes: Buffer;
  used = 0;
  live = 0;
  /** Entries that are only marked as deleted: they stay until the whole node goes. */
  deleted = 0;
  /** Bytes of Redis' listpack but for the two counts. */
  #listpackBytes: number;
  /** Where `bytes` are once no more entries are expected. */
  #sealed: SealedBytes | undefined = undefined;
  /** A copy has the same bytes, unsealed: whoever changes them takes his own first. */
  #isShared = false;

  /** `bytes`: of a node that was sealed, to be written over. */
  constructor(id: StreamId, fields: readonly string[], bytes?: Buffer) {
    this.ms = id.ms;
    this.seq = id.seq;
    this.fields = fields;
    this.bytes = bytes ?? Buffer.allocUnsafeSlow(CAPACITY_INITIAL);
    this.#listpackBytes = this.#emptyListpackBytes();
  }

  #emptyListpackBytes(): number {
    const { fields } = this;
    let bytes = LISTPACK_FRAME_BYTES + listpackEntryBytes(fields.length) + SMALL_INTEGER_BYTES;
    for (const field of fields) bytes += listpackTextBytes(field);
    return bytes;
  }

  /** What `lpBytes` says in Redis. */
  get listpackBytes(): number {
    return this.#listpackBytes + listpackEntryBytes(this.live) + listpackEntryBytes(this.deleted);
  }

  /** Words `from` on are field, value, field, value, … */
  append(id: StreamId, words: readonly string[], from: number): void {
    const { ms, seq } = this;
    const count = (words.length - from) >>> 1;
    const same = this.#hasFields(words, from, count);
    let flags = same ? sameFieldsFlag : 0;
    let listpackBytes =
      SMALL_INTEGER_BYTES +
      longEntryBytes(subtractLong(id.ms, ms)) +
      longEntryBytes(subtractLong(id.seq, seq)) +
      listpackEntryBytes(same ? count + 3 : 2 * count + 4);
    if (!same) listpackBytes += listpackEntryBytes(count);
    let length = 1;
    const wide = typeof id.ms !== "number" || typeof id.seq !== "number" || typeof ms !== "number";
    let laterMs = 0;
    let sequence = 0;
    if (wide || typeof seq !== "number") {
      flags |= wideIdFlag;
      length += 16;
    } else {
      laterMs = (id.ms as number) - (ms as number);
      sequence = laterMs === 0 ? (id.seq as number) - seq : (id.seq as number);
      length += varintBytes(laterMs) + varintBytes(sequence);
    }
    if (!same) length += varintBytes(count);
    const step = same ? 2 : 1;
    for (let at = same ? from + 1 : from; at < words.length; at += step) {
      const word = words[at] as string;
      length += varintBytes(word.length) + word.length;
      listpackBytes += listpackTextBytes(word);
    }
    this.#reserve(length + 2 * varintBytes(length));
    let at = this.#writeVarint(this.used, length);
    this.bytes[at++] = flags;
    if ((flags & wideIdFlag) !== 0) {
      this.bytes.writeBigUInt64LE(BigInt(id.ms), at);
      this.bytes.writeBigUInt64LE(BigInt(id.seq), at + 8);
      at += 16;
    } else {
      at = this.#writeVarint(at, laterMs);
      at = this.#writeVarint(at, sequence);
    }
    if (!same) at = this.#writeVarint(at, count);
    for (let index = same ? from + 1 : from; index < words.length; index += step) {
      at = this.#writeText(at, words[index] as string);
    }
    this.used = this.#writeBackwards(at, length);
    this.#listpackBytes += listpackBytes;
    this.live++;
  }

  /**
   * No more entries are expected: the bytes go into a block. Returns the memory that they were in,
   * for the next node, unless somebody else has it as well.
   */
  seal(account: BlockAccount): Buffer | undefined {
    if (this.#sealed !== undefined) return undefined;
    if (this.used > SEALED_BYTES_MAX) {
      if (this.bytes.length !== this.used) this.#resize(this.used);
      return undefined;
    }
    const free = this.#isShared ? undefined : this.bytes;
    this.#sealed = new SealedBytes(this.bytes, this.used, account);
    this.bytes = this.#sealed.bytes;
    this.#isShared = false;
    return free;
  }

  /** Frees the memory of a node that is in no stream any more. */
  release(): void {
    this.#sealed?.release();
    this.#sealed = undefined;
    this.bytes = NO_BYTES;
    this.used = 0;
  }

  /** Marks the entry as deleted whose flags are at `flagsAt`. */
  markDeleted(flagsAt: number): void {
    this.#ownBytes();
    this.bytes[flagsAt] = (this.bytes[flagsAt] as number) | deletedFlag;
    this.live--;
    this.deleted++;
  }

  /** The bytes are copied when one of both changes. */
  copy(): StreamNode {
    const copy = new StreamNode(this, this.fields, this.bytes);
    copy.used = this.used;
    copy.live = this.live;
    copy.deleted = this.deleted;
    copy.#listpackBytes = this.#listpackBytes;
    if (this.#sealed === undefined) {
      this.#isShared = true;
      copy.#isShared = true;
    } else {
      this.#sealed.owners++;
      copy.#sealed = this.#sealed;
    }
    return copy;
  }

  #ownBytes(): void {
    const sealed = this.#sealed;
    if (sealed === undefined) {
      if (this.#isShared) this.#resize(this.used);
    } else if (sealed.owners > 1) {
      this.#sealed = sealed.copy();
      this.bytes = this.#sealed.bytes;
      sealed.release();
    }
  }

  #hasFields(words: readonly string[], from: number, count: number): boolean {
    const { fields } = this;
    if (fields.length !== count) return false;
    for (let index = 0; index < count; index++) {
      if (fields[index] !== words[from + 2 * index]) return false;
    }
    return true;
  }

  #reserve(bytes: number): void {
    const needed = this.used + bytes;
    if (needed <= this.bytes.length && !this.#isShared && this.#sealed === undefined) return;
    this.#resize(Math.max(needed, this.bytes.length * 2));
  }

  #resize(capacity: number): void {
    const bytes = Buffer.allocUnsafeSlow(capacity);
    this.bytes.copy(bytes, 0, 0, this.used);
    this.bytes = bytes;
    this.#isShared = false;
    this.#sealed?.release();
    this.#sealed = undefined;
  }

  #writeVarint(position: number, value: number): number {
    const { bytes } = this;
    let at = position;
    let rest = value;
    while (rest >= 128) {
      bytes[at++] = (rest % 128) | 128;
      rest = Math.floor(rest / 128);
    }
    bytes[at] = rest;
    return at + 1;
  }

  /** The same integer with its bytes in reverse. */
  #writeBackwards(position: number, value: number): number {
    const end = position + varintBytes(value);
    let rest = value;
    for (let at = end - 1; at >= position; at--) {
      this.bytes[at] = at === position ? rest : (rest % 128) | 128;
      rest = Math.floor(rest / 128);
    }
    return end;
  }

  #writeText(position: number, text: string): number {
    const { length } = text;
    let at = this.#writeVarint(position, length);
    if (length > LOOP_LENGTH_MAX) {
      writeLatin1(this.bytes, at, text);
      return at + length;
    }
    for (let index = 0; index < length; index++) this.bytes[at++] = text.charCodeAt(index);
    return at;
  }
}

/** Reads the entries of a node, one after the other, in either direction. */
export class EntryReader implements StreamId {
  node: StreamNode;
  ms: Long = 0;
  seq: Long = 0;
  isDeleted = false;
  /** True if it has the node's fields, so that only values follow. */
  sameFields = false;
  fieldCount = 0;
  flagsAt = 0;
  /** Where the texts begin; `readText` moves it on. */
  at = 0;
  /** Length of the text that `readText` found, at `textAt`. */
  textAt = 0;
  textLength = 0;
  #start = 0;
  #end = 0;

  constructor(node: StreamNode) {
    this.node = node;
  }

  /** The next reading starts in front of the first entry, or behind the last one. */
  enter(node: StreamNode, fromEnd: boolean): void {
    this.node = node;
    this.#end = fromEnd ? node.used : 0;
    this.#start = this.#end;
  }

  /** False at the node's end. */
  forward(): boolean {
    if (this.#end >= this.node.used) return false;
    this.#read(this.#end);
    return true;
  }

  /** False at the node's beginning. */
  backward(): boolean {
    if (this.#start === 0) return false;
    const { bytes } = this.node;
    let at = this.#start - 1;
    let length = 0;
    let scale = 1;
    for (; (bytes[at] as number) >= 128; at--) {
      length += ((bytes[at] as number) & 127) * scale;
      scale *= 128;
    }
    length += (bytes[at] as number) * scale;
    this.#read(at - length - varintBytes(length));
    return true;
  }

  /** Finds the next text of this entry; it is in `node.bytes`. */
  readText(): void {
    this.textLength = this.#varint();
    this.textAt = this.at;
    this.at += this.textLength;
  }

  #read(start: number): void {
    const { node } = this;
    this.#start = start;
    this.at = start;
    const length = this.#varint();
    this.flagsAt = this.at;
    this.#end = this.at + length + varintBytes(length);
    const flags = node.bytes[this.at++] as number;
    this.isDeleted = (flags & deletedFlag) !== 0;
    this.sameFields = (flags & sameFieldsFlag) !== 0;
    if ((flags & wideIdFlag) !== 0) {
      this.ms = longOf(node.bytes.readBigUInt64LE(this.at));
      this.seq = longOf(node.bytes.readBigUInt64LE(this.at + 8));
      this.at += 16;
    } else {
      const laterMs = this.#varint();
      const sequence = this.#varint();
      this.ms = laterMs === 0 ? node.ms : addLong(node.ms, laterMs);
      this.seq = laterMs === 0 ? addLong(node.seq, sequence) : sequence;
    }
    this.fieldCount = this.sameFields ? node.fields.length : this.#varint();
  }

  #varint(): number {
    const { bytes } = this.node;
    let byte = bytes[this.at++] as number;
    if (byte < 128) return byte;
    let value = byte & 127;
    let scale = 128;
    for (;;) {
      byte = bytes[this.at++] as number;
      if (byte < 128) return value + byte * scale;
      value += (byte & 127) * scale;
      scale *= 128;
    }
  }
}

function varintBytes(value: number): number {
  let bytes = 1;
  for (let rest = value; rest >= 128; rest = Math.floor(rest / 128)) bytes++;
  return bytes;
}

function listpackTextBytes(text: string): number {
  return listpackEntryBytes(elementOf(text));
}

/** Differences of 32 bits and less are what `listpackEntryBytes` knows; wider ones take ten. */
function longEntryBytes(value: Long): number {
  return typeof value === "number" && value === (value | 0) ? listpackEntryBytes(value) : 10;
}
