/** Ranges of scores (`(1.5 +inf`) and of members (`[a (z`, `- +`), and what they select. */
import { replyErrors } from "@slotlog/resp";
import type { ZsetRange } from "../../store/types/zset-leaf.js";
import type { ZsetValue } from "../../store/types/zset.js";
import { parseLenientDouble } from "../double-argument.js";
import { fail } from "../errors.js";

const BRACKET = 91;
const PARENTHESIS = 40;
const PLUS = 43;
const MINUS = 45;

function scoreBound(text: string): number {
  return parseLenientDouble(text) ?? fail(replyErrors.minOrMaxNotAFloat);
}

export class ScoreRange implements ZsetRange {
  readonly #min: number;
  readonly #max: number;
  readonly #excludesMin: boolean;
  readonly #excludesMax: boolean;

  constructor(min: string, max: string) {
    this.#excludesMin = min.charCodeAt(0) === PARENTHESIS;
    this.#excludesMax = max.charCodeAt(0) === PARENTHESIS;
    this.#min = scoreBound(this.#excludesMin ? min.slice(1) : min);
    this.#max = scoreBound(this.#excludesMax ? max.slice(1) : max);
  }

  get isEmpty(): boolean {
    if (this.#min > this.#max) return true;
    return this.#min === this.#max && (this.#excludesMin || this.#excludesMax);
  }

  isBelow(score: number): boolean {
    return this.#excludesMin ? score <= this.#min : score < this.#min;
  }

  isAbove(score: number): boolean {
    return this.#excludesMax ? score >= this.#max : score > this.#max;
  }
}

/** The end of a range of members: before everything, behind everything, or a member. */
interface LexBound {
  readonly kind: -1 | 0 | 1;
  readonly member: string;
  readonly excludes: boolean;
}

function lexBound(text: string): LexBound {
  const first = text.charCodeAt(0);
  if (first === BRACKET || first === PARENTHESIS) {
    return { kind: 0, member: text.slice(1), excludes: first === PARENTHESIS };
  }
  // As in C, a NUL ends the text.
  const isAlone = text.length === 1 || text.charCodeAt(1) === 0;
  if (isAlone && first === PLUS) return { kind: 1, member: "", excludes: true };
  if (isAlone && first === MINUS) return { kind: -1, member: "", excludes: true };
  return fail(replyErrors.minOrMaxNotAStringRange);
}

export class LexRange implements ZsetRange {
  readonly #min: LexBound;
  readonly #max: LexBound;

  constructor(min: string, max: string) {
    this.#min = lexBound(min);
    this.#max = lexBound(max);
  }

  get isEmpty(): boolean {
    const low = this.#min;
    const high = this.#max;
    if (low.kind !== high.kind) return low.kind > high.kind;
    if (low.kind !== 0) return true;
    if (low.member > high.member) return true;
    return low.member === high.member && (low.excludes || high.excludes);
  }

  isBelow(_score: number, member: string): boolean {
    const { kind, member: bound, excludes } = this.#min;
    if (kind !== 0) return kind > 0;
    return excludes ? member <= bound : member < bound;
  }

  isAbove(_score: number, member: string): boolean {
    const { kind, member: bound, excludes } = this.#max;
    if (kind !== 0) return kind < 0;
    return excludes ? member >= bound : member > bound;
  }
}

/** `count` elements from rank `start` on, downwards if `reverse`. */
export interface Selection {
  readonly start: number;
  readonly count: number;
  readonly reverse: boolean;
}

const nothing: Selection = { start: 0, count: 0, reverse: false };

/** LIMIT: a negative offset selects nothing, a negative count everything. */
export interface Limit {
  readonly offset: number;
  readonly count: number;
}

export const noLimit: Limit = { offset: 0, count: -1 };

/** Indexes as ZRANGE takes them: negative ones count from the end. */
export function selectRanks(
  zset: ZsetValue,
  range: { readonly start: number; readonly end: number },
  reverse: boolean,
): Selection {
  const { length } = zset;
  let { start, end } = range;
  if (start < 0) start = Math.max(0, length + start);
  if (end < 0) end = length + end;
  if (start > end || start >= length) return nothing;
  const count = Math.min(end, length - 1) - start + 1;
  return { start: reverse ? length - 1 - start : start, count, reverse };
}

/** What is in a range, from its lower end or, if `reverse`, from its upper one. */
export function selectRange(
  zset: ZsetValue,
  range: ScoreRange | LexRange,
  reverse = false,
  limit: Limit = noLimit,
): Selection {
  if (range.isEmpty || limit.offset < 0) return nothing;
  // Members are only sorted where all scores are equal. For others Redis' answer is what its walk
  // along the listpack comes to, and clients of small sets see it.
  if (range instanceof LexRange && zset.isSmall) return walkSmall(zset, range, reverse, limit);
  const first = zset.countBefore(range, false);
  const end = zset.countBefore(range, true);
  const { offset } = limit;
  let count = end - first - offset;
  if (count <= 0) return nothing;
  if (limit.count >= 0) count = Math.min(count, limit.count);
  return { start: reverse ? end - 1 - offset : first + offset, count, reverse };
}

function walkSmall(zset: ZsetValue, range: LexRange, reverse: boolean, limit: Limit): Selection {
  const last = zset.length - 1;
  const { member: lowest } = zset.at(0);
  const { member: highest } = zset.at(last);
  if (range.isAbove(0, lowest) || range.isBelow(0, highest)) return nothing;
  const cursor = zset.at(reverse ? last : 0);
  let start = reverse ? last : 0;
  const step = reverse ? -1 : 1;
  const isOutside = (): boolean =>
    reverse ? range.isAbove(0, cursor.member) : range.isBelow(0, cursor.member);
  const isBehind = (): boolean =>
    reverse ? range.isBelow(0, cursor.member) : range.isAbove(0, cursor.member);
  for (; cursor.valid && isOutside(); cursor.step(reverse)) start += step;
  if (!cursor.valid || isBehind()) return nothing;
  for (let left = limit.offset; left > 0 && cursor.valid; left--, cursor.step(reverse)) {
    start += step;
  }
  let count = 0;
  for (; cursor.valid && count !== limit.count && !isBehind(); cursor.step(reverse)) count++;
  return { start, count, reverse };
}
