/**
 * The commands of set algebra: SMEMBERS, SINTER, SINTERCARD, SUNION, SDIFF and their STORE forms.
 */
import { replyErrors } from "@slotlog/resp";
import { countArgument, isWord, positiveLongArgument } from "../arguments.js";
import { fail } from "../errors.js";
import { type CommandSpec, countedKeys, keyAt, keysFrom } from "../spec.js";
import {
  difference,
  intersection,
  intersectionSize,
  readSets,
  replyIntersection,
  replyResult,
  storeResult,
  union,
} from "./algebra.js";

const allKeys = { last: -1, step: 1 };
const total = "O(N) for N members in all sets";
const worst = "O(N*M) at worst for N members in the smallest of M sets";

const smembers: CommandSpec = {
  name: "smembers",
  arity: 2,
  flags: ["readonly"],
  categories: ["set"],
  keys: [keyAt(1, "RO", "access")],
  tips: ["nondeterministic_output_order"],
  docs: {
    summary: "Returns all members of a set.",
    since: "1.0.0",
    group: "set",
    complexity: "O(N) for a set of N members",
    syntax: "key",
  },
  run(context, argv) {
    replyIntersection(context.reply, readSets(context, argv.slice(1)));
  },
};

const sinter: CommandSpec = {
  name: "sinter",
  arity: -2,
  flags: ["readonly"],
  categories: ["set"],
  keys: [keysFrom(1, allKeys, "RO", "access")],
  tips: ["nondeterministic_output_order"],
  docs: {
    summary: "Returns the members that all given sets have.",
    since: "1.0.0",
    group: "set",
    complexity: worst,
    syntax: "key [key ...]",
  },
  run(context, argv) {
    replyIntersection(context.reply, readSets(context, argv.slice(1)));
  },
};

const sintercard: CommandSpec = {
  name: "sintercard",
  arity: -3,
  flags: ["readonly"],
  categories: ["set"],
  keys: [countedKeys(1, "RO", "access")],
  docs: {
    summary: "Counts the members that all given sets have.",
    since: "7.0.0",
    group: "set",
    complexity: worst,
    syntax: "numkeys key [key ...] [LIMIT limit]",
  },
  run(context, argv) {
    const keyCount = countArgument(argv[1] as string, "ERR numkeys should be greater than 0");
    if (keyCount > argv.length - 2) {
      fail("ERR Number of keys can't be greater than number of args");
    }
    let limit = 0;
    for (let index = 2 + keyCount; index < argv.length; index += 2) {
      const value = argv[index + 1];
      if (value === undefined || !isWord(argv[index], "limit")) return fail(replyErrors.syntax);
      limit = positiveLongArgument(value, "ERR LIMIT can't be negative");
    }
    const sets = readSets(context, argv.slice(2, 2 + keyCount));
    context.reply.integer(intersectionSize(sets, limit));
  },
};

const sunion: CommandSpec = {
  name: "sunion",
  arity: -2,
  flags: ["readonly"],
  categories: ["set"],
  keys: [keysFrom(1, allKeys, "RO", "access")],
  tips: ["nondeterministic_output_order"],
  docs: {
    summary: "Returns the members that any of the given sets has.",
    since: "1.0.0",
    group: "set",
    complexity: total,
    syntax: "key [key ...]",
  },
  run(context, argv) {
    replyResult(context.reply, union(context, readSets(context, argv.slice(1))));
  },
};

const sdiff: CommandSpec = {
  name: "sdiff",
  arity: -2,
  flags: ["readonly"],
  categories: ["set"],
  keys: [keysFrom(1, allKeys, "RO", "access")],
  tips: ["nondeterministic_output_order"],
  docs: {
    summary: "Returns the members of the first set that no other set has.",
    since: "1.0.0",
    group: "set",
    complexity: total,
    syntax: "key [key ...]",
  },
  run(context, argv) {
    replyResult(context.reply, difference(context, readSets(context, argv.slice(1))));
  },
};

const sinterstore: CommandSpec = {
  name: "sinterstore",
  arity: -3,
  flags: ["write", "denyoom"],
  categories: ["set"],
  keys: [keyAt(1, "RW", "update"), keysFrom(2, allKeys, "RO", "access")],
  docs: {
    summary: "Stores the members that all given sets have.",
    since: "1.0.0",
    group: "set",
    complexity: worst,
    syntax: "destination:key key [key ...]",
  },
  run(context, argv) {
    const result = intersection(context, readSets(context, argv.slice(2)));
    storeResult(context, argv[1] as string, { result, event: "sinterstore" });
  },
};

const sunionstore: CommandSpec = {
  name: "sunionstore",
  arity: -3,
  flags: ["write", "denyoom"],
  categories: ["set"],
  keys: [keyAt(1, "OW", "update"), keysFrom(2, allKeys, "RO", "access")],
  docs: {
    summary: "Stores the members that any of the given sets has.",
    since: "1.0.0",
    group: "set",
    complexity: total,
    syntax: "destination:key key [key ...]",
  },
  run(context, argv) {
    const result = union(context, readSets(context, argv.slice(2)));
    storeResult(context, argv[1] as string, { result, event: "sunionstore" });
  },
};

const sdiffstore: CommandSpec = {
  name: "sdiffstore",
  arity: -3,
  flags: ["write", "denyoom"],
  categories: ["set"],
  keys: [keyAt(1, "OW", "update"), keysFrom(2, allKeys, "RO", "access")],
  docs: {
    summary: "Stores the members of the first set that no other set has.",
    since: "1.0.0",
    group: "set",
    complexity: total,
    syntax: "destination:key key [key ...]",
  },
  run(context, argv) {
    const result = difference(context, readSets(context, argv.slice(2)));
    storeResult(context, argv[1] as string, { result, event: "sdiffstore" });
  },
};

export const combining: readonly CommandSpec[] = [
  smembers,
  sinter,
  sintercard,
  sinterstore,
  sunion,
  sunionstore,
  sdiff,
  sdiffstore,
];
