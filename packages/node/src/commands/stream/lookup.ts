/** Finding the stream and the group that a command names, and their ids as arguments. */
import { replyErrors } from "@slotlog/resp";
import type { CommandContext } from "../../dispatch/context.js";
import { StreamValue } from "../../store/types/stream.js";
import type { StreamConsumer, StreamGroup } from "../../store/types/stream-group.js";
import {
  type Long,
  maxWord,
  nextId,
  parseId,
  parseRangeId,
  previousId,
  type StreamId,
  upToNul,
} from "../../store/types/stream-id.js";
import type { Value } from "../../store/value.js";
import { fail } from "../errors.js";

/** The value as a stream, `undefined` if there is none; WRONGTYPE if it is something else. */
export function asStream(value: Value | undefined): StreamValue | undefined {
  if (value === undefined || value instanceof StreamValue) return value;
  return fail(replyErrors.wrongType);
}

export function readStream(context: CommandContext, key: string): StreamValue | undefined {
  return asStream(context.db.lookupRead(key));
}

export function writeStream(context: CommandContext, key: string): StreamValue | undefined {
  return asStream(context.db.lookupWrite(key));
}

/**
 * The stream for commands of groups: Redis looks it up as if for reading, with the statistics of
 * that, and then changes it.
 */
export function readStreamToChange(context: CommandContext, key: string): StreamValue | undefined {
  const stream = readStream(context, key);
  if (stream !== undefined) context.db.lookupWrite(key);
  return stream;
}

/** The consumer, made if it is new; its last contact is now. */
export function seenConsumer(
  context: CommandContext,
  key: string,
  { group, name }: { readonly group: StreamGroup; readonly name: string },
): StreamConsumer {
  const consumer = group.consumers.get(name) ?? createConsumer(context, key, { group, name });
  consumer.seenAt = context.now;
  return consumer;
}

export function createConsumer(
  context: CommandContext,
  key: string,
  { group, name }: { readonly group: StreamGroup; readonly name: string },
): StreamConsumer {
  const consumer = group.createConsumer(name, context.now);
  context.dirty += 1;
  context.notify("t", "xgroup-createconsumer", key);
  return consumer;
}

/** An id with `-` and `+` not allowed; an absent sequence is 0. */
export function idArgument(text: string): StreamId {
  return parseId(text) ?? fail(replyErrors.invalidStreamId);
}

/** The lower end of an interval, `(` in front excluding it. */
export function startArgument(text: string): StreamId {
  if (!isExclusive(text)) return rangeId(text, 0);
  return nextId(exclusiveId(text, 0)) ?? fail("ERR invalid start ID for the interval");
}

/** The upper end of an interval, `(` in front excluding it. */
export function endArgument(text: string): StreamId {
  if (!isExclusive(text)) return rangeId(text, maxWord);
  return previousId(exclusiveId(text, maxWord)) ?? fail("ERR invalid end ID for the interval");
}

function isExclusive(text: string): boolean {
  return text.length > 1 && text.startsWith("(");
}

function exclusiveId(text: string, missingSequence: Long): StreamId {
  return parseId(text.substring(1), missingSequence) ?? fail(replyErrors.invalidStreamId);
}

function rangeId(text: string, missingSequence: Long): StreamId {
  return parseRangeId(text, missingSequence) ?? fail(replyErrors.invalidStreamId);
}

/** NOGROUP as most commands word it. */
export function failWithoutGroup(key: string, group: string): never {
  return fail(`NOGROUP No such key '${upToNul(key)}' or consumer group '${upToNul(group)}'`);
}

/** NOGROUP of XGROUP and XINFO. */
export function failUnknownGroup(key: string, group: string): never {
  return fail(`NOGROUP No such consumer group '${upToNul(group)}' for key name '${upToNul(key)}'`);
}
