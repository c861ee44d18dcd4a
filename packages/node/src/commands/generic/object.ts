/** OBJECT: how a value is held and when it was used. */
import type { CommandContext } from "../../dispatch/context.js";
import type { Value } from "../../store/value.js";
import { fail } from "../errors.js";
import { helpSubcommand } from "../help.js";
import { type CommandSpec, keyAt } from "../spec.js";

/** Redis shares its objects of the integers below this; their counter stands at C's INT_MAX. */
const sharedIntegers = 10_000;
const sharedCount = 2147483647;

/** Counts in the statistics, but neither as a use nor as a miss that is told. */
function look({ db, reply }: CommandContext, key: string): Value | undefined {
  const value = db.peek(key);
  if (value === undefined) {
    db.misses += 1;
    reply.nil();
  } else {
    db.hits += 1;
  }
  return value;
}

/** Redis keeps a key's use in its value, which cannot be shared then. */
function sharesIntegers({ node }: CommandContext): boolean {
  const { maxmemory, maxmemoryPolicy } = node.config;
  return maxmemory === 0 || !/-l[rf]u$/.test(maxmemoryPolicy);
}

const adjustment =
  "Please note that when switching between policies at runtime LRU and LFU data will take some " +
  "time to adjust.";

function usesLfu({ node }: CommandContext): boolean {
  return node.databases.parts.access.lfu;
}

const encoding: CommandSpec = {
  name: "encoding",
  arity: 3,
  flags: ["readonly"],
  categories: ["keyspace"],
  tips: ["nondeterministic_output"],
  keys: [keyAt(2, "RO")],
  docs: {
    summary: "Returns how the value of a key is held.",
    since: "2.2.3",
    group: "generic",
    complexity: "O(1)",
    syntax: "key",
  },
  run(context, argv) {
    const key = argv[2] as string;
    if (look(context, key) !== undefined) context.reply.bulk(context.db.encoding(key) as string);
  },
};

const freq: CommandSpec = {
  name: "freq",
  arity: 3,
  flags: ["readonly"],
  categories: ["keyspace"],
  tips: ["nondeterministic_output"],
  keys: [keyAt(2, "RO")],
  docs: {
    summary: "Returns how often a key was used, as a logarithm, under an LFU policy.",
    since: "4.0.0",
    group: "generic",
    complexity: "O(1)",
    syntax: "key",
  },
  run(context, argv) {
    const key = argv[2] as string;
    if (look(context, key) === undefined) return;
    if (!usesLfu(context)) {
      fail(
        `ERR An LFU maxmemory policy is not selected, access frequency not tracked. ${adjustment}`,
      );
    }
    context.reply.integer(context.db.frequency(key));
  },
};

const idletime: CommandSpec = {
  name: "idletime",
  arity: 3,
  flags: ["readonly"],
  categories: ["keyspace"],
  tips: ["nondeterministic_output"],
  keys: [keyAt(2, "RO")],
  docs: {
    summary: "Returns for how many seconds a key has not been used.",
    since: "2.2.3",
    group: "generic",
    complexity: "O(1)",
    syntax: "key",
  },
  run(context, argv) {
    const key = argv[2] as string;
    if (look(context, key) === undefined) return;
    if (usesLfu(context)) {
      fail(`ERR An LFU maxmemory policy is selected, idle time not tracked. ${adjustment}`);
    }
    context.reply.integer(Math.floor(context.db.idleMs(key) / 1000));
  },
};

const refcount: CommandSpec = {
  name: "refcount",
  arity: 3,
  flags: ["readonly"],
  categories: ["keyspace"],
  tips: ["nondeterministic_output"],
  keys: [keyAt(2, "RO")],
  docs: {
    summary: "Returns how many references the value of a key has in Redis.",
    since: "2.2.3",
    group: "generic",
    complexity: "O(1)",
    syntax: "key",
  },
  run(context, argv) {
    const value = look(context, argv[2] as string);
    if (value === undefined) return;
    const shared =
      sharesIntegers(context) && typeof value === "number" && value >= 0 && value < sharedIntegers;
    context.reply.integer(shared ? sharedCount : 1);
  },
};

const help = helpSubcommand({
  container: "object",
  since: "6.2.0",
  group: "generic",
  categories: ["keyspace"],
  lines: [
    "ENCODING <key>",
    "    Return the kind of internal representation used in order to store the value",
    "    associated with a <key>.",
    "FREQ <key>",
    "    Return the access frequency index of the <key>. The returned integer is",
    "    proportional to the logarithm of the recent access frequency of the key.",
    "IDLETIME <key>",
    "    Return the idle time of the <key>, that is the approximated number of",
    "    seconds elapsed since the last access to the key.",
    "REFCOUNT <key>",
    "    Return the number of references of the value associated with the specified",
    "    <key>.",
  ],
});

export const object: CommandSpec = {
  name: "object",
  arity: -2,
  flags: [],
  categories: [],
  docs: {
    summary: "Contains the commands about how values are held.",
    since: "2.2.3",
    group: "generic",
    complexity: "Depends on the subcommand",
    syntax: "",
  },
  subcommands: [encoding, freq, idletime, refcount, help],
};
