/** What SCAN, HSCAN, SSCAN and ZSCAN share: the cursor, MATCH and COUNT, and the reply's frame. */
import { replyErrors } from "@slotlog/resp";
import type { CommandContext } from "../dispatch/context.js";
import { isWord, longArgument } from "./arguments.js";
import { fail } from "./errors.js";

/** Elements that a step returns unless COUNT says otherwise. */
const countInitial = 10;

export interface ScanOptions {
  readonly count: number;
  /** `undefined` if everything matches. */
  readonly pattern: string | undefined;
  /** Lower case; `undefined` if every type does. */
  readonly type: string | undefined;
}

/**
 * A cursor as C's `strtoul` reads it: a sign is allowed, blanks in front are not, nothing at all is
 * 0. Cursors that we never give out come as numbers that no hash reaches.
 */
export function scanCursor(text: string): number {
  if (!/^[+-]?\d*$/.test(text)) return fail(replyErrors.invalidCursor);
  const digits = text.replace(/^[+-]/, "");
  // A sign without digits is no number: strtoul stops in front of it.
  if (digits === "") return text === "" ? 0 : fail(replyErrors.invalidCursor);
  const value = BigInt(digits);
  if (value > 0xffffffffffffffffn) return fail(replyErrors.invalidCursor);
  return Number(text.startsWith("-") ? BigInt.asUintN(64, -value) : value);
}

/** `[MATCH pattern] [COUNT count]`, and `[TYPE type]` for SCAN, from argument `from` on. */
export function scanOptions(
  argv: readonly string[],
  from: number,
  { withType = false } = {},
): ScanOptions {
  let count = countInitial;
  let pattern: string | undefined;
  let type: string | undefined;
  for (let index = from; index < argv.length; index += 2) {
    const value = argv[index + 1];
    if (value !== undefined && isWord(argv[index], "count")) {
      count = longArgument(value);
      if (count < 1) fail(replyErrors.syntax);
    } else if (value !== undefined && isWord(argv[index], "match")) {
      pattern = value === "*" ? undefined : value;
    } else if (value !== undefined && withType && isWord(argv[index], "type")) {
      type = value.toLowerCase();
    } else {
      fail(replyErrors.syntax);
    }
  }
  return { count, pattern, type };
}

export function replyScanHeader(context: CommandContext, cursor: number, elements: number): void {
  context.reply.array(2);
  context.reply.bulkInteger(cursor);
  context.reply.array(elements);
}

/** Where there is no such key. */
export function replyEmptyScan(context: CommandContext): void {
  context.reply.array(2);
  context.reply.bulk("0");
  context.reply.array(0);
}
