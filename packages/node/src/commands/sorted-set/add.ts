/** ZADD and ZINCRBY. */
import { replyErrors } from "@slotlog/resp";
import type { CommandContext } from "../../dispatch/context.js";
import { ZsetValue } from "../../store/types/zset.js";
import { doubleArgument } from "../double-argument.js";
import { fail } from "../errors.js";
import { type CommandSpec, keyAt } from "../spec.js";
import { writeZset } from "./lookup.js";

const NX = 1;
const XX = 2;
const GT = 4;
const LT = 8;
const CH = 16;
const INCR = 32;

/** The option that a word names, 0 if it is none: then the scores begin. */
function optionOf(word: string): number {
  if (word.length !== 2 && word.length !== 4) return 0;
  // Scores do not begin with a letter, except for infinity, which is longer or shorter.
  if (word.charCodeAt(0) < 65) return 0;
  switch (word.toLowerCase()) {
    case "nx":
      return NX;
    case "xx":
      return XX;
    case "gt":
      return GT;
    case "lt":
      return LT;
    case "ch":
      return CH;
    case "incr":
      return INCR;
    default:
      return 0;
  }
}

function checkOptions(options: number, words: number): void {
  if (words === 0 || words % 2 !== 0) fail(replyErrors.syntax);
  if ((options & NX) !== 0 && (options & XX) !== 0) {
    fail("ERR XX and NX options at the same time are not compatible");
  }
  const exclusive = options & (NX | GT | LT);
  if (exclusive !== 0 && exclusive !== NX && exclusive !== GT && exclusive !== LT) {
    fail("ERR GT, LT, and/or NX options at the same time are not compatible");
  }
  if ((options & INCR) !== 0 && words > 2) {
    fail("ERR INCR option supports a single increment-element pair");
  }
}

const NOTHING = 0;
const UPDATED = 1;
const ADDED = 2;

/** Adds a member or changes its score, as far as the options allow; returns what became of it. */
function addOne(zset: ZsetValue, options: number, member: string, score: number): number {
  const current = zset.score(member);
  if (current === undefined) {
    if ((options & XX) !== 0) return NOTHING;
    zset.add(member, score);
    return ADDED;
  }
  if ((options & NX) !== 0 || score === current) return NOTHING;
  if ((options & LT) !== 0 && score > current) return NOTHING;
  if ((options & GT) !== 0 && score < current) return NOTHING;
  zset.change(member, current, score);
  return UPDATED;
}

/** Tells what has changed, after the reply. */
function tell(context: CommandContext, key: string, event: string): void {
  context.db.signalModified(key);
  context.notify("z", event, key);
}

/** INCR and ZINCRBY. */
function incrementOne(
  context: CommandContext,
  key: string,
  options: number,
  pair: { readonly member: string; readonly by: number },
): void {
  const { db, reply } = context;
  const { member, by } = pair;
  const existing = writeZset(context, key);
  const current = existing?.score(member);
  if (current === undefined) {
    if ((options & XX) !== 0) {
      reply.nil();
      return;
    }
    const zset = existing ?? ZsetValue.expecting(db.collections, 1, member.length);
    zset.add(member, by);
    if (existing === undefined) db.set(key, zset);
    context.dirty += 1;
    reply.double(by);
    tell(context, key, "zincr");
    return;
  }
  if ((options & NX) !== 0) {
    reply.nil();
    return;
  }
  const score = current + by;
  if (Number.isNaN(score)) fail("ERR resulting score is not a number (NaN)");
  const isRefused =
    ((options & LT) !== 0 && score >= current) || ((options & GT) !== 0 && score <= current);
  if (isRefused) {
    reply.nil();
    return;
  }
  if (score !== current) {
    existing?.change(member, current, score);
    context.dirty += 1;
  }
  reply.double(score);
  if (score !== current) tell(context, key, "zincr");
}

/** ZADD's body, which GEOADD uses as well; ZINCRBY implies INCR. */
export function addMembers(
  context: CommandContext,
  argv: readonly string[],
  implied: number,
): void {
  const { db, reply } = context;
  const key = argv[1] as string;
  let options = implied;
  let first = 2;
  for (; first < argv.length; first++) {
    const option = optionOf(argv[first] as string);
    if (option === 0) break;
    options |= option;
  }
  const words = argv.length - first;
  checkOptions(options, words);
  // All scores are read before anything changes; a single one, the usual case, needs no array.
  const firstScore = doubleArgument(argv[first] as string);
  const member = argv[first + 1] as string;
  if ((options & INCR) !== 0) {
    incrementOne(context, key, options, { member, by: firstScore });
    return;
  }
  const others = words === 2 ? undefined : otherScores(argv, first);

  const existing = writeZset(context, key);
  if (existing === undefined && (options & XX) !== 0) {
    reply.integer(0);
    return;
  }
  const zset = existing ?? ZsetValue.expecting(db.collections, words / 2, member.length);
  zset.prepare(words / 2);
  let outcome = addOne(zset, options, member, firstScore);
  let added = outcome === ADDED ? 1 : 0;
  let updated = outcome === UPDATED ? 1 : 0;
  if (others !== undefined) {
    for (let index = 0; index < others.length; index++) {
      const other = argv[first + 3 + 2 * index] as string;
      outcome = addOne(zset, options, other, others[index] as number);
      if (outcome === ADDED) added++;
      else if (outcome === UPDATED) updated++;
    }
  }
  if (existing === undefined) db.set(key, zset);
  context.dirty += added + updated;
  reply.integer((options & CH) === 0 ? added : added + updated);
  if (added + updated > 0) tell(context, key, "zadd");
}

function otherScores(argv: readonly string[], first: number): number[] {
  const scores: number[] = [];
  for (let at = first + 2; at < argv.length; at += 2) {
    scores.push(doubleArgument(argv[at] as string));
  }
  return scores;
}

const zadd: CommandSpec = {
  name: "zadd",
  arity: -4,
  flags: ["write", "denyoom", "fast"],
  categories: ["sortedset"],
  keys: [keyAt(1, "RW", "update")],
  docs: {
    summary: "Adds members with scores to a sorted set, or changes their scores.",
    since: "1.2.0",
    group: "sorted_set",
    complexity: "O(log(N)) a member, for a sorted set of N members",
    syntax:
      "key condition@3.0.2[NX | XX] comparison@6.2.0[GT | LT] [CH/change@3.0.2] " +
      "[INCR/increment@3.0.2] data{score member}...",
    history: [
      ["2.4.0", "Takes several members."],
      ["3.0.2", "Takes `XX`, `NX`, `CH` and `INCR`."],
      ["6.2.0", "Takes `GT` and `LT`."],
    ],
  },
  run(context, argv) {
    addMembers(context, argv, 0);
  },
};

const zincrby: CommandSpec = {
  name: "zincrby",
  arity: 4,
  flags: ["write", "denyoom", "fast"],
  categories: ["sortedset"],
  keys: [keyAt(1, "RW", "access", "update")],
  docs: {
    summary: "Adds to the score of a member, which starts at 0.",
    since: "1.2.0",
    group: "sorted_set",
    complexity: "O(log(N)) for a sorted set of N members",
    syntax: "key increment member",
  },
  run(context, argv) {
    addMembers(context, argv, INCR);
  },
};

export const adding: readonly CommandSpec[] = [zadd, zincrby];
