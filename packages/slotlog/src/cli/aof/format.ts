// How records, keys, times and sizes are printed: for people as redis-cli would quote them, for
// machines as JSON values. Pure.

import { type AofSourceFile, type BaseKey, quoteArgument, type RecordAt } from "@slotlog/node/aof";

type Bytes = string | Buffer;

/** Longer values are shortened in lines for people, unless they asked for all. */
const shownBytesMax = 96;

export interface LineOptions {
  /** Values in full. */
  readonly values: boolean;
}

export function recordLine(record: RecordAt, options: LineOptions): string {
  const time = record.time < 0 ? "" : `  ${timeText(record.time)}`;
  const nested = record.inTransaction ? "  (in MULTI)" : "";
  const words = commandText(record.argv, options);
  return `${record.file.name}:${record.offset}${time}  db${record.db}  ${words}${nested}`;
}

export function commandText(argv: readonly Bytes[], options: LineOptions): string {
  const [name = "", ...rest] = argv;
  return [wordText(name, options).toUpperCase(), ...rest.map((a) => wordText(a, options))].join(
    " ",
  );
}

export function baseKeyLine(file: AofSourceFile, key: BaseKey): string {
  const what = plural(key.size, key.type === "string" ? "byte" : "element");
  const expiry = key.expireAt < 0 ? "" : `, expires ${new Date(key.expireAt).toISOString()}`;
  const name = wordText(key.key, { values: false });
  return `${file.name}  db${key.db}  [base] ${name}: ${key.type}, ${what}${expiry}`;
}

export function baseCommandLine(file: AofSourceFile, db: number, argv: readonly Bytes[]): string {
  return `${file.name}  db${db}  [base] ${commandText(argv, { values: true })}`;
}

/** One JSON object per record. Bytes that are no UTF-8 become `{"base64": …}`. */
export function recordJson(record: RecordAt): string {
  const { file, offset, end, db, time, streamOffset, inTransaction, argv } = record;
  return JSON.stringify({
    file: file.name,
    offset,
    bytes: end - offset,
    db,
    ...(time < 0 ? {} : { time }),
    ...(streamOffset < 0 ? {} : { streamOffset }),
    ...(inTransaction ? { inTransaction } : {}),
    argv: argv.map(jsonValue),
  });
}

export function baseKeyJson(file: AofSourceFile, key: BaseKey): string {
  const { db, type, size, expireAt } = key;
  return JSON.stringify({
    file: file.name,
    base: true,
    db,
    key: jsonValue(key.key),
    type,
    size,
    ...(expireAt < 0 ? {} : { expireAt }),
  });
}

export function baseCommandJson(file: AofSourceFile, db: number, argv: readonly Bytes[]): string {
  return JSON.stringify({ file: file.name, base: true, db, argv: argv.map(jsonValue) });
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function jsonValue(bytes: Bytes): string | { readonly base64: string } {
  // Most bytes are ASCII, which is the same text either way.
  if (typeof bytes === "string" && /^[\x20-\x7e]*$/.test(bytes)) return bytes;
  const buffer = typeof bytes === "string" ? Buffer.from(bytes, "latin1") : bytes;
  try {
    return utf8.decode(buffer);
  } catch {
    return { base64: buffer.toString("base64") };
  }
}

function wordText(bytes: Bytes, { values }: LineOptions): string {
  const length = bytes.length;
  const shown = values ? length : Math.min(length, shownBytesMax);
  const text =
    typeof bytes === "string" ? bytes.slice(0, shown) : bytes.toString("latin1", 0, shown);
  const quoted = /^[\w.:{}@/+-]+$/.test(text) ? text : quoteArgument(text);
  return shown < length ? `${quoted}...(${length} bytes)` : quoted;
}

/** Unix seconds in UTC. */
export function timeText(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace(".000Z", "Z");
}

export function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
