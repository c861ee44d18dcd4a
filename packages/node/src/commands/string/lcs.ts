/** LCS: the longest common subsequence of two strings, its length, or where it lies. */
import { replyErrors } from "@slotlog/resp";
import type { CommandContext } from "../../dispatch/context.js";
import { isStringValue, stringBytes, type Value } from "../../store/value.js";
import { isWord, longArgument } from "../arguments.js";
import { fail } from "../errors.js";
import { type CommandSpec, keysFrom } from "../spec.js";

interface LcsOptions {
  lengthOnly: boolean;
  indexes: boolean;
  withLengths: boolean;
  lengthMin: number;
}

/** A run of bytes that both strings share: both ends included. */
interface Match {
  aStart: number;
  aEnd: number;
  bStart: number;
  bEnd: number;
}

/** `lengths[i × width + j]` is the length for the first i bytes of one and j of the other. */
interface LengthTable {
  readonly lengths: Uint32Array;
  readonly width: number;
}

function parse(argv: readonly string[]): LcsOptions {
  const options = { lengthOnly: false, indexes: false, withLengths: false, lengthMin: 0 };
  for (let index = 3; index < argv.length; index += 1) {
    const word = argv[index];
    if (isWord(word, "idx")) options.indexes = true;
    else if (isWord(word, "len")) options.lengthOnly = true;
    else if (isWord(word, "withmatchlen")) options.withLengths = true;
    else if (isWord(word, "minmatchlen") && index + 1 < argv.length) {
      index += 1;
      options.lengthMin = longArgument(argv[index] as string);
    } else fail(replyErrors.syntax);
  }
  if (options.lengthOnly && options.indexes) {
    fail("ERR If you want both the length and indexes, please just use IDX.");
  }
  return options;
}

function bytesOf(value: Value | undefined): Buffer {
  if (value === undefined) return Buffer.alloc(0);
  if (!isStringValue(value)) fail("ERR The specified keys must contain string values");
  return stringBytes(value);
}

/** The usual dynamic programming, row by row. */
function measure(a: Buffer, b: Buffer): LengthTable {
  const width = b.length + 1;
  const lengths = new Uint32Array((a.length + 1) * width);
  for (let i = 1; i <= a.length; i += 1) {
    const byte = a[i - 1];
    const row = i * width;
    for (let j = 1; j <= b.length; j += 1) {
      const at = row + j;
      if (byte === b[j - 1]) lengths[at] = (lengths[at - width - 1] as number) + 1;
      else lengths[at] = Math.max(lengths[at - width] as number, lengths[at - 1] as number);
    }
  }
  return { lengths, width };
}

/** Follows the table from its end: calls `common` for each byte in it, last first. */
function trace(
  a: Buffer,
  b: Buffer,
  { lengths, width }: LengthTable,
  common: (i: number, j: number) => void,
): void {
  let i = a.length;
  let j = b.length;
  while (i > 0 && j > 0) {
    if (a[i - 1] === b[j - 1]) {
      i -= 1;
      j -= 1;
      common(i, j);
    } else if ((lengths[(i - 1) * width + j] as number) > (lengths[i * width + j - 1] as number)) {
      i -= 1;
    } else {
      j -= 1;
    }
  }
}

function commonBytes(a: Buffer, b: Buffer, table: LengthTable, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  let at = length;
  trace(a, b, table, (i) => {
    at -= 1;
    bytes[at] = a[i] as number;
  });
  return bytes;
}

/** The matches, last first, as Redis lists them. */
function matchesOf(a: Buffer, b: Buffer, table: LengthTable): readonly Match[] {
  const matches: Match[] = [];
  let last: Match | undefined;
  trace(a, b, table, (i, j) => {
    if (last !== undefined && last.aStart === i + 1 && last.bStart === j + 1) {
      last.aStart = i;
      last.bStart = j;
    } else {
      last = { aStart: i, aEnd: i, bStart: j, bEnd: j };
      matches.push(last);
    }
  });
  return matches;
}

function replyMatches(
  { reply }: CommandContext,
  matches: readonly Match[],
  { lengthMin, withLengths }: LcsOptions,
): void {
  const kept = matches.filter(({ aStart, aEnd }) => aEnd - aStart + 1 >= lengthMin);
  reply.bulk("matches");
  reply.array(kept.length);
  for (const { aStart, aEnd, bStart, bEnd } of kept) {
    reply.array(withLengths ? 3 : 2);
    reply.array(2);
    reply.integer(aStart);
    reply.integer(aEnd);
    reply.array(2);
    reply.integer(bStart);
    reply.integer(bEnd);
    if (withLengths) reply.integer(aEnd - aStart + 1);
  }
}

export const lcs: CommandSpec = {
  name: "lcs",
  arity: -3,
  flags: ["readonly"],
  categories: ["string"],
  keys: [keysFrom(1, { last: 1, step: 1 }, "RO", "access")],
  docs: {
    summary: "Finds the longest subsequence that two strings have in common.",
    since: "7.0.0",
    group: "string",
    complexity: "O(N*M) for strings of N and M bytes",
    syntax: "key1 key2#0 [LEN] [IDX] [MINMATCHLEN min-match-len] [WITHMATCHLEN]",
  },
  run(context, argv) {
    const { db, node, reply } = context;
    const first = db.lookupRead(argv[1] as string);
    const second = db.lookupRead(argv[2] as string);
    const a = bytesOf(first);
    const b = bytesOf(second);
    const options = parse(argv);
    if ((a.length + 1) * (b.length + 1) * 4 > node.config.protoMaxBulkLen) {
      fail("ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len");
    }
    const table = measure(a, b);
    const length = table.lengths.at(-1) as number;
    if (options.indexes) {
      reply.map(2);
      replyMatches(context, matchesOf(a, b, table), options);
      reply.bulk("len");
      reply.integer(length);
    } else if (options.lengthOnly) reply.integer(length);
    else reply.bulk(commonBytes(a, b, table, length));
  },
};
