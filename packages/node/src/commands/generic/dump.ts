/** DUMP and RESTORE: one value as RDB bytes, out and in. */
import { type Argument, replyErrors } from "@slotlog/resp";
import { thresholdsOf } from "../../dataset/thresholds.js";
import type { CommandContext } from "../../dispatch/context.js";
import { dumpPayload, parseDumpPayload, RdbError, verifyDumpPayload } from "../../rdb/index.js";
import { fromNeutral, toNeutral } from "../../rdb/values-bridge.js";
import type { Value } from "../../store/value.js";
import { integerArgument, isWord, textArgument } from "../arguments.js";
import { fail } from "../errors.js";
import { isPast } from "../expiry.js";
import { type CommandSpec, keyAt } from "../spec.js";

class RestoreOptions {
  replace = false;
  absolute = false;
  /** Seconds, -1 if not given. */
  idle: number | bigint = -1;
  /** An LFU counter, -1 if not given. */
  frequency = -1;
}

function parseOptions(argv: readonly Argument[]): RestoreOptions {
  const options = new RestoreOptions();
  for (let index = 4; index < argv.length; index += 1) {
    const word = textArgument(argv[index] as Argument);
    const next = argv[index + 1];
    if (isWord(word, "replace")) options.replace = true;
    else if (isWord(word, "absttl")) options.absolute = true;
    else if (isWord(word, "idletime") && next !== undefined && options.frequency === -1) {
      options.idle = integerArgument(textArgument(next));
      if (options.idle < 0) fail("ERR Invalid IDLETIME value, must be >= 0");
      index += 1;
    } else if (isWord(word, "freq") && next !== undefined && options.idle === -1) {
      const frequency = integerArgument(textArgument(next));
      if (frequency < 0 || frequency > 255) {
        fail("ERR Invalid FREQ value, must be >= 0 and <= 255");
      }
      options.frequency = Number(frequency);
      index += 1;
    } else fail(replyErrors.syntax);
  }
  return options;
}

function valueOf(context: CommandContext, argument: Argument): Value {
  const payload = typeof argument === "string" ? Buffer.from(argument, "latin1") : argument;
  if (!verifyDumpPayload(payload)) fail("ERR DUMP payload version or checksum are wrong");
  try {
    return fromNeutral(parseDumpPayload(payload), context.db.collections);
  } catch (error) {
    if (error instanceof RdbError) return fail("ERR Bad data format");
    throw error;
  }
}

/** The use statistics that came along, as far as the policy keeps them. */
function setAccess(context: CommandContext, key: string, options: RestoreOptions): void {
  const { access } = context.node.databases.parts;
  if (access.lfu) {
    if (options.frequency >= 0) context.db.setAccess(key, access.fromFrequency(options.frequency));
  } else if (options.idle >= 0) {
    context.db.setAccess(key, access.fromIdleMs(Number(options.idle) * 1000));
  }
}

function restoreValue(context: CommandContext, argv: readonly Argument[]): void {
  const { db, node, reply } = context;
  const key = textArgument(argv[1] as Argument);
  const options = parseOptions(argv);
  if (!options.replace && db.lookupWrite(key) !== undefined) fail(replyErrors.busyKey);
  const ttl = integerArgument(textArgument(argv[2] as Argument));
  if (ttl < 0) fail("ERR Invalid TTL value, must be >= 0");
  const value = valueOf(context, argv[3] as Argument);
  const deleted = options.replace && db.delete(key);
  const relative = Number(ttl) !== 0 && !options.absolute;
  const at = relative ? BigInt.asIntN(64, BigInt(ttl) + BigInt(context.now)) : BigInt(ttl);
  if (at !== 0n && isPast(context, at)) {
    if (deleted) {
      context.propagateAs([node.config.lazyfreeLazyServerDel ? "UNLINK" : "DEL", key]);
      db.signalModified(key);
      context.notify("g", "del", key);
      context.dirty += 1;
    }
    reply.ok();
    return;
  }
  db.set(key, value);
  if (at !== 0n) {
    db.setExpireAt(key, Number(at));
    if (relative) {
      const [command, name, , ...rest] = argv;
      context.propagateAs([command as Argument, name as Argument, String(at), ...rest, "ABSTTL"]);
    }
  }
  setAccess(context, key, options);
  db.signalModified(key);
  context.notify("g", "restore", key);
  context.dirty += 1;
  reply.ok();
}

const dump: CommandSpec = {
  name: "dump",
  arity: 2,
  flags: ["readonly"],
  categories: ["keyspace"],
  tips: ["nondeterministic_output"],
  keys: [keyAt(1, "RO", "access")],
  docs: {
    summary: "Returns the value of a key in the form that RESTORE takes.",
    since: "2.6.0",
    group: "generic",
    complexity: "O(1) to find the key, O(N) for a value of N bytes",
    syntax: "key",
  },
  run({ db, node, reply }, argv) {
    const value = db.lookupRead(argv[1] as string);
    if (value === undefined) {
      reply.nil();
      return;
    }
    const compress = node.config.rdbcompression;
    reply.bulk(dumpPayload(toNeutral(value), { compress, thresholds: thresholdsOf(node.config) }));
  },
};

const restore: CommandSpec = {
  name: "restore",
  arity: -4,
  flags: ["write", "denyoom"],
  categories: ["keyspace", "dangerous"],
  keys: [keyAt(1, "OW", "update")],
  docs: {
    summary: "Creates a key from what DUMP returned.",
    since: "2.6.0",
    group: "generic",
    complexity: "O(1) to create the key, O(N) for a value of N bytes",
    syntax:
      "key ttl serialized-value [REPLACE@3.0.0] [ABSTTL@5.0.0] [IDLETIME seconds@5.0.0] [FREQ frequency@5.0.0]",
    history: [
      ["3.0.0", "Added the `REPLACE` modifier."],
      ["5.0.0", "Added the `ABSTTL` modifier."],
      ["5.0.0", "Added the `IDLETIME` and `FREQ` options."],
    ],
  },
  largeArguments: true,
  run: restoreValue,
};

const restoreAsking: CommandSpec = {
  name: "restore-asking",
  arity: -4,
  flags: ["write", "denyoom", "asking"],
  categories: ["keyspace", "dangerous"],
  keys: [keyAt(1, "OW", "update")],
  docs: {
    summary: "RESTORE as MIGRATE says it, into a slot that is being imported.",
    since: "3.0.0",
    group: "server",
    complexity: "O(1) to create the key, O(N) for a value of N bytes",
    syntax:
      "key ttl serialized-value [REPLACE@3.0.0] [ABSTTL@5.0.0] [IDLETIME seconds@5.0.0] [FREQ frequency@5.0.0]",
    history: [
      ["3.0.0", "Added the `REPLACE` modifier."],
      ["5.0.0", "Added the `ABSTTL` modifier."],
      ["5.0.0", "Added the `IDLETIME` and `FREQ` options."],
    ],
  },
  largeArguments: true,
  run: restoreValue,
};

export const dumping: readonly CommandSpec[] = [dump, restore, restoreAsking];
