/** HGET, HMGET, HGETALL, HKEYS, HVALS, HLEN, HEXISTS, HSTRLEN, HSCAN: reading hashes. */
import type { CommandContext } from "../../dispatch/context.js";
import { globMatch } from "../../store/glob.js";
import {
  type Element,
  elementLength,
  elementText,
  replyElement,
} from "../../store/types/element.js";
import { replyEmptyScan, replyScanHeader, scanCursor, scanOptions } from "../scan-arguments.js";
import { type CommandDocs, type CommandSpec, keyAt } from "../spec.js";
import { readHash } from "./lookup.js";

function replyField(context: CommandContext, value: Element | undefined): void {
  if (value === undefined) context.reply.nil();
  else replyElement(context.reply, value);
}

const hget: CommandSpec = {
  name: "hget",
  arity: 3,
  flags: ["readonly", "fast"],
  categories: ["hash"],
  keys: [keyAt(1, "RO", "access")],
  docs: {
    summary: "Returns the value of a field.",
    since: "2.0.0",
    group: "hash",
    complexity: "O(1)",
    syntax: "key field",
  },
  run(context, argv) {
    replyField(context, readHash(context, argv[1] as string)?.get(argv[2] as string));
  },
};

const hmget: CommandSpec = {
  name: "hmget",
  arity: -3,
  flags: ["readonly", "fast"],
  categories: ["hash"],
  keys: [keyAt(1, "RO", "access")],
  docs: {
    summary: "Returns the values of several fields.",
    since: "2.0.0",
    group: "hash",
    complexity: "O(N) for N fields",
    syntax: "key field [field ...]",
  },
  run(context, argv) {
    const hash = readHash(context, argv[1] as string);
    context.reply.array(argv.length - 2);
    for (let index = 2; index < argv.length; index++) {
      replyField(context, hash?.get(argv[index] as string));
    }
  },
};

const hlen: CommandSpec = {
  name: "hlen",
  arity: 2,
  flags: ["readonly", "fast"],
  categories: ["hash"],
  keys: [keyAt(1, "RO")],
  docs: {
    summary: "Counts the fields of a hash.",
    since: "2.0.0",
    group: "hash",
    complexity: "O(1)",
    syntax: "key",
  },
  run(context, argv) {
    context.reply.integer(readHash(context, argv[1] as string)?.length ?? 0);
  },
};

const hexists: CommandSpec = {
  name: "hexists",
  arity: 3,
  flags: ["readonly", "fast"],
  categories: ["hash"],
  keys: [keyAt(1, "RO")],
  docs: {
    summary: "Tells whether a field exists.",
    since: "2.0.0",
    group: "hash",
    complexity: "O(1)",
    syntax: "key field",
  },
  run(context, argv) {
    const exists = readHash(context, argv[1] as string)?.has(argv[2] as string);
    context.reply.integer(exists === true ? 1 : 0);
  },
};

const hstrlen: CommandSpec = {
  name: "hstrlen",
  arity: 3,
  flags: ["readonly", "fast"],
  categories: ["hash"],
  keys: [keyAt(1, "RO")],
  docs: {
    summary: "Returns the length of a field's value.",
    since: "3.2.0",
    group: "hash",
    complexity: "O(1)",
    syntax: "key field",
  },
  run(context, argv) {
    const value = readHash(context, argv[1] as string)?.get(argv[2] as string);
    context.reply.integer(value === undefined ? 0 : elementLength(value));
  },
};

/** Every `step`-th element from `first` on: fields, values, or both. */
function replyAll(context: CommandContext, key: string, first: number, step: number): void {
  const { reply } = context;
  const hash = readHash(context, key);
  const all: Element[] = [];
  hash?.collect(all);
  if (step === 1) reply.map(all.length / 2);
  else reply.array(all.length / 2);
  for (let index = first; index < all.length; index += step) {
    replyElement(reply, all[index] as Element);
  }
}

function whole(
  name: string,
  docs: Pick<CommandDocs, "summary" | "complexity">,
  part: { readonly first: number; readonly step: number },
): CommandSpec {
  return {
    name,
    arity: 2,
    flags: ["readonly"],
    categories: ["hash"],
    keys: [keyAt(1, "RO", "access")],
    tips: ["nondeterministic_output_order"],
    docs: { ...docs, since: "2.0.0", group: "hash", syntax: "key" },
    run(context, argv) {
      replyAll(context, argv[1] as string, part.first, part.step);
    },
  };
}

const complexity = "O(N) for a hash of N fields";
const hgetall = whole(
  "hgetall",
  { summary: "Returns all fields with their values.", complexity },
  { first: 0, step: 1 },
);
const hkeys = whole("hkeys", { summary: "Returns all fields.", complexity }, { first: 0, step: 2 });
const hvals = whole("hvals", { summary: "Returns all values.", complexity }, { first: 1, step: 2 });

const hscan: CommandSpec = {
  name: "hscan",
  arity: -3,
  flags: ["readonly"],
  categories: ["hash"],
  keys: [keyAt(1, "RO", "access")],
  tips: ["nondeterministic_output"],
  docs: {
    summary: "Returns the fields and values of a hash step by step.",
    since: "2.8.0",
    group: "hash",
    complexity: "O(1) a step, O(N) in all for a hash of N fields",
    syntax: "key cursor [MATCH pattern] [COUNT count]",
  },
  run(context, argv) {
    const cursor = scanCursor(argv[2] as string);
    const hash = readHash(context, argv[1] as string);
    if (hash === undefined) {
      replyEmptyScan(context);
      return;
    }
    const { count, pattern } = scanOptions(argv, 3);
    const all: Element[] = [];
    const next = hash.scan(cursor, count, all);
    let kept = all.length;
    if (pattern !== undefined) {
      kept = 0;
      for (let index = 0; index < all.length; index += 2) {
        if (!globMatch(pattern, elementText(all[index] as Element))) continue;
        all[kept++] = all[index] as Element;
        all[kept++] = all[index + 1] as Element;
      }
    }
    replyScanHeader(context, next, kept);
    for (let index = 0; index < kept; index++) replyElement(context.reply, all[index] as Element);
  },
};

export const reading: readonly CommandSpec[] = [
  hget,
  hmget,
  hgetall,
  hkeys,
  hvals,
  hlen,
  hexists,
  hstrlen,
  hscan,
];
