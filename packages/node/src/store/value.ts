/**
 * What a key can hold, and the few things every command must know about it: its type, its encoding
 * as OBJECT ENCODING names it, and a string's three holders.
 *
 * Strings are latin1 V8 strings (every char code is one byte), JS numbers for canonical integers
 * within ±(2^53 - 1), or `ByteString`. Collections are opaque here: they live in `types/` and only
 * show their name, encoding and length.
 */
import assert from "node:assert";
import { Buffer } from "node:buffer";
import { latin1String } from "@slotlog/resp";
import type { RdbCollection } from "../rdb/values.js";
import { ByteString } from "./byte-string.js";
import { isInt64Text, parseSafeInteger } from "./int64.js";

export type StringValue = string | number | ByteString;

export type CollectionType = "list" | "set" | "hash" | "zset" | "stream";

export type ValueType = "string" | CollectionType;

export interface CollectionValue {
  readonly type: CollectionType;
  /** As OBJECT ENCODING prints it: `listpack`, `quicklist`, `intset`, `hashtable`, … */
  readonly encoding: string;
  /** Elements, fields, members or entries. */
  readonly length: number;
  /** What `MemoryTally` has counted for it: what is subtracted when it goes. */
  memoryCharged: number;
  /** The form that RDB encodes; shares no memory that the collection may change. */
  toNeutral(): RdbCollection;
  /** A duplicate that shares nothing changeable (COPY), in the same encoding. */
  copy(): CollectionValue;
  /** The same for who is only going to write it to a snapshot, where that is cheaper. */
  frozen?(): CollectionValue;
  /** Bytes, estimated from `samples` elements; 0 samples all (MEMORY USAGE). */
  memoryUsage(samples: number): number;
}

export type Value = StringValue | CollectionValue;

/** What a snapshot keeps of a collection that is going to change before it was written. */
export function frozenCopy(value: CollectionValue): CollectionValue {
  return value.frozen?.() ?? value.copy();
}

/**
 * From this length on a string is kept as bytes: V8 strings end below Redis' 512 MB, and flattening
 * or slicing long ones stalls. Below it a V8 string is the smallest and fastest holder.
 */
export const BYTE_STRING_LENGTH_MIN = 64 * 1024;

/** Redis embeds strings of up to 44 bytes in their object: 64 - 16 (robj) - 3 (sds) - 1 (NUL). */
const EMBEDDED_LENGTH_MAX = 44;

/**
 * What a key's meta word remembers about the encoding of its string, where the value itself does
 * not tell. Numbers, not an enum, since they live in four bits of that word.
 */
export const ENCODING_DEFAULT = 0;
/** Changed in place (APPEND, SETRANGE, SETBIT): Redis has made it `raw`, however short. */
export const ENCODING_RAW = 1;
/** Stored without trying the integer encoding, so that `"12"` is called `embstr`. */
export const ENCODING_NOT_INT = 2;
export type EncodingFlag = 0 | 1 | 2;

export function typeOf(value: Value): ValueType {
  return typeof value === "object" ? value.type : "string";
}

export function isStringValue(value: Value): value is StringValue {
  return typeof value !== "object" || value.type === "string";
}

/** Length in bytes, as STRLEN says. */
export function stringLength(value: StringValue): number {
  return typeof value === "number" ? integerTextLength(value) : value.length;
}

/** The text (latin1, one char a byte) of a string known to be below 64 KiB, which is asserted. */
export function stringToText(value: StringValue): string {
  if (typeof value === "string") return value;
  if (typeof value === "number") return String(value);
  assert(value.length < BYTE_STRING_LENGTH_MIN, "a long string is read as bytes, not as text");
  return latin1String(value.view(), 0, value.length);
}

/** The bytes. Those of a `ByteString` are not copied: valid until its next change. */
export function stringBytes(value: StringValue): Buffer {
  if (typeof value === "object") return value.view();
  return Buffer.from(typeof value === "number" ? String(value) : value, "latin1");
}

/**
 * The holder for a string that arrives from a client, with the integer encoding tried: canonical
 * integers become numbers, long ones bytes. A long `Buffer` must not be changed by its giver later.
 */
export function encodeString(source: string | Uint8Array): StringValue {
  if (typeof source === "string") {
    if (source.length <= 17) return parseSafeInteger(source) ?? source;
    return source.length < BYTE_STRING_LENGTH_MIN ? source : longString(source);
  }
  return source.length >= BYTE_STRING_LENGTH_MIN ? longString(source) : encodeString(text(source));
}

/** As `encodeString` without trying the integer encoding; store it with `ENCODING_NOT_INT`. */
export function plainString(source: string | Uint8Array): StringValue {
  if (source.length >= BYTE_STRING_LENGTH_MIN) return longString(source);
  return typeof source === "string" ? source : text(source);
}

/** The string as a `ByteString` to be changed in place: the same object if it is one already. */
export function toByteString(value: StringValue): ByteString {
  if (typeof value === "object") return value;
  return ByteString.from(typeof value === "number" ? String(value) : value);
}

/** What OBJECT ENCODING prints for a value stored under the given flag. */
export function encodingOf(value: Value, flag: number): string {
  if (typeof value === "number") return "int";
  if (typeof value === "string") {
    if (flag === ENCODING_RAW) return "raw";
    if (flag === ENCODING_DEFAULT && isInt64Text(value)) return "int";
    return value.length <= EMBEDDED_LENGTH_MAX ? "embstr" : "raw";
  }
  return value.type === "string" ? "raw" : value.encoding;
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes)
    ? bytes
    : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function text(bytes: Uint8Array): string {
  return latin1String(asBuffer(bytes), 0, bytes.length);
}

/**
 * Bytes that have memory of their own are kept as they are until the first change copies them; a
 * slice is copied, since it would keep the whole alive.
 */
function longString(source: string | Uint8Array): ByteString {
  if (typeof source === "string" || source.buffer.byteLength !== source.length) {
    return ByteString.from(source);
  }
  return ByteString.over(asBuffer(source));
}

function integerTextLength(value: number): number {
  let magnitude = value < 0 ? -value : value;
  let length = value < 0 ? 2 : 1;
  while (magnitude >= 10) {
    magnitude = Math.floor(magnitude / 10);
    length++;
  }
  return length;
}
