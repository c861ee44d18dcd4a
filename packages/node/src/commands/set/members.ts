/** SADD, SREM, SMOVE, SISMEMBER, SMISMEMBER, SCARD, SSCAN: members of one set. */
import { globMatch } from "../../store/glob.js";
import { type Element, elementText, replyElement } from "../../store/types/element.js";
import { SetValue } from "../../store/types/set.js";
import { replyEmptyScan, replyScanHeader, scanCursor, scanOptions } from "../scan-arguments.js";
import { type CommandSpec, keyAt } from "../spec.js";
import { asSet, readSet, writeSet } from "./lookup.js";

const sadd: CommandSpec = {
  name: "sadd",
  arity: -3,
  flags: ["write", "denyoom", "fast"],
  categories: ["set"],
  keys: [keyAt(1, "RW", "insert")],
  docs: {
    summary: "Adds members to a set, which is created if there is none.",
    since: "1.0.0",
    group: "set",
    complexity: "O(N) for N members",
    syntax: "key member [member ...]",
    history: [["2.4.0", "Accepts multiple `member` arguments."]],
  },
  run(context, argv) {
    const { db } = context;
    const key = argv[1] as string;
    const count = argv.length - 2;
    let set = writeSet(context, key);
    if (set === undefined) {
      set = SetValue.for(argv[2] as string, count, db.collections);
      db.set(key, set);
    } else {
      set.prepare(count);
    }
    let added = 0;
    for (let index = 2; index < argv.length; index++) {
      if (set.add(argv[index] as string)) added++;
    }
    if (added > 0) {
      db.signalModified(key);
      context.notify("s", "sadd", key);
    }
    context.dirty += added;
    context.reply.integer(added);
  },
};

const srem: CommandSpec = {
  name: "srem",
  arity: -3,
  flags: ["write", "fast"],
  categories: ["set"],
  keys: [keyAt(1, "RW", "delete")],
  docs: {
    summary: "Removes members from a set, and the set with its last member.",
    since: "1.0.0",
    group: "set",
    complexity: "O(N) for N members",
    syntax: "key member [member ...]",
    history: [["2.4.0", "Accepts multiple `member` arguments."]],
  },
  run(context, argv) {
    const key = argv[1] as string;
    const set = writeSet(context, key);
    let removed = 0;
    if (set !== undefined) {
      for (let index = 2; index < argv.length && set.length > 0; index++) {
        if (set.delete(argv[index] as string)) removed++;
      }
    }
    if (set !== undefined && removed > 0) {
      const isEmpty = set.length === 0;
      if (isEmpty) context.db.delete(key);
      context.db.signalModified(key);
      context.notify("s", "srem", key);
      if (isEmpty) context.notify("g", "del", key);
      context.dirty += removed;
    }
    context.reply.integer(removed);
  },
};

const smove: CommandSpec = {
  name: "smove",
  arity: 4,
  flags: ["write", "fast"],
  categories: ["set"],
  keys: [keyAt(1, "RW", "access", "delete"), keyAt(2, "RW", "insert")],
  docs: {
    summary: "Moves a member from one set to another.",
    since: "1.0.0",
    group: "set",
    complexity: "O(1)",
    syntax: "source:key destination:key member",
  },
  run(context, argv) {
    const { db, reply } = context;
    const [, source, destination, member] = argv as readonly [string, string, string, string];
    const from = db.lookupWrite(source);
    const to = db.lookupWrite(destination);
    if (from === undefined) {
      reply.integer(0);
      return;
    }
    const fromSet = asSet(from) as SetValue;
    let toSet = asSet(to);
    if (fromSet === toSet) {
      reply.integer(fromSet.has(member) ? 1 : 0);
      return;
    }
    if (!fromSet.delete(member)) {
      reply.integer(0);
      return;
    }
    context.notify("s", "srem", source);
    if (fromSet.length === 0) {
      db.delete(source);
      context.notify("g", "del", source);
    }
    if (toSet === undefined) {
      toSet = SetValue.for(member, 1, db.collections);
      db.set(destination, toSet);
    }
    db.signalModified(source);
    context.dirty += 1;
    if (toSet.add(member)) {
      context.dirty += 1;
      db.signalModified(destination);
      context.notify("s", "sadd", destination);
    }
    reply.integer(1);
  },
};

const sismember: CommandSpec = {
  name: "sismember",
  arity: 3,
  flags: ["readonly", "fast"],
  categories: ["set"],
  keys: [keyAt(1, "RO")],
  docs: {
    summary: "Tells whether a set has a member.",
    since: "1.0.0",
    group: "set",
    complexity: "O(1)",
    syntax: "key member",
  },
  run(context, argv) {
    const isMember = readSet(context, argv[1] as string)?.has(argv[2] as string);
    context.reply.integer(isMember === true ? 1 : 0);
  },
};

const smismember: CommandSpec = {
  name: "smismember",
  arity: -3,
  flags: ["readonly", "fast"],
  categories: ["set"],
  keys: [keyAt(1, "RO", "access")],
  docs: {
    summary: "Tells for each of several members whether a set has it.",
    since: "6.2.0",
    group: "set",
    complexity: "O(N) for N members",
    syntax: "key member [member ...]",
  },
  run(context, argv) {
    const set = readSet(context, argv[1] as string);
    context.reply.array(argv.length - 2);
    for (let index = 2; index < argv.length; index++) {
      context.reply.integer(set?.has(argv[index] as string) === true ? 1 : 0);
    }
  },
};

const scard: CommandSpec = {
  name: "scard",
  arity: 2,
  flags: ["readonly", "fast"],
  categories: ["set"],
  keys: [keyAt(1, "RO")],
  docs: {
    summary: "Counts the members of a set.",
    since: "1.0.0",
    group: "set",
    complexity: "O(1)",
    syntax: "key",
  },
  run(context, argv) {
    context.reply.integer(readSet(context, argv[1] as string)?.length ?? 0);
  },
};

const sscan: CommandSpec = {
  name: "sscan",
  arity: -3,
  flags: ["readonly"],
  categories: ["set"],
  keys: [keyAt(1, "RO", "access")],
  tips: ["nondeterministic_output"],
  docs: {
    summary: "Returns the members of a set step by step.",
    since: "2.8.0",
    group: "set",
    complexity: "O(1) a step, O(N) in all for a set of N members",
    syntax: "key cursor [MATCH pattern] [COUNT count]",
  },
  run(context, argv) {
    const cursor = scanCursor(argv[2] as string);
    const set = readSet(context, argv[1] as string);
    if (set === undefined) {
      replyEmptyScan(context);
      return;
    }
    const { count, pattern } = scanOptions(argv, 3);
    const all: Element[] = [];
    const next = set.scan(cursor, count, all);
    const matching =
      pattern === undefined ? all : all.filter((member) => globMatch(pattern, elementText(member)));
    replyScanHeader(context, next, matching.length);
    for (const member of matching) replyElement(context.reply, member);
  },
};

export const membership: readonly CommandSpec[] = [
  sadd,
  srem,
  smove,
  sismember,
  smismember,
  scard,
  sscan,
];
