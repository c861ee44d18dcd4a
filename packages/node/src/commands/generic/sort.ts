/**
 * SORT and SORT_RO: the elements of a list, set or sorted set in order, by their own values or by
 * those of other keys, with GET for what to return and STORE for where to.
 */
import { type ReplyWriter, replyErrors } from "@slotlog/resp";
import type { CommandContext } from "../../dispatch/context.js";
import { type Element, elementText } from "../../store/types/element.js";
import { HashValue } from "../../store/types/hash.js";
import { ListValue } from "../../store/types/list.js";
import { SetValue } from "../../store/types/set.js";
import { ZsetValue } from "../../store/types/zset.js";
import { isStringValue, stringBytes, type Value } from "../../store/value.js";
import { isWord, longArgument } from "../arguments.js";
import { parseDouble } from "../double-argument.js";
import { fail } from "../errors.js";
import { type CommandSpec, keyAt, type KeySpec } from "../spec.js";

interface SortOptions {
  readonly descending: boolean;
  readonly alpha: boolean;
  readonly offset: number;
  readonly count: number;
  /** `undefined` to sort by the elements themselves. */
  readonly by: string | undefined;
  /** BY names no element, so that nothing is to be sorted. */
  readonly keepsOrder: boolean;
  readonly get: readonly string[];
  readonly store: string | undefined;
}

type Draft = { -readonly [Name in keyof SortOptions]: SortOptions[Name] } & { get: string[] };

function sortOptions(
  context: CommandContext,
  argv: readonly string[],
  mayStore: boolean,
): SortOptions {
  const draft: Draft = {
    descending: false,
    alpha: false,
    offset: 0,
    count: -1,
    by: undefined,
    keepsOrder: false,
    get: [],
    store: undefined,
  };
  for (let at = 2; at < argv.length; ) at = readOption(context, { argv, at, mayStore }, draft);
  return draft;
}

/** A pattern names keys that nobody can check beforehand. */
function requireAllKeys(
  { client, command }: CommandContext,
  argv: readonly string[],
  option: string,
): void {
  if (client.account?.mayReadAnyKey(command, argv) !== false) return;
  fail(`ERR ${option} option of SORT denied due to insufficient ACL permissions.`);
}

/** Reads one option; returns the index behind it. */
function readOption(
  context: CommandContext,
  from: { readonly argv: readonly string[]; readonly at: number; readonly mayStore: boolean },
  draft: Draft,
): number {
  const { argv, at, mayStore } = from;
  const { clusterEnabled } = context.node.config;
  const [word, value, second] = [argv[at], argv[at + 1], argv[at + 2]];
  if (isWord(word, "asc")) draft.descending = false;
  else if (isWord(word, "desc")) draft.descending = true;
  else if (isWord(word, "alpha")) draft.alpha = true;
  else if (value === undefined) fail(replyErrors.syntax);
  else if (isWord(word, "limit") && second !== undefined) {
    draft.offset = longArgument(value);
    draft.count = longArgument(second);
    return at + 3;
  } else if (isWord(word, "store") && mayStore) {
    draft.store = value;
    return at + 2;
  } else if (isWord(word, "by")) {
    draft.by = value;
    draft.keepsOrder ||= !value.includes("*");
    if (value.includes("*") && clusterEnabled) {
      fail("ERR BY option of SORT denied in Cluster mode.");
    }
    if (value.includes("*")) requireAllKeys(context, argv, "BY");
    return at + 2;
  } else if (isWord(word, "get")) {
    if (clusterEnabled) fail("ERR GET option of SORT denied in Cluster mode.");
    requireAllKeys(context, argv, "GET");
    draft.get.push(value);
    return at + 2;
  } else {
    fail(replyErrors.syntax);
  }
  return at + 1;
}

/**
 * The text that a pattern names for an element: `#` the element; else the key with the element in
 * place of the first `*`, or the field of a hash behind `->`.
 */
function lookupByPattern(
  context: CommandContext,
  pattern: string,
  element: string,
): string | undefined {
  if (pattern === "#") return element;
  const star = pattern.indexOf("*");
  if (star < 0) return undefined;
  const arrow = pattern.indexOf("->", star + 1);
  const hasField = arrow >= 0 && arrow + 2 < pattern.length;
  const rest = pattern.slice(star + 1, hasField ? arrow : undefined);
  const value = context.db.lookupRead(pattern.slice(0, star) + element + rest);
  if (value === undefined) return undefined;
  if (hasField) {
    const found = value instanceof HashValue ? value.get(pattern.slice(arrow + 2)) : undefined;
    return found === undefined ? undefined : elementText(found);
  }
  return isStringValue(value) ? textOf(value) : undefined;
}

function textOf(value: Value): string {
  if (typeof value === "string") return value;
  if (typeof value === "number") return String(value);
  return isStringValue(value) ? stringBytes(value).toString("latin1") : "";
}

/** Elements in the order in which their collection keeps them, or the reverse of it. */
function elementsOf(value: Value | undefined, reversed: boolean): string[] {
  const all: Element[] = [];
  if (value instanceof ListValue) value.range(0, value.length, all);
  else if (value instanceof SetValue) value.collect(all);
  else if (value instanceof ZsetValue) {
    for (const cursor = value.at(0); cursor.valid; cursor.next()) all.push(cursor.member);
  } else if (value !== undefined) fail(replyErrors.wrongType);
  const texts = all.map(elementText);
  return reversed && !(value instanceof SetValue) ? texts.reverse() : texts;
}

/** What C takes for the string: everything in front of a NUL. */
function beforeNul(text: string): string {
  const end = text.indexOf("\0");
  return end < 0 ? text : text.slice(0, end);
}

/** As C's `strtod`, and the whole text must be a number that a double can hold. */
function sortScore(text: string): number | undefined {
  const cString = beforeNul(text);
  return cString === "" ? 0 : parseDouble(cString.replace(/^[ \t\n\v\f\r]+/, ""));
}

function compareTexts(left: string, right: string): number {
  if (left === right) return 0;
  return left < right ? -1 : 1;
}

/** The elements in order. Fails if some weight is no number. */
function sorted(
  context: CommandContext,
  elements: readonly string[],
  options: Pick<SortOptions, "alpha" | "by" | "descending" | "store">,
): string[] {
  const { alpha, by } = options;
  const sign = options.descending ? -1 : 1;
  const weights = elements.map((element) =>
    by === undefined ? element : lookupByPattern(context, by, element),
  );
  const order = elements.map((_, index) => index);
  if (alpha) {
    // A stored result is compared byte by byte, a returned one as `strcoll` does in the C locale.
    const keys = options.store === undefined ? weights.map((w) => w && beforeNul(w)) : weights;
    order.sort((left, right) => {
      const [a, b] = [keys[left], keys[right]];
      if (a !== undefined && b !== undefined) return sign * compareTexts(a, b);
      return sign * (Number(a !== undefined) - Number(b !== undefined));
    });
  } else {
    const scores = weights.map((weight) => (weight === undefined ? 0 : sortScore(weight)));
    if (scores.includes(undefined)) fail("ERR One or more scores can't be converted into double");
    order.sort((left, right) => {
      const [a, b] = [scores[left] as number, scores[right] as number];
      if (a !== b) return a < b ? -sign : sign;
      return sign * compareTexts(elements[left] as string, elements[right] as string);
    });
  }
  return order.map((index) => elements[index] as string);
}

/** The elements that LIMIT leaves. */
function limited(elements: readonly string[], { offset, count }: SortOptions): readonly string[] {
  const start = Math.min(Math.max(offset, 0), elements.length);
  return elements.slice(start, count < 0 ? undefined : start + count);
}

/** What is returned for the elements: themselves, or what GET names. */
function results(
  context: CommandContext,
  elements: readonly string[],
  get: readonly string[],
): readonly (string | undefined)[] {
  if (get.length === 0) return elements;
  return elements.flatMap((element) =>
    get.map((pattern) => lookupByPattern(context, pattern, element)),
  );
}

function store(context: CommandContext, key: string, items: readonly string[]): void {
  const { db } = context;
  if (items.length > 0) {
    db.set(key, ListValue.fromNeutral({ type: "list", items }, db.collections));
    db.signalModified(key);
    context.notify("l", "sortstore", key);
    context.dirty += items.length;
  } else if (db.delete(key)) {
    db.signalModified(key);
    context.notify("g", "del", key);
    context.dirty += 1;
  }
  context.reply.integer(items.length);
}

function replyResults(reply: ReplyWriter, all: readonly (string | undefined)[]): void {
  reply.array(all.length);
  for (const text of all) {
    if (text === undefined) reply.nil();
    else reply.bulk(text);
  }
}

function run(context: CommandContext, argv: readonly string[], mayStore: boolean): void {
  const options = sortOptions(context, argv, mayStore);
  const value = context.db.lookupRead(argv[1] as string);
  if (value instanceof ZsetValue) value.enlarge();
  let elements = elementsOf(value, options.keepsOrder && options.descending);
  if (options.keepsOrder && options.store !== undefined && value instanceof SetValue) {
    // A set has no order of its own: what is stored must be the same wherever the log is read.
    elements = sorted(context, elements, { ...options, alpha: true, by: undefined });
  } else if (!options.keepsOrder) {
    elements = sorted(context, elements, options);
  }
  const all = results(context, limited(elements, options), options.get);
  if (options.store === undefined) replyResults(context.reply, all);
  else
    store(
      context,
      options.store,
      all.map((text) => text ?? ""),
    );
}

const byAndGet: KeySpec = {
  notes:
    "For the optional BY/GET keyword. It is marked 'unknown' because the key names derive from " +
    "the content of the key we sort",
  flags: ["RO", "access"],
  begin: { type: "unknown" },
  find: { type: "unknown" },
};

const storeKeyword: KeySpec = {
  notes:
    "For the optional STORE keyword. It is marked 'unknown' because the keyword can appear " +
    "anywhere in the argument array",
  flags: ["OW", "update"],
  begin: { type: "unknown" },
  find: { type: "unknown" },
};

/** The key, and the last STORE that is no other option's value. */
function sortKeys(argv: readonly string[]): readonly number[] {
  let stored: number | undefined;
  for (let at = 2; at < argv.length; at++) {
    if (isWord(argv[at], "limit")) at += 2;
    else if (isWord(argv[at], "get") || isWord(argv[at], "by")) at += 1;
    else if (isWord(argv[at], "store") && at + 1 < argv.length) stored = at + 1;
  }
  return stored === undefined ? [1] : [1, stored];
}

const syntax =
  "key [BY by-pattern(pattern)#1] [LIMIT limit{offset count}] [GET get-pattern(pattern)#1 ....] " +
  "order[ASC | DESC] [ALPHA/sorting]";

const sort: CommandSpec = {
  name: "sort",
  arity: -2,
  flags: ["write", "denyoom"],
  categories: ["set", "sortedset", "list", "dangerous"],
  keys: [keyAt(1, "RO", "access"), byAndGet, storeKeyword],
  docs: {
    summary: "Sorts the elements of a list, a set or a sorted set, returns or stores them.",
    since: "1.0.0",
    group: "generic",
    complexity: "O(N+M*log(M)) for N elements of which M are returned",
    syntax: `${syntax} [STORE destination#2]`,
  },
  findKeys: sortKeys,
  run(context, argv) {
    run(context, argv, true);
  },
};

const sortRo: CommandSpec = {
  name: "sort_ro",
  arity: -2,
  flags: ["readonly"],
  categories: ["set", "sortedset", "list", "dangerous"],
  keys: [keyAt(1, "RO", "access"), byAndGet],
  docs: {
    summary: "Sorts the elements of a list, a set or a sorted set and returns them.",
    since: "7.0.0",
    group: "generic",
    complexity: "O(N+M*log(M)) for N elements of which M are returned",
    syntax,
  },
  findKeys: () => [1],
  run(context, argv) {
    run(context, argv, false);
  },
};

export const sorting: readonly CommandSpec[] = [sort, sortRo];
