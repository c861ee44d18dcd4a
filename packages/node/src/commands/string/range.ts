/** Parts of strings: APPEND, SETRANGE, GETRANGE and its older name SUBSTR. */
import { type Argument, latin1String, replyErrors } from "@slotlog/resp";
import type { CommandContext } from "../../dispatch/context.js";
import { ENCODING_RAW, encodeString, stringLength } from "../../store/value.js";
import { integerArgument, longArgument, textArgument } from "../arguments.js";
import { asString, fail } from "../errors.js";
import { type CommandSpec, keyAt } from "../spec.js";
import { checkStringLength, writableBytes } from "../string-bytes.js";

/**
 * Up to here an appended string stays a V8 string, which takes a third of the memory of a buffer of
 * its own; beyond, copying it for each APPEND would cost more than the buffer.
 */
const appendedTextMax = 128;

/** What was built with `+` is a tree that keeps its parts alive; this is a plain string. */
function flat(text: string): string {
  return latin1String(Buffer.from(text, "latin1"), 0, text.length);
}

const append: CommandSpec = {
  name: "append",
  arity: 3,
  flags: ["write", "denyoom", "fast"],
  categories: ["string"],
  keys: [keyAt(1, "RW", "insert")],
  docs: {
    summary: "Appends to a string value, which is created if there is none.",
    since: "2.0.0",
    group: "string",
    complexity: "O(1), amortised over repeated calls",
    syntax: "key value",
  },
  largeArguments: true,
  run(context: CommandContext, argv: readonly Argument[]) {
    const { db } = context;
    const key = textArgument(argv[1] as Argument);
    const addition = argv[2] as Argument;
    const value = asString(db.lookupWrite(key));
    let { length } = addition;
    if (value === undefined) {
      db.replace(key, encodeString(addition));
    } else {
      length += stringLength(value);
      checkStringLength(context, length);
      if (typeof value !== "object" && typeof addition === "string" && length <= appendedTextMax) {
        db.replace(key, flat(`${value}${addition}`), ENCODING_RAW);
      } else {
        writableBytes(context, key, value).append(addition);
      }
    }
    db.signalModified(key);
    context.notify("$", "append", key);
    context.dirty += 1;
    context.reply.integer(length);
  },
};

const setrange: CommandSpec = {
  name: "setrange",
  arity: 4,
  flags: ["write", "denyoom"],
  categories: ["string"],
  keys: [keyAt(1, "RW", "update")],
  docs: {
    summary: "Overwrites a part of a string value, filling with zero bytes up to it.",
    since: "2.2.0",
    group: "string",
    complexity: "O(1) plus the bytes written and filled",
    syntax: "key offset value",
  },
  largeArguments: true,
  run(context: CommandContext, argv: readonly Argument[]) {
    const { db, reply } = context;
    const key = textArgument(argv[1] as Argument);
    const offset = longArgument(textArgument(argv[2] as Argument));
    const part = argv[3] as Argument;
    if (offset < 0) fail(replyErrors.offsetOutOfRange);
    const value = asString(db.lookupWrite(key));
    if (part.length === 0) {
      reply.integer(value === undefined ? 0 : stringLength(value));
      return;
    }
    checkStringLength(context, offset + part.length);
    const bytes = writableBytes(context, key, value);
    bytes.setRange(offset, part);
    db.signalModified(key);
    context.notify("$", "setrange", key);
    context.dirty += 1;
    reply.integer(bytes.length);
  },
};

/** Negative indexes count from the end; both ends are included. */
function replyRange(context: CommandContext, argv: readonly string[]): void {
  const { db, reply } = context;
  const givenStart = integerArgument(argv[2] as string);
  const givenEnd = integerArgument(argv[3] as string);
  const value = asString(db.lookupRead(argv[1] as string));
  const length = value === undefined ? 0 : stringLength(value);
  // Two negative indexes in the wrong order are compared before the string's begin cuts them.
  const reversed = givenStart < 0 && givenEnd < 0 && givenStart > givenEnd;
  const start = fromBegin(givenStart, length);
  const end = Math.min(fromBegin(givenEnd, length), length - 1);
  if (value === undefined || reversed || start > end) reply.bulk("");
  else if (typeof value === "object") reply.bulk(value.viewRange(start, end + 1));
  else reply.bulk(String(value).slice(start, end + 1));
}

function fromBegin(index: number | bigint, length: number): number {
  const near = Number(index);
  return near < 0 ? Math.max(0, near + length) : near;
}

const getrange: CommandSpec = {
  name: "getrange",
  arity: 4,
  flags: ["readonly"],
  categories: ["string"],
  keys: [keyAt(1, "RO", "access")],
  docs: {
    summary: "Returns a part of a string value.",
    since: "2.4.0",
    group: "string",
    complexity: "O(N) for N bytes returned",
    syntax: "key start end",
  },
  run: replyRange,
};

const substr: CommandSpec = {
  name: "substr",
  arity: 4,
  flags: ["readonly"],
  categories: ["string"],
  keys: [keyAt(1, "RO", "access")],
  docs: {
    summary: "Returns a part of a string value.",
    since: "1.0.0",
    group: "string",
    complexity: "O(N) for N bytes returned",
    syntax: "key start end",
    deprecatedSince: "2.0.0",
    replacedBy: "`GETRANGE`",
  },
  run: replyRange,
};

export const ranges: readonly CommandSpec[] = [append, setrange, getrange, substr];
