/** ZUNION, ZINTER, ZDIFF, their -STORE forms, and ZINTERCARD: the commands (see `combine.ts`). */
import { replyErrors } from "@slotlog/resp";
import type { CommandContext } from "../../dispatch/context.js";
import { SetValue } from "../../store/types/set.js";
import { ZsetValue } from "../../store/types/zset.js";
import { isWord, longArgument, positiveLongArgument } from "../arguments.js";
import { doubleArgument } from "../double-argument.js";
import { fail } from "../errors.js";
import { type CommandDocs, type CommandSpec, countedKeys, keyAt } from "../spec.js";
import {
  type Aggregate,
  difference,
  intersection,
  intersectionSize,
  type Scored,
  type Source,
  toOrder,
  toZset,
  union,
} from "./combine.js";
import { storeResult } from "./lookup.js";

type Operation = "union" | "inter" | "diff";

/** What a command does with the result. */
type Use = "reply" | "store" | "count";

interface Request {
  readonly sources: readonly Source[];
  readonly aggregate: Aggregate;
  readonly withScores: boolean;
  readonly limit: number;
}

function sourceOf(context: CommandContext, key: string): Source {
  const value = context.db.lookupRead(key);
  if (value !== undefined && !(value instanceof ZsetValue) && !(value instanceof SetValue)) {
    return fail(replyErrors.wrongType);
  }
  return { value, weight: 1 };
}

function aggregateArgument(word: string): Aggregate {
  const name = word.toLowerCase();
  if (name === "sum" || name === "min" || name === "max") return name;
  return fail(replyErrors.syntax);
}

/** `numkeys key [key ...] [option ...]` from argument `at` on. */
function readRequest(
  context: CommandContext,
  argv: readonly string[],
  at: number,
  form: { readonly operation: Operation; readonly use: Use },
): Request {
  const count = longArgument(argv[at] as string);
  if (count < 1) {
    fail(`ERR at least 1 input key is needed for '${context.command.fullName}' command`);
  }
  const end = at + 1 + count;
  if (end > argv.length) fail(replyErrors.syntax);
  const sources = argv.slice(at + 1, end).map((key) => sourceOf(context, key));
  let aggregate: Aggregate = "sum";
  let withScores = false;
  let limit = 0;
  const aggregates = form.operation !== "diff" && form.use !== "count";
  for (let next = end; next < argv.length; next++) {
    const word = argv[next];
    const left = argv.length - next - 1;
    if (aggregates && left >= count && isWord(word, "weights")) {
      for (const source of sources) {
        next++;
        source.weight = doubleArgument(argv[next] as string, "ERR weight value is not a float");
      }
    } else if (aggregates && left >= 1 && isWord(word, "aggregate")) {
      aggregate = aggregateArgument(argv[++next] as string);
    } else if (form.use === "reply" && isWord(word, "withscores")) {
      withScores = true;
    } else if (form.use === "count" && left >= 1 && isWord(word, "limit")) {
      limit = positiveLongArgument(argv[++next] as string, "ERR LIMIT can't be negative");
    } else fail(replyErrors.syntax);
  }
  return { sources, aggregate, withScores, limit };
}

function combine(context: CommandContext, operation: Operation, request: Request): Scored {
  const { collections } = context.db;
  switch (operation) {
    case "union":
      return union(request, collections);
    case "inter":
      return intersection(request);
    case "diff":
      return difference(request, collections);
  }
}

function replyScored(context: CommandContext, scored: Scored, withScores: boolean): void {
  const { reply } = context;
  const order = toOrder(scored);
  const nested = withScores && reply.protocol === 3;
  reply.array(withScores && !nested ? order.size * 2 : order.size);
  for (const cursor = order.at(0); cursor.valid; cursor.next()) {
    if (nested) reply.array(2);
    reply.bulk(cursor.member);
    if (withScores) reply.double(cursor.score);
  }
}

type Texts = Pick<CommandDocs, "summary" | "since" | "complexity">;

/** The options that unions and intersections have, and differences have not. */
const aggregation = "[WEIGHTS weight ...] [AGGREGATE aggregate{SUM | MIN | MAX}]";

function replying(name: string, operation: Operation, docs: Texts): CommandSpec {
  const options = operation === "diff" ? "" : `${aggregation} `;
  return {
    name,
    arity: -3,
    flags: ["readonly"],
    categories: ["sortedset"],
    keys: [countedKeys(1, "RO", "access")],
    docs: {
      ...docs,
      group: "sorted_set",
      syntax: `numkeys key [key ...] ${options}[WITHSCORES]`,
    },
    run(context, argv) {
      const request = readRequest(context, argv, 1, { operation, use: "reply" });
      replyScored(context, combine(context, operation, request), request.withScores);
    },
  };
}

function storing(name: string, operation: Operation, docs: Texts): CommandSpec {
  const options = operation === "diff" ? "" : ` ${aggregation}`;
  return {
    name,
    arity: -4,
    flags: ["write", "denyoom"],
    categories: ["sortedset"],
    keys: [keyAt(1, "OW", "update"), countedKeys(2, "RO", "access")],
    docs: {
      ...docs,
      group: "sorted_set",
      syntax: `destination numkeys key [key ...]${options}`,
    },
    run(context, argv) {
      const request = readRequest(context, argv, 2, { operation, use: "store" });
      const result = toZset(combine(context, operation, request), context.db.collections);
      storeResult(context, argv[1] as string, result, { class: "z", name });
    },
  };
}

const zintercard: CommandSpec = {
  name: "zintercard",
  arity: -3,
  flags: ["readonly"],
  categories: ["sortedset"],
  keys: [countedKeys(1, "RO", "access")],
  docs: {
    summary: "Counts the members that several sorted sets have in common, up to a limit.",
    since: "7.0.0",
    group: "sorted_set",
    complexity: "O(N*K) for K sets, the smallest of which has N members",
    syntax: "numkeys key [key ...] [LIMIT limit]",
  },
  run(context, argv) {
    const request = readRequest(context, argv, 1, { operation: "inter", use: "count" });
    context.reply.integer(intersectionSize(request, request.limit));
  },
};

const unionComplexity = "O(N)+O(M*log(M)) for N members in all and M in the result";
const interComplexity =
  "O(N*K)+O(M*log(M)) for K sets, the smallest of which has N members, and M in the result";
const diffComplexity = "O(L+K*log(K)) at worst for L members in all sets and K in the result";

export const combining: readonly CommandSpec[] = [
  replying("zunion", "union", {
    summary: "Returns the union of sorted sets.",
    since: "6.2.0",
    complexity: unionComplexity,
  }),
  replying("zinter", "inter", {
    summary: "Returns the intersection of sorted sets.",
    since: "6.2.0",
    complexity: interComplexity,
  }),
  replying("zdiff", "diff", {
    summary: "Returns what the first sorted set has and the others have not.",
    since: "6.2.0",
    complexity: diffComplexity,
  }),
  storing("zunionstore", "union", {
    summary: "Stores the union of sorted sets under a key.",
    since: "2.0.0",
    complexity: unionComplexity,
  }),
  storing("zinterstore", "inter", {
    summary: "Stores the intersection of sorted sets under a key.",
    since: "2.0.0",
    complexity: interComplexity,
  }),
  storing("zdiffstore", "diff", {
    summary: "Stores what the first sorted set has and the others have not under a key.",
    since: "6.2.0",
    complexity: diffComplexity,
  }),
  zintercard,
];
