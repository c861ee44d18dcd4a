/** Reply texts and the checks of arguments that most command bodies share. */
import { CommandError, replyErrors } from "@slotlog/resp";
import { isStringValue, type StringValue, type Value } from "../store/value.js";

export function fail(text: string): never {
  throw new CommandError(text);
}

/** The value as a string, `undefined` if there is none; WRONGTYPE if it is something else. */
export function asString(value: Value | undefined): StringValue | undefined {
  if (value !== undefined && !isStringValue(value)) fail(replyErrors.wrongType);
  return value;
}

/** What Redis prints of a client's word where it formats it as a C string. */
export function cString(word: string): string {
  const nul = word.indexOf("\0");
  return nul < 0 ? word : word.slice(0, nul);
}
