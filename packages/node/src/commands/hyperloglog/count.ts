/** PFADD, PFCOUNT, PFMERGE: how many distinct elements there were, in at most 12 KB. */
import type { CommandContext } from "../../dispatch/context.js";
import type { ByteString } from "../../store/byte-string.js";
import { INT64_MIN } from "../../store/int64.js";
import { stringBytes, type StringValue } from "../../store/value.js";
import { asString, fail } from "../errors.js";
import { type CommandSpec, keyAt, keysFrom } from "../spec.js";
import { writableBytes } from "../string-bytes.js";
import { eachRun, getDense, makeDense, raiseDense } from "./dense.js";
import { cardinality, cardinalityOfRegisters } from "./estimate.js";
import {
  CARDINALITY_AT,
  DENSE,
  emptySparse,
  ENCODING_AT,
  isHyperLogLog,
  markStale,
  REGISTER_COUNT,
  STALE_AT,
  STALE_BIT,
} from "./layout.js";
import { ElementPattern } from "./pattern.js";
import { type Raised, raiseSparse } from "./sparse.js";

export const corrupt = "INVALIDOBJ Corrupted HLL object detected";

/** The value as a string that looks like a HyperLogLog, or `undefined` if there is none. */
export function asHyperLogLog(
  value: ReturnType<CommandContext["db"]["peek"]>,
): StringValue | undefined {
  const text = asString(value);
  if (text !== undefined && !isHyperLogLog(text)) {
    fail("WRONGTYPE Key is not a valid HyperLogLog string value.");
  }
  return text;
}

export function isDense(bytes: ByteString): boolean {
  return bytes.byteAt(ENCODING_AT) === DENSE;
}

/** Raises one register in either encoding. */
export function raise(
  { node }: CommandContext,
  bytes: ByteString,
  register: number,
  value: number,
): Raised {
  if (!isDense(bytes)) return raiseSparse(bytes, register, value, node.config.hllSparseMaxBytes);
  return raiseDense(bytes, register, value) ? "raised" : "kept";
}

/** The bytes to be changed: a new, empty one if there is no such key. */
function writableSketch(
  context: CommandContext,
  key: string,
  value: StringValue | undefined,
): ByteString {
  const bytes = writableBytes(context, key, value);
  if (value === undefined) bytes.append(emptySparse());
  return bytes;
}

const pfadd: CommandSpec = {
  name: "pfadd",
  arity: -2,
  flags: ["write", "denyoom", "fast"],
  categories: ["hyperloglog"],
  keys: [keyAt(1, "RW", "insert")],
  docs: {
    summary: "Adds elements to a HyperLogLog, which is created if there is none.",
    since: "2.8.9",
    group: "hyperloglog",
    complexity: "O(1) for each element",
    syntax: "key [element...]",
  },
  run(context, argv) {
    const { db, reply } = context;
    const key = argv[1] as string;
    const value = asHyperLogLog(db.lookupWrite(key));
    const bytes = writableSketch(context, key, value);
    const pattern = new ElementPattern();
    let changes = value === undefined ? 1 : 0;
    for (let index = 2; index < argv.length; index += 1) {
      pattern.hash(argv[index] as string);
      const raised = raise(context, bytes, pattern.register, pattern.value);
      if (raised === "corrupt") fail(corrupt);
      if (raised === "raised") changes += 1;
    }
    if (changes > 0) {
      markStale(bytes);
      db.signalModified(key);
      context.notify("$", "pfadd", key);
      context.dirty += changes;
    }
    reply.integer(changes > 0 ? 1 : 0);
  },
};

/** Raises `registers`, a byte each, to those of another HyperLogLog. */
function mergeInto(registers: Uint8Array, value: StringValue): void {
  const bytes = stringBytes(value);
  if (bytes[ENCODING_AT] === DENSE) {
    for (let register = 0; register < REGISTER_COUNT; register += 1) {
      const other = getDense(bytes, register);
      if (other > (registers[register] as number)) registers[register] = other;
    }
    return;
  }
  const coverage = eachRun(bytes, (from, run) => {
    for (let register = from; register < from + run.length; register += 1) {
      if (run.value > (registers[register] as number)) registers[register] = run.value;
    }
  });
  if (coverage === "wrong") fail(corrupt);
}

function replyCardinality({ reply }: CommandContext, count: number): void {
  if (Number.isSafeInteger(count)) reply.integer(count);
  // Only registers that no elements have given lead here; C's conversion ends at the smallest one.
  else reply.bigInteger(count < 2 ** 63 ? BigInt(count) : INT64_MIN);
}

function countUnion(context: CommandContext, argv: readonly string[]): void {
  const registers = new Uint8Array(REGISTER_COUNT);
  for (let index = 1; index < argv.length; index += 1) {
    const value = asHyperLogLog(context.db.lookupRead(argv[index] as string));
    if (value !== undefined) mergeInto(registers, value);
  }
  replyCardinality(context, cardinalityOfRegisters(registers));
}

/** Counts one, and keeps the count in it: a change that is logged, although the command reads. */
function countOne(context: CommandContext, key: string): void {
  const { db, reply, node } = context;
  const value = asHyperLogLog(db.lookupRead(key));
  if (value === undefined) {
    reply.integer(0);
    return;
  }
  // Redis makes it a buffer of its own whether or not the count changes: OBJECT ENCODING tells.
  const bytes = writableBytes(context, key, value);
  const view = bytes.view();
  if (((view[STALE_AT] as number) & STALE_BIT) === 0) {
    replyCardinality(context, Number(view.readBigUInt64LE(CARDINALITY_AT)));
    return;
  }
  const count = cardinality(view) ?? fail(corrupt);
  // A replica's data are its primary's: it counts again each time.
  if (!node.role.isReplica || context.client.kind !== "normal") {
    // Announces the change.
    db.lookupWrite(key);
    const safe = count < 2 ** 63 ? BigInt(count) : 2n ** 63n;
    bytes.writable(bytes.length).writeBigUInt64LE(safe, CARDINALITY_AT);
    db.signalModified(key);
    context.dirty += 1;
  }
  replyCardinality(context, count);
}

const pfcount: CommandSpec = {
  name: "pfcount",
  arity: -2,
  // It stores the count that it computed in the key.
  flags: ["readonly", "may_replicate"],
  categories: ["hyperloglog"],
  keys: [
    {
      ...keysFrom(1, { last: -1, step: 1 }, "RW", "access"),
      notes:
        "RW because it may change the internal representation of the key, and propagate to replicas",
    },
  ],
  docs: {
    summary: "Returns how many distinct elements were added to HyperLogLogs, all taken together.",
    since: "2.8.9",
    group: "hyperloglog",
    complexity: "O(1) for each key; a single key's count is kept until it changes",
    syntax: "key...",
  },
  run(context, argv) {
    if (argv.length > 2) countUnion(context, argv);
    else countOne(context, argv[1] as string);
  },
};

const pfmerge: CommandSpec = {
  name: "pfmerge",
  arity: -2,
  flags: ["write", "denyoom"],
  categories: ["hyperloglog"],
  keys: [keyAt(1, "RW", "access", "insert"), keysFrom(2, { last: -1, step: 1 }, "RO", "access")],
  docs: {
    summary: "Merges HyperLogLogs into one.",
    since: "2.8.9",
    group: "hyperloglog",
    complexity: "O(N) for N keys",
    syntax: "destkey [sourcekey...]",
  },
  run(context, argv) {
    const { db, reply } = context;
    const key = argv[1] as string;
    const registers = new Uint8Array(REGISTER_COUNT);
    let dense = false;
    for (let index = 1; index < argv.length; index += 1) {
      const value = asHyperLogLog(db.lookupRead(argv[index] as string));
      if (value === undefined) continue;
      if (stringBytes(value)[ENCODING_AT] === DENSE) dense = true;
      mergeInto(registers, value);
    }
    const bytes = writableSketch(context, key, asString(db.lookupWrite(key)));
    if (dense && !makeDense(bytes)) fail(corrupt);
    for (let register = 0; register < REGISTER_COUNT; register += 1) {
      const value = registers[register] as number;
      if (value > 0) raise(context, bytes, register, value);
    }
    markStale(bytes);
    db.signalModified(key);
    context.notify("$", "pfadd", key);
    context.dirty += 1;
    reply.ok();
  },
};

export const sketches: readonly CommandSpec[] = [pfadd, pfcount, pfmerge];
