/** Random HyperLogLog commands, looking at the bytes all the time. */
import type { Choices } from "../comparison.js";

const keys = ["{h}a", "{h}b", "{h}c", "{h}d"];

function elements(choices: Choices): string[] {
  const kind = choices.below(10);
  const count = kind === 0 ? choices.below(400) : choices.below(6);
  return Array.from({ length: count }, () =>
    kind < 6 ? String(choices.below(2 ** 31)) : choices.bytes(choices.below(25)),
  );
}

type Maker = (choices: Choices) => string[];

const makers: readonly (readonly [name: string, make: Maker])[] = [
  ["pfadd", (c) => [c.of(keys), ...elements(c)]],
  ["pfadd", (c) => [c.of(keys), ...elements(c)]],
  ["pfadd", (c) => [c.of(keys), ...elements(c)]],
  ["pfcount", (c) => [c.of(keys)]],
  ["pfcount", (c) => [c.of(keys), c.of(keys)]],
  ["pfmerge", (c) => [c.of(keys), c.of(keys), c.of(keys)].slice(0, c.between(1, 3))],
  ["get", (c) => [c.of(keys)]],
  ["strlen", (c) => [c.of(keys)]],
  ["pfdebug", (c) => [c.of(["decode", "ENCODING", "encoding", "foo"]), c.of(keys)]],
  ["object", (c) => ["encoding", c.of(keys)]],
];

const rareMakers: typeof makers = [
  ["del", (c) => [c.of(keys)]],
  ["pfdebug", (c) => [c.of(["todense", "getreg"]), c.of(keys)]],
  ["set", (c) => [c.of(keys), c.of(["x", "12", "HYLL\x01\0\0\0\0\0\0\0\0\0\0\0\x7f\xff"])]],
  ["append", (c) => [c.of(keys), c.of(["hello", "\x7f"])]],
  ["setrange", (c) => [c.of(keys), "12", "1"]],
  ["restore", (c) => [c.of(keys), "0", "x"]],
  ["copy", (c) => [c.of(keys), c.of(keys), "replace"]],
];

export function randomHyperLogLogCommand(choices: Choices): string[] {
  const [name, make] = choices.of(choices.chance(0.02) ? rareMakers : makers);
  return [choices.cased(name), ...make(choices)];
}
