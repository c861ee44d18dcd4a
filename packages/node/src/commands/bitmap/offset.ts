/** Bit offsets and bit ranges as arguments. Bit 0 is the highest one of byte 0. */
import { replyErrors } from "@slotlog/resp";
import type { CommandContext } from "../../dispatch/context.js";
import { parseInt64 } from "../../store/int64.js";
import { isWord } from "../arguments.js";
import { fail } from "../errors.js";

/**
 * An offset within the longest string that `proto-max-bulk-len` allows. With a `fieldBits` above 0,
 * `#n` stands for the n-th field of so many bits.
 */
export function bitOffset(
  { client, node }: CommandContext,
  text: string,
  fieldBits: number,
): number {
  const counted = fieldBits > 0 && text.startsWith("#");
  const given = parseInt64(counted ? text.slice(1) : text);
  if (typeof given !== "number" || given < 0) return fail(replyErrors.bitOffset);
  const offset = counted ? given * fieldBits : given;
  const bytes = Math.floor(offset / 8);
  // Beyond what JavaScript counts exactly there is no memory for our primary's wishes either.
  const max = client.kind === "normal" ? node.config.protoMaxBulkLen : Number.MAX_SAFE_INTEGER / 8;
  return bytes >= max ? fail(replyErrors.bitOffset) : offset;
}

/** Bits from `first` to `last`, both included; empty if `first` is larger. */
export interface BitRange {
  readonly first: number;
  readonly last: number;
}

/** `BIT` or `BYTE`; bytes without a word. */
export function isBitUnit(word: string | undefined): boolean {
  if (word === undefined || isWord(word, "byte")) return false;
  return isWord(word, "bit") || fail(replyErrors.syntax);
}

/**
 * The range that start and end, included and negative from the end, describe in a string of
 * `length` bytes.
 */
export function bitRange(
  length: number,
  range: { readonly start: number | bigint; readonly end: number | bigint; readonly bits: boolean },
): BitRange {
  const total = range.bits ? length * 8 : length;
  const start = fromBegin(range.start, total);
  const end = Math.min(fromBegin(range.end, total), total - 1);
  if (start > end) return { first: 1, last: 0 };
  return range.bits ? { first: start, last: end } : { first: start * 8, last: end * 8 + 7 };
}

function fromBegin(index: number | bigint, total: number): number {
  const near = Number(index);
  return near < 0 ? Math.max(0, near + total) : near;
}

/** Two negative indexes in the wrong order, which are compared before the begin cuts them. */
export function isReversed(start: number | bigint, end: number | bigint): boolean {
  return start < 0 && end < 0 && start > end;
}
