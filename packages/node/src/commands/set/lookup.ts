/** Finding the set under a key, for reading and for changing. */
import { replyErrors } from "@slotlog/resp";
import type { CommandContext } from "../../dispatch/context.js";
import { SetValue } from "../../store/types/set.js";
import type { Value } from "../../store/value.js";
import { fail } from "../errors.js";

/** The value as a set, `undefined` if there is none; WRONGTYPE if it is something else. */
export function asSet(value: Value | undefined): SetValue | undefined {
  if (value === undefined || value instanceof SetValue) return value;
  return fail(replyErrors.wrongType);
}

export function readSet(context: CommandContext, key: string): SetValue | undefined {
  return asSet(context.db.lookupRead(key));
}

export function writeSet(context: CommandContext, key: string): SetValue | undefined {
  return asSet(context.db.lookupWrite(key));
}
