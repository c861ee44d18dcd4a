/** DEBUG subcommands about keys: OBJECT, SDSLEN, POPULATE, HTSTATS. */
import { replyErrors } from "@slotlog/resp";
import type { CommandContext } from "../../../dispatch/context.js";
import { dumpPayload } from "../../../rdb/dump.js";
import { toNeutral } from "../../../rdb/values-bridge.js";
import type { Database } from "../../../store/database.js";
import { encodeString, isStringValue, stringLength } from "../../../store/value.js";
import { longArgument, positiveLongArgument } from "../../arguments.js";
import { fail } from "../../errors.js";

/** A payload's type byte, version and checksum, which are not the value's own. */
const payloadFrameBytes = 1 + 2 + 8;

export function debugObject(context: CommandContext, key: string): void {
  const { db, reply } = context;
  const value = db.peek(key);
  if (value === undefined) fail(replyErrors.noSuchKey);
  const length = dumpPayload(toNeutral(value)).length - payloadFrameBytes;
  const idleSeconds = Math.floor(db.idleMs(key) / 1000);
  const lru = Math.floor(context.now / 1000) - idleSeconds;
  reply.simple(
    `Value at:0x0 refcount:1 encoding:${db.encoding(key)} serializedlength:${length} ` +
      `lru:${lru % 2 ** 24} lru_seconds_idle:${idleSeconds}`,
  );
}

export function debugSdsLength({ db, reply }: CommandContext, key: string): void {
  const value = db.peek(key);
  if (value === undefined) fail(replyErrors.noSuchKey);
  if (!isStringValue(value) || db.encoding(key) === "int") fail("ERR Not an sds encoded string.");
  const length = stringLength(value);
  reply.simple(
    `key_sds_len:${key.length}, key_sds_avail:0, key_zmalloc: ${key.length}, ` +
      `val_sds_len:${length}, val_sds_avail:0, val_zmalloc: ${length}`,
  );
}

/** What is inside a packed value would go to Redis' standard output; here it is not told. */
export function debugPacked(
  { db, reply }: CommandContext,
  key: string,
  encoding: "listpack" | "quicklist",
): void {
  const found = db.encoding(key);
  if (found === undefined) fail(replyErrors.noSuchKey);
  if (found !== encoding) fail(`ERR Not a ${encoding} encoded object.`);
  const name = encoding === "listpack" ? "Listpack" : "Quicklist";
  reply.simple(`${name} structure printed on stdout`);
}

/** Keys `key:0`, `key:1`, …, which neither the log nor replicas hear of. */
export function debugPopulate({ db, reply }: CommandContext, argv: readonly string[]): void {
  const count = positiveLongArgument(argv[2] as string);
  const prefix = argv[3] ?? "key";
  const size = argv.length === 5 ? positiveLongArgument(argv[4] as string) : 0;
  for (let i = 0; i < count; i += 1) {
    const key = `${prefix}:${i}`;
    if (db.exists(key)) continue;
    const text = `value:${i}`;
    db.set(key, size === 0 ? text : encodeString(padded(text, size)));
    db.signalModified(key);
  }
  reply.ok();
}

function padded(text: string, size: number): Buffer {
  const bytes = Buffer.alloc(size);
  bytes.write(text, "latin1");
  return bytes;
}

function tableText(title: string, size: number): string {
  if (size === 0) return `[${title} HT]\nNo stats available for empty dictionaries\n`;
  return (
    `[${title} HT]\nHash table 0 stats (main hash table):\n table size: ${size}\n` +
    ` number of elements: ${size}\n`
  );
}

export function debugTables(context: CommandContext, argv: readonly string[]): void {
  const { node, reply } = context;
  const index = longArgument(argv[2] as string);
  const database: Database | undefined = index < 0 ? undefined : node.databases.get(index);
  if (database === undefined) fail("ERR Out of range database");
  const { size, volatileSize } = database;
  reply.verbatim("txt", tableText("Dictionary", size) + tableText("Expires", volatileSize));
}
