/** LPOP, RPOP, LMPOP, LMOVE, RPOPLPUSH, LTRIM, LREM: taking elements out of lists. */
import { replyErrors, wrongArgumentCount } from "@slotlog/resp";
import type { CommandContext } from "../../dispatch/context.js";
import { elementText, replyElement } from "../../store/types/element.js";
import { type ListEnd, ListValue } from "../../store/types/list.js";
import { countArgument, isWord, longArgument, positiveLongArgument } from "../arguments.js";
import { fail } from "../errors.js";
import { type CommandSpec, countedKeys, keyAt } from "../spec.js";
import { asList, elementsRemoved, endArgument, popRange, writeList } from "./lookup.js";

function pop(name: string, end: ListEnd, summary: string): CommandSpec {
  return {
    name,
    arity: -2,
    flags: ["write", "fast"],
    categories: ["list"],
    keys: [keyAt(1, "RW", "access", "delete")],
    docs: {
      summary,
      since: "1.0.0",
      group: "list",
      complexity: "O(N) for N elements returned",
      syntax: "key [count@6.2.0]",
      history: [["6.2.0", "Added the `count` argument."]],
    },
    run(context, argv) {
      if (argv.length > 3) fail(wrongArgumentCount(name));
      const key = argv[1] as string;
      const count = argv.length === 3 ? positiveLongArgument(argv[2] as string) : undefined;
      const list = writeList(context, key);
      if (list === undefined) {
        if (count === undefined) context.reply.nil();
        else context.reply.nilArray();
      } else if (count === 0) {
        context.reply.array(0);
      } else if (count === undefined) {
        replyElement(context.reply, list.pop(end));
        elementsRemoved(context, key, list, end, 1);
      } else {
        popRange(context, key, { list, end, count });
      }
    },
  };
}

const lpop = pop("lpop", "head", "Removes the first elements of a list and returns them.");
const rpop = pop("rpop", "tail", "Removes the last elements of a list and returns them.");

/**
 * Pops from the first of several lists that exists: the key, then the elements. Logged as a plain
 * pop. False, and no reply, if there is none.
 */
export function popFromFirst(
  context: CommandContext,
  keys: readonly string[],
  wanted: { readonly end: ListEnd; readonly count: number },
): boolean {
  for (const key of keys) {
    const list = writeList(context, key);
    if (list === undefined) continue;
    const { end } = wanted;
    const count = Math.min(wanted.count, list.length);
    context.reply.array(2);
    context.reply.bulk(key);
    popRange(context, key, { list, end, count });
    context.propagateAs([end === "head" ? "LPOP" : "RPOP", key, String(count)]);
    return true;
  }
  return false;
}

export interface MultiPopArguments {
  readonly keys: readonly string[];
  readonly end: ListEnd;
  readonly count: number;
}

/** `numkeys key [key ...] <LEFT | RIGHT> [COUNT count]` from argument `at` on. */
export function multiPopArguments(argv: readonly string[], at: number): MultiPopArguments {
  const keyCount = countArgument(argv[at] as string, "ERR numkeys should be greater than 0");
  const endAt = at + keyCount + 1;
  if (endAt >= argv.length) fail(replyErrors.syntax);
  const end = endArgument(argv[endAt]);
  let count: number | undefined;
  for (let index = endAt + 1; index < argv.length; index += 2) {
    const value = argv[index + 1];
    if (count !== undefined || value === undefined || !isWord(argv[index], "count")) {
      return fail(replyErrors.syntax);
    }
    count = countArgument(value, "ERR count should be greater than 0");
  }
  return { keys: argv.slice(at + 1, endAt), end, count: count ?? 1 };
}

const lmpop: CommandSpec = {
  name: "lmpop",
  arity: -4,
  flags: ["write"],
  categories: ["list"],
  keys: [countedKeys(1, "RW", "access", "delete")],
  docs: {
    summary: "Removes elements from the first of several lists that exists and returns them.",
    since: "7.0.0",
    group: "list",
    complexity: "O(N+M) for N keys and M elements returned",
    syntax: "numkeys key [key ...] where{LEFT | RIGHT} [COUNT count]",
  },
  run(context, argv) {
    const { keys, end, count } = multiPopArguments(argv, 1);
    if (!popFromFirst(context, keys, { end, count })) context.reply.nilArray();
  },
};

export interface Move {
  readonly source: string;
  readonly destination: string;
  readonly from: ListEnd;
  readonly to: ListEnd;
}

/** Moves one element and replies with it; false, and no reply, if there is no source. */
export function moveElement(context: CommandContext, move: Move): boolean {
  const { db } = context;
  const { source, destination, from, to } = move;
  const list = writeList(context, source);
  if (list === undefined) return false;
  const existing = asList(db.lookupWrite(destination));
  const text = elementText(list.pop(from));
  const target = existing ?? new ListValue(db.collections);
  if (existing === undefined) db.set(destination, target);
  db.signalModified(destination);
  target.prepare([text], 0, 1);
  target.push(text, to);
  context.notify("l", to === "head" ? "lpush" : "rpush", destination);
  context.reply.bulk(text);
  elementsRemoved(context, source, list, from, 1);
  return true;
}

const lmove: CommandSpec = {
  name: "lmove",
  arity: 5,
  flags: ["write", "denyoom"],
  categories: ["list"],
  keys: [keyAt(1, "RW", "access", "delete"), keyAt(2, "RW", "insert")],
  docs: {
    summary: "Moves an element from an end of one list to an end of another and returns it.",
    since: "6.2.0",
    group: "list",
    complexity: "O(1)",
    syntax: "source:key destination:key wherefrom{LEFT | RIGHT} whereto{LEFT | RIGHT}",
  },
  run(context, argv) {
    const [, source, destination] = argv as readonly [string, string, string];
    const from = endArgument(argv[3]);
    const to = endArgument(argv[4]);
    if (!moveElement(context, { source, destination, from, to })) context.reply.nil();
  },
};

const rpoplpush: CommandSpec = {
  name: "rpoplpush",
  arity: 3,
  flags: ["write", "denyoom"],
  categories: ["list"],
  keys: [keyAt(1, "RW", "access", "delete"), keyAt(2, "RW", "insert")],
  docs: {
    summary: "Moves the last element of one list to the front of another and returns it.",
    since: "1.2.0",
    group: "list",
    complexity: "O(1)",
    syntax: "source:key destination:key",
    deprecatedSince: "6.2.0",
    replacedBy: "`LMOVE` with the `RIGHT` and `LEFT` arguments",
  },
  run(context, argv) {
    const [, source, destination] = argv as readonly [string, string, string];
    const move: Move = { source, destination, from: "tail", to: "head" };
    if (!moveElement(context, move)) context.reply.nil();
  },
};

const ltrim: CommandSpec = {
  name: "ltrim",
  arity: 4,
  flags: ["write"],
  categories: ["list"],
  keys: [keyAt(1, "RW", "delete")],
  docs: {
    summary: "Keeps only a range of a list.",
    since: "1.0.0",
    group: "list",
    complexity: "O(N) for N elements removed",
    syntax: "key start stop",
  },
  run(context, argv) {
    const key = argv[1] as string;
    const start = longArgument(argv[2] as string);
    const stop = longArgument(argv[3] as string);
    const list = writeList(context, key);
    if (list === undefined) {
      context.reply.ok();
      return;
    }
    const { length } = list;
    const first = Math.max(0, start < 0 ? length + start : start);
    const last = Math.min(length - 1, stop < 0 ? length + stop : stop);
    const keepsSome = first <= last && first < length;
    const inFront = keepsSome ? first : length;
    const behind = keepsSome ? length - 1 - last : 0;
    list.removeRange(0, inFront);
    list.removeRange(list.length - behind, behind);
    context.notify("l", "ltrim", key);
    if (list.length === 0) {
      context.db.delete(key);
      context.notify("g", "del", key);
    } else {
      list.shrink();
    }
    context.db.signalModified(key);
    context.dirty += inFront + behind;
    context.reply.ok();
  },
};

const lrem: CommandSpec = {
  name: "lrem",
  arity: 4,
  flags: ["write"],
  categories: ["list"],
  keys: [keyAt(1, "RW", "delete")],
  docs: {
    summary: "Removes elements of a certain value.",
    since: "1.0.0",
    group: "list",
    complexity: "O(N+M) for a list of N elements, M of which go",
    syntax: "key count element",
  },
  run(context, argv) {
    const { db } = context;
    const key = argv[1] as string;
    const count = longArgument(argv[2] as string);
    const list = writeList(context, key);
    if (list === undefined) {
      context.reply.integer(0);
      return;
    }
    const max = count === 0 ? list.length : Math.abs(count);
    const removed = list.remove(argv[3] as string, max, count < 0 ? "tail" : "head");
    context.dirty += removed;
    if (removed > 0) {
      db.signalModified(key);
      context.notify("l", "lrem", key);
    }
    if (list.length === 0) {
      db.delete(key);
      context.notify("g", "del", key);
    } else if (removed > 0) {
      list.shrink();
    }
    context.reply.integer(removed);
  },
};

export const popping: readonly CommandSpec[] = [lpop, rpop, lmpop, lmove, rpoplpush, ltrim, lrem];
