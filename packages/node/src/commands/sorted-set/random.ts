/** ZRANDMEMBER: random members, distinct or not. */
import { replyErrors } from "@slotlog/resp";
import type { CommandContext } from "../../dispatch/context.js";
import { KeyTable } from "../../store/key-table.js";
import type { ZsetValue } from "../../store/types/zset.js";
import type { ZsetCursor } from "../../store/types/zset-order.js";
import { isWord, symmetricLongArgument } from "../arguments.js";
import { fail } from "../errors.js";
import { chooseDistinct, mustPickOneByOne } from "../random-choice.js";
import { type CommandSpec, keyAt } from "../spec.js";
import { readZset } from "./lookup.js";

/** Half the range of a `long`: with scores a reply has twice as many elements. */
const pairsEnd = 2 ** 62;

interface Wish {
  readonly count: number;
  readonly withScores: boolean;
}

function replyHeader(context: CommandContext, { count, withScores }: Wish): void {
  context.reply.array(withScores && context.reply.protocol === 2 ? count * 2 : count);
}

function replyAt(context: CommandContext, cursor: ZsetCursor, withScores: boolean): void {
  const { reply } = context;
  if (withScores && reply.protocol === 3) reply.array(2);
  reply.bulk(cursor.member);
  if (withScores) reply.double(cursor.score);
}

function replyWithRepetition(context: CommandContext, zset: ZsetValue, wish: Wish): void {
  replyHeader(context, wish);
  for (let left = wish.count; left > 0; left--) {
    replyAt(context, zset.at(zset.randomRank()), wish.withScores);
  }
}

function replyDistinct(context: CommandContext, zset: ZsetValue, wish: Wish): void {
  const size = zset.length;
  const { withScores } = wish;
  const count = Math.min(wish.count, size);
  replyHeader(context, { count, withScores });
  if (count === size) {
    // All of them: Redis walks from the highest score down, and small sets show it.
    for (const cursor = zset.at(size - 1); cursor.valid; cursor.previous()) {
      replyAt(context, cursor, withScores);
    }
    return;
  }
  const { hasher, random } = context.db.collections;
  if (mustPickOneByOne(count, size)) {
    const seen = new KeyTable(0);
    while (seen.size < count) {
      const cursor = zset.at(zset.randomRank());
      const { member } = cursor;
      if (seen.set(member, hasher.hashOf(member), undefined)) replyAt(context, cursor, withScores);
    }
    return;
  }
  const cursor = zset.at(0);
  let rank = 0;
  chooseDistinct({ size, count, random }, (index) => {
    for (; rank < index; rank++) cursor.next();
    replyAt(context, cursor, withScores);
  });
}

const zrandmember: CommandSpec = {
  name: "zrandmember",
  arity: -2,
  flags: ["readonly"],
  categories: ["sortedset"],
  keys: [keyAt(1, "RO", "access")],
  tips: ["nondeterministic_output"],
  docs: {
    summary: "Returns random members of a sorted set, with their scores if asked to.",
    since: "6.2.0",
    group: "sorted_set",
    complexity: "O(N*log(M)) for N members returned from M",
    syntax: "key options[count [WITHSCORES]]",
  },
  run(context, argv) {
    if (argv.length === 2) {
      const zset = readZset(context, argv[1] as string);
      if (zset === undefined) context.reply.nil();
      else context.reply.bulk(zset.at(zset.randomRank()).member);
      return;
    }
    const count = symmetricLongArgument(argv[2] as string);
    const withScores = argv.length === 4 && isWord(argv[3], "withscores");
    if (argv.length > 4 || (argv.length === 4 && !withScores)) fail(replyErrors.syntax);
    if (withScores && Math.abs(count) >= pairsEnd) fail(replyErrors.outOfRange);
    const zset = readZset(context, argv[1] as string);
    if (zset === undefined || count === 0) context.reply.array(0);
    else if (count < 0) replyWithRepetition(context, zset, { count: -count, withScores });
    else replyDistinct(context, zset, { count, withScores });
  },
};

export const choosing: readonly CommandSpec[] = [zrandmember];
