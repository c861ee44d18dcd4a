/** TTL, PTTL, EXPIRETIME, PEXPIRETIME: when a key ends. */
import type { CommandContext } from "../../dispatch/context.js";
import { replyTime } from "../expiry.js";
import { type CommandSpec, keyAt } from "../spec.js";

/** -2 without a key, -1 without an expiry; seconds are rounded to the nearest. */
function replyExpiry(
  { db, now, reply }: CommandContext,
  key: string,
  form: { readonly unitMs: 1 | 1000; readonly relative: boolean },
): void {
  if (db.inspect(key) === undefined) {
    reply.integer(-2);
    return;
  }
  const at = db.expireAt(key);
  if (at === -1) {
    reply.integer(-1);
    return;
  }
  const time = Math.max(0, form.relative ? at - now : at);
  replyTime(reply, form.unitMs === 1 ? time : Math.floor((time + 500) / 1000));
}

const ttl: CommandSpec = {
  name: "ttl",
  arity: 2,
  flags: ["readonly", "fast"],
  categories: ["keyspace"],
  tips: ["nondeterministic_output"],
  keys: [keyAt(1, "RO", "access")],
  docs: {
    summary: "Returns in how many seconds a key ends.",
    since: "1.0.0",
    group: "generic",
    complexity: "O(1)",
    syntax: "key",
    history: [["2.8.0", "Added the -2 reply."]],
  },
  run(context, argv) {
    replyExpiry(context, argv[1] as string, { unitMs: 1000, relative: true });
  },
};

const pttl: CommandSpec = {
  name: "pttl",
  arity: 2,
  flags: ["readonly", "fast"],
  categories: ["keyspace"],
  tips: ["nondeterministic_output"],
  keys: [keyAt(1, "RO", "access")],
  docs: {
    summary: "Returns in how many milliseconds a key ends.",
    since: "2.6.0",
    group: "generic",
    complexity: "O(1)",
    syntax: "key",
    history: [["2.8.0", "Added the -2 reply."]],
  },
  run(context, argv) {
    replyExpiry(context, argv[1] as string, { unitMs: 1, relative: true });
  },
};

const expiretime: CommandSpec = {
  name: "expiretime",
  arity: 2,
  flags: ["readonly", "fast"],
  categories: ["keyspace"],
  keys: [keyAt(1, "RO", "access")],
  docs: {
    summary: "Returns the time in seconds since 1970 at which a key ends.",
    since: "7.0.0",
    group: "generic",
    complexity: "O(1)",
    syntax: "key",
  },
  run(context, argv) {
    replyExpiry(context, argv[1] as string, { unitMs: 1000, relative: false });
  },
};

const pexpiretime: CommandSpec = {
  name: "pexpiretime",
  arity: 2,
  flags: ["readonly", "fast"],
  categories: ["keyspace"],
  keys: [keyAt(1, "RO", "access")],
  docs: {
    summary: "Returns the time in milliseconds since 1970 at which a key ends.",
    since: "7.0.0",
    group: "generic",
    complexity: "O(1)",
    syntax: "key",
  },
  run(context, argv) {
    replyExpiry(context, argv[1] as string, { unitMs: 1, relative: false });
  },
};

export const timesLeft: readonly CommandSpec[] = [ttl, pttl, expiretime, pexpiretime];
