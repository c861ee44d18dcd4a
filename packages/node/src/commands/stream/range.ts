/** XLEN, XRANGE, XREVRANGE. */
import { replyErrors } from "@slotlog/resp";
import type { CommandContext } from "../../dispatch/context.js";
import { isWord, longArgument } from "../arguments.js";
import { fail } from "../errors.js";
import { type CommandSpec, keyAt } from "../spec.js";
import { endArgument, readStream, startArgument } from "./lookup.js";
import { replyRange } from "./reply.js";

function range(context: CommandContext, argv: readonly string[], reverse: boolean): void {
  const start = startArgument(argv[reverse ? 3 : 2] as string);
  const end = endArgument(argv[reverse ? 2 : 3] as string);
  let count: number | undefined;
  for (let at = 4; at < argv.length; at += 2) {
    const value = argv[at + 1];
    if (value === undefined || !isWord(argv[at], "count")) fail(replyErrors.syntax);
    count = Math.max(0, longArgument(value as string));
  }
  const stream = readStream(context, argv[1] as string);
  if (stream === undefined) context.reply.array(0);
  else if (count === 0) context.reply.nilArray();
  else replyRange(context.reply, stream, { start, end, count: count ?? 0, reverse });
}

const xlen: CommandSpec = {
  name: "xlen",
  arity: 2,
  flags: ["readonly", "fast"],
  categories: ["stream"],
  keys: [keyAt(1, "RO")],
  docs: {
    summary: "Counts the entries of a stream.",
    since: "5.0.0",
    group: "stream",
    complexity: "O(1)",
    syntax: "key",
  },
  run(context, argv) {
    context.reply.integer(readStream(context, argv[1] as string)?.length ?? 0);
  },
};

const complexity = "O(N) for N entries returned";
const history = [["6.2.0", "Added exclusive ranges."]] as const;

const xrange: CommandSpec = {
  name: "xrange",
  arity: -4,
  flags: ["readonly"],
  categories: ["stream"],
  keys: [keyAt(1, "RO", "access")],
  docs: {
    summary: "Returns the entries between two ids.",
    since: "5.0.0",
    group: "stream",
    complexity,
    syntax: "key start:string end:string [COUNT count]",
    history,
  },
  run: (context, argv) => range(context, argv, false),
};

const xrevrange: CommandSpec = {
  name: "xrevrange",
  arity: -4,
  flags: ["readonly"],
  categories: ["stream"],
  keys: [keyAt(1, "RO", "access")],
  docs: {
    summary: "Returns the entries between two ids, the last one first.",
    since: "5.0.0",
    group: "stream",
    complexity,
    syntax: "key end:string start:string [COUNT count]",
    history,
  },
  run: (context, argv) => range(context, argv, true),
};

export const ranging: readonly CommandSpec[] = [xlen, xrange, xrevrange];
