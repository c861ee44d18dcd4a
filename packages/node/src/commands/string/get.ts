/** GET and its relatives: reading whole strings. */
import type { CommandContext } from "../../dispatch/context.js";
import type { StringValue } from "../../store/value.js";
import { asString } from "../errors.js";
import { type CommandSpec, keyAt } from "../spec.js";

/** A stored string as a bulk reply. */
export function replyString(context: CommandContext, value: StringValue): void {
  const { reply } = context;
  if (typeof value === "string") reply.bulk(value);
  else if (typeof value === "number") reply.bulkInteger(value);
  else reply.bulk(value.view());
}

export const get: CommandSpec = {
  name: "get",
  arity: 2,
  flags: ["readonly", "fast"],
  categories: ["string"],
  keys: [keyAt(1, "RO", "access")],
  docs: {
    summary: "Returns the string value of a key.",
    since: "1.0.0",
    group: "string",
    complexity: "O(1)",
    syntax: "key",
  },
  run(context, argv) {
    const value = asString(context.db.lookupRead(argv[1] as string));
    if (value === undefined) context.reply.nil();
    else replyString(context, value);
  },
};
