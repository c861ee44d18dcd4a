/** ZCARD, ZSCORE, ZMSCORE, ZRANK, ZREVRANK, ZCOUNT, ZLEXCOUNT: questions with one answer. */
import { replyErrors, wrongArgumentCount } from "@slotlog/resp";
import type { CommandContext } from "../../dispatch/context.js";
import { isWord } from "../arguments.js";
import { fail } from "../errors.js";
import { type CommandSpec, keyAt } from "../spec.js";
import { readZset } from "./lookup.js";
import { LexRange, ScoreRange, selectRange } from "./ranges.js";

function replyScore(context: CommandContext, score: number | undefined): void {
  if (score === undefined) context.reply.nil();
  else context.reply.double(score);
}

const zcard: CommandSpec = {
  name: "zcard",
  arity: 2,
  flags: ["readonly", "fast"],
  categories: ["sortedset"],
  keys: [keyAt(1, "RO")],
  docs: {
    summary: "Counts the members of a sorted set.",
    since: "1.2.0",
    group: "sorted_set",
    complexity: "O(1)",
    syntax: "key",
  },
  run(context, argv) {
    context.reply.integer(readZset(context, argv[1] as string)?.length ?? 0);
  },
};

const zscore: CommandSpec = {
  name: "zscore",
  arity: 3,
  flags: ["readonly", "fast"],
  categories: ["sortedset"],
  keys: [keyAt(1, "RO", "access")],
  docs: {
    summary: "Returns the score of a member.",
    since: "1.2.0",
    group: "sorted_set",
    complexity: "O(1)",
    syntax: "key member",
  },
  run(context, argv) {
    replyScore(context, readZset(context, argv[1] as string)?.score(argv[2] as string));
  },
};

const zmscore: CommandSpec = {
  name: "zmscore",
  arity: -3,
  flags: ["readonly", "fast"],
  categories: ["sortedset"],
  keys: [keyAt(1, "RO", "access")],
  docs: {
    summary: "Returns the scores of several members.",
    since: "6.2.0",
    group: "sorted_set",
    complexity: "O(N) for N members asked for",
    syntax: "key member [member ...]",
  },
  run(context, argv) {
    const zset = readZset(context, argv[1] as string);
    context.reply.array(argv.length - 2);
    for (let at = 2; at < argv.length; at++) {
      replyScore(context, zset?.score(argv[at] as string));
    }
  },
};

function replyRank(context: CommandContext, argv: readonly string[], reverse: boolean): void {
  const { reply } = context;
  if (argv.length > 4) fail(wrongArgumentCount(context.command.fullName));
  const withScore = argv.length === 4;
  if (withScore && !isWord(argv[3], "withscore")) fail(replyErrors.syntax);
  const member = argv[2] as string;
  const zset = readZset(context, argv[1] as string);
  const score = zset?.score(member);
  if (zset === undefined || score === undefined) {
    if (withScore) reply.nilArray();
    else reply.nil();
    return;
  }
  const rank = zset.rank(member, score);
  if (withScore) reply.array(2);
  reply.integer(reverse ? zset.length - 1 - rank : rank);
  if (withScore) reply.double(score);
}

function ranking(name: string, reverse: boolean, summary: string): CommandSpec {
  return {
    name,
    arity: -3,
    flags: ["readonly", "fast"],
    categories: ["sortedset"],
    keys: [keyAt(1, "RO", "access")],
    docs: {
      summary,
      since: "2.0.0",
      group: "sorted_set",
      complexity: "O(log(N)) for a sorted set of N members",
      syntax: "key member [WITHSCORE]",
      history: [["7.2.0", "Takes `WITHSCORE`."]],
    },
    run(context, argv) {
      replyRank(context, argv, reverse);
    },
  };
}

const zrank = ranking("zrank", false, "Returns the rank of a member, from the lowest score.");
const zrevrank = ranking("zrevrank", true, "Returns the rank of a member, from the highest score.");

const zcount: CommandSpec = {
  name: "zcount",
  arity: 4,
  flags: ["readonly", "fast"],
  categories: ["sortedset"],
  keys: [keyAt(1, "RO", "access")],
  docs: {
    summary: "Counts the members whose scores lie in a range.",
    since: "2.0.0",
    group: "sorted_set",
    complexity: "O(log(N)) for a sorted set of N members",
    syntax: "key min:double max:double",
  },
  run(context, argv) {
    const range = new ScoreRange(argv[2] as string, argv[3] as string);
    const zset = readZset(context, argv[1] as string);
    context.reply.integer(zset === undefined ? 0 : selectRange(zset, range).count);
  },
};

const zlexcount: CommandSpec = {
  name: "zlexcount",
  arity: 4,
  flags: ["readonly", "fast"],
  categories: ["sortedset"],
  keys: [keyAt(1, "RO", "access")],
  docs: {
    summary: "Counts the members that lie in a range of bytes, where all have the same score.",
    since: "2.8.9",
    group: "sorted_set",
    complexity: "O(log(N)) for a sorted set of N members",
    syntax: "key min max",
  },
  run(context, argv) {
    const range = new LexRange(argv[2] as string, argv[3] as string);
    const zset = readZset(context, argv[1] as string);
    context.reply.integer(zset === undefined ? 0 : selectRange(zset, range).count);
  },
};

export const asking: readonly CommandSpec[] = [
  zcard,
  zscore,
  zmscore,
  zrank,
  zrevrank,
  zcount,
  zlexcount,
];
