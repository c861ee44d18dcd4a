/** Random bitmap commands. */
import type { Choices } from "../comparison.js";
import { randomInteger, randomKey } from "./strings.js";

function offset(choices: Choices): string {
  const kind = choices.below(30);
  if (kind === 0) return choices.of(["-1", "x", "4294967296", "600001", "600001", "#3"]);
  return String(choices.below(kind < 3 ? 3000 : 100));
}

/** Around the ends of strings that are mostly a few bytes long. */
function position(choices: Choices): string {
  return choices.chance(0.05)
    ? randomInteger(choices)
    : String(choices.of([choices.between(-80, 80), choices.between(-80, 80), 599_000]));
}

function unit(choices: Choices): string[] {
  const kind = choices.below(20);
  if (kind === 0) return ["foo"];
  return kind < 7 ? [] : [choices.cased(choices.of(["bit", "byte"]))];
}

function fieldType(choices: Choices): string {
  if (choices.chance(0.03)) return choices.of(["u64", "i65", "i0", "x8", "u", "8"]);
  const kind = choices.of(["i", "u"]);
  const common = choices.of([1, 2, 4, 8, 16, 31, 32, 33, 63]);
  return `${kind}${choices.chance(0.5) ? common : choices.between(1, kind === "i" ? 64 : 63)}`;
}

function fieldOffset(choices: Choices): string {
  return choices.chance(0.3) ? `#${choices.below(10)}` : offset(choices);
}

function amount(choices: Choices): string {
  const kind = choices.below(10);
  if (kind === 0) return randomInteger(choices);
  if (kind < 5) return String(choices.between(-300, 300));
  const size = 2 ** choices.between(1, 52);
  return String(Math.floor((choices.below(2 ** 30) / 2 ** 30) * size) * choices.of([1, -1]));
}

export function fieldOperations(choices: Choices, onlyGet: boolean): string[] {
  const words: string[] = [];
  for (let left = choices.between(0, 4); left > 0; left -= 1) {
    const kind = onlyGet && choices.chance(0.97) ? 0 : choices.below(10);
    if (kind < 3) words.push(choices.cased("get"), fieldType(choices), fieldOffset(choices));
    else if (kind < 5) words.push("overflow", choices.of(["wrap", "SAT", "fail", "fail", "sat"]));
    else {
      words.push(choices.cased(choices.of(["set", "incrby"])));
      words.push(fieldType(choices), fieldOffset(choices), amount(choices));
    }
  }
  if (choices.chance(0.02)) words.push(choices.of(["overflow", "foo", "get"]));
  return words;
}

type Maker = (choices: Choices) => string[];

const makers: readonly (readonly [name: string, make: Maker])[] = [
  [
    "setbit",
    (c) => [randomKey(c), offset(c), c.chance(0.03) ? randomInteger(c) : c.of(["0", "1"])],
  ],
  ["getbit", (c) => [randomKey(c), offset(c)]],
  ["bitcount", (c) => [randomKey(c)]],
  ["bitcount", (c) => [randomKey(c), position(c), position(c), ...unit(c)]],
  ["bitcount", (c) => [randomKey(c), position(c)]],
  ["bitpos", (c) => [randomKey(c), c.of(["0", "1", "0", "1", "2", "x"])]],
  ["bitpos", (c) => [randomKey(c), c.of(["0", "1"]), position(c)]],
  ["bitpos", (c) => [randomKey(c), c.of(["0", "1"]), position(c), position(c), ...unit(c)]],
  [
    "bitop",
    (c) => [
      c.cased(c.of(["and", "or", "xor"])),
      randomKey(c),
      randomKey(c),
      randomKey(c),
      randomKey(c),
    ],
  ],
  ["bitop", (c) => [c.of(["not", "NOT", "foo", "and"]), randomKey(c), randomKey(c)]],
  ["bitop", (c) => ["not", randomKey(c), randomKey(c), "b"].slice(0, c.between(3, 4))],
  ["bitfield", (c) => [randomKey(c), ...fieldOperations(c, false)]],
  ["bitfield", (c) => [randomKey(c), ...fieldOperations(c, false)]],
  ["bitfield_ro", (c) => [randomKey(c), ...fieldOperations(c, true)]],
  ["get", (c) => [randomKey(c)]],
  [
    "set",
    (c) => [
      randomKey(c),
      c.chance(0.5)
        ? c.bytes(c.below(100))
        : c.of(["\xff\xff\xff\xff\xff", "\0\0\0\0\0\0\0\0\0", "12"]),
    ],
  ],
];

export function randomBitmapCommand(choices: Choices): string[] {
  const [name, make] = choices.of(makers);
  return [choices.cased(name), ...make(choices)];
}
