/** HINCRBY and HINCRBYFLOAT: fields as counters. */
import { replyErrors } from "@slotlog/resp";
import { addInt64, parseInt64 } from "../../store/int64.js";
import { elementText } from "../../store/types/element.js";
import { fail } from "../errors.js";
import { type CommandSpec, keyAt } from "../spec.js";
import { storeHash, writeOrCreateHash } from "./lookup.js";

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
    const hash = writeOrCreateHash(context, key);
    const old = hash.get(field);
    const value = typeof old === "string" ? parseInt64(old) : (old ?? 0);
    if (value === undefined) fail("ERR hash value is not an integer");
    const sum = addInt64(value, increment);
    if (sum === undefined) fail(replyErrors.incrementOverflow);
    hash.set(field, String(sum));
    storeHash(context, key, hash);
    if (typeof sum === "bigint") context.reply.bigInteger(sum);
    else context.reply.integer(sum);
    context.db.signalModified(key);
    context.notify("h", "hincrby", key);
    context.dirty += 1;
  },
};

export const counting: readonly CommandSpec[] = [hincrby];
void elementText;
