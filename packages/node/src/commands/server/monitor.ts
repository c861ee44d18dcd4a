/** MONITOR: the connection is told of every command of every client. */
import type { CommandContext } from "../../dispatch/context.js";
import type { CommandSpec } from "../spec.js";

function runMonitor({ client, denyBlocking, node, reply }: CommandContext): void {
  if (denyBlocking) {
    reply.error("ERR MONITOR isn't allowed for DENY BLOCKING client");
    return;
  }
  if (client.monitor || client.isReplica) return;
  node.monitors.add(client);
  reply.ok();
}

export const monitor: CommandSpec = {
  name: "monitor",
  arity: 1,
  flags: ["admin", "noscript", "loading", "stale"],
  categories: [],
  docs: {
    summary: "Shows this connection every command that the server runs.",
    since: "1.0.0",
    group: "server",
    complexity: "",
    syntax: "",
  },
  run: runMonitor,
};
