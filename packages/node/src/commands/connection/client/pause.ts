/** CLIENT PAUSE and UNPAUSE. What is deferred, and for how long, is the pause's own business. */
import { replyErrors } from "@slotlog/resp";
import type { CommandContext } from "../../../dispatch/context.js";
import { parseSafeInteger } from "../../../store/int64.js";
import { subcommandError } from "../../help.js";
import type { CommandSpec } from "../../spec.js";

function runPause({ node, now, reply }: CommandContext, argv: readonly string[]): void {
  if (argv.length > 4) {
    reply.error(subcommandError(argv));
    return;
  }
  const mode = (argv[3] ?? "all").toLowerCase();
  if (mode !== "write" && mode !== "all") {
    reply.error("ERR CLIENT PAUSE mode must be WRITE or ALL");
    return;
  }
  const timeout = parseSafeInteger(argv[2] as string);
  if (timeout === undefined) {
    reply.error(replyErrors.timeoutNotAnInteger);
    return;
  }
  if (timeout < 0) {
    reply.error(replyErrors.timeoutNegative);
    return;
  }
  node.pause.pauseClients(now + timeout, mode);
  reply.ok();
}

export const pause: CommandSpec = {
  name: "pause",
  arity: -3,
  flags: ["admin", "noscript", "loading", "stale"],
  categories: ["connection"],
  docs: {
    summary: "Defers the commands of all clients, or only their writes, for some time.",
    since: "3.0.0",
    group: "connection",
    complexity: "O(1)",
    syntax: "timeout:integer mode@6.2.0[WRITE | ALL]",
  },
  run: runPause,
};

export const unpause: CommandSpec = {
  name: "unpause",
  arity: 2,
  flags: ["admin", "noscript", "loading", "stale"],
  categories: ["connection"],
  docs: {
    summary: "Ends a CLIENT PAUSE: what was deferred runs now.",
    since: "6.2.0",
    group: "connection",
    complexity: "O(N), N being the number of deferred clients",
    syntax: "",
  },
  run: ({ node, reply }) => {
    node.pause.unpauseClients();
    reply.ok();
  },
};
