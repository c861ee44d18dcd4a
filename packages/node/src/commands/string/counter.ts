/** Strings as numbers: INCR and its relatives on 64-bit integers, INCRBYFLOAT on long doubles. */
import { replyErrors } from "@slotlog/resp";
import type { CommandContext } from "../../dispatch/context.js";
import { INT64_MAX, INT64_MIN, parseInt64 } from "../../store/int64.js";
import {
  ENCODING_NOT_INT,
  plainString,
  stringLength,
  stringToText,
  type StringValue,
} from "../../store/value.js";
import { integerArgument } from "../arguments.js";
import { asString, fail } from "../errors.js";
import {
  addLongDoubles,
  formatLongDouble,
  LONG_DOUBLE_TEXT_MAX,
  parseLongDouble,
} from "../long-double.js";
import { type CommandSpec, keyAt } from "../spec.js";

/** An int64 has at most 20 characters. */
const integerTextMax = 20;

function add(context: CommandContext, key: string, increment: number | bigint): void {
  const { db, reply } = context;
  const value = asString(db.lookupWrite(key));
  const old = typeof value === "number" ? value : integerOf(value);
  if (typeof old === "number" && typeof increment === "number") {
    const sum = old + increment;
    if (Number.isSafeInteger(sum)) {
      db.replace(key, sum);
      changed(context, key);
      reply.integer(sum);
      return;
    }
  }
  const sum = BigInt(old) + BigInt(increment);
  if (sum > INT64_MAX || sum < INT64_MIN) fail(replyErrors.incrementOverflow);
  const rounded = Number(sum);
  db.replace(key, Number.isSafeInteger(rounded) ? rounded : plainString(sum.toString()));
  changed(context, key);
  reply.bigInteger(sum);
}

function changed(context: CommandContext, key: string): void {
  context.db.signalModified(key);
  context.notify("$", "incrby", key);
  context.dirty += 1;
}

function integerOf(value: StringValue | undefined): number | bigint {
  if (value === undefined) return 0;
  const integer =
    stringLength(value) <= integerTextMax ? parseInt64(stringToText(value)) : undefined;
  return integer ?? fail(replyErrors.notAnInteger);
}

const incr: CommandSpec = {
  name: "incr",
  arity: 2,
  flags: ["write", "denyoom", "fast"],
  categories: ["string"],
  keys: [keyAt(1, "RW", "access", "update")],
  docs: {
    summary: "Adds one to an integer, which is 0 if there is none.",
    since: "1.0.0",
    group: "string",
    complexity: "O(1)",
    syntax: "key",
  },
  run(context, argv) {
    add(context, argv[1] as string, 1);
  },
};

const decr: CommandSpec = {
  name: "decr",
  arity: 2,
  flags: ["write", "denyoom", "fast"],
  categories: ["string"],
  keys: [keyAt(1, "RW", "access", "update")],
  docs: {
    summary: "Subtracts one from an integer, which is 0 if there is none.",
    since: "1.0.0",
    group: "string",
    complexity: "O(1)",
    syntax: "key",
  },
  run(context, argv) {
    add(context, argv[1] as string, -1);
  },
};

const incrby: CommandSpec = {
  name: "incrby",
  arity: 3,
  flags: ["write", "denyoom", "fast"],
  categories: ["string"],
  keys: [keyAt(1, "RW", "access", "update")],
  docs: {
    summary: "Adds to an integer, which is 0 if there is none.",
    since: "1.0.0",
    group: "string",
    complexity: "O(1)",
    syntax: "key increment",
  },
  run(context, argv) {
    add(context, argv[1] as string, integerArgument(argv[2] as string));
  },
};

const decrby: CommandSpec = {
  name: "decrby",
  arity: 3,
  flags: ["write", "denyoom", "fast"],
  categories: ["string"],
  keys: [keyAt(1, "RW", "access", "update")],
  docs: {
    summary: "Subtracts from an integer, which is 0 if there is none.",
    since: "1.0.0",
    group: "string",
    complexity: "O(1)",
    syntax: "key decrement",
  },
  run(context, argv) {
    const decrement = integerArgument(argv[2] as string);
    if (decrement === INT64_MIN) fail("ERR decrement would overflow");
    add(context, argv[1] as string, -decrement);
  },
};

const incrbyfloat: CommandSpec = {
  name: "incrbyfloat",
  arity: 3,
  flags: ["write", "denyoom", "fast"],
  categories: ["string"],
  keys: [keyAt(1, "RW", "access", "update")],
  docs: {
    summary: "Adds to a number with a fraction, which is 0 if there is none.",
    since: "2.6.0",
    group: "string",
    complexity: "O(1)",
    syntax: "key increment:double",
  },
  run(context, argv) {
    const { db, reply } = context;
    const key = argv[1] as string;
    const value = asString(db.lookupWrite(key));
    const isLong = value !== undefined && stringLength(value) > LONG_DOUBLE_TEXT_MAX;
    const old = isLong
      ? undefined
      : parseLongDouble(value === undefined ? "0" : stringToText(value));
    const increment = old === undefined ? undefined : parseLongDouble(argv[2] as string);
    if (old === undefined || increment === undefined) return fail(replyErrors.notAFloat);
    const sum = addLongDoubles(old, increment);
    if (sum === undefined) return fail(replyErrors.incrementNanOrInfinity);
    const text = formatLongDouble(sum);
    db.replace(key, plainString(text), ENCODING_NOT_INT);
    db.signalModified(key);
    context.notify("$", "incrbyfloat", key);
    context.dirty += 1;
    reply.bulk(text);
    context.propagateAs(["SET", key, text, "KEEPTTL"]);
  },
};

export const counters: readonly CommandSpec[] = [incr, decr, incrby, decrby, incrbyfloat];
