/** SHUTDOWN: the node ends in order, and the process with it. */
import { replyErrors } from "@slotlog/resp";
import type { CommandContext } from "../../dispatch/context.js";
import type { CommandSpec } from "../spec.js";

const options: readonly string[] = ["nosave", "save", "now", "force", "abort"];

function runShutdown(context: CommandContext, argv: readonly string[]): void {
  const { client, denyBlocking, node, reply } = context;
  const words = argv.slice(1).map((word) => word.toLowerCase());
  const has = (word: string): boolean => words.includes(word);
  const others = words.some((word) => word !== "abort");
  const isKnown = words.every((word) => options.includes(word));
  if (!isKnown || (has("abort") && others) || (has("save") && has("nosave"))) {
    reply.error(replyErrors.syntax);
    return;
  }
  if (has("abort")) {
    if (node.shutdowns.abort()) reply.ok();
    else reply.error("ERR No shutdown in progress.");
    return;
  }
  if (!has("now") && denyBlocking) {
    reply.error("ERR SHUTDOWN without NOW or ABORT isn't allowed for DENY BLOCKING client");
    return;
  }
  // No reply: the client sees the connection end, as the others do.
  const save = has("save") ? "yes" : has("nosave") ? "no" : "default";
  const error = node.shutdowns.request(client, { save, force: has("force") }, has("now"));
  if (error !== undefined) reply.error(error);
}

export const shutdown: CommandSpec = {
  name: "shutdown",
  arity: -1,
  flags: ["admin", "noscript", "loading", "stale", "no_multi", "allow_busy"],
  categories: [],
  docs: {
    summary: "Ends the server once what it has accepted is on the disk.",
    since: "1.0.0",
    group: "server",
    complexity: "O(N) with a save, N being the number of keys; else O(1)",
    syntax: "save-selector[NOSAVE | SAVE] [NOW@7.0.0] [FORCE@7.0.0] [ABORT@7.0.0]",
  },
  run: runShutdown,
};
