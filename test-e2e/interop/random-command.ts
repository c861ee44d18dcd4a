// Makes up one command: mostly right, sometimes wrong in a way that programs get wrong too. Strings
// only, and no clock: expiry is absolute and far away, or long past.

import type { CompareMode } from "./compare.js";
import type { Dice } from "./dice.js";

export interface RandomCommand {
  readonly args: readonly string[];
  readonly mode: CompareMode;
}

const farSeconds = "99999999999";
const farMillis = "99999999999123";

const keys = ["a", "b", "c", "d", "{t}1", "{t}2", "", "\x00\xff"] as const;
const integers = ["0", "1", "-1", "5", "100", "-100", "9223372036854775807"] as const;
const floats = ["0.1", "-2.5", "1e3", "3", "0.000001", "1234567.125"] as const;
const oddities = ["abc", "", " 1", "1 ", "1.5", "01", "+1", "-0", "9223372036854775808"] as const;

const key = (dice: Dice): string => dice.pick(keys);
const integer = (dice: Dice): string =>
  dice.chance(12) ? dice.pick(oddities) : dice.pick(integers);
const float = (dice: Dice): string => (dice.chance(12) ? dice.pick(oddities) : dice.pick(floats));
/** Small, so that values stay comparable and offsets do not fill the memory. */
const index = (dice: Dice): string =>
  dice.chance(15) ? dice.pick(oddities) : String(dice.below(40) - 15);

function value(dice: Dice): string {
  if (dice.chance(3)) return dice.pick(integers);
  if (dice.chance(6)) return dice.pick(floats);
  if (dice.chance(8)) return dice.pick(oddities);
  return dice.some(0, 60, () => String.fromCharCode(dice.below(256))).join("");
}

function setOptions(dice: Dice): string[] {
  const options: readonly (readonly string[])[] = [
    ["NX"],
    ["XX"],
    ["GET"],
    ["KEEPTTL"],
    ["EXAT", farSeconds],
    ["PXAT", farMillis],
    ["PXAT", "1"],
    ["EX", dice.pick(["0", "-1", "abc"])],
    ["nx"],
    ["bogus"],
  ];
  return dice.some(0, 3, () => [...dice.pick(options)]).flat();
}

function expireCommand(dice: Dice): string[] {
  const [name, time] = dice.pick<readonly [string, string]>([
    ["EXPIREAT", farSeconds],
    ["PEXPIREAT", farMillis],
    ["PEXPIREAT", "99999999999999"],
    ["EXPIREAT", "1"],
    ["EXPIREAT", "abc"],
  ]);
  const options = dice.some(0, 2, () => dice.pick(["NX", "XX", "GT", "LT", "bogus"]));
  return [name, key(dice), time, ...(dice.chance(2) ? options : [])];
}

const makers: readonly [(dice: Dice) => string[], ...((dice: Dice) => string[])[]] = [
  (dice) => ["SET", key(dice), value(dice), ...(dice.chance(2) ? setOptions(dice) : [])],
  (dice) => ["SET", key(dice), value(dice)],
  (dice) => ["GET", key(dice)],
  (dice) => ["GETDEL", key(dice)],
  (dice) => ["GETSET", key(dice), value(dice)],
  (dice) => [
    "GETEX",
    key(dice),
    ...dice.pick([[], ["PERSIST"], ["EXAT", farSeconds], ["PXAT", "1"], ["EX", "0"], ["bogus"]]),
  ],
  (dice) => ["SETNX", key(dice), value(dice)],
  (dice) => ["STRLEN", key(dice)],
  (dice) => ["APPEND", key(dice), value(dice)],
  (dice) => ["GETRANGE", key(dice), index(dice), index(dice)],
  (dice) => ["SUBSTR", key(dice), index(dice), index(dice)],
  (dice) => ["SETRANGE", key(dice), index(dice), value(dice)],
  (dice) => ["INCR", key(dice)],
  (dice) => ["DECR", key(dice)],
  (dice) => ["INCRBY", key(dice), integer(dice)],
  (dice) => ["DECRBY", key(dice), integer(dice)],
  (dice) => ["INCRBYFLOAT", key(dice), float(dice)],
  (dice) => ["MGET", ...dice.some(1, 4, () => key(dice))],
  (dice) => ["MSET", ...dice.some(1, 3, () => [key(dice), value(dice)]).flat()],
  (dice) => ["MSETNX", ...dice.some(1, 3, () => [key(dice), value(dice)]).flat()],
  (dice) => ["LCS", key(dice), key(dice), ...dice.pick([[], ["LEN"], ["IDX"], ["bogus"]])],
  (dice) => ["DEL", ...dice.some(1, 3, () => key(dice))],
  (dice) => ["UNLINK", ...dice.some(1, 3, () => key(dice))],
  (dice) => ["EXISTS", ...dice.some(1, 3, () => key(dice))],
  (dice) => ["TOUCH", ...dice.some(1, 3, () => key(dice))],
  (dice) => ["TYPE", key(dice)],
  (dice) => ["OBJECT", "ENCODING", key(dice)],
  expireCommand,
  expireCommand,
  (dice) => [dice.pick(["EXPIRETIME", "PEXPIRETIME"]), key(dice)],
  (dice) => ["PERSIST", key(dice)],
  (dice) => [dice.pick(["RENAME", "RENAMENX"]), key(dice), key(dice)],
  (dice) => ["COPY", key(dice), key(dice), ...dice.pick([[], ["REPLACE"], ["DB", "0"]])],
  () => ["DBSIZE"],
  (dice) => ["KEYS", dice.pick(["*", "?", "[a-c]", "{t}*", "*1", "[^a]"])],
  () => ["SCAN", "0", "COUNT", "1000"],
  () => ["MULTI"],
  () => ["EXEC"],
  () => ["EXEC"],
  () => ["DISCARD"],
  (dice) => ["WATCH", key(dice)],
  () => ["UNWATCH"],
  (dice) => (dice.chance(10) ? ["FLUSHALL"] : ["PING"]),
];

export function randomCommand(dice: Dice): RandomCommand {
  let args = dice.pick(makers)(dice);
  // One argument too few or too many, now and then.
  if (dice.chance(40) && args.length > 1) args = args.slice(0, -1);
  else if (dice.chance(60)) args = [...args, key(dice)];
  const name = args[0];
  // Order is a matter of hash tables. In EXEC's list of replies it may be so too.
  const isListing = name === "KEYS" || name === "SCAN" || name === "EXEC";
  return { args, mode: isListing ? "sorted" : "exact" };
}
