// What the random writes of the sameness test are made of: keys of each type, values, options. It
// owns the choice of words; which commands there are is beside it.

import type { Dice } from "../interop/dice.js";

export type Words = readonly string[];

/** Each type has keys of its own; now and then a command meets another's. */
export const kinds = [
  "string",
  "number",
  "bits",
  "hll",
  "list",
  "set",
  "hash",
  "zset",
  "geo",
  "stream",
] as const;

export type Kind = (typeof kinds)[number];

const keysPerKind = 6;
const longText = "long".repeat(40);
const hugeText = "huge".repeat(20_000);

export class Vocabulary {
  readonly dice: Dice;

  constructor(dice: Dice) {
    this.dice = dice;
  }

  key(kind: Kind): string {
    const { dice } = this;
    return `${dice.chance(30) ? dice.pick(kinds) : kind}:${dice.below(keysPerKind)}`;
  }

  keys(kind: Kind): string[] {
    return this.dice.some(1, 3, () => this.key(kind));
  }

  anyKey(): string {
    return this.key(this.dice.pick(kinds));
  }

  value(): string {
    const { dice } = this;
    if (dice.chance(200)) return hugeText;
    if (dice.chance(20)) return longText;
    if (dice.chance(20)) return `\x00\xff\r\n${dice.below(9)}`;
    return dice.chance(2) ? `v${dice.below(60)}` : String(dice.below(2000) - 1000);
  }

  values(): string[] {
    return this.dice.chance(25)
      ? this.dice.some(20, 200, () => this.value())
      : this.dice.some(1, 4, () => this.value());
  }

  integer(): string {
    const { dice } = this;
    return dice.chance(20)
      ? dice.pick(["9007199254740993", "-4611686018427387904"])
      : String(dice.below(200) - 100);
  }

  float(): string {
    return this.dice.pick(["0.1", "-2.5", "1e3", "3", "1234567.125", "0.30000000000000004"]);
  }

  /** Without a negative zero, whose sign 7.0 keeps in some encodings and drops in others. */
  score(): string {
    const { dice } = this;
    return dice.chance(4)
      ? dice.pick(["inf", "-inf", "0.1", "-1.5", "1e20", "3e-7", "9007199254740993", "127.445805"])
      : String(dice.below(100) - 50);
  }

  scores(): string[] {
    return this.values()
      .slice(0, 40)
      .flatMap((member) => [this.score(), member]);
  }

  pairs(kind: Kind): string[] {
    return this.dice.some(1, 4, () => [this.key(kind), this.value()]).flat();
  }

  fields(): string[] {
    return this.values().flatMap((field) => [field, this.value()]);
  }

  index(): string {
    return String(this.dice.below(12) - 6);
  }

  count(): string {
    return String(this.dice.below(5));
  }

  end(): string {
    return this.dice.pick(["LEFT", "RIGHT"]);
  }

  place(): string[] {
    const { dice } = this;
    const longitude = (dice.below(3_600_000) - 1_800_000) / 10_000;
    const latitude = (dice.below(1_600_000) - 800_000) / 10_000;
    return [String(longitude), String(latitude)];
  }

  /** An end of a range of scores. */
  bound(): string {
    const { dice } = this;
    return dice.chance(4) ? dice.pick(["-inf", "+inf", "(0", "(10"]) : String(dice.below(100) - 50);
  }

  /** Far away, or within moments: the latter pass while commands go on. */
  lifetime(unit: "s" | "ms"): string {
    const { dice } = this;
    const milliseconds = dice.chance(3) ? 1_000 + dice.below(500) : 1e8 + dice.below(1e8);
    return String(unit === "s" ? Math.ceil(milliseconds / 1000) : milliseconds);
  }

  deadline(unit: "s" | "ms"): string {
    const at = Date.now() + Number(this.lifetime("ms"));
    // One in the past deletes at once.
    const unixMs = this.dice.chance(10) ? 1_000_000 : at;
    return String(unit === "s" ? Math.ceil(unixMs / 1000) : unixMs);
  }

  expiry(): string[] {
    return this.dice.pick([
      () => ["EX", this.lifetime("s")],
      () => ["PX", this.lifetime("ms")],
      () => ["EXAT", this.deadline("s")],
      () => ["PXAT", this.deadline("ms")],
    ])();
  }

  maybe(words: Words, oneIn = 2): Words {
    return this.dice.chance(oneIn) ? words : [];
  }

  streamId(): string {
    const { dice } = this;
    return `${dice.below(400)}-${dice.below(3)}`;
  }

  group(): string {
    return this.dice.pick(["g1", "g2"]);
  }

  consumer(): string {
    return this.dice.pick(["c1", "c2", "c3"]);
  }

  trim(): Words {
    const { dice } = this;
    const operator = dice.pick(["~", "="]);
    return dice.chance(2)
      ? ["MAXLEN", operator, String(20 + dice.below(200))]
      : ["MINID", operator, `${dice.below(300)}`];
  }
}
