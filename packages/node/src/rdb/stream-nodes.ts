/**
 * The listpacks that hold stream entries. A node's listpack begins with a master entry (count of
 * live entries, count of deleted ones, number of fields, the field names, 0); then for each entry:
 * flags, milliseconds and sequence relative to the node's id, the number of fields and the fields
 * with values (or, if the names are the master's, only the values), and how many elements the entry
 * took, so that it can be walked backwards.
 */

import { RdbError } from "./format.js";
import { ListpackReader, type ListpackWriter } from "./listpack.js";
import {
  isSafeStreamId,
  streamIdMilliseconds,
  streamIdOf,
  streamIdOfBig,
  streamIdParts,
  streamIdSequence,
  zeroStreamId,
} from "./stream-id.js";
import type { Bytes, RdbStream, RdbStreamEntry, StreamIdBytes } from "./values.js";

const deletedFlag = 1;
const sameFieldsFlag = 2;

/** A part of a stream that others follow: ids, counters and groups come with the last one. */
export function incompleteStream(
  entries: readonly RdbStreamEntry[],
  nodeLengths?: readonly number[],
): RdbStream {
  return {
    type: "stream",
    entries,
    ...(nodeLengths === undefined ? {} : { nodeLengths }),
    length: 0,
    lastId: zeroStreamId,
    firstId: zeroStreamId,
    maxDeletedId: zeroStreamId,
    entriesAdded: 0,
    groups: [],
  };
}

/** Appends the live entries of a node to `target`. */
export function streamNodeEntries(
  nodeId: StreamIdBytes,
  bytes: Buffer,
  target: RdbStreamEntry[],
): void {
  const reader = new ListpackReader(bytes);
  const live = reader.readCount();
  const total = live + reader.readCount();
  const masterFields: Bytes[] = [];
  const fieldCount = reader.readCount();
  for (let index = 0; index < fieldCount; index++) masterFields.push(reader.readBytes());
  if (reader.readCount() !== 0) throw broken();
  let found = 0;
  for (let index = 0; index < total; index++) {
    const flags = reader.readCount();
    const id = idAt(nodeId, reader.readInteger(), reader.readInteger());
    const same = (flags & sameFieldsFlag) !== 0;
    const count = same ? masterFields.length : reader.readCount();
    const fields: Bytes[] = [];
    for (let field = 0; field < count; field++) {
      fields.push(same ? (masterFields[field] as Bytes) : reader.readBytes());
      fields.push(reader.readBytes());
    }
    reader.readCount();
    if ((flags & deletedFlag) !== 0) continue;
    found++;
    target.push({ id, fields });
  }
  if (found !== live || !reader.atEnd) throw broken();
}

function broken(): RdbError {
  return new RdbError("corrupt", "a stream node contradicts its own counts");
}

/** The node's id plus two signed differences. */
function idAt(
  nodeId: StreamIdBytes,
  milliseconds: number | bigint,
  sequence: number | bigint,
): StreamIdBytes {
  if (typeof milliseconds === "number" && typeof sequence === "number") {
    const ms = streamIdMilliseconds(nodeId) + milliseconds;
    const seq = streamIdSequence(nodeId) + sequence;
    // Both sums were exact if they and the node's own parts are safe; else take the exact way.
    if (
      Number.isSafeInteger(ms) &&
      Number.isSafeInteger(seq) &&
      ms >= 0 &&
      seq >= 0 &&
      isSafeStreamId(nodeId)
    ) {
      return streamIdOf(ms, seq);
    }
  }
  const base = streamIdParts(nodeId);
  return streamIdOfBig(base.milliseconds + BigInt(milliseconds), base.sequence + BigInt(sequence));
}

/**
 * Writes `entries[start]` up to, not including, `end` as one node; its id is that of the first, and
 * the first one's field names are the master's. At least one entry.
 */
export function encodeStreamNode(
  writer: ListpackWriter,
  entries: readonly RdbStreamEntry[],
  start: number,
  end: number,
): Buffer {
  const master = entries[start] as RdbStreamEntry;
  const isSafe = isSafeStreamId(master.id);
  const baseMs = streamIdMilliseconds(master.id);
  const baseSeq = streamIdSequence(master.id);
  const masterCount = master.fields.length / 2;
  writer.appendInteger(end - start);
  writer.appendInteger(0);
  writer.appendInteger(masterCount);
  for (let index = 0; index < master.fields.length; index += 2) {
    writer.append(master.fields[index] as Bytes);
  }
  writer.appendInteger(0);
  for (let index = start; index < end; index++) {
    const entry = entries[index] as RdbStreamEntry;
    const same = sameFields(master.fields, entry.fields);
    const count = entry.fields.length / 2;
    writer.appendInteger(same ? sameFieldsFlag : 0);
    if (isSafe && isSafeStreamId(entry.id)) {
      writer.appendInteger(streamIdMilliseconds(entry.id) - baseMs);
      writer.appendInteger(streamIdSequence(entry.id) - baseSeq);
    } else {
      const [id, base] = [streamIdParts(entry.id), streamIdParts(master.id)];
      appendDifference(writer, id.milliseconds - base.milliseconds);
      appendDifference(writer, id.sequence - base.sequence);
    }
    if (!same) writer.appendInteger(count);
    for (let at = same ? 1 : 0; at < entry.fields.length; at += same ? 2 : 1) {
      writer.append(entry.fields[at] as Bytes);
    }
    // Flags and two differences; with names of its own also their number and each name.
    writer.appendInteger(same ? count + 3 : 2 * count + 4);
  }
  return writer.finish();
}

function appendDifference(writer: ListpackWriter, difference: bigint): void {
  const number = Number(difference);
  writer.appendInteger(Number.isSafeInteger(number) ? number : BigInt.asIntN(64, difference));
}

function sameFields(master: readonly Bytes[], fields: readonly Bytes[]): boolean {
  if (master.length !== fields.length) return false;
  for (let index = 0; index < master.length; index += 2) {
    const left = master[index] as Bytes;
    const right = fields[index] as Bytes;
    if (left === right) continue;
    if (typeof left === "string" || typeof right === "string" || !left.equals(right)) return false;
  }
  return true;
}
