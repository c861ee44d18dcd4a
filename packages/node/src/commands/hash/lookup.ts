/** Finding the hash under a key, for reading, for changing, and creating it. */
import { replyErrors } from "@slotlog/resp";
import type { CommandContext } from "../../dispatch/context.js";
import { HashValue } from "../../store/types/hash.js";
import type { Value } from "../../store/value.js";
import { fail } from "../errors.js";

/** The value as a hash, `undefined` if there is none; WRONGTYPE if it is something else. */
export function asHash(value: Value | undefined): HashValue | undefined {
  if (value === undefined || value instanceof HashValue) return value;
  return fail(replyErrors.wrongType);
}

export function readHash(context: CommandContext, key: string): HashValue | undefined {
  return asHash(context.db.lookupRead(key));
}

export function writeHash(context: CommandContext, key: string): HashValue | undefined {
  return asHash(context.db.lookupWrite(key));
}

/** A hash under no key: it comes there when it has its first field. */
export function newHash(context: CommandContext): HashValue {
  return new HashValue(context.db.collections);
}
