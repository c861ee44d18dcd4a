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

/** The hash to change; a new one is not under its key until `storeHash`. */
export function writeOrCreateHash(context: CommandContext, key: string): HashValue {
  return writeHash(context, key) ?? new HashValue(context.db.collections);
}

/** Puts a hash that may be new under its key. */
export function storeHash(context: CommandContext, key: string, hash: HashValue): void {
  if (context.db.peek(key) === undefined) context.db.set(key, hash);
}
