/** CLIENT REPLY, NO-EVICT, NO-TOUCH: how this connection is treated. */
import { replyErrors } from "@slotlog/resp";
import type { CommandContext } from "../../../dispatch/context.js";
import type { CommandSpec } from "../../spec.js";

/** Exactly ON or OFF; writes the error otherwise. */
export function onOrOff({ reply }: CommandContext, word: string): boolean | undefined {
  const answer = word.toLowerCase();
  if (answer === "on") return true;
  if (answer === "off") return false;
  reply.error(replyErrors.syntax);
  return undefined;
}

function runReply({ client, reply }: CommandContext, argv: readonly string[]): void {
  switch ((argv[2] as string).toLowerCase()) {
    case "on":
      client.replyMode = "on";
      reply.ok();
      return;
    case "off":
      client.replyMode = "off";
      return;
    case "skip":
      if (client.replyMode !== "off") client.replyMode = "skip-next";
      return;
    default:
      reply.error(replyErrors.syntax);
  }
}

export const modes: readonly CommandSpec[] = [
  {
    name: "reply",
    arity: 3,
    flags: ["noscript", "loading", "stale"],
    categories: ["connection"],
    docs: {
      summary: "Says whether this connection wants replies at all.",
      since: "3.2.0",
      group: "connection",
      complexity: "O(1)",
      syntax: "action{ON | OFF | SKIP}",
    },
    run: runReply,
  },
  {
    name: "no-evict",
    arity: 3,
    flags: ["admin", "noscript", "loading", "stale"],
    categories: ["connection"],
    docs: {
      summary: "Keeps this connection from being closed when clients take too much memory.",
      since: "7.0.0",
      group: "connection",
      complexity: "O(1)",
      syntax: "enabled{ON | OFF}",
    },
    run: (context, argv) => {
      const on = onOrOff(context, argv[2] as string);
      if (on === undefined) return;
      context.client.noEvict = on;
      context.reply.ok();
    },
  },
  {
    name: "no-touch",
    arity: 3,
    flags: ["noscript", "loading", "stale"],
    categories: ["connection"],
    docs: {
      summary: "Says whether this connection's commands count as uses of the keys they read.",
      since: "7.2.0",
      group: "connection",
      complexity: "O(1)",
      syntax: "enabled{ON | OFF}",
    },
    run: (context, argv) => {
      const on = onOrOff(context, argv[2] as string);
      if (on === undefined) return;
      context.client.noTouch = on;
      context.reply.ok();
    },
  },
];
