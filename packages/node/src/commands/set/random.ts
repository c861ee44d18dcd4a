/** SPOP and SRANDMEMBER: members at random, removed or not. What SPOP chose is logged as SREM. */
import { replyErrors } from "@slotlog/resp";
import type { CommandContext } from "../../dispatch/context.js";
import { KeyTable } from "../../store/key-table.js";
import { type Element, elementText, replyElement } from "../../store/types/element.js";
import { SetValue } from "../../store/types/set.js";
import { positiveLongArgument, symmetricLongArgument } from "../arguments.js";
import { fail } from "../errors.js";
import { chooseDistinct, drawRepeatedly, mustPickOneByOne } from "../random-choice.js";
import { type CommandSpec, keyAt } from "../spec.js";
import { replyResult, union } from "./algebra.js";
import { readSet, writeSet } from "./lookup.js";

/** Members per SREM record. */
const recordMembersMax = 1024;

/** So many times more members must remain than go, or those that remain are moved instead. */
const moveFactor = 5;

/** Replies with each member that goes, and logs them in records of bounded size. */
class Removals {
  readonly #context: CommandContext;
  readonly #key: string;
  #record: string[];

  constructor(context: CommandContext, key: string) {
    this.#context = context;
    this.#key = key;
    this.#record = ["SREM", key];
  }

  add(member: Element): void {
    replyElement(this.#context.reply, member);
    this.#record.push(elementText(member));
    if (this.#record.length === recordMembersMax + 2) this.end();
  }

  end(): void {
    if (this.#record.length > 2) this.#context.propagateAlso(this.#record);
    this.#record = ["SREM", this.#key];
  }
}

/** Some of a listpack, in its order: chosen ones go, or stay. */
function popSmall(context: CommandContext, set: SetValue, count: number, removals: Removals): void {
  const all: Element[] = [];
  set.collect(all);
  const { random } = context.db.collections;
  chooseDistinct({ size: all.length, count, random }, (index) => {
    const member = all[index] as Element;
    removals.add(member);
    set.delete(elementText(member));
  });
}

/** Almost all go: what remains moves into a new set, in the form that Redis gives it. */
function popMost(
  context: CommandContext,
  from: { readonly key: string; readonly set: SetValue; readonly remaining: number },
  removals: Removals,
): void {
  const { key, set, remaining } = from;
  const { collections } = context.db;
  const kept = new SetValue(collections, set.encoding === "intset" ? "intset" : "listpack");
  if (set.encoding === "listpack") {
    const all: Element[] = [];
    set.collect(all);
    chooseDistinct({ size: all.length, count: remaining, random: collections.random }, (index) => {
      const member = elementText(all[index] as Element);
      kept.add(member);
      set.delete(member);
    });
  } else {
    for (let left = remaining; left > 0; left--) kept.add(elementText(set.pop()));
  }
  for (const member of set.members()) removals.add(member);
  context.db.replace(key, kept);
}

function popCount(context: CommandContext, argv: readonly string[]): void {
  const { db, reply } = context;
  const key = argv[1] as string;
  const count = positiveLongArgument(argv[2] as string);
  const set = writeSet(context, key);
  if (set === undefined || count === 0) {
    reply.set(0);
    return;
  }
  const size = set.length;
  context.notify("s", "spop", key);
  context.dirty += Math.min(count, size);
  if (count >= size) {
    replyResult(reply, union(context, [set]));
    db.delete(key);
    context.notify("g", "del", key);
    context.propagateAs([context.node.config.lazyfreeLazyServerDel ? "UNLINK" : "DEL", key]);
    db.signalModified(key);
    return;
  }
  reply.set(count);
  const removals = new Removals(context, key);
  const remaining = size - count;
  if (remaining * moveFactor <= count) {
    popMost(context, { key, set, remaining }, removals);
  } else if (set.encoding === "listpack") {
    popSmall(context, set, count, removals);
  } else {
    for (let left = count; left > 0; left--) removals.add(set.pop());
  }
  removals.end();
  context.propagateNothing();
  db.signalModified(key);
}

const spop: CommandSpec = {
  name: "spop",
  arity: -2,
  flags: ["write", "fast"],
  categories: ["set"],
  keys: [keyAt(1, "RW", "access", "delete")],
  tips: ["nondeterministic_output"],
  docs: {
    summary: "Removes random members from a set and returns them.",
    since: "1.0.0",
    group: "set",
    complexity: "O(1), or O(N) for a count of N",
    syntax: "key [count@3.2.0]",
    history: [["3.2.0", "Added the `count` argument."]],
  },
  run(context, argv) {
    if (argv.length > 3) fail(replyErrors.syntax);
    if (argv.length === 3) {
      popCount(context, argv);
      return;
    }
    const { db } = context;
    const key = argv[1] as string;
    const set = writeSet(context, key);
    if (set === undefined) {
      context.reply.nil();
      return;
    }
    const member = set.pop();
    context.notify("s", "spop", key);
    context.propagateAs(["SREM", key, elementText(member)]);
    replyElement(context.reply, member);
    if (set.length === 0) {
      db.delete(key);
      context.notify("g", "del", key);
    }
    db.signalModified(key);
    context.dirty += 1;
  },
};

function replyDistinct(context: CommandContext, set: SetValue, wanted: number): void {
  const { hasher, random } = context.db.collections;
  const size = set.length;
  const count = Math.min(wanted, size);
  context.reply.array(count);
  if (set.encoding !== "listpack" && mustPickOneByOne(count, size)) {
    const seen = new KeyTable(0);
    while (seen.size < count) {
      const member = set.pick();
      const text = elementText(member);
      if (seen.set(text, hasher.hashOf(text), undefined)) replyElement(context.reply, member);
    }
    return;
  }
  const all: Element[] = [];
  set.collect(all);
  chooseDistinct({ size, count, random }, (index) => {
    replyElement(context.reply, all[index] as Element);
  });
}

const srandmember: CommandSpec = {
  name: "srandmember",
  arity: -2,
  flags: ["readonly"],
  categories: ["set"],
  keys: [keyAt(1, "RO", "access")],
  tips: ["nondeterministic_output"],
  docs: {
    summary: "Returns random members of a set.",
    since: "1.0.0",
    group: "set",
    complexity: "O(1), or O(N) for a count of N",
    syntax: "key [count@2.6.0]",
    history: [["2.6.0", "Added the optional `count` argument."]],
  },
  run(context, argv) {
    const { reply } = context;
    if (argv.length > 3) fail(replyErrors.syntax);
    const wanted = argv.length === 3 ? symmetricLongArgument(argv[2] as string) : undefined;
    const set = readSet(context, argv[1] as string);
    if (wanted === undefined) {
      if (set === undefined) reply.nil();
      else replyElement(reply, set.pick());
    } else if (set === undefined || wanted === 0) {
      reply.array(0);
    } else if (wanted < 0) {
      reply.array(-wanted);
      drawRepeatedly(reply, -wanted, () => replyElement(reply, set.pick()));
    } else {
      replyDistinct(context, set, wanted);
    }
  },
};

export const choosing: readonly CommandSpec[] = [spop, srandmember];
