/** Finding the sorted set under a key, for reading and for changing, and storing results. */
import { replyErrors } from "@slotlog/resp";
import type { CommandContext, EventClass } from "../../dispatch/context.js";
import { ZsetValue } from "../../store/types/zset.js";
import type { Value } from "../../store/value.js";
import { fail } from "../errors.js";

/** The value as a sorted set, `undefined` if there is none; WRONGTYPE if it is something else. */
export function asZset(value: Value | undefined): ZsetValue | undefined {
  if (value === undefined || value instanceof ZsetValue) return value;
  return fail(replyErrors.wrongType);
}

export function readZset(context: CommandContext, key: string): ZsetValue | undefined {
  return asZset(context.db.lookupRead(key));
}

export function writeZset(context: CommandContext, key: string): ZsetValue | undefined {
  return asZset(context.db.lookupWrite(key));
}

/** Deletes a sorted set from which the last member was taken. */
export function deleteEmpty(context: CommandContext, key: string): void {
  context.db.delete(key);
  context.notify("g", "del", key);
}

/**
 * Puts a result under a key in place of whatever is there, or deletes that if the result is empty,
 * and replies with the number of members.
 */
export function storeResult(
  context: CommandContext,
  key: string,
  result: ZsetValue,
  event: { readonly name: string; readonly class: EventClass },
): void {
  const { db, reply } = context;
  if (result.length > 0) {
    db.set(key, result);
    db.signalModified(key);
    reply.integer(result.length);
    context.notify(event.class, event.name, key);
    context.dirty += 1;
    return;
  }
  reply.integer(0);
  if (!db.delete(key)) return;
  db.signalModified(key);
  context.notify("g", "del", key);
  context.dirty += 1;
}
