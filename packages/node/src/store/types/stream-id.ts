/**
 * Stream ids: two unsigned 64-bit integers, milliseconds and sequence, and what they look like as
 * command arguments and in RDB.
 *
 * An integer is a number while it is safe and a bigint beyond 2^53 - 1, never the other way round:
 * then `===` and `<` are right for any two of them, and the usual ids cost no bigint.
 */
import {
  isSafeStreamId,
  streamIdMilliseconds,
  streamIdOf,
  streamIdOfBig,
  streamIdParts,
  streamIdSequence,
} from "../../rdb/stream-id.js";
import type { StreamIdBytes } from "../../rdb/values.js";
import { parseInt64 } from "../int64.js";

/** A 64-bit integer; see above. */
export type Long = number | bigint;

export interface StreamId {
  readonly ms: Long;
  readonly seq: Long;
}

const wordMax = 0xffffffffffffffffn;
export const maxWord: Long = wordMax;

export const zeroId: StreamId = { ms: 0, seq: 0 };
export const maxId: StreamId = { ms: maxWord, seq: maxWord };

/** Longer arguments are no ids: Redis reads them into a buffer of 128 bytes with its NUL. */
const ID_TEXT_LENGTH_MAX = 127;

export function longOf(value: bigint): Long {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

/** The sum, wrapping around as an unsigned 64-bit integer. */
export function addLong(left: Long, right: Long): Long {
  if (typeof left === "number" && typeof right === "number") {
    const sum = left + right;
    if (Number.isSafeInteger(sum) && sum >= 0) return sum;
  }
  return longOf(BigInt.asUintN(64, BigInt(left) + BigInt(right)));
}

/** `left - right` as a signed 64-bit integer. */
export function subtractLong(left: Long, right: Long): Long {
  if (typeof left === "number" && typeof right === "number") {
    const difference = left - right;
    if (Number.isSafeInteger(difference)) return difference;
  }
  return longOf(BigInt.asIntN(64, BigInt(left) - BigInt(right)));
}

/** Negative, zero or positive. */
export function compareIds(left: StreamId, right: StreamId): number {
  if (left.ms !== right.ms) return left.ms < right.ms ? -1 : 1;
  if (left.seq !== right.seq) return left.seq < right.seq ? -1 : 1;
  return 0;
}

export function isZeroId(id: StreamId): boolean {
  return id.ms === 0 && id.seq === 0;
}

/** The id behind this one; `undefined` behind the last. */
export function nextId({ ms, seq }: StreamId): StreamId | undefined {
  if (seq !== maxWord) return { ms, seq: addLong(seq, 1) };
  return ms === maxWord ? undefined : { ms: addLong(ms, 1), seq: 0 };
}

/** The id in front of this one; `undefined` in front of 0-0. */
export function previousId({ ms, seq }: StreamId): StreamId | undefined {
  if (seq !== 0) return { ms, seq: subtractUnsigned(seq) };
  return ms === 0 ? undefined : { ms: subtractUnsigned(ms), seq: maxWord };
}

function subtractUnsigned(value: Long): Long {
  return typeof value === "number" ? value - 1 : longOf(value - 1n);
}

/** As commands spell it: `1526919030474-55`. */
export function idText({ ms, seq }: StreamId): string {
  return `${ms}-${seq}`;
}

/** `ms` or `ms-seq`, without the special forms. `missingSequence` stands in for an absent part. */
export function parseId(text: string, missingSequence: Long = 0): StreamId | undefined {
  if (text.length > ID_TEXT_LENGTH_MAX) return undefined;
  const chars = upToNul(text);
  const dash = chars.indexOf("-");
  const ms = parseWord(dash < 0 ? chars : chars.substring(0, dash));
  if (ms === undefined) return undefined;
  if (dash < 0) return { ms, seq: missingSequence };
  const seq = parseWord(chars.substring(dash + 1));
  return seq === undefined ? undefined : { ms, seq };
}

/** As `parseId`, with `-` and `+` for the first and the last id. */
export function parseRangeId(text: string, missingSequence: Long): StreamId | undefined {
  const chars = text.length > ID_TEXT_LENGTH_MAX ? text : upToNul(text);
  if (chars === "-") return zeroId;
  if (chars === "+") return maxId;
  return parseId(text, missingSequence);
}

/** The milliseconds of `ms-*`; `undefined` if the text has another form. */
export function parseOpenId(text: string): Long | undefined {
  if (text.length > ID_TEXT_LENGTH_MAX) return undefined;
  const chars = upToNul(text);
  return chars.endsWith("-*") && chars.indexOf("-") === chars.length - 2
    ? parseWord(chars.substring(0, chars.length - 2))
    : undefined;
}

/** C strings end at their first NUL. */
export function upToNul(text: string): string {
  const nul = text.indexOf("\0");
  return nul < 0 ? text : text.substring(0, nul);
}

const looseWord = /^[ \t\n\v\f\r]*([+-]?)(\d+)$/;

/** What C's `strtoull` takes: blanks, a sign (which negates!) and leading zeros are allowed. */
function parseWord(text: string): Long | undefined {
  const exact = parseInt64(text);
  if (exact !== undefined) return exact < 0 ? undefined : exact;
  const match = looseWord.exec(text);
  if (match === null) return undefined;
  const value = BigInt(match[2] as string);
  if (value > wordMax) return undefined;
  return longOf(match[1] === "-" ? BigInt.asUintN(64, -value) : value);
}

export function idToBytes({ ms, seq }: StreamId): StreamIdBytes {
  if (typeof ms === "number" && typeof seq === "number") return streamIdOf(ms, seq);
  return streamIdOfBig(BigInt(ms), BigInt(seq));
}

export function idFromBytes(bytes: StreamIdBytes): StreamId {
  if (isSafeStreamId(bytes)) {
    return { ms: streamIdMilliseconds(bytes), seq: streamIdSequence(bytes) };
  }
  const { milliseconds, sequence } = streamIdParts(bytes);
  return { ms: longOf(milliseconds), seq: longOf(sequence) };
}
