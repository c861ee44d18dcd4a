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

/** What became of one member: counts as added, as updated, or as nothing but perhaps processed. */
class Outcome {
  added = 0;
  updated = 0;
  processed = 0;
  /** The last member's new score. */
  score = 0;
}

function addOne(
  zset: ZsetValue,
  options: number,
  pair: { readonly member: string; readonly score: number },
  outcome: Outcome,
): void {
  const { member } = pair;
  let { score } = pair;
  const current = zset.score(member);
  if (current === undefined) {
    if ((options & XX) !== 0) return;
    zset.add(member, score);
    outcome.added++;
  } else {
    if ((options & NX) !== 0) return;
    if ((options & INCR) !== 0) {
      score += current;
      if (Number.isNaN(score)) fail("ERR resulting score is not a number (NaN)");
    }
    if ((options & LT) !== 0 && score >= current) return;
    if ((options & GT) !== 0 && score <= current) return;
    if (score !== current) {
      zset.change(member, current, score);
      outcome.updated++;
    }
  }
  outcome.processed++;
  outcome.score = score;
}

/** ZADD's and ZINCRBY's common body; ZINCRBY is ZADD with INCR. */
export function addMembers(context: CommandContext, argv: readonly string[], implied: number): void {
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
  const scores: number[] = [];
  for (let at = first; at < argv.length; at += 2) scores.push(doubleArgument(argv[at] as string));

  const outcome = new Outcome();
  const existing = writeZset(context, key);
  if (existing !== undefined || (options & XX) === 0) {
    let zset = existing;
    if (zset === undefined) {
      const { length } = argv[first + 1] as string;
      zset = ZsetValue.expecting(db.collections, words / 2, length);
    } else zset.prepare(words / 2);
    for (let index = 0; index < scores.length; index++) {
      const member = argv[first + 1 + 2 * index] as string;
      addOne(zset, options, { member, score: scores[index] as number }, outcome);
    }
    if (existing === undefined) db.set(key, zset);
  }
  const changes = outcome.added + outcome.updated;
  context.dirty += changes;
  if ((options & INCR) === 0) reply.integer((options & CH) === 0 ? outcome.added : changes);
  else if (outcome.processed > 0) reply.double(outcome.score);
  else reply.nil();
  if (changes === 0) return;
  db.signalModified(key);
  context.notify("z", (options & INCR) === 0 ? "zadd" : "zincr", key);
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
