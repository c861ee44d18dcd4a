/** CLIENT TRACKING, CACHING, GETREDIR, TRACKINGINFO: server-assisted caching in clients. */
import { replyErrors } from "@slotlog/resp";
import type { CommandContext } from "../../../dispatch/context.js";
import type { CommandSpec } from "../../spec.js";

function runTracking({ reply }: CommandContext): void {
  reply.error("ERR client-side caching is not supported yet");
}

function runCaching({ client, reply }: CommandContext, argv: readonly string[]): void {
  const { tracking } = client;
  if (tracking === undefined) {
    reply.error(
      "ERR CLIENT CACHING can be called only when the client is in tracking mode with OPTIN or " +
        "OPTOUT mode enabled",
    );
    return;
  }
  const answer = (argv[2] as string).toLowerCase();
  if (answer !== "yes" && answer !== "no") {
    reply.error(replyErrors.syntax);
    return;
  }
  const isRightMode = answer === "yes" ? tracking.optIn : tracking.optOut;
  if (!isRightMode) {
    const [word, mode] = answer === "yes" ? ["YES", "OPTIN"] : ["NO", "OPTOUT"];
    reply.error(
      `ERR CLIENT CACHING ${word} is only valid when tracking is enabled in ${mode} mode.`,
    );
    return;
  }
  tracking.caching = true;
  reply.ok();
}

function runTrackingInfo({ client, reply }: CommandContext): void {
  const { tracking } = client;
  const flags = [tracking === undefined ? "off" : "on"];
  if (tracking?.broadcast) flags.push("bcast");
  if (tracking?.optIn) {
    flags.push("optin");
    if (tracking.caching) flags.push("caching-yes");
  }
  if (tracking?.optOut) {
    flags.push("optout");
    if (tracking.caching) flags.push("caching-no");
  }
  if (tracking?.noLoop) flags.push("noloop");
  if (tracking?.redirectBroken) flags.push("broken_redirect");
  reply.map(3);
  reply.bulk("flags");
  reply.set(flags.length);
  for (const flag of flags) reply.bulk(flag);
  reply.bulk("redirect");
  reply.integer(tracking?.redirectTo ?? -1);
  reply.bulk("prefixes");
  const prefixes = [...(tracking?.prefixes ?? [])].sort();
  reply.array(prefixes.length);
  for (const prefix of prefixes) reply.bulk(prefix);
}

export const tracking: readonly CommandSpec[] = [
  {
    name: "tracking",
    arity: -3,
    flags: ["noscript", "loading", "stale"],
    categories: ["connection"],
    docs: {
      summary:
        "Switches on or off that the server tells this connection when keys it has read change.",
      since: "6.0.0",
      group: "connection",
      complexity: "O(1), and O(N) for N prefixes",
      syntax:
        "status{ON | OFF} [REDIRECT client-id] [PREFIX prefix....] [BCAST] [OPTIN] [OPTOUT] [NOLOOP]",
    },
    run: runTracking,
  },
  {
    name: "caching",
    arity: 3,
    flags: ["noscript", "loading", "stale"],
    categories: ["connection"],
    docs: {
      summary: "Says for the next command whether the keys it reads are tracked.",
      since: "6.0.0",
      group: "connection",
      complexity: "O(1)",
      syntax: "mode{YES | NO}",
    },
    run: runCaching,
  },
  {
    name: "getredir",
    arity: 2,
    flags: ["noscript", "loading", "stale"],
    categories: ["connection"],
    docs: {
      summary: "Returns the connection that is told of changes instead of this one.",
      since: "6.0.0",
      group: "connection",
      complexity: "O(1)",
      syntax: "",
    },
    run: ({ client, reply }) => reply.integer(client.tracking?.redirectTo ?? -1),
  },
  {
    name: "trackinginfo",
    arity: 2,
    flags: ["noscript", "loading", "stale"],
    categories: ["connection"],
    docs: {
      summary: "Tells how the keys of this connection are tracked.",
      since: "6.2.0",
      group: "connection",
      complexity: "O(1)",
      syntax: "",
    },
    run: runTrackingInfo,
  },
];
