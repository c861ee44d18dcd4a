/** LPUSH, RPUSH, LPUSHX, RPUSHX, LINSERT, LSET: putting elements into lists. */
import { replyErrors } from "@slotlog/resp";
import type { CommandContext } from "../../dispatch/context.js";
import { parseInt64 } from "../../store/int64.js";
import { type ListEnd, ListValue } from "../../store/types/list.js";
import { isWord } from "../arguments.js";
import { fail } from "../errors.js";
import { type CommandDocs, type CommandSpec, keyAt } from "../spec.js";
import { writeList } from "./lookup.js";

function pushAll(
  context: CommandContext,
  argv: readonly string[],
  how: { readonly end: ListEnd; readonly onlyIfExists: boolean },
): void {
  const { db } = context;
  const { end } = how;
  const key = argv[1] as string;
  let list = writeList(context, key);
  if (list === undefined) {
    if (how.onlyIfExists) {
      context.reply.integer(0);
      return;
    }
    list = new ListValue(db.collections);
    db.set(key, list);
  }
  list.prepare(argv, 2, argv.length);
  for (let index = 2; index < argv.length; index++) list.push(argv[index] as string, end);
  context.dirty += argv.length - 2;
  context.reply.integer(list.length);
  db.signalModified(key);
  context.notify("l", end === "head" ? "lpush" : "rpush", key);
}

function push(
  name: string,
  how: { readonly end: ListEnd; readonly onlyIfExists: boolean },
  docs: Pick<CommandDocs, "summary" | "since"> & { readonly severalSince: string },
): CommandSpec {
  return {
    name,
    arity: -3,
    flags: ["write", "denyoom", "fast"],
    categories: ["list"],
    keys: [keyAt(1, "RW", "insert")],
    docs: {
      summary: docs.summary,
      since: docs.since,
      group: "list",
      complexity: "O(N) for N elements",
      syntax: "key element [element ...]",
      history: [[docs.severalSince, "Accepts multiple `element` arguments."]],
    },
    run(context, argv) {
      pushAll(context, argv, how);
    },
  };
}

const lpush = push(
  "lpush",
  { end: "head", onlyIfExists: false },
  { summary: "Puts elements in front of a list.", since: "1.0.0", severalSince: "2.4.0" },
);
const rpush = push(
  "rpush",
  { end: "tail", onlyIfExists: false },
  { summary: "Puts elements behind a list.", since: "1.0.0", severalSince: "2.4.0" },
);
const lpushx = push(
  "lpushx",
  { end: "head", onlyIfExists: true },
  {
    summary: "Puts elements in front of a list that exists.",
    since: "2.2.0",
    severalSince: "4.0.0",
  },
);
const rpushx = push(
  "rpushx",
  { end: "tail", onlyIfExists: true },
  { summary: "Puts elements behind a list that exists.", since: "2.2.0", severalSince: "4.0.0" },
);

const linsert: CommandSpec = {
  name: "linsert",
  arity: 5,
  flags: ["write", "denyoom"],
  categories: ["list"],
  keys: [keyAt(1, "RW", "insert")],
  docs: {
    summary: "Inserts an element before or after another one.",
    since: "2.2.0",
    group: "list",
    complexity: "O(N) for N elements in front of the pivot",
    syntax: "key where{BEFORE | AFTER} pivot element",
  },
  run(context, argv) {
    const { db, reply } = context;
    const after = isWord(argv[2], "after");
    if (!after && !isWord(argv[2], "before")) fail(replyErrors.syntax);
    const key = argv[1] as string;
    const list = writeList(context, key);
    if (list === undefined) {
      reply.integer(0);
      return;
    }
    list.prepare(argv, 4, 5);
    if (!list.insert(argv[3] as string, argv[4] as string, after)) {
      reply.integer(-1);
      return;
    }
    db.signalModified(key);
    context.notify("l", "linsert", key);
    context.dirty += 1;
    reply.integer(list.length);
  },
};

const lset: CommandSpec = {
  name: "lset",
  arity: 4,
  flags: ["write", "denyoom"],
  categories: ["list"],
  keys: [keyAt(1, "RW", "update")],
  docs: {
    summary: "Replaces the element at an index.",
    since: "1.0.0",
    group: "list",
    complexity: "O(N) for a list of N elements, O(1) at its ends",
    syntax: "key index element",
  },
  run(context, argv) {
    const key = argv[1] as string;
    const list = writeList(context, key);
    if (list === undefined) return fail(replyErrors.noSuchKey);
    const position = parseInt64(argv[2] as string);
    if (position === undefined) return fail(replyErrors.notAnInteger);
    // Redis passes the index on as a C int.
    const index = Number(BigInt.asIntN(32, BigInt(position)));
    list.prepare(argv, 3, 4);
    if (!list.replaceAt(index, argv[3] as string)) fail(replyErrors.indexOutOfRange);
    context.reply.ok();
    context.db.signalModified(key);
    context.notify("l", "lset", key);
    context.dirty += 1;
    list.shrink();
  },
};

export const pushing: readonly CommandSpec[] = [lpush, rpush, lpushx, rpushx, linsert, lset];
