/** BITCOUNT and BITPOS: counting and finding bits in a range. */
import { replyErrors } from "@slotlog/resp";
import { stringBytes } from "../../store/value.js";
import { integerArgument, longArgument } from "../arguments.js";
import { asString, fail } from "../errors.js";
import { type CommandSpec, keyAt } from "../spec.js";
import { bitRange, isBitUnit, isReversed } from "./offset.js";
import { countBits, findBit } from "./popcount.js";

const bitcount: CommandSpec = {
  name: "bitcount",
  arity: -2,
  flags: ["readonly"],
  categories: ["bitmap"],
  keys: [keyAt(1, "RO", "access")],
  docs: {
    summary: "Counts the set bits of a string or of a part of it.",
    since: "2.6.0",
    group: "bitmap",
    complexity: "O(N) for N bytes",
    syntax: "key range[start end unit@7.0.0[BYTE | BIT]]",
    history: [["7.0.0", "Added the `BYTE|BIT` option."]],
  },
  run({ db, reply }, argv) {
    const value = asString(db.lookupRead(argv[1] as string));
    if (value === undefined) {
      reply.integer(0);
      return;
    }
    const bytes = stringBytes(value);
    if (argv.length === 3 || argv.length > 5) fail(replyErrors.syntax);
    const start = argv.length === 2 ? 0 : integerArgument(argv[2] as string);
    const end = argv.length === 2 ? -1 : integerArgument(argv[3] as string);
    if (isReversed(start, end)) {
      reply.integer(0);
      return;
    }
    const bits = isBitUnit(argv[4]);
    reply.integer(countBits(bytes, bitRange(bytes.length, { start, end, bits })));
  },
};

const bitpos: CommandSpec = {
  name: "bitpos",
  arity: -3,
  flags: ["readonly"],
  categories: ["bitmap"],
  keys: [keyAt(1, "RO", "access")],
  docs: {
    summary: "Returns the position of the first set or clear bit of a string or of a part of it.",
    since: "2.8.7",
    group: "bitmap",
    complexity: "O(N) for N bytes",
    syntax: "key bit range[start end-unit-block[end unit@7.0.0[BYTE | BIT]]]",
    history: [["7.0.0", "Added the `BYTE|BIT` option."]],
  },
  run({ db, reply }, argv) {
    const bit = longArgument(argv[2] as string);
    if (bit !== 0 && bit !== 1) return fail("ERR The bit argument must be 1 or 0.");
    const value = asString(db.lookupRead(argv[1] as string));
    if (value === undefined) {
      // As if zeros went on forever.
      reply.integer(bit === 1 ? -1 : 0);
      return;
    }
    const bytes = stringBytes(value);
    if (argv.length > 6) fail(replyErrors.syntax);
    const start = argv.length === 3 ? 0 : integerArgument(argv[3] as string);
    const bits = isBitUnit(argv[5]);
    const endGiven = argv.length > 4;
    const end = endGiven ? integerArgument(argv[4] as string) : -1;
    const range = bitRange(bytes.length, { start, end, bits });
    const found = findBit(bytes, bit, range);
    // Without an end the string is followed by zeros, unless nothing was looked at.
    const zeroFollows = found < 0 && bit === 0 && !endGiven && range.first <= range.last;
    reply.integer(zeroFollows ? bytes.length * 8 : found);
  },
};

export const counting: readonly CommandSpec[] = [bitcount, bitpos];
