/** GEOSEARCH, GEOSEARCHSTORE, and GEORADIUS with its relatives, which those have replaced. */
import { replyErrors } from "@slotlog/resp";
import type { CommandContext } from "../../dispatch/context.js";
import type { ZsetValue } from "../../store/types/zset.js";
import { isWord, longArgument } from "../arguments.js";
import { fail } from "../errors.js";
import { readZset } from "../sorted-set/lookup.js";
import type { Shape } from "./areas.js";
import { boxArgument, circleArgument, positionArgument } from "./arguments.js";
import { type Position, positionOf } from "./geohash.js";
import {
  deleteTarget,
  replyFound,
  search,
  type SortOrder,
  sortFound,
  storeFound,
} from "./search.js";

/** How a command's first words are read, and where it may store. */
export interface QueryForm {
  readonly kind: "radius" | "member" | "search";
  /** `option`: STORE and STOREDIST; `target`: the first key, and STOREDIST is a flag. */
  readonly stores: "no" | "option" | "target";
}

/** What the words ask for; parts of it come in any order. */
class Query {
  centre: Position | undefined = undefined;
  /** FROMMEMBER was said, perhaps of a key that does not exist. */
  fromMember = false;
  fromPosition = false;
  metresPerUnit = 1;
  size: Shape["size"] | undefined = undefined;
  withDistance = false;
  withHash = false;
  withCoordinates = false;
  order: SortOrder = "none";
  /** 0: all. */
  count = 0;
  any = false;
  target: string | undefined = undefined;
  storesDistances = false;
}

function memberPosition(zset: ZsetValue, member: string): Position {
  const score = zset.score(member);
  return score === undefined
    ? fail("ERR could not decode requested zset member")
    : positionOf(score);
}

function setCircle(query: Query, argv: readonly string[], at: number): void {
  const { radius, metresPerUnit } = circleArgument(argv, at);
  query.size = { type: "circle", radius };
  query.metresPerUnit = metresPerUnit;
}

function setBox(query: Query, argv: readonly string[], at: number): void {
  const { width, height, metresPerUnit } = boxArgument(argv, at);
  query.size = { type: "box", width, height };
  query.metresPerUnit = metresPerUnit;
}

/** Options of all commands: the number of words taken, 0 if the word is none. */
function commonOption(query: Query, argv: readonly string[], at: number): number {
  const word = argv[at];
  if (isWord(word, "withdist")) query.withDistance = true;
  else if (isWord(word, "withhash")) query.withHash = true;
  else if (isWord(word, "withcoord")) query.withCoordinates = true;
  else if (isWord(word, "any")) query.any = true;
  else if (isWord(word, "asc")) query.order = "asc";
  else if (isWord(word, "desc")) query.order = "desc";
  else if (isWord(word, "count") && at + 1 < argv.length) {
    query.count = longArgument(argv[at + 1] as string);
    if (query.count <= 0) fail("ERR COUNT must be > 0");
    return 2;
  } else return 0;
  return 1;
}

/** STORE and STOREDIST of GEORADIUS and GEORADIUSBYMEMBER. */
function storeOption(query: Query, argv: readonly string[], at: number): number {
  const distances = isWord(argv[at], "storedist");
  if (at + 1 >= argv.length || !(distances || isWord(argv[at], "store"))) return 0;
  query.target = argv[at + 1] as string;
  query.storesDistances = distances;
  return 2;
}

/** The options that GEOSEARCH and GEOSEARCHSTORE have in place of fixed first words. */
function searchOption(
  query: Query,
  argv: readonly string[],
  at: number,
  zset: ZsetValue | undefined,
): number {
  const word = argv[at];
  const left = argv.length - at - 1;
  if (isWord(word, "frommember") && left >= 1 && !query.fromPosition) {
    if (zset !== undefined) query.centre = memberPosition(zset, argv[at + 1] as string);
    query.fromMember = true;
    return 2;
  }
  if (isWord(word, "fromlonlat") && left >= 2 && !query.fromMember) {
    query.centre = positionArgument(argv, at + 1);
    query.fromPosition = true;
    return 3;
  }
  if (isWord(word, "byradius") && left >= 2 && query.size?.type !== "box") {
    setCircle(query, argv, at + 1);
    return 3;
  }
  if (isWord(word, "bybox") && left >= 3 && query.size?.type !== "circle") {
    setBox(query, argv, at + 1);
    return 4;
  }
  return 0;
}

/** Reads the fixed words of a form; returns where the options begin. */
function readHead(
  query: Query,
  argv: readonly string[],
  form: QueryForm,
  zset: ZsetValue | undefined,
): number {
  if (form.kind === "radius") {
    query.centre = positionArgument(argv, 2);
    setCircle(query, argv, 4);
    return 6;
  }
  if (form.kind === "member") {
    // Without a key the words are not looked at, so that the reply depends on STORE alone.
    if (zset === undefined) return 5;
    query.centre = memberPosition(zset, argv[2] as string);
    setCircle(query, argv, 3);
    return 5;
  }
  if (form.stores !== "target") return 2;
  query.target = argv[1] as string;
  return 3;
}

function checkQuery(query: Query, form: QueryForm, name: string): void {
  if (
    query.target !== undefined &&
    (query.withDistance || query.withHash || query.withCoordinates)
  ) {
    const who = form.stores === "target" ? "GEOSEARCHSTORE" : "STORE option in GEORADIUS";
    fail(`ERR ${who} is not compatible with WITHDIST, WITHHASH and WITHCOORD options`);
  }
  if (form.kind === "search") {
    if (!query.fromMember && !query.fromPosition) {
      fail(`ERR exactly one of FROMMEMBER or FROMLONLAT can be specified for ${name}`);
    }
    if (query.size === undefined) {
      fail(`ERR exactly one of BYRADIUS and BYBOX can be specified for ${name}`);
    }
  }
  if (query.any && query.count === 0) fail("ERR the ANY argument requires COUNT argument");
}

function readQuery(argv: readonly string[], form: QueryForm, zset: ZsetValue | undefined): Query {
  const query = new Query();
  for (let at = readHead(query, argv, form, zset); at < argv.length; ) {
    let taken = commonOption(query, argv, at);
    if (taken === 0 && form.stores === "option") taken = storeOption(query, argv, at);
    if (taken === 0 && form.stores === "target" && isWord(argv[at], "storedist")) {
      query.storesDistances = true;
      taken = 1;
    }
    if (taken === 0 && form.kind === "search") taken = searchOption(query, argv, at, zset);
    if (taken === 0) fail(replyErrors.syntax);
    at += taken;
  }
  checkQuery(query, form, argv[0] as string);
  // The nearest are meant where only some are asked for, unless any will do.
  if (query.count !== 0 && query.order === "none" && !query.any) query.order = "asc";
  return query;
}

/** The body of all searching commands. */
export function runQuery(context: CommandContext, argv: readonly string[], form: QueryForm): void {
  const zset = readZset(context, argv[form.stores === "target" ? 2 : 1] as string);
  const query = readQuery(argv, form, zset);
  const { centre, size, metresPerUnit, target } = query;
  if (zset === undefined || centre === undefined || size === undefined) {
    if (target === undefined) context.reply.array(0);
    else {
      deleteTarget(context, target);
      context.reply.integer(0);
    }
    return;
  }
  const shape = { centre, size, metresPerUnit };
  const found = search(zset, shape, query.any ? query.count : 0);
  sortFound(found, query.order);
  if (query.count !== 0 && found.length > query.count) found.length = query.count;
  if (target === undefined) {
    replyFound(context, found, query);
    return;
  }
  const event = form.kind === "search" ? "geosearchstore" : "georadiusstore";
  storeFound(
    context,
    found,
    { key: target, distances: query.storesDistances, event },
    metresPerUnit,
  );
}
