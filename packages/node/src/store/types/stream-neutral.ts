/** A stream to RDB's neutral form and back. */
import type {
  Bytes,
  RdbStream,
  RdbStreamConsumer,
  RdbStreamEntry,
  RdbStreamGroup,
  RdbStreamPending,
} from "../../rdb/values.js";
import { elementOf, neutralBytes, textOfBytes } from "./element.js";
import type { StreamValue } from "./stream.js";
import { type StreamConsumer, PendingEntry, StreamGroup } from "./stream-group.js";
import { idFromBytes, idToBytes, type StreamId } from "./stream-id.js";
import { EntryReader } from "./stream-node.js";

/** Visits the entries that are not deleted, each as field, value, field, value, … */
export function forEachEntry(
  stream: StreamValue,
  visit: (id: StreamId, words: string[]) => void,
): void {
  const { nodes } = stream;
  for (let node = nodes.seekFirst(); node !== undefined; node = nodes.next()) {
    const reader = new EntryReader(node);
    while (reader.forward()) {
      if (!reader.isDeleted) visit(reader, entryWords(reader));
    }
  }
}

function entryWords(reader: EntryReader): string[] {
  const words: string[] = [];
  for (let index = 0; index < reader.fieldCount; index++) {
    if (reader.sameFields) words.push(reader.node.fields[index] as string);
    else words.push(nextText(reader));
    words.push(nextText(reader));
  }
  return words;
}

function nextText(reader: EntryReader): string {
  reader.readText();
  return reader.node.bytes.toString("latin1", reader.textAt, reader.textAt + reader.textLength);
}

export function streamToNeutral(stream: StreamValue): RdbStream {
  const entries: RdbStreamEntry[] = [];
  forEachEntry(stream, (id, words) => {
    entries.push({ id: idToBytes(id), fields: words.map((word) => neutralBytes(elementOf(word))) });
  });
  const groups: RdbStreamGroup[] = [];
  const { groups: list } = stream;
  for (let group = list.seekFirst(); group !== undefined; group = list.next()) {
    groups.push(groupToNeutral(group));
  }
  return {
    type: "stream",
    entries,
    length: stream.length,
    lastId: idToBytes(stream.lastId),
    firstId: idToBytes(stream.firstId),
    maxDeletedId: idToBytes(stream.maxDeletedId),
    entriesAdded: Number(stream.entriesAdded),
    groups,
  };
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
  for (const { id, fields } of neutral.entries) {
    stream.appendEntry(idFromBytes(id), fields.map(textOfBytes), 0);
  }
  stream.lastId = idFromBytes(neutral.lastId);
  stream.firstId = idFromBytes(neutral.firstId);
  stream.maxDeletedId = idFromBytes(neutral.maxDeletedId);
  stream.entriesAdded = neutral.entriesAdded;
  for (const group of neutral.groups) addGroup(stream, group);
  return stream;
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
