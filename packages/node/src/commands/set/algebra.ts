/**
 * SINTER, SUNION, SDIFF with their STORE forms, SINTERCARD, and SMEMBERS, which is the intersection
 * of one set. Results are built the way Redis builds them, since that decides their encoding and
 * the order in which small ones are listed.
 */
import type { ReplyWriter } from "@slotlog/resp";
import type { CommandContext } from "../../dispatch/context.js";
import { parseInt64 } from "../../store/int64.js";
import { type Element, elementText, replyElement } from "../../store/types/element.js";
import { SetValue } from "../../store/types/set.js";
import { readSet } from "./lookup.js";

/** `undefined` where there is no key. WRONGTYPE for the first that is no set. */
export function readSets(
  context: CommandContext,
  keys: readonly string[],
): (SetValue | undefined)[] {
  return keys.map((key) => readSet(context, key));
}

function isInAll(sets: readonly SetValue[], member: string): boolean {
  for (let index = 1; index < sets.length; index++) {
    const set = sets[index] as SetValue;
    if (set !== sets[0] && !set.has(member)) return false;
  }
  return true;
}

/**
 * The sets from the smallest to the largest (stable), or `undefined` if one of them is empty, which
 * makes the intersection empty.
 */
function bySize(sets: readonly (SetValue | undefined)[]): SetValue[] | undefined {
  const present = sets.filter((set) => set !== undefined);
  if (present.length < sets.length) return undefined;
  return present.sort((left, right) => left.length - right.length);
}

/** The number of common members, counted up to `limit` (0: all). */
export function intersectionSize(sets: readonly (SetValue | undefined)[], limit: number): number {
  const sorted = bySize(sets);
  let count = 0;
  if (sorted === undefined) return count;
  for (const member of (sorted[0] as SetValue).members()) {
    if (!isInAll(sorted, elementText(member))) continue;
    count++;
    if (count === limit) break;
  }
  return count;
}

export function replyIntersection(
  reply: ReplyWriter,
  sets: readonly (SetValue | undefined)[],
): void {
  const sorted = bySize(sets);
  if (sorted === undefined) {
    reply.set(0);
    return;
  }
  const all: Element[] = [];
  for (const member of (sorted[0] as SetValue).members()) {
    if (isInAll(sorted, elementText(member))) all.push(member);
  }
  reply.set(all.length);
  for (const member of all) replyElement(reply, member);
}

export function intersection(
  context: CommandContext,
  sets: readonly (SetValue | undefined)[],
): SetValue | undefined {
  const sorted = bySize(sets);
  if (sorted === undefined) return undefined;
  const smallest = sorted[0] as SetValue;
  // Redis begins with a listpack where it cannot know better, and looks again at the end.
  const encoding = smallest.encoding === "intset" ? "intset" : "listpack";
  const result = new SetValue(context.db.collections, encoding);
  let onlyIntegers = true;
  for (const element of smallest.members()) {
    const member = elementText(element);
    if (!isInAll(sorted, member)) continue;
    if (onlyIntegers && parseInt64(member) === undefined) onlyIntegers = false;
    result.add(member);
  }
  if (onlyIntegers) result.becomeIntset();
  return result;
}

export function union(context: CommandContext, sets: readonly (SetValue | undefined)[]): SetValue {
  const result = new SetValue(context.db.collections, "intset");
  for (const set of sets) {
    for (const member of set?.members() ?? []) result.add(elementText(member));
  }
  return result;
}

/** The first set without the members of the others. */
export function difference(
  context: CommandContext,
  sets: readonly (SetValue | undefined)[],
): SetValue {
  const result = new SetValue(context.db.collections, "intset");
  const [first, ...others] = sets;
  if (first === undefined || others.includes(first)) return result;
  const present = others.filter((set) => set !== undefined);
  const sizes = present.reduce((sum, { length }) => sum + length, first.length);
  // Looking each member up in all others, or taking the others' members away: Redis halves the
  // cost of the first way, which does less per member.
  if (Math.floor((first.length * (present.length + 1)) / 2) <= sizes) {
    for (const element of first.members()) {
      const member = elementText(element);
      if (!present.some((set) => set.has(member))) result.add(member);
    }
    return result;
  }
  for (const member of first.members()) result.add(elementText(member));
  for (const set of present) {
    if (result.length === 0) break;
    for (const member of set.members()) result.delete(elementText(member));
  }
  return result;
}

/** Replies with a set that was made for that, and frees it. */
export function replyResult(reply: ReplyWriter, set: SetValue): void {
  const all: Element[] = [];
  set.collect(all);
  set.discard();
  reply.set(all.length);
  for (const member of all) replyElement(reply, member);
}

/**
 * Puts a result under its key, or deletes the key if the result is empty; replies with its size.
 */
export function storeResult(
  context: CommandContext,
  key: string,
  stored: { readonly result: SetValue | undefined; readonly event: string },
): void {
  const { db } = context;
  const { result, event } = stored;
  if (result !== undefined && result.length > 0) {
    db.set(key, result);
    db.signalModified(key);
    context.reply.integer(result.length);
    context.notify("s", event, key);
    context.dirty += 1;
    return;
  }
  context.reply.integer(0);
  if (!db.delete(key)) return;
  db.signalModified(key);
  context.notify("g", "del", key);
  context.dirty += 1;
}
