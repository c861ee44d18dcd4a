/** SET with all its options, and the older commands that are special cases of it. */
import type { Argument } from "@slotlog/resp";
import type { CommandContext } from "../../dispatch/context.js";
import { type EncodingFlag, encodeString, type StringValue } from "../../store/value.js";
import { textArgument } from "../arguments.js";
import { expiryNotations, optionTime } from "../expiry.js";
import { type CommandSpec, keyAt } from "../spec.js";
import { replyGet } from "./get.js";
import { parseOptions } from "./options.js";

/** Overwrites whatever is there, its expiry included. */
export function overwrite(
  context: CommandContext,
  key: string,
  value: StringValue,
  flag: EncodingFlag = 0,
): void {
  const { db } = context;
  // It deletes what has expired, which is a record of its own.
  db.assign(key, value, flag);
  db.signalModified(key);
}

function setPlain(context: CommandContext, key: string, value: Argument): void {
  overwrite(context, key, encodeString(value));
  context.notify("$", "set", key);
  context.dirty += 1;
}

/** Sets value and expiry, and logs the expiry as an absolute time. */
function setUntil(
  context: CommandContext,
  key: string,
  value: Argument,
  at: number | bigint,
): void {
  const { db } = context;
  // The old expiry is kept, since the new one takes its place.
  db.set(key, encodeString(value), true);
  db.setExpireAt(key, Number(at));
  db.signalModified(key);
  context.notify("$", "set", key);
  context.notify("g", "expire", key);
  context.dirty += 1;
}

function setWithOptions(context: CommandContext, argv: readonly Argument[]): void {
  const { db, reply } = context;
  const key = textArgument(argv[1] as Argument);
  const value = argv[2] as Argument;
  const options = parseOptions(argv, 3, "set");
  const at = options.expiry(context);
  if (options.get) replyGet(context, key);
  const found = db.lookupWrite(key) !== undefined;
  if (options.condition === (found ? "nx" : "xx")) {
    if (!options.get) reply.nil();
    return;
  }
  if (at !== undefined) {
    setUntil(context, key, value, at);
    if (options.mode !== "pxat") context.propagateAs(["SET", key, value, "PXAT", String(at)]);
  } else {
    db.set(key, encodeString(value), options.mode === "keepttl");
    db.signalModified(key);
    context.notify("$", "set", key);
    context.dirty += 1;
    if (options.get) context.propagateAs(withoutGet(argv));
  }
  if (!options.get) reply.ok();
}

/** What GET asked for is no part of the change. */
function withoutGet(argv: readonly Argument[]): readonly Argument[] {
  return argv.filter((word, index) => index < 3 || textArgument(word).toLowerCase() !== "get");
}

function setFor(context: CommandContext, argv: readonly Argument[], unit: "ex" | "px"): void {
  const key = textArgument(argv[1] as Argument);
  const value = argv[3] as Argument;
  const at = optionTime(context, textArgument(argv[2] as Argument), expiryNotations[unit]);
  context.db.lookupWrite(key);
  setUntil(context, key, value, at);
  context.propagateAs(["SET", key, value, "PXAT", String(at)]);
  context.reply.ok();
}

const set: CommandSpec = {
  name: "set",
  arity: -3,
  flags: ["write", "denyoom"],
  categories: ["string"],
  keys: [
    {
      ...keyAt(1, "RW", "access", "update", "variable_flags"),
      notes: "RW and ACCESS due to the optional `GET` argument",
    },
  ],
  keyFlags: (argv) => {
    const reads = argv.some((word, index) => index > 2 && word.toLowerCase() === "get");
    return reads ? ["RW", "access", "update"] : ["OW", "update"];
  },
  docs: {
    summary: "Sets the string value of a key, whatever type it had.",
    since: "1.0.0",
    group: "string",
    complexity: "O(1)",
    syntax:
      "key value condition@2.6.12[NX | XX] [GET@6.2.0] expiration[EX seconds@2.6.12 | PX milliseconds@2.6.12 | EXAT unix-time-seconds@6.2.0 | PXAT unix-time-milliseconds@6.2.0 | KEEPTTL@6.0.0]",
    history: [
      ["2.6.12", "Added the `EX`, `PX`, `NX` and `XX` options."],
      ["6.0.0", "Added the `KEEPTTL` option."],
      ["6.2.0", "Added the `GET`, `EXAT` and `PXAT` option."],
      ["7.0.0", "Allowed the `NX` and `GET` options to be used together."],
    ],
  },
  largeArguments: true,
  run(context: CommandContext, argv: readonly Argument[]) {
    if (argv.length > 3) {
      setWithOptions(context, argv);
      return;
    }
    setPlain(context, textArgument(argv[1] as Argument), argv[2] as Argument);
    context.reply.ok();
  },
};

const setnx: CommandSpec = {
  name: "setnx",
  arity: 3,
  flags: ["write", "denyoom", "fast"],
  categories: ["string"],
  keys: [keyAt(1, "OW", "insert")],
  docs: {
    summary: "Sets the string value of a key if there is no such key.",
    since: "1.0.0",
    group: "string",
    complexity: "O(1)",
    syntax: "key value",
    deprecatedSince: "2.6.12",
    replacedBy: "`SET` with the `NX` argument",
  },
  largeArguments: true,
  run(context: CommandContext, argv: readonly Argument[]) {
    const key = textArgument(argv[1] as Argument);
    const found = context.db.lookupWrite(key) !== undefined;
    if (!found) setPlain(context, key, argv[2] as Argument);
    context.reply.integer(found ? 0 : 1);
  },
};

const setex: CommandSpec = {
  name: "setex",
  arity: 4,
  flags: ["write", "denyoom"],
  categories: ["string"],
  keys: [keyAt(1, "OW", "update")],
  docs: {
    summary: "Sets the string value of a key and its expiry in seconds.",
    since: "2.0.0",
    group: "string",
    complexity: "O(1)",
    syntax: "key seconds value",
    deprecatedSince: "2.6.12",
    replacedBy: "`SET` with the `EX` argument",
  },
  largeArguments: true,
  run(context: CommandContext, argv: readonly Argument[]) {
    setFor(context, argv, "ex");
  },
};

const psetex: CommandSpec = {
  name: "psetex",
  arity: 4,
  flags: ["write", "denyoom"],
  categories: ["string"],
  keys: [keyAt(1, "OW", "update")],
  docs: {
    summary: "Sets the string value of a key and its expiry in milliseconds.",
    since: "2.6.0",
    group: "string",
    complexity: "O(1)",
    syntax: "key milliseconds value",
    deprecatedSince: "2.6.12",
    replacedBy: "`SET` with the `PX` argument",
  },
  largeArguments: true,
  run(context: CommandContext, argv: readonly Argument[]) {
    setFor(context, argv, "px");
  },
};

const getset: CommandSpec = {
  name: "getset",
  arity: 3,
  flags: ["write", "denyoom", "fast"],
  categories: ["string"],
  keys: [keyAt(1, "RW", "access", "update")],
  docs: {
    summary: "Sets the string value of a key and returns the one before.",
    since: "1.0.0",
    group: "string",
    complexity: "O(1)",
    syntax: "key value",
    deprecatedSince: "6.2.0",
    replacedBy: "`SET` with the `!GET` argument",
  },
  largeArguments: true,
  run(context: CommandContext, argv: readonly Argument[]) {
    const key = textArgument(argv[1] as Argument);
    replyGet(context, key);
    setPlain(context, key, argv[2] as Argument);
    context.propagateAs(["SET", key, argv[2] as Argument]);
  },
};

export const setting: readonly CommandSpec[] = [set, setnx, setex, psetex, getset];
