/** GEOADD, GEOPOS, GEOHASH and GEODIST. */
import { replyErrors } from "@slotlog/resp";
import type { CommandContext } from "../../dispatch/context.js";
import { isWord } from "../arguments.js";
import { fail } from "../errors.js";
import { addMembers } from "../sorted-set/add.js";
import { readZset } from "../sorted-set/lookup.js";
import { type CommandSpec, keyAt } from "../spec.js";
import { positionArgument, unitArgument } from "./arguments.js";
import { distance, distanceText } from "./distance.js";
import { geohashText, positionOf, scoreText } from "./geohash.js";
import { replyPosition } from "./search.js";

/** The units, as `COMMAND DOCS` lists them. */
export const unitSyntax = "unit{M | KM | FT | MI}";

/** GEOADD is ZADD with scores made of positions, and is logged as such. */
function addPositions(context: CommandContext, argv: readonly string[]): void {
  let first = 2;
  let nx = false;
  let xx = false;
  for (; first < argv.length; first++) {
    const word = argv[first];
    if (isWord(word, "nx")) nx = true;
    else if (isWord(word, "xx")) xx = true;
    else if (!isWord(word, "ch")) break;
  }
  if ((argv.length - first) % 3 !== 0 || (nx && xx)) fail(replyErrors.syntax);
  const record = ["zadd", ...argv.slice(1, first)];
  for (let at = first; at < argv.length; at += 3) {
    record.push(scoreText(positionArgument(argv, at)), argv[at + 2] as string);
  }
  addMembers(context, record, 0);
  context.propagateAs(record);
}

const geoadd: CommandSpec = {
  name: "geoadd",
  arity: -5,
  flags: ["write", "denyoom"],
  categories: ["geo"],
  keys: [keyAt(1, "RW", "update")],
  docs: {
    summary: "Adds members with positions, or changes their positions.",
    since: "3.2.0",
    group: "geo",
    complexity: "O(log(N)) a member, for a sorted set of N members",
    syntax: "key condition@6.2.0[NX | XX] [CH/change@6.2.0] data{longitude latitude member}...",
    history: [["6.2.0", "Takes `CH`, `NX` and `XX`."]],
  },
  run: addPositions,
};

const geopos: CommandSpec = {
  name: "geopos",
  arity: -2,
  flags: ["readonly"],
  categories: ["geo"],
  keys: [keyAt(1, "RO", "access")],
  docs: {
    summary: "Returns the positions of members.",
    since: "3.2.0",
    group: "geo",
    complexity: "O(1) a member",
    syntax: "key [member ...]",
  },
  run(context, argv) {
    const zset = readZset(context, argv[1] as string);
    context.reply.array(argv.length - 2);
    for (let at = 2; at < argv.length; at++) {
      const score = zset?.score(argv[at] as string);
      if (score === undefined) context.reply.nilArray();
      else replyPosition(context, positionOf(score));
    }
  },
};

const geohash: CommandSpec = {
  name: "geohash",
  arity: -2,
  flags: ["readonly"],
  categories: ["geo"],
  keys: [keyAt(1, "RO", "access")],
  docs: {
    summary: "Returns the positions of members as geohash.org writes them.",
    since: "3.2.0",
    group: "geo",
    complexity: "O(1) a member",
    syntax: "key [member ...]",
  },
  run(context, argv) {
    const zset = readZset(context, argv[1] as string);
    context.reply.array(argv.length - 2);
    for (let at = 2; at < argv.length; at++) {
      const score = zset?.score(argv[at] as string);
      if (score === undefined) context.reply.nil();
      else context.reply.bulk(geohashText(score));
    }
  },
};

const geodist: CommandSpec = {
  name: "geodist",
  arity: -4,
  flags: ["readonly"],
  categories: ["geo"],
  keys: [keyAt(1, "RO", "access")],
  docs: {
    summary: "Returns the distance between two members.",
    since: "3.2.0",
    group: "geo",
    complexity: "O(1)",
    syntax: "key member1 member2 unit[M | KM | FT | MI]",
  },
  run(context, argv) {
    const metresPerUnit = argv.length === 5 ? unitArgument(argv[4] as string) : 1;
    if (argv.length > 5) fail(replyErrors.syntax);
    const zset = readZset(context, argv[1] as string);
    const from = zset?.score(argv[2] as string);
    const to = zset?.score(argv[3] as string);
    if (from === undefined || to === undefined) context.reply.nil();
    else {
      const metres = distance(positionOf(from), positionOf(to));
      context.reply.bulk(distanceText(metres / metresPerUnit));
    }
  },
};

export const positions: readonly CommandSpec[] = [geoadd, geopos, geohash, geodist];
