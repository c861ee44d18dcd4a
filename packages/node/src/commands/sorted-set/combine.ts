/** Unions, intersections and differences of sorted sets (and sets, whose members score 1). */
import { KeyTable } from "../../store/key-table.js";
import { EMPTY } from "../../store/segment.js";
import { type Element, elementText } from "../../store/types/element.js";
import type { CollectionEnvironment } from "../../store/types/environment.js";
import { SetValue } from "../../store/types/set.js";
import { ZsetValue } from "../../store/types/zset.js";
import { ZsetOrder } from "../../store/types/zset-order.js";

export type Aggregate = "sum" | "min" | "max";

/** One input: nothing, a sorted set or a set, and the factor of its scores. */
export interface Source {
  readonly value: ZsetValue | SetValue | undefined;
  weight: number;
}

export interface Combination {
  readonly sources: readonly Source[];
  readonly aggregate: Aggregate;
}

/** Members and scores of a result, in no order. */
export interface Scored {
  readonly members: string[];
  readonly scores: number[];
}

function sizeOf(source: Source): number {
  return source.value?.length ?? 0;
}

function scoreIn(source: Source, member: string): number | undefined {
  const { value } = source;
  if (value === undefined) return undefined;
  if (value instanceof ZsetValue) return value.score(member);
  return value.has(member) ? 1 : undefined;
}

/** Visits all members until the visitor returns false. */
function visitMembers(source: Source, visit: (member: string, score: number) => boolean): void {
  const { value } = source;
  if (value instanceof ZsetValue) {
    const cursor = value.at(0);
    while (cursor.valid && visit(cursor.member, cursor.score)) cursor.next();
    return;
  }
  if (value === undefined) return;
  const members: Element[] = [];
  value.collect(members);
  for (const member of members) if (!visit(elementText(member), 1)) return;
}

/** Infinity times zero is taken for 0. */
function weighted(source: Source, score: number): number {
  const value = source.weight * score;
  return Number.isNaN(value) ? 0 : value;
}

function aggregated(aggregate: Aggregate, score: number, other: number): number {
  switch (aggregate) {
    case "sum": {
      const sum = score + other;
      // Infinities of both signs cancel out.
      return Number.isNaN(sum) ? 0 : sum;
    }
    case "min":
      return other < score ? other : score;
    case "max":
      return other > score ? other : score;
  }
}

/**
 * From the smallest to the largest, for speed; and since sums of doubles depend on their order, a
 * sort that leaves equal ones as they are, as Redis' is.
 */
function bySize(sources: readonly Source[]): readonly Source[] {
  return [...sources].sort((a, b) => sizeOf(a) - sizeOf(b));
}

export function union(combination: Combination, environment: CollectionEnvironment): Scored {
  const { hasher } = environment;
  const sums = new KeyTable(0);
  for (const source of bySize(combination.sources)) {
    visitMembers(source, (member, score) => {
      const hash = hasher.hashOf(member);
      const value = weighted(source, score);
      const before = sums.get(member, hash) as number | undefined;
      const { aggregate } = combination;
      if (before === undefined) sums.insert(member, hash, value, 0);
      else sums.set(member, hash, aggregated(aggregate, before, value));
      return true;
    });
  }
  const result: Scored = { members: [], scores: [] };
  for (const { entries } of sums.segments()) {
    for (let at = 0; at < entries.length; at += 4) {
      if (entries[at] === EMPTY) continue;
      result.members.push(entries[at + 2] as string);
      result.scores.push(entries[at + 3] as number);
    }
  }
  return result;
}

/** Visits what is in all sources until the visitor returns false. */
function visitCommon(
  combination: Combination,
  visit: (member: string, score: number) => boolean,
): void {
  const [smallest, ...others] = bySize(combination.sources);
  if (smallest === undefined) return;
  visitMembers(smallest, (member, score) => {
    let total = weighted(smallest, score);
    for (const other of others) {
      const found = other.value === smallest.value ? score : scoreIn(other, member);
      if (found === undefined) return true;
      total = aggregated(combination.aggregate, total, found * other.weight);
    }
    return visit(member, total);
  });
}

export function intersection(combination: Combination): Scored {
  const result: Scored = { members: [], scores: [] };
  visitCommon(combination, (member, score) => {
    result.members.push(member);
    result.scores.push(score);
    return true;
  });
  return result;
}

/** How many members all sources have, counted up to a limit (0: none). */
export function intersectionSize(combination: Combination, limit: number): number {
  let count = 0;
  visitCommon(combination, () => {
    count++;
    return count !== limit;
  });
  return count;
}

/** What the first source has and the others have not. */
export function difference({ sources }: Combination, environment: CollectionEnvironment): Scored {
  const result: Scored = { members: [], scores: [] };
  const [first, ...others] = sources;
  if (first?.value === undefined || others.some(({ value }) => value === first.value)) {
    return result;
  }
  // Looking each member up in all others, or taking all others out of a copy: what is less work.
  // Look-ups are given twice the chance, since most of them end early.
  const lookups = (sizeOf(first) * sources.length) / 2;
  const removals = sources.reduce((sum, source) => sum + sizeOf(source), 0);
  const isIn = lookups <= removals ? undefined : membersOf(others, environment);
  visitMembers(first, (member, score) => {
    const isFound =
      isIn === undefined
        ? others.some((other) => scoreIn(other, member) !== undefined)
        : isIn.get(member, environment.hasher.hashOf(member)) !== undefined;
    if (!isFound) {
      result.members.push(member);
      result.scores.push(score);
    }
    return true;
  });
  return result;
}

function membersOf(sources: readonly Source[], environment: CollectionEnvironment): KeyTable {
  const members = new KeyTable(0);
  for (const source of sources) {
    visitMembers(source, (member) => {
      members.set(member, environment.hasher.hashOf(member), true);
      return true;
    });
  }
  return members;
}

/** A sorted set of a result, in the encoding that fits it as a whole. */
export function toZset({ members, scores }: Scored, environment: CollectionEnvironment): ZsetValue {
  let longest = 0;
  for (const { length } of members) longest = Math.max(longest, length);
  const zset = ZsetValue.expecting(environment, members.length, longest);
  for (let index = 0; index < members.length; index++) {
    zset.add(members[index] as string, scores[index] as number);
  }
  return zset;
}

/** A result in order, to reply with: here, unlike in a small set, a zero keeps its sign. */
export function toOrder({ members, scores }: Scored): ZsetOrder {
  const order = new ZsetOrder();
  order.grow();
  for (let index = 0; index < members.length; index++) {
    order.insert(scores[index] as number, members[index] as string);
  }
  return order;
}
