/**
 * Expiry times as commands give, log and print them: absolute Unix milliseconds, 64 bits wide. The
 * store keeps them as doubles, so a time beyond the year 287,396 (2^53 ms) is rounded there; in
 * records and comparisons it is exact.
 */
import type { ReplyWriter } from "@slotlog/resp";
import type { CommandContext } from "../dispatch/context.js";
import { INT64_MAX, INT64_MIN, parseInt64 } from "../store/int64.js";
import { fail } from "./errors.js";
import { integerArgument } from "./arguments.js";

/** How a time is written: in seconds or milliseconds, from now on or since 1970. */
export interface TimeNotation {
  readonly unitMs: 1 | 1000;
  readonly relative: boolean;
}

export const expiryNotations: Readonly<Record<"ex" | "px" | "exat" | "pxat", TimeNotation>> = {
  ex: { unitMs: 1000, relative: true },
  px: { unitMs: 1, relative: true },
  exat: { unitMs: 1000, relative: false },
  pxat: { unitMs: 1, relative: false },
};

/** Up to here, times 1000 and plus the time of day is a safe integer. */
const plainMax = 9e12;

function invalid(context: CommandContext): never {
  return fail(`ERR invalid expire time in '${context.command.fullName}' command`);
}

/** The time that EXPIRE and its relatives are given: any, as long as 64 bits hold it. */
export function absoluteTime(
  context: CommandContext,
  text: string,
  { unitMs, relative }: TimeNotation,
): number | bigint {
  const given = integerArgument(text);
  const base = relative ? context.now : 0;
  if (typeof given === "number" && given <= plainMax && given >= -plainMax) {
    return given * unitMs + base;
  }
  const scaled = BigInt(given) * BigInt(unitMs);
  if (scaled > INT64_MAX || scaled < INT64_MIN) return invalid(context);
  const at = scaled + BigInt(base);
  return at > INT64_MAX ? invalid(context) : narrowed(at);
}

/** The time in an option of SET or GETEX, which must be positive. */
export function optionTime(
  context: CommandContext,
  text: string,
  notation: TimeNotation,
): number | bigint {
  const given = parseInt64(text);
  if (given !== undefined && given <= 0) return invalid(context);
  return absoluteTime(context, text, notation);
}

function narrowed(value: bigint): number | bigint {
  const rounded = Number(value);
  return Number.isSafeInteger(rounded) ? rounded : value;
}

/**
 * True if a key with this expiry is deleted at once instead: not on a replica and not while
 * loading, where the deletion comes as a record of its own.
 */
export function isPast({ node, now }: CommandContext, at: number | bigint): boolean {
  return at <= now && !node.loading && !node.role.isReplica;
}

/** A time from the store, which may be a rounded one beyond 2^53. */
export function replyTime(reply: ReplyWriter, value: number): void {
  if (Number.isSafeInteger(value)) reply.integer(value);
  else reply.bigInteger(value >= 2 ** 63 ? INT64_MAX : BigInt(value));
}
