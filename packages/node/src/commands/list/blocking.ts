/** BLPOP, BRPOP, BLMPOP, BLMOVE, BRPOPLPUSH: pops that wait for an element. */
import type { CommandContext } from "../../dispatch/context.js";
import { replyElement } from "../../store/types/element.js";
import type { ListEnd } from "../../store/types/list.js";
import { type CommandSpec, countedKeys, keyAt, keysFrom } from "../spec.js";
import { timeoutSecondsArgument } from "../timeout.js";
import { elementsRemoved, endArgument, writeList } from "./lookup.js";
import { type Move, moveElement, multiPopArguments, popFromFirst } from "./pop.js";

const timeoutIsDouble = [
  ["6.0.0", "`timeout` is interpreted as a double instead of an integer."],
] as const;

function wait(
  context: CommandContext,
  argv: readonly string[],
  { keys, timeoutAt }: { readonly keys: readonly string[]; readonly timeoutAt: number },
): void {
  if (!context.mayBlock) {
    context.reply.nilArray();
    return;
  }
  context.waitForKeys({ keys, type: "list", timeoutAt, argv: [...argv] });
}

function pop(context: CommandContext, argv: readonly string[], end: ListEnd): void {
  const timeoutAt = timeoutSecondsArgument(context, argv[argv.length - 1] as string);
  const { reply } = context;
  for (let at = 1; at < argv.length - 1; at++) {
    const key = argv[at] as string;
    const list = writeList(context, key);
    if (list === undefined) continue;
    reply.array(2);
    reply.bulk(key);
    replyElement(reply, list.pop(end));
    elementsRemoved(context, key, list, end, 1);
    context.propagateAs([end === "head" ? "LPOP" : "RPOP", key]);
    return;
  }
  wait(context, argv, { keys: argv.slice(1, -1), timeoutAt });
}

function blockingPop(name: string, end: ListEnd, summary: string): CommandSpec {
  return {
    name,
    arity: -3,
    flags: ["write", "blocking"],
    categories: ["list"],
    keys: [keysFrom(1, { last: -2, step: 1 }, "RW", "access", "delete")],
    docs: {
      summary,
      since: "2.0.0",
      group: "list",
      complexity: "O(N) for N keys",
      syntax: "key [key ...] timeout",
      history: timeoutIsDouble,
    },
    run: (context, argv) => pop(context, argv, end),
  };
}

const blpop = blockingPop(
  "blpop",
  "head",
  "Pops the first element of the first list that has any, and waits until there is one.",
);

const brpop = blockingPop(
  "brpop",
  "tail",
  "Pops the last element of the first list that has any, and waits until there is one.",
);

const blmpop: CommandSpec = {
  name: "blmpop",
  arity: -5,
  flags: ["write", "blocking"],
  categories: ["list"],
  keys: [countedKeys(2, "RW", "access", "delete")],
  docs: {
    summary: "Pops elements of the first list that has any, and waits until there are some.",
    since: "7.0.0",
    group: "list",
    complexity: "O(N+M) for N keys and M elements returned",
    syntax: "timeout numkeys key [key ...] where{LEFT | RIGHT} [COUNT count]",
  },
  run(context, argv) {
    const { keys, end, count } = multiPopArguments(argv, 2);
    const timeoutAt = timeoutSecondsArgument(context, argv[1] as string);
    if (!popFromFirst(context, keys, { end, count })) wait(context, argv, { keys, timeoutAt });
  },
};

/** Moves, or waits for the source; what is logged is the same move without waiting. */
function move(
  context: CommandContext,
  argv: readonly string[],
  wanted: Move & { readonly timeoutAt: number; readonly record: readonly string[] },
): void {
  if (moveElement(context, wanted)) context.propagateAs(wanted.record);
  else if (!context.mayBlock) context.reply.nil();
  else wait(context, argv, { keys: [wanted.source], timeoutAt: wanted.timeoutAt });
}

const moveKeys = [keyAt(1, "RW", "access", "delete"), keyAt(2, "RW", "insert")];

const blmove: CommandSpec = {
  name: "blmove",
  arity: 6,
  flags: ["write", "denyoom", "blocking"],
  categories: ["list"],
  keys: moveKeys,
  docs: {
    summary: "Moves an element from one list to another, and waits until there is one.",
    since: "6.2.0",
    group: "list",
    complexity: "O(1)",
    syntax: "source:key destination:key wherefrom{LEFT | RIGHT} whereto{LEFT | RIGHT} timeout",
  },
  run(context, argv) {
    const [, source, destination, fromWord, toWord, timeout] = argv as readonly string[] &
      readonly [string, string, string, string, string, string];
    const from = endArgument(fromWord);
    const to = endArgument(toWord);
    const timeoutAt = timeoutSecondsArgument(context, timeout);
    const record = ["LMOVE", source, destination, fromWord, toWord];
    move(context, argv, { source, destination, from, to, timeoutAt, record });
  },
};

const brpoplpush: CommandSpec = {
  name: "brpoplpush",
  arity: 4,
  flags: ["write", "denyoom", "blocking"],
  categories: ["list"],
  keys: moveKeys,
  docs: {
    summary: "Moves the last element of one list to the front of another, and waits for one.",
    since: "2.2.0",
    group: "list",
    complexity: "O(1)",
    syntax: "source:key destination:key timeout",
    deprecatedSince: "6.2.0",
    replacedBy: "`BLMOVE` with the `RIGHT` and `LEFT` arguments",
    history: timeoutIsDouble,
  },
  run(context, argv) {
    const [, source, destination, timeout] = argv as readonly string[] &
      readonly [string, string, string, string];
    const timeoutAt = timeoutSecondsArgument(context, timeout);
    const record = ["RPOPLPUSH", source, destination];
    move(context, argv, { source, destination, from: "tail", to: "head", timeoutAt, record });
  },
};

export const blocking: readonly CommandSpec[] = [blpop, brpop, blmpop, blmove, brpoplpush];
