/** ZPOPMIN, ZPOPMAX, ZMPOP, and the pop that their blocking forms share. */
import { type ReplyWriter, replyErrors } from "@slotlog/resp";
import type { CommandContext } from "../../dispatch/context.js";
import type { ZsetValue } from "../../store/types/zset.js";
import { countArgument, isWord, positiveLongArgument } from "../arguments.js";
import { fail } from "../errors.js";
import { type CommandSpec, countedKeys, keyAt } from "../spec.js";
import { deleteEmpty, writeZset } from "./lookup.js";

export type PopEnd = "min" | "max";

/** The words under which a pop is logged. */
export const popRecordName: Readonly<Record<PopEnd, string>> = { min: "ZPOPMIN", max: "ZPOPMAX" };

/**
 * Takes `count` members, of which there are as many, off one end of a sorted set and writes each as
 * member and score on `reply`, in an array of two if `nested`. Tells the changes and deletes the
 * key if nothing is left. The reply's header is the caller's.
 */
export function popMembers(
  context: CommandContext,
  target: { readonly key: string; readonly zset: ZsetValue },
  pop: { readonly end: PopEnd; readonly count: number; readonly nested: boolean },
  reply: ReplyWriter = context.reply,
): void {
  const { key, zset } = target;
  for (let left = pop.count; left > 0; left--) {
    const { member, score } = zset.at(pop.end === "min" ? 0 : zset.length - 1);
    zset.remove(member);
    context.dirty += 1;
    if (left === pop.count) {
      context.notify("z", pop.end === "min" ? "zpopmin" : "zpopmax", key);
      context.db.signalModified(key);
    }
    if (pop.nested) reply.array(2);
    reply.bulk(member);
    reply.double(score);
  }
  if (zset.length === 0) deleteEmpty(context, key);
}

function popFromOne(context: CommandContext, argv: readonly string[], end: PopEnd): void {
  const { reply } = context;
  if (argv.length > 3) fail(replyErrors.syntax);
  const hasCount = argv.length === 3;
  const wanted = hasCount ? positiveLongArgument(argv[2] as string) : 1;
  const key = argv[1] as string;
  const zset = writeZset(context, key);
  if (zset === undefined || wanted === 0) {
    reply.array(0);
    return;
  }
  const count = Math.min(wanted, zset.length);
  const nested = hasCount && reply.protocol === 3;
  reply.array(nested ? count : count * 2);
  popMembers(context, { key, zset }, { end, count, nested });
}

function popping(name: string, end: PopEnd, summary: string): CommandSpec {
  return {
    name,
    arity: -2,
    flags: ["write", "fast"],
    categories: ["sortedset"],
    keys: [keyAt(1, "RW", "access", "delete")],
    docs: {
      summary,
      since: "5.0.0",
      group: "sorted_set",
      complexity: "O(M*log(N)) for M members popped from N",
      syntax: "key [count]",
    },
    run(context, argv) {
      popFromOne(context, argv, end);
    },
  };
}

export interface MultiplePop {
  /** Arguments from `firstKey` to before `endKey`. */
  readonly firstKey: number;
  readonly endKey: number;
  readonly end: PopEnd;
  readonly count: number;
}

/** `numkeys key [key ...] MIN | MAX [COUNT count]` from argument `at` on (ZMPOP and BZMPOP). */
export function multiplePop(argv: readonly string[], at: number): MultiplePop {
  const keys = countArgument(argv[at] as string, "ERR numkeys should be greater than 0");
  const firstKey = at + 1;
  const endKey = firstKey + keys;
  const isMin = isWord(argv[endKey], "min");
  if (!isMin && !isWord(argv[endKey], "max")) fail(replyErrors.syntax);
  let count = -1;
  for (let next = endKey + 1; next < argv.length; next += 2) {
    const value = argv[next + 1];
    if (count !== -1 || value === undefined || !isWord(argv[next], "count")) {
      return fail(replyErrors.syntax);
    }
    count = countArgument(value, "ERR count should be greater than 0");
  }
  return { firstKey, endKey, end: isMin ? "min" : "max", count: count === -1 ? 1 : count };
}

const zmpop: CommandSpec = {
  name: "zmpop",
  arity: -4,
  flags: ["write"],
  categories: ["sortedset"],
  keys: [countedKeys(1, "RW", "access", "delete")],
  docs: {
    summary: "Pops the members with the lowest or highest scores of the first set that has any.",
    since: "7.0.0",
    group: "sorted_set",
    complexity: "O(K) + O(M*log(N)) for K keys and M members popped from N",
    syntax: "numkeys key [key ...] where{MIN | MAX} [COUNT count]",
  },
  run(context, argv) {
    const { firstKey, endKey, end, count: wanted } = multiplePop(argv, 1);
    for (let at = firstKey; at < endKey; at++) {
      const key = argv[at] as string;
      const zset = writeZset(context, key);
      if (zset === undefined) continue;
      const count = Math.min(wanted, zset.length);
      context.reply.array(2);
      context.reply.bulk(key);
      context.reply.array(count);
      popMembers(context, { key, zset }, { end, count, nested: true });
      context.propagateAs([popRecordName[end], key, String(count)]);
      return;
    }
    context.reply.nilArray();
  },
};

export const popCommands: readonly CommandSpec[] = [
  popping("zpopmin", "min", "Removes and returns the members with the lowest scores."),
  popping("zpopmax", "max", "Removes and returns the members with the highest scores."),
  zmpop,
];
