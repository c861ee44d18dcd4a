/** HINCRBY and HINCRBYFLOAT: fields as counters. */
import { replyErrors } from "@slotlog/resp";
import { addInt64, parseInt64 } from "../../store/int64.js";
import { elementText } from "../../store/types/element.js";
import { fail } from "../errors.js";
import { addLongDoubles, formatLongDouble, parseLongDouble } from "../long-double.js";
import { type CommandSpec, keyAt } from "../spec.js";
import { newHash, writeHash } from "./lookup.js";

const hincrby: CommandSpec = {
  name: "hincrby",
  arity: 4,
  flags: ["write", "denyoom", "fast"],
  categories: ["hash"],
  keys: [keyAt(1, "RW", "access", "update")],
  docs: {
    summary: "Adds an integer to the value of a field, which is 0 if it does not exist.",
    since: "2.0.0",
    group: "hash",
    complexity: "O(1)",
    syntax: "key field increment",
  },
  run(context, argv) {
    const [, key, field, by] = argv as readonly [string, string, string, string];
    const increment = parseInt64(by);
    if (increment === undefined) fail(replyErrors.notAnInteger);
    const existing = writeHash(context, key);
    const hash = existing ?? newHash(context);
    const old = hash.get(field);
    const value = typeof old === "string" ? parseInt64(old) : (old ?? 0);
    if (value === undefined) fail("ERR hash value is not an integer");
    const sum = addInt64(value, increment);
    if (sum === undefined) fail(replyErrors.incrementOverflow);
    hash.set(field, String(sum));
    if (existing === undefined) context.db.set(key, hash);
    if (typeof sum === "bigint") context.reply.bigInteger(sum);
    else context.reply.integer(sum);
    context.db.signalModified(key);
    context.notify("h", "hincrby", key);
    context.dirty += 1;
  },
};

/** What the present value, the increment or their sum may be is checked in Redis' order. */
const hincrbyfloat: CommandSpec = {
  name: "hincrbyfloat",
  arity: 4,
  flags: ["write", "denyoom", "fast"],
  categories: ["hash"],
  keys: [keyAt(1, "RW", "access", "update")],
  docs: {
    summary: "Adds a decimal number to the value of a field, which is 0 if it does not exist.",
    since: "2.6.0",
    group: "hash",
    complexity: "O(1)",
    syntax: "key field increment:double",
  },
  run(context, argv) {
    const [, key, field, by] = argv as readonly [string, string, string, string];
    const increment = parseLongDouble(by);
    if (increment === undefined) fail(replyErrors.notAFloat);
    if (!Number.isFinite(increment.exponent)) fail("ERR value is NaN or Infinity");
    const existing = writeHash(context, key);
    const hash = existing ?? newHash(context);
    const old = parseLongDouble(elementText(hash.get(field) ?? 0));
    if (old === undefined) fail("ERR hash value is not a float");
    const sum = addLongDoubles(old, increment);
    if (sum === undefined) fail(replyErrors.incrementNanOrInfinity);
    const text = formatLongDouble(sum);
    hash.set(field, text);
    if (existing === undefined) context.db.set(key, hash);
    context.reply.bulk(text);
    context.db.signalModified(key);
    context.notify("h", "hincrbyfloat", key);
    context.dirty += 1;
    // The result is logged, so that no reader of the log has to round as we do.
    context.propagateAs(["HSET", key, field, text]);
  },
};

export const counting: readonly CommandSpec[] = [hincrby, hincrbyfloat];
