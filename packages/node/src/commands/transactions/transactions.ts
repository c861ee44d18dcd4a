/** MULTI, EXEC, DISCARD, WATCH, UNWATCH. */
import { replyErrors } from "@slotlog/resp";
import type { CommandContext } from "../../dispatch/context.js";
import { route } from "../../dispatch/route.js";
import type { Client } from "../../net/client.js";
import { type CommandSpec, keysFrom } from "../spec.js";

function endTransaction(context: CommandContext, client: Client): void {
  client.resetTransaction();
  context.node.watches.removeAll(client);
}

const multi: CommandSpec = {
  name: "multi",
  arity: 1,
  flags: ["noscript", "loading", "stale", "fast", "allow_busy"],
  categories: ["transaction"],
  immediateInTransaction: true,
  docs: {
    summary: "Starts a transaction: what follows is queued until EXEC.",
    since: "1.2.0",
    group: "transactions",
    complexity: "O(1)",
    syntax: "",
  },
  run({ client, reply }) {
    if (client.inTransaction) {
      reply.error("ERR MULTI calls can not be nested");
      return;
    }
    client.inTransaction = true;
    reply.ok();
  },
};

const discard: CommandSpec = {
  name: "discard",
  arity: 1,
  flags: ["noscript", "loading", "stale", "fast", "allow_busy"],
  categories: ["transaction"],
  immediateInTransaction: true,
  docs: {
    summary: "Drops the queued commands and ends the transaction.",
    since: "2.0.0",
    group: "transactions",
    complexity: "O(N), N being the number of queued commands",
    syntax: "",
  },
  run(context) {
    const { client, reply } = context;
    if (!client.inTransaction) {
      reply.error("ERR DISCARD without MULTI");
      return;
    }
    endTransaction(context, client);
    reply.ok();
  },
};

/** True if a key that the client watches ran out of time since. */
function watchedKeyExpired(context: CommandContext, client: Client): boolean {
  return client.watched.some(({ database, key, expired }) => {
    if (expired) return false;
    const watched = context.node.databases.get(database);
    return watched !== undefined && watched.isLogicallyExpired(key);
  });
}

/** Between the queueing and now the user was forbidden this. */
const rulesChanged =
  "NOPERM ACLs rules changed between the moment the transaction was accumulated and the EXEC " +
  "call. This command is no longer allowed for the following reason:";

const deniedNow = {
  command: "no permission to execute the command or subcommand",
  key: "no permission to touch the specified keys",
  channel: "no permission to access one of the channels used as argument to the command",
} as const;

const exec: CommandSpec = {
  name: "exec",
  arity: 1,
  flags: ["noscript", "loading", "stale", "skip_slowlog"],
  categories: ["transaction"],
  immediateInTransaction: true,
  runsQueue: true,
  docs: {
    summary: "Runs all queued commands as one unit.",
    since: "1.2.0",
    group: "transactions",
    complexity: "Depends on the queued commands",
    syntax: "",
  },
  run(context) {
    const { client, node, reply } = context;
    if (!client.inTransaction) {
      reply.error("ERR EXEC without MULTI");
      return;
    }
    if (watchedKeyExpired(context, client)) client.watchBroken = true;
    if (client.watchBroken || client.transactionFailed) {
      const { transactionFailed } = client;
      endTransaction(context, client);
      if (transactionFailed) reply.error(replyErrors.execAbort);
      else reply.nilArray();
      return;
    }
    const { queue } = client;
    // Slots may have moved between the queueing and now.
    for (const { command, argv } of queue) {
      const redirect = route(node, client, command, argv);
      if (redirect === undefined) continue;
      endTransaction(context, client);
      reply.error(redirect);
      return;
    }
    // Before anything runs: what the transaction itself changes must not break its own watches.
    endTransaction(context, client);
    reply.array(queue.length);
    for (const { command, argv } of queue) {
      const denial = node.acl.denial(client, command, argv, "multi");
      if (denial === undefined) node.dispatcher.runNested(client, command, argv);
      else reply.error(`${rulesChanged} ${deniedNow[denial.reason]}`);
    }
  },
};

const watch: CommandSpec = {
  name: "watch",
  arity: -2,
  flags: ["noscript", "loading", "stale", "fast", "allow_busy"],
  categories: ["transaction"],
  immediateInTransaction: true,
  keys: [keysFrom(1, { last: -1, step: 1 }, "RO")],
  docs: {
    summary: "Makes the next EXEC do nothing if one of these keys changes before it.",
    since: "2.2.0",
    group: "transactions",
    complexity: "O(1) for each key",
    syntax: "key [key ...]",
  },
  run(context, argv) {
    const { client, reply, node, db } = context;
    if (client.inTransaction) {
      reply.error("ERR WATCH inside MULTI is not allowed");
      return;
    }
    // Once broken, nothing that is watched in addition could matter.
    if (!client.watchBroken) {
      for (let i = 1; i < argv.length; i += 1) {
        const key = argv[i] as string;
        node.watches.add(client, db.index, key, db.isLogicallyExpired(key));
      }
    }
    reply.ok();
  },
};

const unwatch: CommandSpec = {
  name: "unwatch",
  arity: 1,
  flags: ["noscript", "loading", "stale", "fast", "allow_busy"],
  categories: ["transaction"],
  docs: {
    summary: "Forgets all watched keys.",
    since: "2.2.0",
    group: "transactions",
    complexity: "O(1)",
    syntax: "",
  },
  run({ client, reply, node }) {
    node.watches.removeAll(client);
    client.watchBroken = false;
    reply.ok();
  },
};

export const transactions: readonly CommandSpec[] = [multi, exec, discard, watch, unwatch];
