/** CLIENT KILL and CLIENT UNBLOCK: what one connection may do to others. */
import { replyErrors } from "@slotlog/resp";
import type { CommandContext } from "../../../dispatch/context.js";
import type { Client } from "../../../net/client.js";
import { parseSafeInteger } from "../../../store/int64.js";
import { subcommandError } from "../../help.js";
import type { CommandSpec } from "../../spec.js";
import { type ClientClass, classNamed, classOf } from "./line.js";

interface Filter {
  id?: number;
  type?: ClientClass;
  address?: string;
  localAddress?: string;
  user?: string;
  skipMe: boolean;
}

/** Takes one option and its value into the filter; returns an error's text if that fails. */
function readOption(
  context: CommandContext,
  filter: Filter,
  option: string,
  value: string,
): string | undefined {
  switch (option.toLowerCase()) {
    case "id": {
      const id = parseSafeInteger(value);
      if (id === undefined || id < 1) return "ERR client-id should be greater than 0";
      filter.id = id;
      return undefined;
    }
    case "type": {
      const type = classNamed(value);
      if (type === undefined) return `ERR Unknown client type '${value}'`;
      filter.type = type;
      return undefined;
    }
    case "addr":
      filter.address = value;
      return undefined;
    case "laddr":
      filter.localAddress = value;
      return undefined;
    case "user":
      if (context.node.acl.find(value) === undefined) return `ERR No such user '${value}'`;
      filter.user = value;
      return undefined;
    case "skipme": {
      const answer = value.toLowerCase();
      if (answer !== "yes" && answer !== "no") return replyErrors.syntax;
      filter.skipMe = answer === "yes";
      return undefined;
    }
    default:
      return replyErrors.syntax;
  }
}

function matches(client: Client, filter: Filter): boolean {
  if (filter.address !== undefined && client.link.remoteAddress !== filter.address) return false;
  if (filter.localAddress !== undefined && client.link.localAddress !== filter.localAddress) {
    return false;
  }
  if (filter.type !== undefined && classOf(client) !== filter.type) return false;
  if (filter.id !== undefined && client.id !== filter.id) return false;
  return filter.user === undefined || client.user === filter.user;
}

/** Closes all that match; returns how many. The caller's own connection closes after its reply. */
function killMatching({ client, node }: CommandContext, filter: Filter): number {
  let killed = 0;
  for (const each of [...node.clients.all()]) {
    if (!matches(each, filter) || (each === client && filter.skipMe)) continue;
    killed += 1;
    if (each === client) continue;
    // Gone from the list at once, though the socket tells of its end only later.
    node.clients.remove(each);
    each.link.closeNow("killed by CLIENT KILL");
  }
  return killed;
}

function runKill(context: CommandContext, argv: readonly string[]): void {
  const { client, reply } = context;
  const isOldForm = argv.length === 3;
  const filter: Filter = { skipMe: !isOldForm };
  if (isOldForm) filter.address = argv[2] as string;
  else {
    for (let i = 2; i < argv.length; i += 2) {
      const option = argv[i] as string;
      const value = argv[i + 1];
      const refusal =
        value === undefined ? replyErrors.syntax : readOption(context, filter, option, value);
      if (refusal !== undefined) {
        reply.error(refusal);
        return;
      }
    }
  }
  const killed = killMatching(context, filter);
  if (!isOldForm) reply.integer(killed);
  else if (killed === 0) reply.error("ERR No such client");
  else reply.ok();
  if (!filter.skipMe && matches(client, filter)) client.link.closeAfterReplies();
}

function runUnblock({ node, reply }: CommandContext, argv: readonly string[]): void {
  const how = (argv[3] ?? "timeout").toLowerCase();
  if (argv.length > 4) {
    reply.error(subcommandError(argv));
    return;
  }
  if (how !== "timeout" && how !== "error") {
    reply.error("ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR");
    return;
  }
  const id = parseSafeInteger(argv[2] as string);
  if (id === undefined) {
    reply.error(replyErrors.notAnInteger);
    return;
  }
  const blocked = node.clients.get(id)?.blocked;
  if (blocked === undefined || blocked.reason === "pause" || blocked.reason === "shutdown") {
    reply.integer(0);
    return;
  }
  blocked.cancel(how);
  reply.integer(1);
}

export const kill: CommandSpec = {
  name: "kill",
  arity: -3,
  flags: ["admin", "noscript", "loading", "stale"],
  categories: ["connection"],
  docs: {
    summary: "Closes connections: the one of an address, or all that match the filters.",
    since: "2.4.0",
    group: "connection",
    complexity: "O(N), N being the number of connections",
    syntax:
      "filter{old-format(ip:port)@-2.8.12 | new-format{[ID client-id@2.8.12] | [TYPE client-type@2.8.12{NORMAL | MASTER@3.2.0 | SLAVE | REPLICA@5.0.0 | PUBSUB}] | [USER username] | [ADDR addr(ip:port)] | [LADDR laddr(ip:port)@6.2.0] | [SKIPME skipme{YES | NO}]}...}",
  },
  run: runKill,
};

export const unblock: CommandSpec = {
  name: "unblock",
  arity: -3,
  flags: ["admin", "noscript", "loading", "stale"],
  categories: ["connection"],
  docs: {
    summary: "Ends the wait of a client in a blocking command, from another connection.",
    since: "5.0.0",
    group: "connection",
    complexity: "O(log N), N being the number of connections",
    syntax: "client-id unblock-type[TIMEOUT | ERROR]",
  },
  run: runUnblock,
};
