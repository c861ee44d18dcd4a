/** Commands on what is on disk. */
import type { CommandSpec } from "../spec.js";

export const bgrewriteaof: CommandSpec = {
  name: "bgrewriteaof",
  arity: 1,
  flags: ["admin", "noscript", "no_async_loading"],
  categories: [],
  docs: {
    summary: "Makes the append-only file anew, as short as the data set allows.",
    since: "1.0.0",
    group: "server",
    complexity: "O(N), N being the data set",
    syntax: "",
  },
  run({ node, reply }) {
    if (node.persistence.rewriting) {
      reply.error("ERR Background append only file rewriting already in progress");
      return;
    }
    node.persistence.rewrite();
    reply.simple("Background append only file rewriting started");
  },
};
