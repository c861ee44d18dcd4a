/** RENAME, RENAMENX, MOVE, COPY: a value under another key or in another database. */
import { replyErrors } from "@slotlog/resp";
import type { CommandContext } from "../../dispatch/context.js";
import type { Database } from "../../store/database.js";
import type { Value } from "../../store/value.js";
import { intArgument, isWord } from "../arguments.js";
import { fail } from "../errors.js";
import { type CommandSpec, keyAt } from "../spec.js";

function rename(context: CommandContext, argv: readonly string[], onlyIfFree: boolean): void {
  const { db, reply } = context;
  const key = argv[1] as string;
  const newKey = argv[2] as string;
  if (db.lookupWrite(key) === undefined) fail(replyErrors.noSuchKey);
  const isSame = key === newKey;
  const taken = isSame || db.lookupWrite(newKey) !== undefined;
  if (onlyIfFree && taken) {
    reply.integer(0);
    return;
  }
  if (!isSame) {
    if (taken) db.delete(newKey);
    db.transfer(key, db, newKey);
    db.signalModified(key);
    db.signalModified(newKey);
    context.notify("g", "rename_from", key);
    context.notify("g", "rename_to", newKey);
    context.dirty += 1;
  }
  if (onlyIfFree) reply.integer(1);
  else reply.ok();
}

const renameCommand: CommandSpec = {
  name: "rename",
  arity: 3,
  flags: ["write"],
  categories: ["keyspace"],
  keys: [keyAt(1, "RW", "access", "delete"), keyAt(2, "OW", "update")],
  docs: {
    summary: "Gives a key another name; what had that name is deleted.",
    since: "1.0.0",
    group: "generic",
    complexity: "O(1), plus deleting what had the name",
    syntax: "key newkey",
  },
  run(context, argv) {
    rename(context, argv, false);
  },
};

const renamenx: CommandSpec = {
  name: "renamenx",
  arity: 3,
  flags: ["write", "fast"],
  categories: ["keyspace"],
  keys: [keyAt(1, "RW", "access", "delete"), keyAt(2, "OW", "insert")],
  docs: {
    summary: "Gives a key another name if that is free.",
    since: "1.0.0",
    group: "generic",
    complexity: "O(1)",
    syntax: "key newkey",
    history: [
      [
        "3.2.0",
        "The command no longer returns an error when source and destination names are the same.",
      ],
    ],
  },
  run(context, argv) {
    rename(context, argv, true);
  },
};

function databaseArgument({ node }: CommandContext, text: string): Database {
  const index = intArgument(text);
  return node.databases.get(index) ?? fail(replyErrors.databaseIndexOutOfRange);
}

const move: CommandSpec = {
  name: "move",
  arity: 3,
  flags: ["write", "fast"],
  categories: ["keyspace"],
  keys: [keyAt(1, "RW", "access", "update")],
  docs: {
    summary: "Moves a key to another database if it is free there.",
    since: "1.0.0",
    group: "generic",
    complexity: "O(1)",
    syntax: "key db",
  },
  run(context, argv) {
    const { db, node, reply } = context;
    const key = argv[1] as string;
    if (node.config.clusterEnabled) fail("ERR MOVE is not allowed in cluster mode");
    const target = databaseArgument(context, argv[2] as string);
    if (target === db) fail(replyErrors.sameObject);
    if (db.lookupWrite(key) === undefined || target.lookupWrite(key) !== undefined) {
      reply.integer(0);
      return;
    }
    db.transfer(key, target, key);
    db.signalModified(key);
    target.signalModified(key);
    context.notify("g", "move_from", key);
    node.notifyKeyspaceEvent("g", "move_to", key, target.index);
    context.dirty += 1;
    reply.integer(1);
  },
};

/** A value of its own: what changes one of the two does not change the other. */
function duplicate(value: Value): Value {
  if (typeof value !== "object") return value;
  return value.type === "string" ? value.share() : value.copy();
}

function parseCopy(
  context: CommandContext,
  argv: readonly string[],
): { readonly target: Database; readonly replace: boolean } {
  let target = context.db;
  let replace = false;
  let otherDatabase = context.db.index !== 0;
  for (let index = 3; index < argv.length; index += 1) {
    if (isWord(argv[index], "replace")) replace = true;
    else if (isWord(argv[index], "db") && index + 1 < argv.length) {
      index += 1;
      target = databaseArgument(context, argv[index] as string);
      otherDatabase = otherDatabase || target.index !== 0;
    } else fail(replyErrors.syntax);
  }
  if (context.node.config.clusterEnabled && otherDatabase) {
    fail("ERR Copying to another database is not allowed in cluster mode");
  }
  return { target, replace };
}

const copy: CommandSpec = {
  name: "copy",
  arity: -3,
  flags: ["write", "denyoom"],
  categories: ["keyspace"],
  keys: [keyAt(1, "RO", "access"), keyAt(2, "OW", "update")],
  docs: {
    summary: "Copies the value of a key, with its expiry, to another key.",
    since: "6.2.0",
    group: "generic",
    complexity: "O(1) for strings, O(N) for collections of N elements",
    syntax: "source destination [DB destination-db] [REPLACE]",
  },
  run(context, argv) {
    const { db, node, reply } = context;
    const key = argv[1] as string;
    const newKey = argv[2] as string;
    const { target, replace } = parseCopy(context, argv);
    if (target === db && key === newKey) fail(replyErrors.sameObject);
    const value = db.lookupRead(key);
    if (value === undefined) {
      reply.integer(0);
      return;
    }
    const expireAt = db.expireAt(key);
    const flag = db.encodingFlag(key);
    if (target.lookupWrite(newKey) !== undefined) {
      if (!replace) {
        reply.integer(0);
        return;
      }
      target.delete(newKey);
    }
    target.set(newKey, duplicate(value), false, flag);
    if (expireAt !== -1) target.setExpireAt(newKey, expireAt);
    target.signalModified(newKey);
    node.notifyKeyspaceEvent("g", "copy_to", newKey, target.index);
    context.dirty += 1;
    reply.integer(1);
  },
};

export const renaming: readonly CommandSpec[] = [renameCommand, renamenx, move, copy];
