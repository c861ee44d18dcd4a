/** ZRANGE, ZRANGESTORE, and the commands that ZRANGE's options have replaced. */
import { replyErrors } from "@slotlog/resp";
import type { CommandContext } from "../../dispatch/context.js";
import { ZsetValue } from "../../store/types/zset.js";
import { isWord, longArgument } from "../arguments.js";
import { fail } from "../errors.js";
import { type CommandDocs, type CommandSpec, keyAt, type KeySpec } from "../spec.js";
import { readZset, storeResult } from "./lookup.js";
import {
  LexRange,
  type Limit,
  noLimit,
  ScoreRange,
  type Selection,
  selectRange,
  selectRanks,
} from "./ranges.js";

type RangeKind = "rank" | "score" | "lex";

/** What a command's name has decided already. */
interface RangeForm {
  readonly kind?: RangeKind;
  readonly reverse?: boolean;
}

interface RangeRequest {
  readonly select: (zset: ZsetValue) => Selection;
  readonly kind: RangeKind;
  readonly withScores: boolean;
}

interface RangeOptions {
  readonly kind: RangeKind;
  readonly reverse: boolean;
  readonly withScores: boolean;
  readonly limit: Limit;
}

function rangeOptions(
  argv: readonly string[],
  from: number,
  form: RangeForm,
  stores: boolean,
): RangeOptions {
  let { kind, reverse } = form;
  let withScores = false;
  let limit = noLimit;
  for (let at = from; at < argv.length; at++) {
    const word = argv[at];
    if (!stores && isWord(word, "withscores")) withScores = true;
    else if (isWord(word, "limit") && at + 2 < argv.length) {
      const offset = longArgument(argv[at + 1] as string);
      limit = { offset, count: longArgument(argv[at + 2] as string) };
      at += 2;
    } else if (form.reverse === undefined && reverse === undefined && isWord(word, "rev")) {
      reverse = true;
    } else if (kind === undefined && isWord(word, "bylex")) kind = "lex";
    else if (kind === undefined && isWord(word, "byscore")) kind = "score";
    else fail(replyErrors.syntax);
  }
  kind ??= "rank";
  if (limit.count !== -1 && kind === "rank") {
    fail("ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX");
  }
  if (withScores && kind === "lex") {
    fail("ERR syntax error, WITHSCORES not supported in combination with BYLEX");
  }
  return { kind, reverse: reverse === true, withScores, limit };
}

/** The words `min max [option ...]` from argument `first` on. */
function rangeRequest(
  argv: readonly string[],
  first: number,
  form: RangeForm,
  stores: boolean,
): RangeRequest {
  const options = rangeOptions(argv, first + 2, form, stores);
  const { kind, reverse, withScores, limit } = options;
  const left = argv[first] as string;
  const right = argv[first + 1] as string;
  if (kind === "rank") {
    const start = longArgument(left);
    const end = longArgument(right);
    return { kind, withScores, select: (zset) => selectRanks(zset, { start, end }, reverse) };
  }
  // A reversed range is given from its upper end.
  const [min, max] = reverse ? [right, left] : [left, right];
  const range = kind === "score" ? new ScoreRange(min, max) : new LexRange(min, max);
  return { kind, withScores, select: (zset) => selectRange(zset, range, reverse, limit) };
}

function replySelection(
  context: CommandContext,
  zset: ZsetValue,
  selection: Selection,
  withScores: boolean,
): void {
  const { reply } = context;
  const { start, count, reverse } = selection;
  const nested = withScores && reply.protocol === 3;
  reply.array(withScores && !nested ? count * 2 : count);
  const cursor = zset.at(start);
  for (let left = count; left > 0; left--, cursor.step(reverse)) {
    if (nested) reply.array(2);
    reply.bulk(cursor.member);
    if (withScores) reply.double(cursor.score);
  }
}

function replyRange(context: CommandContext, argv: readonly string[], form: RangeForm): void {
  const { select, withScores } = rangeRequest(argv, 2, form, false);
  const zset = readZset(context, argv[1] as string);
  if (zset === undefined) context.reply.array(0);
  else replySelection(context, zset, select(zset), withScores);
}

function storeRange(context: CommandContext, argv: readonly string[]): void {
  const { select, kind } = rangeRequest(argv, 3, {}, true);
  const { collections } = context.db;
  const source = readZset(context, argv[2] as string);
  const selection = source === undefined ? undefined : select(source);
  const { start, count, reverse } = selection ?? { start: 0, count: 0, reverse: false };
  const result = ZsetValue.expecting(collections, kind === "rank" ? count : 0, 0);
  const cursor = (source ?? result).at(start);
  for (let left = count; left > 0; left--, cursor.step(reverse)) {
    result.add(cursor.member, cursor.score);
  }
  storeResult(context, argv[1] as string, result, { class: "z", name: "zrangestore" });
}

const readsKey: readonly KeySpec[] = [keyAt(1, "RO", "access")];
const complexity = "O(log(N)+M) for M members returned from N";

const zrange: CommandSpec = {
  name: "zrange",
  arity: -4,
  flags: ["readonly"],
  categories: ["sortedset"],
  keys: readsKey,
  docs: {
    summary: "Returns the members in a range of ranks, scores or bytes.",
    since: "1.2.0",
    group: "sorted_set",
    complexity,
    syntax:
      "key start:string stop:string sortby@6.2.0[BYSCORE | BYLEX] [REV@6.2.0] " +
      "[LIMIT limit@6.2.0{offset count}] [WITHSCORES]",
    history: [["6.2.0", "Takes `REV`, `BYSCORE`, `BYLEX` and `LIMIT`."]],
  },
  run(context, argv) {
    replyRange(context, argv, {});
  },
};

const zrangestore: CommandSpec = {
  name: "zrangestore",
  arity: -5,
  flags: ["write", "denyoom"],
  categories: ["sortedset"],
  keys: [keyAt(1, "OW", "update"), keyAt(2, "RO", "access")],
  docs: {
    summary: "Stores the members in a range of ranks, scores or bytes under a key.",
    since: "6.2.0",
    group: "sorted_set",
    complexity: "O(log(N)+M) for M members stored from N",
    syntax: "dst src min max sortby[BYSCORE | BYLEX] [REV] [LIMIT limit{offset count}]",
  },
  run: storeRange,
};

function replaced(
  name: string,
  form: RangeForm,
  docs: Omit<CommandDocs, "group" | "complexity" | "deprecatedSince">,
): CommandSpec {
  return {
    name,
    arity: -4,
    flags: ["readonly"],
    categories: ["sortedset"],
    keys: readsKey,
    docs: { ...docs, group: "sorted_set", complexity, deprecatedSince: "6.2.0" },
    run(context, argv) {
      replyRange(context, argv, form);
    },
  };
}

const replacedCommands: readonly CommandSpec[] = [
  replaced(
    "zrevrange",
    { kind: "rank", reverse: true },
    {
      summary: "Returns the members in a range of ranks, from the highest score on.",
      since: "1.2.0",
      syntax: "key start stop [WITHSCORES]",
      replacedBy: "`ZRANGE` with the `REV` argument",
    },
  ),
  replaced(
    "zrangebyscore",
    { kind: "score", reverse: false },
    {
      summary: "Returns the members in a range of scores.",
      since: "1.0.5",
      syntax: "key min:double max:double [WITHSCORES@2.0.0] [LIMIT limit{offset count}]",
      replacedBy: "`ZRANGE` with the `BYSCORE` argument",
      history: [["2.0.0", "Takes `WITHSCORES`."]],
    },
  ),
  replaced(
    "zrevrangebyscore",
    { kind: "score", reverse: true },
    {
      summary: "Returns the members in a range of scores, from the highest on.",
      since: "2.2.0",
      syntax: "key max:double min:double [WITHSCORES] [LIMIT limit{offset count}]",
      replacedBy: "`ZRANGE` with the `REV` and `BYSCORE` arguments",
      history: [["2.1.6", "`min` and `max` may exclude themselves."]],
    },
  ),
  replaced(
    "zrangebylex",
    { kind: "lex", reverse: false },
    {
      summary: "Returns the members in a range of bytes, where all have the same score.",
      since: "2.8.9",
      syntax: "key min max [LIMIT limit{offset count}]",
      replacedBy: "`ZRANGE` with the `BYLEX` argument",
    },
  ),
  replaced(
    "zrevrangebylex",
    { kind: "lex", reverse: true },
    {
      summary: "Returns the members in a range of bytes downwards, where all have the same score.",
      since: "2.8.9",
      syntax: "key max min [LIMIT limit{offset count}]",
      replacedBy: "`ZRANGE` with the `REV` and `BYLEX` arguments",
    },
  ),
];

export const ranging: readonly CommandSpec[] = [zrange, zrangestore, ...replacedCommands];
