/** Numbers and options as arguments: Redis' checks, in Redis' words. */
import { type Argument, latin1String, replyErrors } from "@slotlog/resp";
import { parseInt64 } from "../store/int64.js";
import { fail } from "./errors.js";

const LONG_MAX = "9223372036854775807";

/**
 * A C `long`. Beyond 2^53 the number is rounded, which nobody notices who uses it as a count or an
 * index.
 */
export function longArgument(text: string, message: string = replyErrors.notAnInteger): number {
  const value = parseInt64(text);
  if (value === undefined) return fail(message);
  return typeof value === "number" ? value : Number(value);
}

/** A `long` from 0 on. */
export function positiveLongArgument(
  text: string,
  message: string = replyErrors.outOfRangeMustBePositive,
): number {
  const value = longArgument(text, message);
  return value < 0 ? fail(message) : value;
}

/** A `long` from 1 on. */
export function countArgument(text: string, message: string): number {
  const value = longArgument(text, message);
  return value < 1 ? fail(message) : value;
}

/** A `long` that may be negated: all but the smallest one. */
export function symmetricLongArgument(text: string): number {
  const value = parseInt64(text);
  if (value === undefined) return fail(replyErrors.notAnInteger);
  if (typeof value === "bigint" && value < -BigInt(LONG_MAX)) {
    fail(`ERR value is out of range, value must between -${LONG_MAX} and ${LONG_MAX}`);
  }
  return Number(value);
}

/** Case does not matter in keywords; `word` is lower case. */
export function isWord(argument: string | undefined, word: string): boolean {
  if (argument === undefined || argument.length !== word.length) return false;
  return argument === word || argument.toLowerCase() === word;
}

/** A C `long long`, exactly: a bigint beyond 2^53. */
export function integerArgument(
  text: string,
  message: string = replyErrors.notAnInteger,
): number | bigint {
  const value = parseInt64(text);
  return value === undefined ? fail(message) : value;
}

/** A C `int`, as database numbers are. */
export function intArgument(text: string, message?: string): number {
  const value = longArgument(text, message);
  if (value < -0x80000000 || value > 0x7fffffff) {
    fail(message ?? "ERR value is out of range, value must between -2147483648 and 2147483647");
  }
  return value;
}

/**
 * An argument that is no value (a key, an option) of a command that takes large ones as Buffers.
 */
export function textArgument(argument: Argument): string {
  return typeof argument === "string" ? argument : latin1String(argument, 0, argument.length);
}
