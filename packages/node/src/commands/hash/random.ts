/** HRANDFIELD: random fields, distinct or not. */
import { replyErrors } from "@slotlog/resp";
import type { CommandContext } from "../../dispatch/context.js";
import { KeyTable } from "../../store/key-table.js";
import { type Element, elementText, replyElement } from "../../store/types/element.js";
import type { HashValue } from "../../store/types/hash.js";
import { isWord, symmetricLongArgument } from "../arguments.js";
import { fail } from "../errors.js";
import { chooseDistinct, drawRepeatedly, mustPickOneByOne } from "../random-choice.js";
import { type CommandSpec, keyAt } from "../spec.js";
import { readHash } from "./lookup.js";

/** Half of the largest `long`: with values a reply has twice as many elements. */
const pairsMax = 2 ** 62;

interface Wish {
  readonly count: number;
  readonly withValues: boolean;
}

function replyHeader(context: CommandContext, { count, withValues }: Wish): void {
  context.reply.array(withValues && context.reply.protocol === 2 ? count * 2 : count);
}

function replyPair(
  context: CommandContext,
  pair: readonly Element[],
  at: number,
  wish: Wish,
): void {
  const { reply } = context;
  if (wish.withValues && reply.protocol === 3) reply.array(2);
  replyElement(reply, pair[at] as Element);
  if (wish.withValues) replyElement(reply, pair[at + 1] as Element);
}

/** The same field may come again: each one is drawn from the whole hash. */
function replyWithRepetition(context: CommandContext, hash: HashValue, wish: Wish): void {
  replyHeader(context, wish);
  const pair: Element[] = [];
  drawRepeatedly(context.reply, wish.count, () => {
    pair.length = 0;
    hash.pick(pair);
    replyPair(context, pair, 0, wish);
  });
}

function replyDistinct(context: CommandContext, hash: HashValue, wish: Wish): void {
  const size = hash.length;
  const count = Math.min(wish.count, size);
  const { hasher, random } = context.db.collections;
  const drawn: Element[] = [];
  replyHeader(context, { ...wish, count });
  if (hash.encoding === "hashtable" && mustPickOneByOne(count, size)) {
    const seen = new KeyTable(0);
    while (seen.size < count) {
      drawn.length = 0;
      hash.pick(drawn);
      const field = elementText(drawn[0] as Element);
      if (seen.set(field, hasher.hashOf(field), undefined)) replyPair(context, drawn, 0, wish);
    }
    return;
  }
  hash.collect(drawn);
  chooseDistinct({ size, count, random }, (index) => replyPair(context, drawn, index * 2, wish));
}

const hrandfield: CommandSpec = {
  name: "hrandfield",
  arity: -2,
  flags: ["readonly"],
  categories: ["hash"],
  keys: [keyAt(1, "RO", "access")],
  tips: ["nondeterministic_output"],
  docs: {
    summary: "Returns random fields of a hash, with their values if asked to.",
    since: "6.2.0",
    group: "hash",
    complexity: "O(N) for N fields returned",
    syntax: "key options[count [WITHVALUES]]",
  },
  run(context, argv) {
    if (argv.length === 2) {
      const hash = readHash(context, argv[1] as string);
      const pair: Element[] = [];
      hash?.pick(pair);
      if (hash === undefined) context.reply.nil();
      else replyElement(context.reply, pair[0] as Element);
      return;
    }
    const count = symmetricLongArgument(argv[2] as string);
    const withValues = argv.length === 4 && isWord(argv[3], "withvalues");
    if (argv.length > 4 || (argv.length === 4 && !withValues)) fail(replyErrors.syntax);
    if (withValues && Math.abs(count) >= pairsMax) fail(replyErrors.outOfRange);
    const hash = readHash(context, argv[1] as string);
    if (hash === undefined || count === 0) context.reply.array(0);
    else if (count < 0) replyWithRepetition(context, hash, { count: -count, withValues });
    else replyDistinct(context, hash, { count, withValues });
  },
};

export const choosing: readonly CommandSpec[] = [hrandfield];
