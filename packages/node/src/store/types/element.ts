/**
 * What collections hold: latin1 strings, or small integers where a string spells one canonically.
 *
 * An integer of 32 bits lives in the array itself (V8's small integers), where its string would
 * take 24 bytes more. Each text has exactly one holder, so two elements are equal exactly when
 * `===` says so.
 */
import type { ReplyWriter } from "@slotlog/resp";
import type { Bytes } from "../../rdb/values.js";
import { isInt64Text } from "../int64.js";
import { BYTE_STRING_LENGTH_MIN } from "../value.js";

export type Element = string | number;

/** "-2147483648". */
const INT32_TEXT_LENGTH_MAX = 11;

/** The holder of a text. */
export function elementOf(text: string): Element {
  const length = text.length;
  if (length > INT32_TEXT_LENGTH_MAX || length === 0) return text;
  let index = 0;
  const negative = text.charCodeAt(0) === 45;
  if (negative) {
    if (length === 1) return text;
    index = 1;
  }
  const first = text.charCodeAt(index);
  if (first === 48) return length === 1 ? 0 : text;
  let value = 0;
  for (; index < length; index++) {
    const digit = text.charCodeAt(index) - 48;
    if (digit < 0 || digit > 9) return text;
    value = value * 10 + digit;
  }
  if (negative) value = -value;
  return value === (value | 0) ? value : text;
}

export function elementText(element: Element): string {
  return typeof element === "number" ? String(element) : element;
}

/** The form in which RDB takes it: bytes from 64 KiB on. */
export function neutralBytes(element: Element): Bytes {
  return neutralText(elementText(element));
}

export function neutralText(text: string): Bytes {
  return text.length < BYTE_STRING_LENGTH_MIN ? text : Buffer.from(text, "latin1");
}

export function textOfBytes(bytes: Bytes): string {
  return typeof bytes === "string" ? bytes : bytes.toString("latin1");
}

/** Bytes of the text. */
export function elementLength(element: Element): number {
  if (typeof element === "string") return element.length;
  let length = element < 0 ? 2 : 1;
  for (let magnitude = Math.abs(element); magnitude >= 10; magnitude = Math.floor(magnitude / 10)) {
    length++;
  }
  return length;
}

export function replyElement(reply: ReplyWriter, element: Element): void {
  if (typeof element === "number") reply.bulkInteger(element);
  else reply.bulk(element);
}

/** Bytes that an element costs beside the place that points to it, for MEMORY USAGE. */
export function elementBytes(element: Element): number {
  // V8: a header of 16 bytes (map, hash, length), then the chars, rounded up to 8.
  return typeof element === "number" ? 0 : 16 + ((element.length + 7) & ~7);
}

/** Bytes of an entry in Redis' listpack: header, data, and the length backwards behind it. */
export function listpackEntryBytes(element: Element): number {
  if (typeof element === "number") return integerEntryBytes(element);
  const { length } = element;
  if (length <= 20 && isInt64Text(element)) return 10;
  let bytes = length + 5;
  if (length < 64) bytes = length + 1;
  else if (length < 4096) bytes = length + 2;
  return bytes + backLengthBytes(bytes);
}

/** Header and data take 1, 2, 3, 4 or 5 bytes for 7 bits unsigned, 13, 16, 24 or 32 bits. */
function integerEntryBytes(value: number): number {
  if (value >= 0 && value <= 127) return 2;
  if (value >= -4096 && value <= 4095) return 3;
  if (value >= -32768 && value <= 32767) return 4;
  if (value >= -8388608 && value <= 8388607) return 5;
  return 6;
}

function backLengthBytes(entry: number): number {
  if (entry <= 127) return 1;
  if (entry < 16383) return 2;
  if (entry < 2097151) return 3;
  return entry < 268435455 ? 4 : 5;
}
