/** ZREM and ZREMRANGEBYRANK, -BYSCORE, -BYLEX. */
import { replyErrors } from "@slotlog/resp";
import type { CommandContext } from "../../dispatch/context.js";
import type { ZsetValue } from "../../store/types/zset.js";
import { longArgument } from "../arguments.js";
import { type CommandDocs, type CommandSpec, keyAt } from "../spec.js";
import { deleteEmpty, writeZset } from "./lookup.js";
import { LexRange, ScoreRange, type Selection, selectRange, selectRanks } from "./ranges.js";

const zrem: CommandSpec = {
  name: "zrem",
  arity: -3,
  flags: ["write", "fast"],
  categories: ["sortedset"],
  keys: [keyAt(1, "RW", "delete")],
  docs: {
    summary: "Removes members from a sorted set.",
    since: "1.2.0",
    group: "sorted_set",
    complexity: "O(M*log(N)) for M members removed from N",
    syntax: "key member [member ...]",
    history: [["2.4.0", "Takes several members."]],
  },
  run(context, argv) {
    const key = argv[1] as string;
    const zset = writeZset(context, key);
    let removed = 0;
    for (let at = 2; zset !== undefined && zset.length > 0 && at < argv.length; at++) {
      if (zset.remove(argv[at] as string)) removed++;
    }
    if (zset !== undefined && removed > 0) {
      context.notify("z", "zrem", key);
      if (zset.length === 0) deleteEmpty(context, key);
      context.db.signalModified(key);
      context.dirty += removed;
    }
    context.reply.integer(removed);
  },
};

/** Reads a range's words, and later says what it selects in a set. */
type RangeReader = (min: string, max: string) => (zset: ZsetValue) => Selection;

const byRank: RangeReader = (min, max) => {
  const start = longArgument(min, replyErrors.notAnInteger);
  const end = longArgument(max, replyErrors.notAnInteger);
  return (zset) => selectRanks(zset, { start, end }, false);
};

const byScore: RangeReader = (min, max) => {
  const range = new ScoreRange(min, max);
  return (zset) => selectRange(zset, range);
};

const byLex: RangeReader = (min, max) => {
  const range = new LexRange(min, max);
  return (zset) => selectRange(zset, range);
};

function removeRange(context: CommandContext, argv: readonly string[], read: RangeReader): void {
  const select = read(argv[2] as string, argv[3] as string);
  const key = argv[1] as string;
  const zset = writeZset(context, key);
  const removed = zset === undefined ? 0 : removeSelected(zset, select(zset));
  if (zset !== undefined && removed > 0) {
    context.db.signalModified(key);
    context.notify("z", context.command.fullName, key);
    if (zset.length === 0) deleteEmpty(context, key);
  }
  context.dirty += removed;
  context.reply.integer(removed);
}

function removeSelected(zset: ZsetValue, { start, count }: Selection): number {
  zset.removeRanks(start, count);
  return count;
}

function removing(
  name: string,
  read: RangeReader,
  docs: Pick<CommandDocs, "summary" | "since" | "syntax">,
): CommandSpec {
  return {
    name,
    arity: 4,
    flags: ["write"],
    categories: ["sortedset"],
    keys: [keyAt(1, "RW", "delete")],
    docs: {
      ...docs,
      group: "sorted_set",
      complexity: "O(log(N)+M) for M members removed from N",
    },
    run(context, argv) {
      removeRange(context, argv, read);
    },
  };
}

export const removal: readonly CommandSpec[] = [
  zrem,
  removing("zremrangebyrank", byRank, {
    summary: "Removes the members in a range of ranks.",
    since: "2.0.0",
    syntax: "key start stop",
  }),
  removing("zremrangebyscore", byScore, {
    summary: "Removes the members in a range of scores.",
    since: "1.2.0",
    syntax: "key min:double max:double",
  }),
  removing("zremrangebylex", byLex, {
    summary: "Removes the members in a range of bytes, where all have the same score.",
    since: "2.8.9",
    syntax: "key min max",
  }),
];
