/**
 * Streams: nodes of entries, then counters and ids, then the consumer groups with what is pending.
 * Three versions: 2 added the first id, the greatest deleted id and two counters, 3 (Redis 7.2)
 * when a consumer was last active. What an old version lacks is derived as Redis derives it.
 */

import type { ByteReader } from "./byte-reader.js";
import type { PartGenerator } from "./decode-collection.js";
import { RdbError, type RdbLimits } from "./format.js";
import { streamIdOfBig, zeroStreamId } from "./stream-id.js";
import { incompleteStream, streamNodeEntries } from "./stream-nodes.js";
import type {
  RdbStream,
  RdbStreamConsumer,
  RdbStreamEntry,
  RdbStreamGroup,
  RdbStreamPending,
  StreamIdBytes,
} from "./values.js";

const idBytes = 16;
const timeBytes = 8;

type Reading<T> = Generator<undefined, T, void>;
type Version = 1 | 2 | 3;
type StreamHead = Omit<RdbStream, "type" | "entries" | "groups">;

export function* decodeStream(
  reader: ByteReader,
  limits: RdbLimits,
  version: Version,
): PartGenerator {
  let entries: RdbStreamEntry[] = [];
  let firstId: StreamIdBytes | undefined;
  for (let nodes = yield* readLength(reader); nodes > 0; nodes--) {
    const nodeId = yield* readBlob(reader);
    if (nodeId.length !== idBytes) throw new RdbError("corrupt", "a stream node without an id");
    const id = nodeId.toString("latin1");
    streamNodeEntries(id, yield* readBlob(reader), entries);
    firstId ??= entries[0]?.id;
    if (entries.length >= limits.partElementsMax && nodes > 1) {
      yield incompleteStream(entries);
      entries = [];
    }
  }
  const head = yield* readHead(reader, version, firstId);
  const groups: RdbStreamGroup[] = [];
  for (let left = yield* readLength(reader); left > 0; left--) {
    groups.push(yield* readGroup(reader, version, head));
  }
  return { type: "stream", entries, ...head, groups };
}

function* readHead(
  reader: ByteReader,
  version: Version,
  firstId: StreamIdBytes | undefined,
): Reading<StreamHead> {
  const length = yield* readLength(reader);
  const lastId = yield* readIdPair(reader);
  if (version === 1) {
    return {
      length,
      lastId,
      firstId: firstId ?? zeroStreamId,
      maxDeletedId: zeroStreamId,
      entriesAdded: length,
    };
  }
  return {
    length,
    lastId,
    firstId: yield* readIdPair(reader),
    maxDeletedId: yield* readIdPair(reader),
    entriesAdded: yield* readLength(reader),
  };
}

function* readGroup(
  reader: ByteReader,
  version: Version,
  head: StreamHead,
): Reading<RdbStreamGroup> {
  const name = yield* readString(reader);
  const lastId = yield* readIdPair(reader);
  let entriesRead = -1;
  if (version === 1) entriesRead = estimateEntriesRead(head, lastId);
  else entriesRead = Number(BigInt.asIntN(64, yield* readLength64(reader)));
  const pending: RdbStreamPending[] = [];
  for (let left = yield* readLength(reader); left > 0; left--) {
    while (!reader.has(idBytes + timeBytes)) yield undefined;
    const id = reader.text(idBytes);
    const deliveredAt = reader.time64();
    pending.push({ id, deliveredAt, deliveryCount: yield* readLength(reader) });
  }
  const consumers: RdbStreamConsumer[] = [];
  for (let left = yield* readLength(reader); left > 0; left--) {
    consumers.push(yield* readConsumer(reader, version));
  }
  return { name, lastId, entriesRead, pending, consumers };
}

function* readConsumer(reader: ByteReader, version: Version): Reading<RdbStreamConsumer> {
  const name = yield* readString(reader);
  const times = version === 3 ? 2 : 1;
  while (!reader.has(times * timeBytes)) yield undefined;
  const seenAt = reader.time64();
  // Before 7.2 only the last contact is known; it is the best estimate of the last delivery.
  const activeAt = version === 3 ? reader.time64() : seenAt;
  const pending: StreamIdBytes[] = [];
  for (let left = yield* readLength(reader); left > 0; left--) {
    while (!reader.has(idBytes)) yield undefined;
    pending.push(reader.text(idBytes));
  }
  return { name, seenAt, activeAt, pending };
}

/**
 * How many entries a group of version 1 had read: known at the stream's ends, else -1. Nothing was
 * recorded as deleted in that version, so the entries added are the stream's length.
 */
function estimateEntriesRead(head: StreamHead, lastId: StreamIdBytes): number {
  if (head.entriesAdded === 0) return 0;
  if (lastId === head.lastId) return head.entriesAdded;
  if (lastId > head.lastId) return -1;
  if (lastId < head.firstId) return head.entriesAdded - head.length;
  return lastId === head.firstId ? head.entriesAdded - head.length + 1 : -1;
}

function* readLength(reader: ByteReader): Reading<number> {
  let value = reader.length();
  while (value === undefined) {
    yield undefined;
    value = reader.length();
  }
  return value;
}

function* readLength64(reader: ByteReader): Reading<bigint> {
  let value = reader.length64();
  while (value === undefined) {
    yield undefined;
    value = reader.length64();
  }
  return value;
}

function* readIdPair(reader: ByteReader): Reading<StreamIdBytes> {
  const milliseconds = yield* readLength64(reader);
  return streamIdOfBig(milliseconds, yield* readLength64(reader));
}

function* readBlob(reader: ByteReader): Reading<Buffer> {
  let value = reader.blob();
  while (value === undefined) {
    yield undefined;
    value = reader.blob();
  }
  return value;
}

function* readString(reader: ByteReader): Reading<string | Buffer> {
  let value = reader.string();
  while (value === undefined) {
    yield undefined;
    value = reader.string();
  }
  return typeof value === "number" ? String(value) : value;
}
