/** A stream to RDB's neutral form and back. */
import type {
  Bytes,
  RdbStream,
  RdbStreamConsumer,
  RdbStreamEntry,
  RdbStreamGroup,
  RdbStreamPending,
} from "../../rdb/values.js";
import { incompleteStream } from "../../rdb/stream-nodes.js";
import { neutralBytes, neutralText, textOfBytes } from "./element.js";
import type { StreamValue } from "./stream.js";
import { type StreamConsumer, PendingEntry, StreamGroup } from "./stream-group.js";
import { idFromBytes, idToBytes, type StreamId } from "./stream-id.js";
import { EntryReader, type StreamNode } from "./stream-node.js";

/** Appends the entries of a node that are not deleted. */
function appendEntries(node: StreamNode, target: RdbStreamEntry[]): void {
  const reader = new EntryReader(node);
  while (reader.forward()) {
    if (!reader.isDeleted) target.push({ id: idToBytes(reader), fields: entryFields(reader) });
  }
}

/** Field, value, field, value, … */
function entryFields(reader: EntryReader): Bytes[] {
  const words: Bytes[] = [];
  for (let index = 0; index < reader.fieldCount; index++) {
    const name = reader.sameFields ? (reader.node.fields[index] as string) : nextText(reader);
    words.push(neutralText(name), neutralText(nextText(reader)));
  }
  return words;
}

function nextText(reader: EntryReader): string {
  reader.readText();
  return reader.node.bytes.toString("latin1", reader.textAt, reader.textAt + reader.textLength);
}

export function streamToNeutral(stream: StreamValue): RdbStream {
  const entries: RdbStreamEntry[] = [];
  const { nodes } = stream;
  for (let node = nodes.seekFirst(); node !== undefined; node = nodes.next()) {
    appendEntries(node, entries);
  }
  return completed(stream, entries);
}

function completed(
  stream: StreamValue,
  entries: readonly RdbStreamEntry[],
  nodeLengths?: readonly number[],
): RdbStream {
  const groups: RdbStreamGroup[] = [];
  const { groups: list } = stream;
  for (let group = list.seekFirst(); group !== undefined; group = list.next()) {
    groups.push(groupToNeutral(group));
  }
  return {
    ...incompleteStream(entries, nodeLengths),
    length: stream.length,
    lastId: idToBytes(stream.lastId),
    firstId: idToBytes(stream.firstId),
    maxDeletedId: idToBytes(stream.maxDeletedId),
    entriesAdded: Number(stream.entriesAdded),
    groups,
  };
}

/** Nodes that have entries: what `streamPart` divides a stream into. */
export function countLiveNodes(stream: StreamValue): number {
  let count = 0;
  const { nodes } = stream;
  for (let node = nodes.seekFirst(); node !== undefined; node = nodes.next()) {
    if (node.live > 0) count++;
  }
  return count;
}

/**
 * The nodes behind the one that begins with `after`, or the first ones, with some `wanted` entries;
 * `last` is the first id of the last of them. Ids, counters and groups are in the last part only.
 */
export function streamPart(
  stream: StreamValue,
  after: StreamId | undefined,
  wanted: number,
): { readonly part: RdbStream; readonly last: StreamId | undefined; readonly done: boolean } {
  const { nodes } = stream;
  const entries: RdbStreamEntry[] = [];
  const nodeLengths: number[] = [];
  let node = after === undefined ? nodes.seekFirst() : nodes.seek(after);
  if (after !== undefined) node = nodes.next();
  let last = after;
  for (; node !== undefined && entries.length < wanted; node = nodes.next()) {
    last = node;
    if (node.live === 0) continue;
    const before = entries.length;
    appendEntries(node, entries);
    nodeLengths.push(entries.length - before);
  }
  // What is left has no entry, or nothing is left.
  while (node?.live === 0) node = nodes.next();
  const done = node === undefined;
  const part = done
    ? completed(stream, entries, nodeLengths)
    : incompleteStream(entries, nodeLengths);
  return { part, last, done };
}

function groupToNeutral(group: StreamGroup): RdbStreamGroup {
  const pending: RdbStreamPending[] = [];
  const { pending: all } = group;
  for (let entry = all.seekFirst(); entry !== undefined; entry = all.next()) {
    const { deliveredAt, deliveryCount } = entry;
    pending.push({ id: idToBytes(entry), deliveredAt, deliveryCount: Number(deliveryCount) });
  }
  const consumers: RdbStreamConsumer[] = [];
  const { consumers: list } = group;
  for (let consumer = list.seekFirst(); consumer !== undefined; consumer = list.next()) {
    consumers.push(consumerToNeutral(consumer));
  }
  return {
    name: neutralBytes(group.name),
    lastId: idToBytes(group.lastId),
    entriesRead: Number(group.entriesRead),
    pending,
    consumers,
  };
}

function consumerToNeutral(consumer: StreamConsumer): RdbStreamConsumer {
  const ids: string[] = [];
  const { pending } = consumer;
  for (let entry = pending.seekFirst(); entry !== undefined; entry = pending.next()) {
    ids.push(idToBytes(entry));
  }
  const { name, seenAt, activeAt } = consumer;
  return { name: neutralBytes(name), seenAt, activeAt, pending: ids };
}

/** Fills an empty stream. */
export function streamFromNeutral(neutral: RdbStream, stream: StreamValue): StreamValue {
  addNeutralEntries(stream, neutral);
  completeFromNeutral(stream, neutral);
  return stream;
}

/** Of a stream in parts: the entries of one. */
export function addNeutralEntries(stream: StreamValue, { entries }: RdbStream): void {
  for (const { id, fields } of entries) {
    stream.appendEntry(idFromBytes(id), fields.map(textOfBytes), 0);
  }
}

/** All but the entries, which the last part of a stream tells. */
export function completeFromNeutral(stream: StreamValue, neutral: RdbStream): void {
  stream.lastId = idFromBytes(neutral.lastId);
  stream.firstId = idFromBytes(neutral.firstId);
  stream.maxDeletedId = idFromBytes(neutral.maxDeletedId);
  stream.entriesAdded = neutral.entriesAdded;
  for (const group of neutral.groups) addGroup(stream, group);
}

function addGroup(stream: StreamValue, neutral: RdbStreamGroup): void {
  const name = textOfBytes(neutral.name);
  const group = new StreamGroup(name, idFromBytes(neutral.lastId), neutral.entriesRead);
  stream.groups.insert(group);
  const deliveries = new Map<string, RdbStreamPending>();
  for (const entry of neutral.pending) deliveries.set(entry.id, entry);
  for (const { name: consumerName, seenAt, activeAt, pending } of neutral.consumers) {
    const consumer = group.createConsumer(textOfBytes(consumerName), seenAt);
    consumer.activeAt = activeAt;
    for (const id of pending) addPending(group, consumer, id, deliveries.get(id));
  }
}

function addPending(
  group: StreamGroup,
  consumer: StreamConsumer,
  id: Bytes,
  delivery: RdbStreamPending | undefined,
): void {
  const deliveredAt = delivery?.deliveredAt ?? consumer.seenAt;
  const entry = new PendingEntry(idFromBytes(textOfBytes(id)), consumer, deliveredAt);
  entry.deliveryCount = delivery?.deliveryCount ?? 1;
  group.addPending(entry);
}
