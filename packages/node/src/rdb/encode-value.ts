/**
 * Values from their neutral forms to RDB bytes, with no type above 19. Small collections take the
 * packed encodings that Redis would use within the same thresholds; large ones, and those written
 * in parts, the plain ones, which every version reads.
 */

import type { ByteWriter } from "./byte-writer.js";
import { elementCount } from "./decode-collection.js";
import { quicklistNode, valueType } from "./format.js";
import { canonicalInteger } from "./integer-text.js";
import { encodeIntset } from "./intset.js";
import { ListpackWriter } from "./listpack.js";
import { formatScore } from "./score.js";
import { streamIdParts } from "./stream-id.js";
import { encodeStreamNode } from "./stream-nodes.js";
import type {
  Bytes,
  RdbCollection,
  RdbList,
  RdbStream,
  RdbStreamEntry,
  RdbStreamGroup,
  RdbValue,
} from "./values.js";

/** The thresholds of the packed encodings, named after Redis' directives; defaults of 7.2. */
export interface RdbThresholds {
  readonly listNodeBytesMax: number;
  readonly listNodeItemsMax: number;
  readonly setIntsetEntriesMax: number;
  readonly hashListpackEntriesMax: number;
  readonly hashListpackValueBytesMax: number;
  readonly zsetListpackEntriesMax: number;
  readonly zsetListpackValueBytesMax: number;
  readonly streamNodeBytesMax: number;
  readonly streamNodeEntriesMax: number;
}

export const defaultThresholds: RdbThresholds = {
  listNodeBytesMax: 8192,
  listNodeItemsMax: Number.MAX_SAFE_INTEGER,
  setIntsetEntriesMax: 512,
  hashListpackEntriesMax: 128,
  hashListpackValueBytesMax: 64,
  zsetListpackEntriesMax: 128,
  zsetListpackValueBytesMax: 64,
  streamNodeBytesMax: 4096,
  streamNodeEntriesMax: 100,
};

/** What `planValue` decided: the type byte, and what the body needs to follow it. */
interface Plan {
  readonly type: number;
  /** The packed body, when it is one. */
  readonly packed?: Buffer;
}

export class ValueEncoder {
  readonly #writer: ByteWriter;
  readonly #thresholds: RdbThresholds;
  readonly #listpack = new ListpackWriter();

  constructor(writer: ByteWriter, thresholds: Partial<RdbThresholds> = {}) {
    this.#writer = writer;
    this.#thresholds = { ...defaultThresholds, ...thresholds };
  }

  /** Writes the type byte, lets `between` write what follows it (the key), then the value. */
  write(value: RdbValue, between: () => void): void {
    if (value.type === "string") {
      this.#writer.byte(valueType.string);
      between();
      this.#writer.string(value.value);
      return;
    }
    const plan = this.#plan(value);
    this.#writer.byte(plan.type);
    between();
    if (plan.packed !== undefined) this.#writer.blob(plan.packed);
    else if (value.type === "list") this.#quicklist(value);
    else if (value.type === "stream") this.#stream(value);
    else {
      this.#writer.length(elementCount(value));
      this.part(value);
    }
  }

  #plan(value: RdbCollection): Plan {
    switch (value.type) {
      case "list":
        return { type: valueType.listQuicklist2 };
      case "set":
        return this.#planSet(value.members);
      case "hash": {
        const { hashListpackEntriesMax: entries, hashListpackValueBytesMax: bytes } =
          this.#thresholds;
        if (value.pairs.length / 2 > entries || longest(value.pairs) > bytes) {
          return { type: valueType.hash };
        }
        for (const element of value.pairs) this.#listpack.append(element);
        return { type: valueType.hashListpack, packed: this.#listpack.finish() };
      }
      case "zset": {
        const { zsetListpackEntriesMax: entries, zsetListpackValueBytesMax: bytes } =
          this.#thresholds;
        if (value.members.length > entries || longest(value.members) > bytes) {
          return { type: valueType.zset2 };
        }
        return { type: valueType.zsetListpack, packed: this.#packZset(value) };
      }
      case "stream":
        return { type: valueType.streamListpacks2 };
      default:
        return value satisfies never;
    }
  }

  #planSet(members: readonly Bytes[]): Plan {
    if (members.length > this.#thresholds.setIntsetEntriesMax) return { type: valueType.set };
    const integers: (number | bigint)[] = [];
    for (const member of members) {
      const integer = typeof member === "string" ? canonicalInteger(member) : undefined;
      if (integer === undefined) return { type: valueType.set };
      integers.push(integer);
    }
    return { type: valueType.setIntset, packed: encodeIntset(integers) };
  }

  /** A packed sorted set is ordered by score, then by member: readers rely on it. */
  #packZset(value: Extract<RdbCollection, { type: "zset" }>): Buffer {
    const { members, scores } = value;
    const order = members.map((_, index) => index);
    order.sort((left, right) => {
      const difference = (scores[left] as number) - (scores[right] as number);
      if (difference !== 0 && !Number.isNaN(difference)) return difference;
      return (members[left] as Bytes) < (members[right] as Bytes) ? -1 : 1;
    });
    for (const index of order) {
      this.#listpack.append(members[index] as Bytes);
      this.#listpack.append(formatScore(scores[index] as number));
    }
    return this.#listpack.finish();
  }

  /** Nodes are packed up to the threshold; an item that is larger gets a node of its own. */
  #quicklist(list: RdbList): void {
    const { listNodeBytesMax, listNodeItemsMax } = this.#thresholds;
    const starts: number[] = [];
    let bytes = Number.POSITIVE_INFINITY;
    let items = 0;
    for (let index = 0; index < list.items.length; index++) {
      // An entry takes at most five bytes in front and five behind.
      const size = (list.items[index] as Bytes).length + 10;
      if (bytes + size > listNodeBytesMax || items >= listNodeItemsMax) {
        starts.push(index);
        bytes = 0;
        items = 0;
      }
      bytes += size;
      items++;
    }
    this.#writer.length(starts.length);
    starts.push(list.items.length);
    for (let node = 0; node + 1 < starts.length; node++) {
      const end = starts[node + 1] as number;
      for (let index = starts[node] as number; index < end; index++) {
        this.#listpack.append(list.items[index] as Bytes);
      }
      this.#writer.length(quicklistNode.packed);
      this.#writer.blob(this.#listpack.finish());
    }
  }

  /** The type byte of a collection that is written in parts. */
  partedType(type: RdbCollection["type"]): number {
    switch (type) {
      case "list":
        return valueType.list;
      case "set":
        return valueType.set;
      case "hash":
        return valueType.hash;
      case "zset":
        return valueType.zset2;
      case "stream":
        return valueType.streamListpacks2;
      default:
        return type satisfies never;
    }
  }

  /** Elements of a plain encoding; not for streams. */
  part(value: Exclude<RdbCollection, RdbStream>): void {
    const writer = this.#writer;
    switch (value.type) {
      case "list":
        for (const item of value.items) writer.string(item);
        return;
      case "set":
        for (const member of value.members) writer.string(member);
        return;
      case "hash":
        for (const element of value.pairs) writer.string(element);
        return;
      case "zset":
        for (let index = 0; index < value.members.length; index++) {
          writer.string(value.members[index] as Bytes);
          writer.double(value.scores[index] as number);
        }
        return;
      default:
        value satisfies never;
    }
  }

  #stream(stream: RdbStream): void {
    const { streamNodeBytesMax, streamNodeEntriesMax } = this.#thresholds;
    const starts: number[] = [];
    let bytes = Number.POSITIVE_INFINITY;
    for (let index = 0; index < stream.entries.length; index++) {
      const size = entrySize(stream.entries[index] as RdbStreamEntry);
      const start = starts[starts.length - 1] ?? 0;
      if (bytes + size > streamNodeBytesMax || index - start >= streamNodeEntriesMax) {
        starts.push(index);
        bytes = 0;
      }
      bytes += size;
    }
    this.#writer.length(starts.length);
    starts.push(stream.entries.length);
    for (let node = 0; node + 1 < starts.length; node++) {
      this.streamNode(stream.entries, starts[node] as number, starts[node + 1] as number);
    }
    this.streamTail(stream);
  }

  streamNode(entries: readonly RdbStreamEntry[], start: number, end: number): void {
    this.#writer.string((entries[start] as RdbStreamEntry).id);
    this.#writer.blob(encodeStreamNode(this.#listpack, entries, start, end));
  }

  /** All of a stream but its entries. */
  streamTail(stream: RdbStream): void {
    const writer = this.#writer;
    writer.length(stream.length);
    this.#idPair(stream.lastId);
    this.#idPair(stream.firstId);
    this.#idPair(stream.maxDeletedId);
    writer.length(stream.entriesAdded);
    writer.length(stream.groups.length);
    for (const group of stream.groups) this.#group(group);
  }

  #group(group: RdbStreamGroup): void {
    const writer = this.#writer;
    writer.string(group.name);
    this.#idPair(group.lastId);
    writer.length64(BigInt(group.entriesRead));
    writer.length(group.pending.length);
    for (const pending of group.pending) {
      writer.text(pending.id);
      writer.time64(pending.deliveredAt);
      writer.length(pending.deliveryCount);
    }
    writer.length(group.consumers.length);
    for (const consumer of group.consumers) {
      writer.string(consumer.name);
      writer.time64(consumer.seenAt);
      writer.length(consumer.pending.length);
      for (const id of consumer.pending) writer.text(id);
    }
  }

  #idPair(id: string): void {
    const { milliseconds, sequence } = streamIdParts(id);
    this.#writer.length64(milliseconds);
    this.#writer.length64(sequence);
  }
}

/** Bytes of the longest element. */
function longest(elements: readonly Bytes[]): number {
  let max = 0;
  for (const element of elements) if (element.length > max) max = element.length;
  return max;
}

function entrySize(entry: RdbStreamEntry): number {
  let bytes = 0;
  for (const field of entry.fields) bytes += field.length;
  return bytes;
}
