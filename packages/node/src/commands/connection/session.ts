/** ECHO, SELECT, QUIT, RESET: small commands on the connection itself. */
import { replyErrors } from "@slotlog/resp";
import type { CommandContext } from "../../dispatch/context.js";
import { parseSafeInteger } from "../../store/int64.js";
import { fail } from "../errors.js";
import type { CommandSpec } from "../spec.js";

/** C's `int`. */
const intMax = 2147483647;

function runSelect({ client, node, reply }: CommandContext, argv: readonly string[]): void {
  const index = parseSafeInteger(argv[1] as string);
  if (index === undefined) fail(replyErrors.notAnInteger);
  if (index > intMax || index < -intMax - 1) {
    fail(`ERR value is out of range, value must between ${-intMax - 1} and ${intMax}`);
  }
  if (node.config.clusterEnabled && index !== 0) {
    reply.error(replyErrors.selectInCluster);
    return;
  }
  const database = index < 0 ? undefined : node.databases.get(index);
  if (database === undefined) {
    reply.error(replyErrors.databaseIndexOutOfRange);
    return;
  }
  client.database = database;
  reply.ok();
}

function runReset(context: CommandContext): void {
  const { client, node, reply } = context;
  if (client.kind !== "normal" || client.isReplica) {
    reply.error("ERR can only reset normal client connections");
    return;
  }
  node.monitors.remove(client);
  node.tracking.disable(client);
  node.pubsub.unsubscribeAll(client);
  node.watches.removeAll(client);
  client.database = node.databases.first;
  client.protocol = 2;
  reply.protocol = 2;
  node.acl.assumeDefault(client);
  client.resetTransaction();
  client.name = "";
  client.asking = false;
  client.readOnly = false;
  client.replyMode = "on";
  client.noTouch = false;
  client.noEvict = false;
  reply.simple("RESET");
}

export const echo: CommandSpec = {
  name: "echo",
  arity: 2,
  flags: ["loading", "stale", "fast"],
  categories: ["connection"],
  docs: {
    summary: "Returns the message given.",
    since: "1.0.0",
    group: "connection",
    complexity: "O(1)",
    syntax: "message",
  },
  run: ({ reply }, argv) => reply.bulk(argv[1] as string),
};

export const select: CommandSpec = {
  name: "select",
  arity: 2,
  flags: ["loading", "stale", "fast"],
  categories: ["connection"],
  docs: {
    summary: "Chooses the database that the connection works on.",
    since: "1.0.0",
    group: "connection",
    complexity: "O(1)",
    syntax: "index",
  },
  run: runSelect,
};

export const quit: CommandSpec = {
  name: "quit",
  arity: -1,
  flags: ["noscript", "loading", "stale", "fast", "no_auth", "allow_busy"],
  categories: ["connection"],
  docs: {
    summary: "Answers OK and closes the connection.",
    since: "1.0.0",
    group: "connection",
    complexity: "O(1)",
    syntax: "",
    deprecatedSince: "7.2.0",
    replacedBy: "just closing the connection",
  },
  run: ({ client, reply }) => {
    reply.ok();
    client.link.closeAfterReplies();
  },
  allowedWhileSubscribed: true,
};

export const reset: CommandSpec = {
  name: "reset",
  arity: 1,
  flags: ["noscript", "loading", "stale", "fast", "no_auth", "allow_busy"],
  categories: ["connection"],
  docs: {
    summary: "Puts the connection back into the state of a new one.",
    since: "6.2.0",
    group: "connection",
    complexity: "O(1)",
    syntax: "",
  },
  run: runReset,
  immediateInTransaction: true,
  allowedWhileSubscribed: true,
};
