/** HSET, HMSET, HSETNX, HDEL: setting and deleting fields. */
import { wrongArgumentCount } from "@slotlog/resp";
import type { CommandContext } from "../../dispatch/context.js";
import { fail } from "../errors.js";
import { type CommandSpec, keyAt } from "../spec.js";
import { newHash, writeHash } from "./lookup.js";

/** Sets all fields; returns how many are new. */
function setFields(context: CommandContext, argv: readonly string[]): number {
  if (argv.length % 2 === 1) fail(wrongArgumentCount(context.command.fullName));
  const key = argv[1] as string;
  const existing = writeHash(context, key);
  const hash = existing ?? newHash(context);
  hash.prepare(argv, 2, argv.length);
  let created = 0;
  for (let index = 2; index < argv.length; index += 2) {
    if (hash.set(argv[index] as string, argv[index + 1] as string)) created++;
  }
  if (existing === undefined) context.db.set(key, hash);
  context.db.signalModified(key);
  context.notify("h", "hset", key);
  context.dirty += (argv.length - 2) / 2;
  return created;
}

const hset: CommandSpec = {
  name: "hset",
  arity: -4,
  flags: ["write", "denyoom", "fast"],
  categories: ["hash"],
  keys: [keyAt(1, "RW", "update")],
  docs: {
    summary: "Sets fields of a hash, which is created if there is none.",
    since: "2.0.0",
    group: "hash",
    complexity: "O(N) for N fields",
    syntax: "key data{field value} ...",
    history: [["4.0.0", "Accepts multiple `field` and `value` arguments."]],
  },
  run(context, argv) {
    context.reply.integer(setFields(context, argv));
  },
};

const hmset: CommandSpec = {
  name: "hmset",
  arity: -4,
  flags: ["write", "denyoom", "fast"],
  categories: ["hash"],
  keys: [keyAt(1, "RW", "update")],
  docs: {
    summary: "Sets fields of a hash and answers OK.",
    since: "2.0.0",
    group: "hash",
    complexity: "O(N) for N fields",
    syntax: "key data{field value} ...",
    deprecatedSince: "4.0.0",
    replacedBy: "`HSET` with multiple field-value pairs",
  },
  run(context, argv) {
    setFields(context, argv);
    context.reply.ok();
  },
};

const hsetnx: CommandSpec = {
  name: "hsetnx",
  arity: 4,
  flags: ["write", "denyoom", "fast"],
  categories: ["hash"],
  keys: [keyAt(1, "RW", "insert")],
  docs: {
    summary: "Sets a field of a hash unless the field exists.",
    since: "2.0.0",
    group: "hash",
    complexity: "O(1)",
    syntax: "key field value",
  },
  run(context, argv) {
    const key = argv[1] as string;
    const existing = writeHash(context, key);
    const hash = existing ?? newHash(context);
    if (hash.has(argv[2] as string)) {
      context.reply.integer(0);
      return;
    }
    hash.prepare(argv, 2, 4);
    hash.set(argv[2] as string, argv[3] as string);
    if (existing === undefined) context.db.set(key, hash);
    context.db.signalModified(key);
    context.notify("h", "hset", key);
    context.dirty += 1;
    context.reply.integer(1);
  },
};

const hdel: CommandSpec = {
  name: "hdel",
  arity: -3,
  flags: ["write", "fast"],
  categories: ["hash"],
  keys: [keyAt(1, "RW", "delete")],
  docs: {
    summary: "Deletes fields of a hash, and the hash with its last field.",
    since: "2.0.0",
    group: "hash",
    complexity: "O(N) for N fields",
    syntax: "key field [field ...]",
    history: [["2.4.0", "Accepts multiple `field` arguments."]],
  },
  run(context, argv) {
    const key = argv[1] as string;
    const hash = writeHash(context, key);
    let deleted = 0;
    if (hash !== undefined) {
      for (let index = 2; index < argv.length && hash.length > 0; index++) {
        if (hash.delete(argv[index] as string)) deleted++;
      }
    }
    if (hash !== undefined && deleted > 0) {
      const isEmpty = hash.length === 0;
      if (isEmpty) context.db.delete(key);
      context.db.signalModified(key);
      context.notify("h", "hdel", key);
      if (isEmpty) context.notify("g", "del", key);
      context.dirty += deleted;
    }
    context.reply.integer(deleted);
  },
};

export const writing: readonly CommandSpec[] = [hset, hmset, hsetnx, hdel];
