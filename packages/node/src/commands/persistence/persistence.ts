/** Commands on what is on disk. */
import type { CommandContext } from "../../dispatch/context.js";
import { replyErrors } from "@slotlog/resp";
import { isWord } from "../arguments.js";
import type { CommandSpec } from "../spec.js";

/** `+text` or `-text`. */
function answer({ reply }: CommandContext, text: string): void {
  if (text.startsWith("-")) reply.error(text.slice(1));
  else reply.simple(text.slice(1));
}

const save: CommandSpec = {
  name: "save",
  arity: 1,
  flags: ["admin", "noscript", "no_async_loading", "no_multi"],
  categories: [],
  docs: {
    summary: "Writes the data set to the RDB file; nothing else runs meanwhile.",
    since: "1.0.0",
    group: "server",
    complexity: "O(N), N being the number of keys in all databases",
    syntax: "",
  },
  run({ node, reply }) {
    const error = node.persistence.save();
    if (error === undefined) reply.ok();
    else reply.error(error);
  },
};

const bgsave: CommandSpec = {
  name: "bgsave",
  arity: -1,
  flags: ["admin", "noscript", "no_async_loading"],
  categories: [],
  docs: {
    summary: "Writes the data set to the RDB file while the server goes on.",
    since: "1.0.0",
    group: "server",
    complexity: "O(1); the save is O(N) in slices, N being the number of keys",
    syntax: "[SCHEDULE@3.2.2]",
    history: [["3.2.2", "Added the `SCHEDULE` option."]],
  },
  run(context, argv) {
    const schedule = argv.length === 2 && isWord(argv[1], "schedule");
    if (argv.length > 1 && !schedule) {
      context.reply.error(replyErrors.syntax);
      return;
    }
    const inTransaction = context.denyBlocking;
    answer(context, context.node.persistence.backgroundSave({ schedule, inTransaction }));
  },
};

const lastsave: CommandSpec = {
  name: "lastsave",
  arity: 1,
  flags: ["loading", "stale", "fast"],
  categories: ["admin", "dangerous"],
  tips: ["nondeterministic_output"],
  docs: {
    summary: "Returns the Unix time of the last successful save to the RDB file.",
    since: "1.0.0",
    group: "server",
    complexity: "O(1)",
    syntax: "",
  },
  run({ node, reply }) {
    reply.integer(node.persistence.rdb.lastSaveAt);
  },
};

const bgrewriteaof: CommandSpec = {
  name: "bgrewriteaof",
  arity: 1,
  flags: ["admin", "noscript", "no_async_loading"],
  categories: [],
  docs: {
    summary: "Makes the append-only file anew, as short as the data set allows.",
    since: "1.0.0",
    group: "server",
    complexity: "O(1); the rewrite is O(N) in slices, N being the data set",
    syntax: "",
  },
  run(context) {
    answer(context, context.node.persistence.backgroundRewrite(context.denyBlocking));
  },
};

export const persistence: readonly CommandSpec[] = [save, bgsave, lastsave, bgrewriteaof];
