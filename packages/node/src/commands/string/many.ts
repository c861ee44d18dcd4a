/** MGET, MSET, MSETNX: several whole strings at once. */
import { type Argument, wrongArgumentCount } from "@slotlog/resp";
import type { CommandContext } from "../../dispatch/context.js";
import { encodeString, isStringValue } from "../../store/value.js";
import { textArgument } from "../arguments.js";
import { fail } from "../errors.js";
import { type CommandSpec, keysFrom } from "../spec.js";
import { replyString } from "./get.js";
import { overwrite } from "./set.js";

function setAll(context: CommandContext, argv: readonly Argument[]): void {
  for (let index = 1; index < argv.length; index += 2) {
    const key = textArgument(argv[index] as Argument);
    overwrite(context, key, encodeString(argv[index + 1] as Argument));
    context.notify("$", "set", key);
  }
  context.dirty += (argv.length - 1) / 2;
}

function requirePairs(context: CommandContext, argv: readonly Argument[]): void {
  if (argv.length % 2 === 0) fail(wrongArgumentCount(context.command.fullName));
}

const mget: CommandSpec = {
  name: "mget",
  arity: -2,
  flags: ["readonly", "fast"],
  categories: ["string"],
  tips: ["request_policy:multi_shard"],
  keys: [keysFrom(1, { last: -1, step: 1 }, "RO", "access")],
  docs: {
    summary: "Returns the string values of keys, nil for those without one.",
    since: "1.0.0",
    group: "string",
    complexity: "O(N) for N keys",
    syntax: "key...",
  },
  run(context, argv) {
    const { db, reply } = context;
    reply.array(argv.length - 1);
    for (let index = 1; index < argv.length; index += 1) {
      const value = db.lookupRead(argv[index] as string);
      if (value === undefined || !isStringValue(value)) reply.nil();
      else replyString(context, value);
    }
  },
};

const mset: CommandSpec = {
  name: "mset",
  arity: -3,
  flags: ["write", "denyoom"],
  categories: ["string"],
  tips: ["request_policy:multi_shard", "response_policy:all_succeeded"],
  keys: [keysFrom(1, { last: -1, step: 2 }, "OW", "update")],
  docs: {
    summary: "Sets the string values of keys, all at once.",
    since: "1.0.1",
    group: "string",
    complexity: "O(N) for N keys",
    syntax: "data{key value}...",
  },
  largeArguments: true,
  run(context: CommandContext, argv: readonly Argument[]) {
    requirePairs(context, argv);
    setAll(context, argv);
    context.reply.ok();
  },
};

const msetnx: CommandSpec = {
  name: "msetnx",
  arity: -3,
  flags: ["write", "denyoom"],
  categories: ["string"],
  keys: [keysFrom(1, { last: -1, step: 2 }, "OW", "insert")],
  docs: {
    summary: "Sets the string values of keys if none of the keys exists.",
    since: "1.0.1",
    group: "string",
    complexity: "O(N) for N keys",
    syntax: "data{key value}...",
  },
  largeArguments: true,
  run(context: CommandContext, argv: readonly Argument[]) {
    requirePairs(context, argv);
    for (let index = 1; index < argv.length; index += 2) {
      if (context.db.lookupWrite(textArgument(argv[index] as Argument)) !== undefined) {
        context.reply.integer(0);
        return;
      }
    }
    setAll(context, argv);
    context.reply.integer(1);
  },
};

export const many: readonly CommandSpec[] = [mget, mset, msetnx];
