/** CLIENT TRACKING, CACHING, GETREDIR, TRACKINGINFO: server-assisted caching in clients. */
import { replyErrors } from "@slotlog/resp";
import type { CommandContext } from "../../../dispatch/context.js";
import type { ClientTracking } from "../../../tracking/client-tracking.js";
import { longArgument } from "../../arguments.js";
import { fail } from "../../errors.js";
import type { CommandSpec } from "../../spec.js";
import { onOrOff } from "./modes.js";

interface Options {
  redirectTo: number;
  readonly words: Set<string>;
  readonly prefixes: string[];
}

const plainOptions: readonly string[] = ["bcast", "optin", "optout", "noloop"];

function readOptions({ node }: CommandContext, argv: readonly string[]): Options {
  const options: Options = { redirectTo: 0, words: new Set(), prefixes: [] };
  for (let i = 3; i < argv.length; i += 1) {
    const word = (argv[i] as string).toLowerCase();
    const next = argv[i + 1];
    if (word === "redirect" && next !== undefined) {
      i += 1;
      if (options.redirectTo !== 0) fail("ERR A client can only redirect to a single other client");
      options.redirectTo = longArgument(next);
      if (node.clients.get(options.redirectTo) === undefined) {
        fail("ERR The client ID you want redirect to does not exist");
      }
    } else if (word === "prefix" && next !== undefined) {
      i += 1;
      options.prefixes.push(next);
    } else if (plainOptions.includes(word)) options.words.add(word);
    else fail(replyErrors.syntax);
  }
  return options;
}

/** Refuses what contradicts itself, or what the connection chose before. */
function checkOptions({ words, prefixes }: Options, before: ClientTracking | undefined): void {
  const broadcast = words.has("bcast");
  const optIn = words.has("optin");
  const optOut = words.has("optout");
  if (!broadcast && prefixes.length > 0) {
    fail("ERR PREFIX option requires BCAST mode to be enabled");
  }
  if (before !== undefined && before.broadcast !== broadcast) {
    fail(
      "ERR You can't switch BCAST mode on/off before disabling tracking for this client, and then " +
        "re-enabling it with a different mode.",
    );
  }
  if (broadcast && (optIn || optOut)) fail("ERR OPTIN and OPTOUT are not compatible with BCAST");
  if (optIn && optOut) fail("ERR You can't specify both OPTIN mode and OPTOUT mode");
  if ((optIn && before?.optOut === true) || (optOut && before?.optIn === true)) {
    fail(
      "ERR You can't switch OPTIN/OPTOUT mode before disabling tracking for this client, and then " +
        "re-enabling it with a different mode.",
    );
  }
  if (broadcast) checkPrefixes(prefixes, before);
}

function overlap(first: string, second: string): boolean {
  return first.startsWith(second) || second.startsWith(first);
}

function checkPrefixes(prefixes: readonly string[], before: ClientTracking | undefined): void {
  const rule = "Prefixes for a single client must not overlap.";
  for (const [i, prefix] of prefixes.entries()) {
    const known = [...(before?.prefixes ?? [])].sort().find((each) => overlap(each, prefix));
    if (known !== undefined) {
      fail(`ERR Prefix '${prefix}' overlaps with an existing prefix '${known}'. ${rule}`);
    }
    const other = prefixes.slice(i + 1).find((each) => overlap(each, prefix));
    if (other !== undefined) {
      fail(`ERR Prefix '${prefix}' overlaps with another provided prefix '${other}'. ${rule}`);
    }
  }
}

function runTracking(context: CommandContext, argv: readonly string[]): void {
  const { client, node, reply } = context;
  const options = readOptions(context, argv);
  const on = onOrOff(context, argv[2] as string);
  if (on === undefined) return;
  if (on) {
    const before = client.tracking;
    checkOptions(options, before);
    const { words, redirectTo } = options;
    const broadcast = words.has("bcast");
    const chosen = broadcast && options.prefixes.length === 0 ? [""] : options.prefixes;
    node.tracking.enable(client, {
      redirectTo,
      redirectBroken: false,
      broadcast,
      optIn: words.has("optin"),
      optOut: words.has("optout"),
      noLoop: words.has("noloop"),
      caching: before?.caching ?? false,
      prefixes: new Set([...(before?.prefixes ?? []), ...chosen]),
    });
  } else node.tracking.disable(client);
  reply.ok();
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
