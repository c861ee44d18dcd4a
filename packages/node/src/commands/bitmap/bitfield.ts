/** BITFIELD and BITFIELD_RO: integers of any width in strings. */
import { replyErrors } from "@slotlog/resp";
import type { CommandContext } from "../../dispatch/context.js";
import type { ByteString } from "../../store/byte-string.js";
import { parseInt64 } from "../../store/int64.js";
import type { StringValue } from "../../store/value.js";
import { integerArgument } from "../arguments.js";
import { asString, fail } from "../errors.js";
import { type CommandSpec, keyAt } from "../spec.js";
import { writableBytes } from "../string-bytes.js";
import {
  type FieldType,
  fitNarrow,
  fitWide,
  isNarrow,
  type Overflow,
  readNarrow,
  readWide,
  writeNarrow,
  writeWide,
} from "./field.js";
import { bitOffset } from "./offset.js";

interface FieldOperation {
  readonly kind: "get" | "set" | "incrby";
  readonly type: FieldType;
  readonly offset: number;
  readonly amount: number | bigint;
  readonly overflow: Overflow;
}

function fieldType(text: string): FieldType {
  const signed = text.startsWith("i");
  const bits = signed || text.startsWith("u") ? parseInt64(text.slice(1)) : undefined;
  if (typeof bits !== "number" || bits < 1 || bits > (signed ? 64 : 63)) {
    return fail(
      "ERR Invalid bitfield type. Use something like i16 u8. " +
        "Note that u64 is not supported but i64 is.",
    );
  }
  return { signed, bits };
}

function overflowWord(text: string): Overflow {
  const word = text.toLowerCase();
  if (word === "wrap" || word === "sat" || word === "fail") return word;
  return fail("ERR Invalid OVERFLOW type specified");
}

function parse(context: CommandContext, argv: readonly string[]): readonly FieldOperation[] {
  const operations: FieldOperation[] = [];
  let overflow: Overflow = "wrap";
  let index = 2;
  while (index < argv.length) {
    const kind = (argv[index] as string).toLowerCase();
    const left = argv.length - index - 1;
    if (kind === "overflow" && left >= 1) {
      overflow = overflowWord(argv[index + 1] as string);
      index += 2;
      continue;
    }
    const isGet = kind === "get" && left >= 2;
    if (!isGet && !((kind === "set" || kind === "incrby") && left >= 3)) fail(replyErrors.syntax);
    const type = fieldType(argv[index + 1] as string);
    const offset = bitOffset(context, argv[index + 2] as string, type.bits);
    const amount = isGet ? 0 : integerArgument(argv[index + 3] as string);
    operations.push({ kind: kind as FieldOperation["kind"], type, offset, amount, overflow });
    index += isGet ? 3 : 4;
  }
  return operations;
}

function replyField({ reply }: CommandContext, value: number | bigint | undefined): void {
  if (value === undefined) reply.nil();
  else if (typeof value === "number") reply.integer(value);
  else reply.bigInteger(value);
}

type Outcome = "refused" | "same" | "changed";

function outcome(old: number | bigint, written: number | bigint | undefined): Outcome {
  if (written === undefined) return "refused";
  return written === old ? "same" : "changed";
}

/** Runs SET or INCRBY. */
function change(context: CommandContext, bytes: ByteString, operation: FieldOperation): Outcome {
  const { type, offset, amount, overflow } = operation;
  const isSet = operation.kind === "set";
  // A negative value for an unsigned field is the large number that its bits spell.
  const spellsLarge = isSet && !type.signed && amount < 0;
  if (!spellsLarge && isNarrow(type, amount)) {
    const old = readNarrow(bytes, offset, type);
    const fitted = fitNarrow(isSet ? amount : old + amount, type, overflow);
    replyField(context, isSet && fitted !== undefined ? old : fitted);
    if (fitted !== undefined) writeNarrow(bytes, offset, type, fitted);
    return outcome(old, fitted);
  }
  const old = readWide(bytes, offset, type);
  const given = spellsLarge ? BigInt.asUintN(64, BigInt(amount)) : BigInt(amount);
  const fitted = fitWide(isSet ? given : old + given, type, overflow);
  replyField(context, isSet && fitted !== undefined ? old : fitted);
  if (fitted !== undefined) writeWide(bytes, offset, type, fitted);
  return outcome(old, fitted);
}

function replyGet(
  context: CommandContext,
  value: StringValue | undefined,
  { type, offset }: FieldOperation,
): void {
  if (value === undefined) replyField(context, 0);
  else if (isNarrow(type, 0)) replyField(context, readNarrow(value, offset, type));
  else replyField(context, readWide(value, offset, type));
}

function readFields(
  context: CommandContext,
  key: string,
  operations: readonly FieldOperation[],
): void {
  const value = asString(context.db.lookupRead(key));
  context.reply.array(operations.length);
  for (const operation of operations) replyGet(context, value, operation);
}

function runOperations(context: CommandContext, argv: readonly string[], readOnly: boolean): void {
  const { db, reply } = context;
  const key = argv[1] as string;
  const operations = parse(context, argv);
  const writes = operations.filter(({ kind }) => kind !== "get");
  if (writes.length === 0) {
    readFields(context, key, operations);
    return;
  }
  if (readOnly) fail("ERR BITFIELD_RO only supports the GET subcommand");
  const value = asString(db.lookupWrite(key));
  const bytes = writableBytes(context, key, value);
  const lengthBefore = bytes.length;
  const lastBit = Math.max(...writes.map(({ offset, type }) => offset + type.bits - 1));
  bytes.extend(Math.floor(lastBit / 8) + 1);
  const grew = value === undefined || bytes.length !== lengthBefore;
  reply.array(operations.length);
  let changes = 0;
  for (const operation of operations) {
    if (operation.kind === "get") {
      replyGet(context, bytes, operation);
      continue;
    }
    const result = change(context, bytes, operation);
    // Growing is a change as well, but as in Redis it takes a write that was not refused.
    if (result === "changed" || (grew && result === "same")) changes += 1;
  }
  if (changes > 0) {
    db.signalModified(key);
    context.notify("$", "setbit", key);
    context.dirty += changes;
  } else if (grew) {
    // Redis logs nothing here, and its replicas then lack what it holds: a key, or zero bytes.
    context.dirty += 1;
  }
}

/** Nothing but GET, and OVERFLOW, which reads nothing either. */
function onlyReads(argv: readonly string[]): boolean {
  for (let i = 2; i < argv.length; ) {
    const word = (argv[i] as string).toLowerCase();
    const left = argv.length - i - 1;
    if (word === "get" && left >= 2) i += 3;
    else if (word === "overflow" && left >= 1) i += 2;
    else return false;
  }
  return true;
}

const bitfield: CommandSpec = {
  name: "bitfield",
  arity: -2,
  flags: ["write", "denyoom"],
  categories: ["bitmap"],
  keys: [
    {
      ...keyAt(1, "RW", "access", "update", "variable_flags"),
      notes: "This command allows both access and modification of the key",
    },
  ],
  keyFlags: (argv) => (onlyReads(argv) ? ["RO", "access"] : ["RW", "access", "update"]),
  docs: {
    summary: "Reads, sets and increments integers of any width at any bit of a string.",
    since: "3.2.0",
    group: "bitmap",
    complexity: "O(1) for each operation",
    syntax:
      "key operation[GET get-block{encoding offset} | write{[OVERFLOW overflow-block{WRAP | SAT | FAIL}] write-operation{SET set-block{encoding offset value:integer} | INCRBY incrby-block{encoding offset increment}}}]...",
  },
  run(context, argv) {
    runOperations(context, argv, false);
  },
};

const bitfieldRo: CommandSpec = {
  name: "bitfield_ro",
  arity: -2,
  flags: ["readonly", "fast"],
  categories: ["bitmap"],
  keys: [keyAt(1, "RO", "access")],
  docs: {
    summary: "Reads integers of any width at any bit of a string.",
    since: "6.0.0",
    group: "bitmap",
    complexity: "O(1) for each operation",
    syntax: "key [GET get-block{encoding offset}....]",
  },
  run(context, argv) {
    runOperations(context, argv, true);
  },
};

export const fields: readonly CommandSpec[] = [bitfield, bitfieldRo];
