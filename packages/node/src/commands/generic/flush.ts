/** FLUSHDB, FLUSHALL, SWAPDB: whole databases. */
import { replyErrors } from "@slotlog/resp";
import type { CommandContext } from "../../dispatch/context.js";
import type { Database } from "../../store/database.js";
import { intArgument, isWord } from "../arguments.js";
import { fail } from "../errors.js";
import type { CommandSpec } from "../spec.js";

function parseMode(argv: readonly string[]): void {
  const isMode = isWord(argv[1], "sync") || isWord(argv[1], "async");
  if (argv.length > 2 || (argv.length === 2 && !isMode)) fail(replyErrors.syntax);
}

/** True if the key is in the tables, expired or not. */
function holds(db: Database, key: string): boolean {
  return db.tables.find(key) >= 0;
}

function empty(context: CommandContext, db: Database): void {
  context.node.watches.touchDatabase(db.index, (key, expired) => !expired && holds(db, key));
  context.dirty += db.size;
  db.clear();
}

/** It is logged even if there was nothing to delete. */
function finish(context: CommandContext, argv: readonly string[]): void {
  if (context.dirty === 0) context.propagateAlso([...argv]);
  context.node.tracking.flushed();
  context.reply.ok();
}

const flushdb: CommandSpec = {
  name: "flushdb",
  arity: -1,
  flags: ["write"],
  categories: ["keyspace", "dangerous"],
  tips: ["request_policy:all_shards", "response_policy:all_succeeded"],
  docs: {
    summary: "Deletes all keys of the database.",
    since: "1.0.0",
    group: "server",
    complexity: "O(1); the memory is given back later",
    syntax: "flush-type[ASYNC@4.0.0 | SYNC@6.2.0]",
    history: [
      ["4.0.0", "Added the `ASYNC` flushing mode modifier."],
      ["6.2.0", "Added the `SYNC` flushing mode modifier."],
    ],
  },
  run(context, argv) {
    parseMode(argv);
    empty(context, context.db);
    finish(context, argv);
  },
};

const flushall: CommandSpec = {
  name: "flushall",
  arity: -1,
  flags: ["write"],
  categories: ["keyspace", "dangerous"],
  tips: ["request_policy:all_shards", "response_policy:all_succeeded"],
  docs: {
    summary: "Deletes all keys of all databases.",
    since: "1.0.0",
    group: "server",
    complexity: "O(1); the memory is given back later",
    syntax: "flush-type[ASYNC@4.0.0 | SYNC@6.2.0]",
    history: [
      ["4.0.0", "Added the `ASYNC` flushing mode modifier."],
      ["6.2.0", "Added the `SYNC` flushing mode modifier."],
    ],
  },
  run(context, argv) {
    parseMode(argv);
    for (const db of context.node.databases.databases) empty(context, db);
    finish(context, argv);
    // The RDB file must not bring the data back.
    if (!context.node.loading) context.node.persistence.rdb.afterFlush();
  },
};

const swapdb: CommandSpec = {
  name: "swapdb",
  arity: 3,
  flags: ["write", "fast"],
  categories: ["keyspace", "dangerous"],
  docs: {
    summary: "Exchanges two databases, for all clients at once.",
    since: "4.0.0",
    group: "server",
    complexity: "O(N) for N clients that watch keys",
    syntax: "index1 index2",
  },
  run(context, argv) {
    const { node, reply } = context;
    if (node.config.clusterEnabled) fail("ERR SWAPDB is not allowed in cluster mode");
    const firstIndex = intArgument(argv[1] as string, "ERR invalid first DB index");
    const secondIndex = intArgument(argv[2] as string, "ERR invalid second DB index");
    const first = node.databases.get(firstIndex);
    const second = node.databases.get(secondIndex);
    if (first === undefined || second === undefined) {
      return fail(replyErrors.databaseIndexOutOfRange);
    }
    if (first !== second) {
      // A watched key has changed if either database holds it, unless it was and is expired.
      for (const [from, to] of [
        [first, second],
        [second, first],
      ] as const) {
        node.watches.touchDatabase(from.index, (key, expired) => {
          if (to.isLogicallyExpired(key)) {
            if (expired) return false;
            return holds(from, key) ? true : "expired";
          }
          return holds(to, key) || (!expired && holds(from, key));
        });
      }
      node.databases.swap(first, second);
    }
    context.dirty += 1;
    reply.ok();
  },
};

export const wholeDatabases: readonly CommandSpec[] = [flushdb, flushall, swapdb];
