/** EXPIRE and its relatives: setting and removing the time at which a key ends. */
import type { CommandContext } from "../../dispatch/context.js";
import { absoluteTime, expiryNotations, isPast, type TimeNotation } from "../expiry.js";
import { fail, cString } from "../errors.js";
import { type CommandSpec, keyAt } from "../spec.js";

/** Conditions on the expiry that the key has. */
class Conditions {
  nx = false;
  xx = false;
  gt = false;
  lt = false;

  get any(): boolean {
    return this.nx || this.xx || this.gt || this.lt;
  }

  /** `current` is -1 for no expiry, which counts as infinitely late. */
  allow(current: number, wanted: number | bigint): boolean {
    if (this.nx && current !== -1) return false;
    if (this.xx && current === -1) return false;
    if (this.gt && (current === -1 || wanted <= current)) return false;
    return !(this.lt && current !== -1 && wanted >= current);
  }
}

function parseConditions(argv: readonly string[]): Conditions {
  const conditions = new Conditions();
  for (let index = 3; index < argv.length; index += 1) {
    const word = argv[index] as string;
    switch (word.toLowerCase()) {
      case "nx":
        conditions.nx = true;
        break;
      case "xx":
        conditions.xx = true;
        break;
      case "gt":
        conditions.gt = true;
        break;
      case "lt":
        conditions.lt = true;
        break;
      default:
        fail(`ERR Unsupported option ${cString(word)}`);
    }
  }
  const { nx, xx, gt, lt } = conditions;
  if (nx && (xx || gt || lt)) {
    fail("ERR NX and XX, GT or LT options at the same time are not compatible");
  }
  if (gt && lt) fail("ERR GT and LT options at the same time are not compatible");
  return conditions;
}

function expireKey(context: CommandContext, argv: readonly string[], notation: TimeNotation): void {
  const { db, node, reply } = context;
  const key = argv[1] as string;
  const conditions = parseConditions(argv);
  const at = absoluteTime(context, argv[2] as string, notation);
  const exists = db.lookupWrite(key) !== undefined;
  if (!exists || (conditions.any && !conditions.allow(db.expireAt(key), at))) {
    reply.integer(0);
    return;
  }
  const past = isPast(context, at);
  if (past) {
    db.delete(key);
    context.propagateAs([node.config.lazyfreeLazyExpire ? "UNLINK" : "DEL", key]);
  } else {
    db.setExpireAt(key, Number(at));
    // The conditions stay in the record: who applies it has the same expiry to compare with.
    if (notation.relative || notation.unitMs !== 1) {
      context.propagateAs(["PEXPIREAT", key, String(at), ...argv.slice(3)]);
    }
  }
  db.signalModified(key);
  context.notify("g", past ? "del" : "expire", key);
  context.dirty += 1;
  reply.integer(1);
}

const expire: CommandSpec = {
  name: "expire",
  arity: -3,
  flags: ["write", "fast"],
  categories: ["keyspace"],
  keys: [keyAt(1, "RW", "update")],
  docs: {
    summary: "Lets a key end after some seconds.",
    since: "1.0.0",
    group: "generic",
    complexity: "O(1)",
    syntax: "key seconds condition@7.0.0[NX | XX | GT | LT]",
    history: [["7.0.0", "Added options: `NX`, `XX`, `GT` and `LT`."]],
  },
  run(context, argv) {
    expireKey(context, argv, expiryNotations.ex);
  },
};

const pexpire: CommandSpec = {
  name: "pexpire",
  arity: -3,
  flags: ["write", "fast"],
  categories: ["keyspace"],
  keys: [keyAt(1, "RW", "update")],
  docs: {
    summary: "Lets a key end after some milliseconds.",
    since: "2.6.0",
    group: "generic",
    complexity: "O(1)",
    syntax: "key milliseconds condition@7.0.0[NX | XX | GT | LT]",
    history: [["7.0.0", "Added options: `NX`, `XX`, `GT` and `LT`."]],
  },
  run(context, argv) {
    expireKey(context, argv, expiryNotations.px);
  },
};

const expireat: CommandSpec = {
  name: "expireat",
  arity: -3,
  flags: ["write", "fast"],
  categories: ["keyspace"],
  keys: [keyAt(1, "RW", "update")],
  docs: {
    summary: "Lets a key end at a time in seconds since 1970.",
    since: "1.2.0",
    group: "generic",
    complexity: "O(1)",
    syntax: "key unix-time-seconds condition@7.0.0[NX | XX | GT | LT]",
    history: [["7.0.0", "Added options: `NX`, `XX`, `GT` and `LT`."]],
  },
  run(context, argv) {
    expireKey(context, argv, expiryNotations.exat);
  },
};

const pexpireat: CommandSpec = {
  name: "pexpireat",
  arity: -3,
  flags: ["write", "fast"],
  categories: ["keyspace"],
  keys: [keyAt(1, "RW", "update")],
  docs: {
    summary: "Lets a key end at a time in milliseconds since 1970.",
    since: "2.6.0",
    group: "generic",
    complexity: "O(1)",
    syntax: "key unix-time-milliseconds condition@7.0.0[NX | XX | GT | LT]",
    history: [["7.0.0", "Added options: `NX`, `XX`, `GT` and `LT`."]],
  },
  run(context, argv) {
    expireKey(context, argv, expiryNotations.pxat);
  },
};

const persist: CommandSpec = {
  name: "persist",
  arity: 2,
  flags: ["write", "fast"],
  categories: ["keyspace"],
  keys: [keyAt(1, "RW", "update")],
  docs: {
    summary: "Removes the expiry of a key.",
    since: "2.2.0",
    group: "generic",
    complexity: "O(1)",
    syntax: "key",
  },
  run(context, argv) {
    const { db, reply } = context;
    const key = argv[1] as string;
    if (db.lookupWrite(key) === undefined || !db.persist(key)) {
      reply.integer(0);
      return;
    }
    db.signalModified(key);
    context.notify("g", "persist", key);
    context.dirty += 1;
    reply.integer(1);
  },
};

export const expiring: readonly CommandSpec[] = [expire, pexpire, expireat, pexpireat, persist];
