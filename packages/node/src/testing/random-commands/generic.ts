/** Random commands about keys whatever they hold. */
import type { Choices } from "../comparison.js";
import { randomInteger, randomKey, randomTime } from "./strings.js";

/** GT and LT only beside absolute times: relative ones depend on when exactly they are said. */
function conditions(choices: Choices, name: string): string[] {
  const words: string[] = [];
  const sensible = name.endsWith("at") ? ["nx", "xx", "gt", "lt"] : ["nx", "xx"];
  if (choices.chance(0.4)) words.push(choices.cased(choices.of(sensible)));
  if (!name.endsWith("at")) return words;
  if (choices.chance(0.1)) words.push(choices.cased(choices.of(["nx", "xx", "gt", "lt", "foo"])));
  return words;
}

function copyOptions(choices: Choices): string[] {
  const words: string[] = [];
  if (choices.chance(0.4)) words.push(choices.cased("replace"));
  if (choices.chance(0.3)) words.push("db", choices.of(["0", "1", "1", "99", "x", "-1"]));
  if (choices.chance(0.05)) words.push("foo");
  return words;
}

function expire(choices: Choices, name: string): string[] {
  return [randomKey(choices), randomTime(choices, name), ...conditions(choices, name)];
}

type Maker = (choices: Choices) => string[];

const someKeys: Maker = (choices) => [randomKey(choices), randomKey(choices)];
const oneKey: Maker = (choices) => [randomKey(choices)];

const makers: readonly (readonly [name: string, make: Maker])[] = [
  ["del", someKeys],
  ["unlink", someKeys],
  ["exists", someKeys],
  ["touch", someKeys],
  ["type", oneKey],
  ["dbsize", () => []],
  ["expire", (c) => expire(c, "expire")],
  ["pexpire", (c) => expire(c, "pexpire")],
  ["expireat", (c) => expire(c, "expireat")],
  ["pexpireat", (c) => expire(c, "pexpireat")],
  ["persist", oneKey],
  ["ttl", oneKey],
  ["pttl", oneKey],
  ["expiretime", oneKey],
  ["pexpiretime", oneKey],
  ["rename", someKeys],
  ["renamenx", someKeys],
  ["copy", (c) => [...someKeys(c), ...copyOptions(c)]],
  ["move", (c) => [randomKey(c), c.of(["1", "1", "1", "0", "x", "16", "99999999999"])]],
  ["object", (c) => ["encoding", randomKey(c)]],
  ["object", (c) => [c.of(["freq", "encoding", "foo"]), "b"].slice(0, c.between(1, 2))],
  ["swapdb", (c) => ["0", c.of(["1", "1", "x", "16"])]],
  ["select", (c) => [c.of(["0", "0", "1"])]],
  ["restore", (c) => [randomKey(c), randomInteger(c), "payload"]],
  ["flushdb", (c) => (c.chance(0.7) ? ["foo"] : [c.of(["sync", "async"])])],
  ["flushall", (c) => ["async", "x"].slice(0, c.below(3))],
];

export function randomGenericCommand(choices: Choices): string[] {
  const [name, make] = choices.of(makers);
  return [choices.cased(name), ...make(choices)];
}
