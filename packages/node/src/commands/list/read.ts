/** LLEN, LINDEX, LRANGE, LPOS: reading lists. */
import { replyErrors } from "@slotlog/resp";
import type { CommandContext } from "../../dispatch/context.js";
import { type Element, elementOf, replyElement } from "../../store/types/element.js";
import type { ListValue } from "../../store/types/list.js";
import { isWord, longArgument, positiveLongArgument, symmetricLongArgument } from "../arguments.js";
import { fail } from "../errors.js";
import { type CommandSpec, keyAt } from "../spec.js";
import { readList } from "./lookup.js";

const llen: CommandSpec = {
  name: "llen",
  arity: 2,
  flags: ["readonly", "fast"],
  categories: ["list"],
  keys: [keyAt(1, "RO")],
  docs: {
    summary: "Counts the elements of a list.",
    since: "1.0.0",
    group: "list",
    complexity: "O(1)",
    syntax: "key",
  },
  run(context, argv) {
    context.reply.integer(readList(context, argv[1] as string)?.length ?? 0);
  },
};

const lindex: CommandSpec = {
  name: "lindex",
  arity: 3,
  flags: ["readonly"],
  categories: ["list"],
  keys: [keyAt(1, "RO", "access")],
  docs: {
    summary: "Returns the element at an index.",
    since: "1.0.0",
    group: "list",
    complexity: "O(N) for a list of N elements, O(1) at its ends",
    syntax: "key index",
  },
  run(context, argv) {
    const list = readList(context, argv[1] as string);
    if (list === undefined) {
      context.reply.nil();
      return;
    }
    const element = list.at(longArgument(argv[2] as string));
    if (element === undefined) context.reply.nil();
    else replyElement(context.reply, element);
  },
};

const lrange: CommandSpec = {
  name: "lrange",
  arity: 4,
  flags: ["readonly"],
  categories: ["list"],
  keys: [keyAt(1, "RO", "access")],
  docs: {
    summary: "Returns a range of elements.",
    since: "1.0.0",
    group: "list",
    complexity: "O(S+N) for N elements that begin S elements from an end",
    syntax: "key start stop",
  },
  run(context, argv) {
    const start = longArgument(argv[2] as string);
    const stop = longArgument(argv[3] as string);
    const list = readList(context, argv[1] as string);
    const length = list?.length ?? 0;
    const first = Math.max(0, start < 0 ? length + start : start);
    const last = Math.min(length - 1, stop < 0 ? length + stop : stop);
    if (list === undefined || first > last) {
      context.reply.array(0);
      return;
    }
    const elements: Element[] = [];
    list.range(first, last - first + 1, elements);
    context.reply.array(elements.length);
    for (const element of elements) replyElement(context.reply, element);
  },
};

interface PositionSearch {
  readonly rank: number;
  /** `undefined` for the first match alone, 0 for all. */
  readonly count: number | undefined;
  /** Elements that are looked at; 0 for all. */
  readonly maxLength: number;
}

const zeroRank =
  "ERR RANK can't be zero: use 1 to start from the first match, 2 from the second ... " +
  "or use negative to start from the end of the list";

function positionOptions(argv: readonly string[]): PositionSearch {
  let rank = 1;
  let count: number | undefined;
  let maxLength = 0;
  for (let index = 3; index < argv.length; index += 2) {
    const value = argv[index + 1];
    if (value === undefined) return fail(replyErrors.syntax);
    if (isWord(argv[index], "rank")) {
      rank = symmetricLongArgument(value);
      if (rank === 0) fail(zeroRank);
    } else if (isWord(argv[index], "count")) {
      count = positiveLongArgument(value, "ERR COUNT can't be negative");
    } else if (isWord(argv[index], "maxlen")) {
      maxLength = positiveLongArgument(value, "ERR MAXLEN can't be negative");
    } else {
      return fail(replyErrors.syntax);
    }
  }
  return { rank, count, maxLength };
}

function findPositions(list: ListValue, text: string, search: PositionSearch): number[] {
  const { rank, count, maxLength } = search;
  const wanted = elementOf(text);
  const found: number[] = [];
  const enough = count === undefined ? 1 : count;
  let matches = 0;
  list.visit(rank < 0 ? "tail" : "head", (element, index) => {
    if (maxLength !== 0 && index >= maxLength) return false;
    if (element !== wanted) return true;
    matches++;
    if (matches < Math.abs(rank)) return true;
    found.push(rank < 0 ? list.length - 1 - index : index);
    return found.length !== enough;
  });
  return found;
}

function lposBody(context: CommandContext, argv: readonly string[]): void {
  const { reply } = context;
  const search = positionOptions(argv);
  const list = readList(context, argv[1] as string);
  const found = list === undefined ? [] : findPositions(list, argv[2] as string, search);
  if (search.count !== undefined) {
    reply.array(found.length);
    for (const position of found) reply.integer(position);
  } else if (found[0] === undefined) {
    reply.nil();
  } else {
    reply.integer(found[0]);
  }
}

const lpos: CommandSpec = {
  name: "lpos",
  arity: -3,
  flags: ["readonly"],
  categories: ["list"],
  keys: [keyAt(1, "RO", "access")],
  docs: {
    summary: "Finds the positions of an element.",
    since: "6.0.6",
    group: "list",
    complexity: "O(N) for N elements looked at",
    syntax: "key element [RANK rank] [COUNT num-matches] [MAXLEN len]",
  },
  run: lposBody,
};

export const reading: readonly CommandSpec[] = [llen, lindex, lrange, lpos];
