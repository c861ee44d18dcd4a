/**
 * Random sorted set commands on a few keys: mostly sensible ones, with all options and mistakes.
 */
import type { Choices } from "../comparison.js";

export const sortedSetKeys = ["z1", "z2", "z3", "z4"];
const scores = [
  "0",
  "-0",
  "1",
  "2",
  "3",
  "-1",
  "1.5",
  "0.1",
  "0.30000000000000004",
  "-2.25",
  "1e3",
  "1e20",
  "-1e17",
  "123456789012",
  "9007199254740993",
  "4611686018427387904",
  "9223372036854775807",
  "3e-7",
  "1e-320",
  "5e-324",
  "inf",
  "-inf",
  "+inf",
  "Infinity",
  "0x1.8p1",
  "127.445805",
  "+5",
  ".5",
  "5.",
];
const badScores = ["", "abc", "nan", " 1", "1 ", "1e", "1e400", "1e-400", "0x", "--1", "1\0"];
const bounds = [
  "-inf",
  "+inf",
  "(1",
  "(0",
  "(-inf",
  "(+inf",
  "",
  "(",
  " 1",
  "\t2",
  "1e400",
  "1\0x",
];
const badBounds = ["a", "((1", "1 ", "nan", "(nan", " "];
const lexBounds = ["-", "+", "[a", "(a", "[b", "(m5", "[m5", "[", "(", "[zz", "[m1\xff", "(\0"];
const badLexBounds = ["", "a", "--", "+x", "m1"];

/** Which members and which kinds of scores a run uses. */
export interface SortedSetFlavour {
  readonly members: number;
  readonly longMembers: boolean;
  /** All scores are equal, so that ranges of bytes are defined in every encoding. */
  readonly equalScores: boolean;
  /**
   * False: no ranges of bytes, which are only defined where all scores are equal or in listpacks.
   */
  readonly lexRanges: boolean;
  /** ZRANK takes WITHSCORE, since 7.2. */
  readonly withScore: boolean;
}

export class SortedSetCommands {
  readonly #choices: Choices;
  readonly #flavour: SortedSetFlavour;

  constructor(choices: Choices, flavour: SortedSetFlavour) {
    this.#choices = choices;
    this.#flavour = flavour;
  }

  next(): string[] {
    const c = this.#choices;
    const kind = c.below(100);
    if (kind < 28) return this.#add();
    if (kind < 34) return [c.cased("ZREM"), this.#key(), ...this.#members(3)];
    if (kind < 42) return this.#read();
    if (kind < 70) return this.#range();
    if (kind < 75) return this.#removeRange();
    if (kind < 80) return this.#pop();
    if (kind < 92) return this.#combine();
    if (kind < 96) return this.#random();
    if (kind < 98)
      return ["ZSCAN", this.#key(), "0", "COUNT", "10000", ...this.#some(["MATCH", "m1*"])];
    return this.#other();
  }

  #key(): string {
    if (this.#choices.chance(0.02))
      return this.#choices.of([
        "text",
        "missing",
        ...this.#some(["aset"], this.#flavour.equalScores ? 0 : 1),
      ]);
    return this.#choices.of(sortedSetKeys);
  }

  #member(): string {
    const c = this.#choices;
    const index = c.below(this.#flavour.members);
    if (index === 0) return "";
    if (index % 7 === 0) return String(index * 31 - 100);
    if (index === 5) return "\0\xff\x80";
    if (index === 6 && this.#flavour.longMembers && c.chance(0.1)) return "long".repeat(17);
    return `m${index}`;
  }

  #members(most: number): string[] {
    return Array.from({ length: this.#choices.between(1, most) }, () => this.#member());
  }

  #score(): string {
    const c = this.#choices;
    if (c.chance(0.01)) return c.of(badScores);
    if (this.#flavour.equalScores) return "0";
    if (c.chance(0.4)) return c.of(scores);
    return c.chance(0.5) ? String(c.between(-20, 20)) : String(c.between(-5000, 5000) / 97);
  }

  #some(words: readonly string[], share = 0.5): readonly string[] {
    return this.#choices.chance(share) ? words : [];
  }

  #bound(): string {
    const c = this.#choices;
    if (c.chance(0.02)) return c.of(badBounds);
    if (c.chance(0.3)) return c.of(bounds);
    return (c.chance(0.3) ? "(" : "") + c.of(scores);
  }

  #lexBound(): string {
    const c = this.#choices;
    if (c.chance(0.02)) return c.of(badLexBounds);
    return c.chance(0.5) ? c.of(lexBounds) : c.of(["[", "("]) + this.#member();
  }

  #index(): string {
    const c = this.#choices;
    if (c.chance(0.03))
      return c.of(["x", "1.5", "", "9223372036854775807", "-9223372036854775808"]);
    return String(c.between(-12, 12));
  }

  #add(): string[] {
    const c = this.#choices;
    if (c.chance(0.2)) return ["ZINCRBY", this.#key(), this.#score(), this.#member()];
    const options = ["NX", "XX", "GT", "LT", "CH", "INCR"].filter(() => c.chance(0.12));
    const pairs = c.chance(0.03) ? 12 : c.between(1, 3);
    const words = Array.from({ length: pairs }, () => [this.#score(), this.#member()]).flat();
    if (c.chance(0.01)) words.pop();
    return ["ZADD", this.#key(), ...options.map((word) => c.cased(word)), ...words];
  }

  #read(): string[] {
    const c = this.#choices;
    switch (c.below(6)) {
      case 0:
        return ["ZCARD", this.#key()];
      case 1:
        return ["ZSCORE", this.#key(), this.#member()];
      case 2:
        return ["ZMSCORE", this.#key(), ...this.#members(4)];
      case 3: {
        const withScore = this.#flavour.withScore ? this.#some([c.cased("WITHSCORE")]) : [];
        return [c.of(["ZRANK", "ZREVRANK"]), this.#key(), this.#member(), ...withScore];
      }
      case 4:
        return ["ZCOUNT", this.#key(), this.#bound(), this.#bound()];
      default:
        if (!this.#flavour.lexRanges) return ["ZCARD", this.#key()];
        return ["ZLEXCOUNT", this.#key(), this.#lexBound(), this.#lexBound()];
    }
  }

  #limit(): readonly string[] {
    const c = this.#choices;
    if (c.chance(0.02)) return ["LIMIT", c.of(["x", "1"])];
    return this.#some([c.cased("LIMIT"), String(c.between(-2, 6)), String(c.between(-2, 6))], 0.4);
  }

  #range(): string[] {
    const c = this.#choices;
    const withScores = this.#some([c.cased("WITHSCORES")]);
    switch (c.below(this.#flavour.lexRanges ? 8 : 7)) {
      case 0:
        return [
          c.of(["ZRANGE", "ZREVRANGE"]),
          this.#key(),
          this.#index(),
          this.#index(),
          ...withScores,
        ];
      case 1: {
        const bounds2 = [this.#bound(), this.#bound()];
        const name = c.of(["ZRANGEBYSCORE", "ZREVRANGEBYSCORE"]);
        return [name, this.#key(), ...bounds2, ...withScores, ...this.#limit()];
      }
      case 7: {
        const bounds2 = [this.#lexBound(), this.#lexBound()];
        const name = c.of(["ZRANGEBYLEX", "ZREVRANGEBYLEX"]);
        return [name, this.#key(), ...bounds2, ...this.#limit(), ...this.#some(withScores, 0.05)];
      }
      case 3:
      case 4:
        return ["ZRANGESTORE", c.of(sortedSetKeys), ...this.#unified()];
      default:
        return ["ZRANGE", ...this.#unified(), ...withScores];
    }
  }

  /** The words of ZRANGE. */
  #unified(): string[] {
    const c = this.#choices;
    const rev = this.#some([c.cased("REV")]);
    switch (c.below(this.#flavour.lexRanges ? 3 : 2)) {
      case 0:
        return [
          this.#key(),
          this.#index(),
          this.#index(),
          ...rev,
          ...this.#some(this.#limit(), 0.05),
        ];
      case 1:
        return [
          this.#key(),
          this.#bound(),
          this.#bound(),
          c.cased("BYSCORE"),
          ...rev,
          ...this.#limit(),
        ];
      default:
        return [this.#key(), this.#lexBound(), this.#lexBound(), "BYLEX", ...rev, ...this.#limit()];
    }
  }

  #removeRange(): string[] {
    switch (this.#choices.below(this.#flavour.lexRanges ? 3 : 2)) {
      case 0:
        return ["ZREMRANGEBYRANK", this.#key(), this.#index(), this.#index()];
      case 1:
        return ["ZREMRANGEBYSCORE", this.#key(), this.#bound(), this.#bound()];
      default:
        return ["ZREMRANGEBYLEX", this.#key(), this.#lexBound(), this.#lexBound()];
    }
  }

  #pop(): string[] {
    const c = this.#choices;
    const count = c.chance(0.1) ? c.of(["-1", "x", "0", "1.5"]) : String(c.between(1, 5));
    if (c.chance(0.6)) {
      return [
        c.of(["ZPOPMIN", "ZPOPMAX"]),
        this.#key(),
        ...this.#some([count]),
        ...this.#some(["1"], 0.03),
      ];
    }
    const sources = Array.from({ length: c.between(1, 3) }, () => this.#key());
    const numkeys = c.chance(0.05) ? c.of(["0", "-1", "x", "9"]) : String(sources.length);
    const where = c.chance(0.04) ? "mid" : c.cased(c.of(["MIN", "MAX"]));
    return ["ZMPOP", numkeys, ...sources, where, ...this.#some([c.cased("COUNT"), count])];
  }

  #combine(): string[] {
    const c = this.#choices;
    const sources = Array.from({ length: c.between(1, 3) }, () =>
      c.chance(this.#flavour.equalScores ? 0 : 0.1) ? c.of(["aset", "ints"]) : this.#key(),
    );
    const numkeys = c.chance(0.03) ? c.of(["0", "-1", "x", "9"]) : String(sources.length);
    const operation = c.of(["ZUNION", "ZINTER", "ZDIFF"]);
    const weights = sources.map(() =>
      c.of(["1", "2", "-1", "0", "0.5", "inf", "-inf", this.#score()]),
    );
    const options = [
      ...this.#some(["WEIGHTS", ...weights], operation === "ZDIFF" ? 0.02 : 0.4),
      ...this.#some(
        ["AGGREGATE", c.of(["SUM", "min", "Max", "avg"])],
        operation === "ZDIFF" ? 0.02 : 0.4,
      ),
    ];
    if (c.chance(0.15)) {
      return [
        "ZINTERCARD",
        numkeys,
        ...sources,
        ...this.#some(["LIMIT", String(c.between(-1, 4))]),
      ];
    }
    if (c.chance(0.5))
      return [operation, numkeys, ...sources, ...options, ...this.#some(["WITHSCORES"])];
    return [`${operation}STORE`, c.of(sortedSetKeys), numkeys, ...sources, ...options];
  }

  #random(): string[] {
    const c = this.#choices;
    const count = c.chance(0.1)
      ? c.of(["x", "-9223372036854775808", "0", "500"])
      : String(c.between(-5, 12));
    return [
      "ZRANDMEMBER",
      this.#key(),
      ...this.#some([count, ...this.#some([c.of(["WITHSCORES", "x"])])], 0.8),
    ];
  }

  #other(): string[] {
    const c = this.#choices;
    if (c.chance(0.3))
      return ["ZSCAN", this.#key(), c.of(["x", ""]), "COUNT", c.of(["0", "5000", "x"])];
    return c.of([
      ["TYPE", this.#key()],
      ["DEL", this.#key()],
      ["COPY", this.#key(), c.of(sortedSetKeys), ...this.#some(["REPLACE"])],
    ]);
  }
}
