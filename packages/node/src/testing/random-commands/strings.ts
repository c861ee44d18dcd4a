/**
 * Random string commands on a few keys: mostly sensible ones, with all options and some mistakes.
 */
import type { Choices } from "../comparison.js";

const keys = ["a", "b", "c", "d", "{e}f"];
const integers = ["0", "1", "-1", "7", "100", "9007199254740991", "9007199254740993"];
const limits = ["9223372036854775807", "-9223372036854775808", "9223372036854775806"];
const notIntegers = ["", "x", "1.5", "01", "+1", " 1", "-0", "9223372036854775808", "1e3"];
const floats = ["1.5", "-0.1", "3", "1e3", "0x1p-3", "inf", "-inf", "nan", "1e4932", "1e-4940"];

export function randomKey(choices: Choices): string {
  return choices.of(keys);
}

export function randomInteger(choices: Choices): string {
  const kind = choices.below(20);
  if (kind === 0) return choices.of(notIntegers);
  if (kind < 3) return choices.of(limits);
  return kind < 8 ? choices.of(integers) : String(choices.between(-50, 50));
}

function randomValue(choices: Choices): string {
  const kind = choices.below(10);
  if (kind < 2) return randomInteger(choices);
  if (kind === 2) return randomFloat(choices);
  if (kind === 3) return choices.bytes(choices.below(200));
  return choices.of(["x", "hello", "", "12", "foobar", "a".repeat(44), "b".repeat(45)]);
}

function randomFloat(choices: Choices): string {
  const kind = choices.below(8);
  if (kind < 2) return choices.of(floats);
  if (kind === 2) return randomInteger(choices);
  const whole = choices.between(-1000, 1000);
  return `${whole}.${choices.below(10 ** choices.between(1, 9))}`;
}

/** Times are so long that nothing expires while it is compared, or so old that it has. */
export function randomTime(choices: Choices, word: string): string {
  const kind = choices.below(20);
  if (kind === 0) return choices.of(["0", "-1", "x", ...limits, "9223372036854775"]);
  if (word.endsWith("at")) {
    const seconds = choices.of([1, 1_000_000, 4_000_000_000, 5_000_000_000]);
    return String(word === "pxat" || word === "pexpireat" ? seconds * 1000 + 123 : seconds);
  }
  return choices.of(["100000000", "200000000"]);
}

function expiryOption(choices: Choices): string[] {
  const word = choices.of(["ex", "px", "exat", "pxat"]);
  return [choices.cased(word), randomTime(choices, word)];
}

function setOptions(choices: Choices): string[] {
  const words: string[] = [];
  if (choices.chance(0.3)) words.push(choices.cased(choices.of(["nx", "xx"])));
  if (choices.chance(0.3)) words.push(choices.cased("get"));
  if (choices.chance(0.3)) words.push(...expiryOption(choices));
  if (choices.chance(0.2)) words.push(choices.cased("keepttl"));
  if (choices.chance(0.05)) words.push(choices.of(["foo", "EX", "persist", "nx", "xx"]));
  return words;
}

function pairs(choices: Choices): string[] {
  const words: string[] = [];
  for (let left = choices.between(1, 4); left > 0; left -= 1) {
    words.push(randomKey(choices), randomValue(choices));
  }
  if (choices.chance(0.1)) words.push("odd");
  return words;
}

function lcs(choices: Choices): string[] {
  const words = [randomKey(choices), randomKey(choices)];
  if (choices.chance(0.5)) words.push(choices.cased("idx"));
  if (choices.chance(0.2)) words.push(choices.cased("len"));
  if (choices.chance(0.3)) words.push("minmatchlen", choices.of(["1", "2", "4", "-3", "x"]));
  if (choices.chance(0.3)) words.push("withmatchlen");
  return words;
}

type Maker = (choices: Choices) => string[];

const makers: readonly (readonly [name: string, make: Maker])[] = [
  ["set", (c) => [randomKey(c), randomValue(c)]],
  ["set", (c) => [randomKey(c), randomValue(c), ...setOptions(c)]],
  ["setnx", (c) => [randomKey(c), randomValue(c)]],
  ["setex", (c) => [randomKey(c), randomTime(c, "ex"), randomValue(c)]],
  ["psetex", (c) => [randomKey(c), randomTime(c, "px"), randomValue(c)]],
  ["getset", (c) => [randomKey(c), randomValue(c)]],
  ["get", (c) => [randomKey(c)]],
  ["getdel", (c) => [randomKey(c)]],
  ["getex", (c) => [randomKey(c), ...(c.chance(0.8) ? expiryOption(c) : [])]],
  ["getex", (c) => [randomKey(c), c.of(["persist", "PERSIST", "keepttl"])]],
  ["strlen", (c) => [randomKey(c)]],
  ["append", (c) => [randomKey(c), randomValue(c)]],
  [
    "setrange",
    (c) => [randomKey(c), c.chance(0.1) ? randomInteger(c) : String(c.below(60)), randomValue(c)],
  ],
  ["getrange", (c) => [randomKey(c), randomInteger(c), randomInteger(c)]],
  ["substr", (c) => [randomKey(c), randomInteger(c), randomInteger(c)]],
  ["mget", (c) => [randomKey(c), randomKey(c), "none"]],
  ["mset", pairs],
  ["msetnx", pairs],
  ["incr", (c) => [randomKey(c)]],
  ["decr", (c) => [randomKey(c)]],
  ["incrby", (c) => [randomKey(c), randomInteger(c)]],
  ["decrby", (c) => [randomKey(c), randomInteger(c)]],
  ["incrbyfloat", (c) => [randomKey(c), randomFloat(c)]],
  ["lcs", lcs],
];

export function randomStringCommand(choices: Choices): string[] {
  const [name, make] = choices.of(makers);
  return [choices.cased(name), ...make(choices)];
}
