/** BITOP: bitwise operations between strings. */
import { replyErrors } from "@slotlog/resp";
import type { CommandContext } from "../../dispatch/context.js";
import { ENCODING_RAW, plainString, stringBytes } from "../../store/value.js";
import { asString, fail } from "../errors.js";
import { type CommandSpec, keyAt, keysFrom } from "../spec.js";
import { overwrite } from "../string/set.js";

type Operation = "and" | "or" | "xor" | "not";

/** An integer for each four bytes; a copy if the bytes do not begin at a multiple of four. */
function wordsOf(bytes: Uint8Array): { readonly words: Int32Array; readonly bytes: Uint8Array } {
  const aligned = (bytes.byteOffset & 3) === 0 ? bytes : new Uint8Array(bytes);
  const words = new Int32Array(aligned.buffer, aligned.byteOffset, aligned.length >>> 2);
  return { words, bytes: aligned };
}

/** `into` becomes `into` op `from`; bytes that `from` lacks are zero. */
function combine(operation: Operation, into: Uint8Array, from: Uint8Array): void {
  const target = wordsOf(into).words;
  const { words, bytes } = wordsOf(from);
  switch (operation) {
    case "and":
      for (let i = 0; i < words.length; i += 1) target[i]! &= words[i] as number;
      for (let i = 4 * words.length; i < bytes.length; i += 1) into[i]! &= bytes[i] as number;
      into.fill(0, bytes.length);
      break;
    case "or":
      for (let i = 0; i < words.length; i += 1) target[i]! |= words[i] as number;
      for (let i = 4 * words.length; i < bytes.length; i += 1) into[i]! |= bytes[i] as number;
      break;
    case "xor":
      for (let i = 0; i < words.length; i += 1) target[i]! ^= words[i] as number;
      for (let i = 4 * words.length; i < bytes.length; i += 1) into[i]! ^= bytes[i] as number;
      break;
    case "not":
      for (let i = 0; i < words.length; i += 1) target[i] = ~(words[i] as number);
      for (let i = 4 * words.length; i < bytes.length; i += 1) into[i] = ~(bytes[i] as number);
      break;
  }
}

/** The bytes of the source keys; empty where there is no key. */
function sourcesOf({ db }: CommandContext, argv: readonly string[]): readonly Buffer[] {
  const sources: Buffer[] = [];
  for (let index = 3; index < argv.length; index += 1) {
    const value = asString(db.lookupRead(argv[index] as string));
    sources.push(value === undefined ? Buffer.alloc(0) : stringBytes(value));
  }
  return sources;
}

function operationOf(argv: readonly string[]): Operation {
  const word = (argv[1] as string).toLowerCase();
  if (word !== "and" && word !== "or" && word !== "xor" && word !== "not") {
    return fail(replyErrors.syntax);
  }
  if (word === "not" && argv.length !== 4) {
    fail("ERR BITOP NOT must be called with a single source key.");
  }
  return word;
}

export const bitop: CommandSpec = {
  name: "bitop",
  arity: -4,
  flags: ["write", "denyoom"],
  categories: ["bitmap"],
  keys: [keyAt(2, "OW", "update"), keysFrom(3, { last: -1, step: 1 }, "RO", "access")],
  docs: {
    summary: "Combines strings bit by bit and stores the result.",
    since: "2.6.0",
    group: "bitmap",
    complexity: "O(N) for N bytes of the longest string, for each key",
    syntax: "operation{AND | OR | XOR | NOT} destkey key...",
  },
  run(context, argv) {
    const { db, reply } = context;
    const operation = operationOf(argv);
    const target = argv[2] as string;
    const sources = sourcesOf(context, argv);
    const length = sources.reduce((longest, source) => Math.max(longest, source.length), 0);
    if (length > 0) {
      const result = Buffer.alloc(length);
      const [first = result, ...others] = sources;
      if (operation === "not") combine("not", result, first);
      else first.copy(result);
      for (const other of others) combine(operation, result, other);
      overwrite(context, target, plainString(result), ENCODING_RAW);
      context.notify("$", "set", target);
      context.dirty += 1;
    } else if (db.delete(target)) {
      db.signalModified(target);
      context.notify("g", "del", target);
      context.dirty += 1;
    }
    reply.integer(length);
  },
};
