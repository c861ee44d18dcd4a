/** Commands about whole keys whatever they hold: deleting, counting, listing, their types. */
import type { CommandContext } from "../../dispatch/context.js";
import { typeOf } from "../../store/value.js";
import { globMatch } from "../../store/glob.js";
import { type CommandSpec, keyAt, keysFrom } from "../spec.js";

function deleteKeys(context: CommandContext, argv: readonly string[]): void {
  const { db } = context;
  let deleted = 0;
  for (let index = 1; index < argv.length; index += 1) {
    const key = argv[index] as string;
    // What has expired is deleted for that reason and does not count here.
    db.expireIfNeeded(key);
    if (!db.delete(key)) continue;
    db.signalModified(key);
    context.notify("g", "del", key);
    deleted += 1;
  }
  context.dirty += deleted;
  context.reply.integer(deleted);
}

const del: CommandSpec = {
  name: "del",
  arity: -2,
  flags: ["write"],
  categories: ["keyspace"],
  tips: ["request_policy:multi_shard", "response_policy:agg_sum"],
  keys: [keysFrom(1, { last: -1, step: 1 }, "RM", "delete")],
  docs: {
    summary: "Deletes keys.",
    since: "1.0.0",
    group: "generic",
    complexity: "O(N) for N keys, plus O(M) for collections of M elements",
    syntax: "key...",
  },
  run: deleteKeys,
};

const unlink: CommandSpec = {
  name: "unlink",
  arity: -2,
  flags: ["write", "fast"],
  categories: ["keyspace"],
  tips: ["request_policy:multi_shard", "response_policy:agg_sum"],
  keys: [keysFrom(1, { last: -1, step: 1 }, "RM", "delete")],
  docs: {
    summary: "Deletes keys; their memory is given back later.",
    since: "4.0.0",
    group: "generic",
    complexity: "O(1) for each key",
    syntax: "key...",
  },
  run: deleteKeys,
};

const exists: CommandSpec = {
  name: "exists",
  arity: -2,
  flags: ["readonly", "fast"],
  categories: ["keyspace"],
  tips: ["request_policy:multi_shard", "response_policy:agg_sum"],
  keys: [keysFrom(1, { last: -1, step: 1 }, "RO")],
  docs: {
    summary: "Counts how many of the keys exist; one that is named twice counts twice.",
    since: "1.0.0",
    group: "generic",
    complexity: "O(N) for N keys",
    syntax: "key...",
    history: [["3.0.3", "Accepts multiple `key` arguments."]],
  },
  run({ db, reply }, argv) {
    let count = 0;
    for (let index = 1; index < argv.length; index += 1) {
      if (db.inspect(argv[index] as string) !== undefined) count += 1;
    }
    reply.integer(count);
  },
};

const touch: CommandSpec = {
  name: "touch",
  arity: -2,
  flags: ["readonly", "fast"],
  categories: ["keyspace"],
  tips: ["request_policy:multi_shard", "response_policy:agg_sum"],
  keys: [keysFrom(1, { last: -1, step: 1 }, "RO")],
  docs: {
    summary: "Marks keys as used just now and counts those that exist.",
    since: "3.2.1",
    group: "generic",
    complexity: "O(N) for N keys",
    syntax: "key...",
  },
  run({ client, db, reply }, argv) {
    let count = 0;
    for (let index = 1; index < argv.length; index += 1) {
      const key = argv[index] as string;
      if (db.lookupRead(key) === undefined) continue;
      // Also for a client whose lookups do not count as uses: this one asks for nothing else.
      if (client.noTouch) db.touch(key);
      count += 1;
    }
    reply.integer(count);
  },
};

const type: CommandSpec = {
  name: "type",
  arity: 2,
  flags: ["readonly", "fast"],
  categories: ["keyspace"],
  keys: [keyAt(1, "RO")],
  docs: {
    summary: "Returns the type of the value of a key.",
    since: "1.0.0",
    group: "generic",
    complexity: "O(1)",
    syntax: "key",
  },
  run({ db, reply }, argv) {
    const value = db.inspect(argv[1] as string);
    reply.simple(value === undefined ? "none" : typeOf(value));
  },
};

const keys: CommandSpec = {
  name: "keys",
  arity: 2,
  flags: ["readonly"],
  categories: ["keyspace", "dangerous"],
  tips: ["request_policy:all_shards", "nondeterministic_output_order"],
  docs: {
    summary: "Returns all keys that match a pattern.",
    since: "1.0.0",
    group: "generic",
    complexity: "O(N) for N keys in the database",
    syntax: "pattern",
  },
  run({ db, now, reply }, argv) {
    const pattern = argv[1] as string;
    const all = pattern === "*";
    const mark = reply.deferArray();
    let count = 0;
    db.forEach((key, _value, expireAt) => {
      if (expireAt < now || !(all || globMatch(pattern, key))) return;
      reply.bulk(key);
      count += 1;
    });
    reply.endArray(mark, count);
  },
};

const randomkey: CommandSpec = {
  name: "randomkey",
  arity: 1,
  flags: ["readonly", "touches_arbitrary_keys"],
  categories: ["keyspace"],
  tips: ["request_policy:all_shards", "response_policy:special", "nondeterministic_output"],
  docs: {
    summary: "Returns a key chosen at random, each equally likely.",
    since: "1.0.0",
    group: "generic",
    complexity: "O(1)",
    syntax: "",
  },
  run({ db, reply }) {
    const key = db.randomKey();
    if (key === undefined) reply.nil();
    else reply.bulk(key);
  },
};

const dbsize: CommandSpec = {
  name: "dbsize",
  arity: 1,
  flags: ["readonly", "fast"],
  categories: ["keyspace"],
  tips: ["request_policy:all_shards", "response_policy:agg_sum"],
  docs: {
    summary: "Returns how many keys the database has.",
    since: "1.0.0",
    group: "server",
    complexity: "O(1)",
    syntax: "",
  },
  run({ db, reply }) {
    reply.integer(db.size);
  },
};

export const keyspace: readonly CommandSpec[] = [
  del,
  unlink,
  exists,
  touch,
  type,
  keys,
  randomkey,
  dbsize,
];
