/** SETBIT and GETBIT: single bits. */
import { replyErrors } from "@slotlog/resp";
import { stringLength } from "../../store/value.js";
import { longArgument } from "../arguments.js";
import { asString, fail } from "../errors.js";
import { type CommandSpec, keyAt } from "../spec.js";
import { byteOf, writableBytes } from "../string-bytes.js";
import { bitOffset } from "./offset.js";

const setbit: CommandSpec = {
  name: "setbit",
  arity: 4,
  flags: ["write", "denyoom"],
  categories: ["bitmap"],
  keys: [keyAt(1, "RW", "access", "update")],
  docs: {
    summary:
      "Sets or clears a bit of a string, which grows where needed, and returns the bit before.",
    since: "2.2.0",
    group: "bitmap",
    complexity: "O(1)",
    syntax: "key offset value:integer",
  },
  run(context, argv) {
    const { db, reply } = context;
    const key = argv[1] as string;
    const offset = bitOffset(context, argv[2] as string, 0);
    const bit = longArgument(argv[3] as string, replyErrors.bitValue);
    if (bit !== 0 && bit !== 1) fail(replyErrors.bitValue);
    const value = asString(db.lookupWrite(key));
    const bytes = writableBytes(context, key, value);
    const index = Math.floor(offset / 8);
    const grows = value === undefined || index >= bytes.length;
    bytes.extend(index + 1);
    const mask = 0x80 >>> (offset & 7);
    const byte = bytes.byteAt(index);
    const old = (byte & mask) === 0 ? 0 : 1;
    if (grows || old !== bit) {
      bytes.setByte(index, bit === 1 ? byte | mask : byte & ~mask);
      db.signalModified(key);
      context.notify("$", "setbit", key);
      context.dirty += 1;
    }
    reply.integer(old);
  },
};

const getbit: CommandSpec = {
  name: "getbit",
  arity: 3,
  flags: ["readonly", "fast"],
  categories: ["bitmap"],
  keys: [keyAt(1, "RO", "access")],
  docs: {
    summary: "Returns a bit of a string, 0 behind its end.",
    since: "2.2.0",
    group: "bitmap",
    complexity: "O(1)",
    syntax: "key offset",
  },
  run(context, argv) {
    const offset = bitOffset(context, argv[2] as string, 0);
    const value = asString(context.db.lookupRead(argv[1] as string));
    const index = Math.floor(offset / 8);
    const byte = value === undefined || index >= stringLength(value) ? 0 : byteOf(value, index);
    context.reply.integer((byte & (0x80 >>> (offset & 7))) === 0 ? 0 : 1);
  },
};

export const singleBits: readonly CommandSpec[] = [setbit, getbit];
