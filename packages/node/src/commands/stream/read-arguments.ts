/** The arguments of XREAD and XREADGROUP. */
import { replyErrors } from "@slotlog/resp";
import type { CommandContext } from "../../dispatch/context.js";
import { isWord, longArgument } from "../arguments.js";
import { fail } from "../errors.js";
import { timeoutMsArgument } from "../timeout.js";

export interface ReadArguments {
  /** Unix ms at which waiting ends, 0 for never; `undefined` without BLOCK. */
  readonly timeoutAt: number | undefined;
  /** 0 is no limit. */
  readonly count: number;
  /** Index of the first key; the ids follow the keys. */
  readonly keysAt: number;
  readonly keyCount: number;
  readonly group: string | undefined;
  readonly consumer: string;
  readonly noAck: boolean;
}

export function readArguments(
  context: CommandContext,
  argv: readonly string[],
  grouped: boolean,
): ReadArguments {
  let timeoutAt: number | undefined;
  let count = 0;
  let keysAt = 0;
  let group: string | undefined;
  let consumer = "";
  let noAck = false;
  for (let at = 1; at < argv.length && keysAt === 0; at++) {
    const word = argv[at] as string;
    const next = argv[at + 1];
    if (isWord(word, "block") && next !== undefined) {
      timeoutAt = timeoutMsArgument(context, next);
      at++;
    } else if (isWord(word, "count") && next !== undefined) {
      count = Math.max(0, longArgument(next));
      at++;
    } else if (isWord(word, "streams") && next !== undefined) {
      keysAt = at + 1;
    } else if (isWord(word, "group") && at + 2 < argv.length) {
      if (!grouped) failNotGrouped("GROUP");
      group = next;
      consumer = argv[at + 2] as string;
      at += 2;
    } else if (isWord(word, "noack")) {
      if (!grouped) failNotGrouped("NOACK");
      noAck = true;
    } else {
      fail(replyErrors.syntax);
    }
  }
  if (keysAt > 0 && (argv.length - keysAt) % 2 !== 0) {
    fail(
      `ERR Unbalanced '${context.command.fullName}' list of streams: for each stream key an ID or ` +
        `'${grouped ? ">" : "$"}' must be specified.`,
    );
  }
  if (keysAt === 0) fail(replyErrors.syntax);
  if (grouped && group === undefined) fail("ERR Missing GROUP option for XREADGROUP");
  const keyCount = (argv.length - keysAt) / 2;
  return { timeoutAt, count, keysAt, keyCount, group, consumer, noAck };
}

function failNotGrouped(option: string): never {
  return fail(
    `ERR The ${option} option is only supported by XREADGROUP. You called XREAD instead.`,
  );
}
