/** Entries, ids and 64-bit numbers in replies. */
import { latin1String, type ReplyWriter } from "@slotlog/resp";
import { StreamRange, type StreamValue } from "../../store/types/stream.js";
import { idText, type Long, type StreamId } from "../../store/types/stream-id.js";
import type { EntryReader } from "../../store/types/stream-node.js";

/** Up to this length a string made for the reply costs less than a view of the bytes. */
const viewLengthMin = 256;

export function replyId(reply: ReplyWriter, id: StreamId): void {
  reply.bulk(idText(id));
}

export function replyLong(reply: ReplyWriter, value: Long): void {
  if (typeof value === "number") reply.integer(value);
  else reply.bigInteger(value);
}

function replyText(reply: ReplyWriter, entry: EntryReader): void {
  entry.readText();
  const { textAt, textLength } = entry;
  const { bytes } = entry.node;
  if (textLength < viewLengthMin) reply.bulk(latin1String(bytes, textAt, textLength));
  else reply.bulk(bytes.subarray(textAt, textAt + textLength));
}

/** The id, then the fields with their values. */
export function replyEntry(reply: ReplyWriter, entry: EntryReader): void {
  reply.array(2);
  replyId(reply, entry);
  const { fieldCount, sameFields } = entry;
  const { fields } = entry.node;
  reply.array(2 * fieldCount);
  for (let index = 0; index < fieldCount; index++) {
    if (sameFields) reply.bulk(fields[index] as string);
    else replyText(reply, entry);
    replyText(reply, entry);
  }
}

/** The entry with that id; false, and no reply, if there is none. */
export function replyEntryWithId(reply: ReplyWriter, stream: StreamValue, id: StreamId): boolean {
  const range = new StreamRange(stream, id, id);
  if (!range.next()) return false;
  replyEntry(reply, range.entry);
  return true;
}

export interface RangeWanted {
  readonly start: StreamId;
  readonly end: StreamId;
  /** 0 is no limit. */
  readonly count: number;
  readonly reverse?: boolean;
}

/** An array of entries. */
export function replyRange(reply: ReplyWriter, stream: StreamValue, wanted: RangeWanted): void {
  const { start, end, count, reverse = false } = wanted;
  const mark = reply.deferArray();
  const range = new StreamRange(stream, start, end, { reverse });
  let entries = 0;
  while (range.next()) {
    replyEntry(reply, range.entry);
    entries++;
    if (entries === count) break;
  }
  reply.endArray(mark, entries);
}
