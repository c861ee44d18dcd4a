/** Reading whole strings, and what GET does besides: GETEX sets the expiry, GETDEL deletes. */
import type { CommandContext } from "../../dispatch/context.js";
import { SlabView } from "../../store/slab.js";
import type { StringValue } from "../../store/value.js";
import { stringLength } from "../../store/value.js";
import { asString } from "../errors.js";
import { isPast } from "../expiry.js";
import { type CommandSpec, keyAt } from "../spec.js";
import { parseOptions } from "./options.js";

/** A stored string as a bulk reply. */
export function replyString(context: CommandContext, value: StringValue): void {
  const { reply } = context;
  if (typeof value === "string") reply.bulk(value);
  else if (typeof value === "number") reply.bulkInteger(value);
  else reply.bulk(value.view());
}

/** The reply of GET; true if there is such a key. */
export function replyGet(context: CommandContext, key: string): boolean {
  const { db, reply } = context;
  const found = db.lookupView(key);
  if (found === undefined) {
    reply.nil();
    return false;
  }
  if (found instanceof SlabView) reply.bulkRange(found.bytes as Buffer, found.start, found.length);
  else replyString(context, asString(found) as StringValue);
  return true;
}

const get: CommandSpec = {
  name: "get",
  arity: 2,
  flags: ["readonly", "fast"],
  categories: ["string"],
  keys: [keyAt(1, "RO", "access")],
  docs: {
    summary: "Returns the string value of a key.",
    since: "1.0.0",
    group: "string",
    complexity: "O(1)",
    syntax: "key",
  },
  run(context, argv) {
    replyGet(context, argv[1] as string);
  },
};

const strlen: CommandSpec = {
  name: "strlen",
  arity: 2,
  flags: ["readonly", "fast"],
  categories: ["string"],
  keys: [keyAt(1, "RO")],
  docs: {
    summary: "Returns how many bytes a string value has.",
    since: "2.2.0",
    group: "string",
    complexity: "O(1)",
    syntax: "key",
  },
  run(context, argv) {
    const value = asString(context.db.lookupRead(argv[1] as string));
    context.reply.integer(value === undefined ? 0 : stringLength(value));
  },
};

const getdel: CommandSpec = {
  name: "getdel",
  arity: 2,
  flags: ["write", "fast"],
  categories: ["string"],
  keys: [keyAt(1, "RW", "access", "delete")],
  docs: {
    summary: "Returns the string value of a key and deletes the key.",
    since: "6.2.0",
    group: "string",
    complexity: "O(1)",
    syntax: "key",
  },
  run(context, argv) {
    const key = argv[1] as string;
    if (!replyGet(context, key)) return;
    context.db.delete(key);
    context.propagateAs(["DEL", key]);
    context.db.signalModified(key);
    context.notify("g", "del", key);
    context.dirty += 1;
  },
};

const getex: CommandSpec = {
  name: "getex",
  arity: -2,
  flags: ["write", "fast"],
  categories: ["string"],
  keys: [
    { ...keyAt(1, "RW", "access", "update"), notes: "RW and UPDATE because it changes the TTL" },
  ],
  docs: {
    summary: "Returns the string value of a key, and sets or removes the expiry.",
    since: "6.2.0",
    group: "string",
    complexity: "O(1)",
    syntax:
      "key expiration[EX seconds | PX milliseconds | EXAT unix-time-seconds | PXAT unix-time-milliseconds | PERSIST]",
  },
  run(context, argv) {
    const key = argv[1] as string;
    const options = parseOptions(argv, 2, "getex");
    const { db } = context;
    const value = asString(db.lookupRead(key));
    if (value === undefined) {
      context.reply.nil();
      return;
    }
    const at = options.expiry(context);
    replyString(context, value);
    if (at !== undefined)
      setExpiry(context, key, at, options.mode === "exat" || options.mode === "pxat");
    else if (options.mode === "persist" && db.persist(key)) {
      db.signalModified(key);
      context.propagateAs(["PERSIST", key]);
      context.notify("g", "persist", key);
      context.dirty += 1;
    }
  },
};

function setExpiry(
  context: CommandContext,
  key: string,
  at: number | bigint,
  absolute: boolean,
): void {
  const { db, node } = context;
  const past = absolute && isPast(context, at);
  if (past) {
    db.delete(key);
    context.propagateAs([node.config.lazyfreeLazyExpire ? "UNLINK" : "DEL", key]);
  } else {
    db.setExpireAt(key, Number(at));
    context.propagateAs(["PEXPIREAT", key, String(at)]);
  }
  db.signalModified(key);
  context.notify("g", past ? "del" : "expire", key);
  context.dirty += 1;
}

export const reading: readonly CommandSpec[] = [get, strlen, getdel, getex];
