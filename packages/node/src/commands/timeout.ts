/** How long a command may block: Redis' checks, in Redis' words and order. */
import { replyErrors } from "@slotlog/resp";
import type { CommandContext } from "../dispatch/context.js";
import { parseInt64 } from "../store/int64.js";
import { doubleArgument } from "./double-argument.js";
import { fail } from "./errors.js";

/** Redis adds the timeout to the present in 64 bits. */
const int64Max = 2 ** 63;

/** A timeout in milliseconds as the Unix ms at which it ends; 0 is never. */
export function timeoutMsArgument(context: CommandContext, text: string): number {
  const value = parseInt64(text);
  if (value === undefined) return fail(replyErrors.timeoutNotAnInteger);
  return timeoutAt(context, Number(value));
}

/** As `timeoutMsArgument`, in seconds with a fraction. */
export function timeoutSecondsArgument(context: CommandContext, text: string): number {
  const seconds = doubleArgument(text, replyErrors.timeoutNotAFloat);
  if (seconds * 1000 > int64Max) fail(replyErrors.timeoutOutOfRange);
  return timeoutAt(context, Math.ceil(seconds * 1000));
}

function timeoutAt(context: CommandContext, ms: number): number {
  if (ms < 0) fail(replyErrors.timeoutNegative);
  if (ms === 0) return 0;
  return ms + context.now >= int64Max ? fail(replyErrors.timeoutOutOfRange) : ms + context.now;
}
