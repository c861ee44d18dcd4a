// Random writes of every type and kind, for the sameness test. Mostly right: what fails changes
// nothing. It owns which commands there are; the test asks a server for its list of writes and
// fails if one of them is missing here.

import type { Dice } from "../interop/dice.js";
import { collectionWrites } from "./collection-writes.js";
import { streamWrites } from "./stream-writes.js";
import { Vocabulary, type Words } from "./words.js";

export type Maker = (v: Vocabulary) => Words;

const bitfield: Maker = (v) => {
  const { dice } = v;
  const field = (): string => `${dice.pick(["u", "i"])}${1 + dice.below(62)}`;
  const operations = dice.some(1, 3, () =>
    dice.chance(2)
      ? ["SET", field(), `#${dice.below(30)}`, v.integer()]
      : ["INCRBY", field(), String(dice.below(800)), v.integer()],
  );
  return ["BITFIELD", v.key("bits"), "OVERFLOW", dice.pick(["SAT", "FAIL"]), ...operations.flat()];
};

const strings: readonly Maker[] = [
  (v) => ["SET", v.key("string"), v.value()],
  (v) => ["SET", v.key("string"), v.value(), ...v.expiry()],
  (v) => ["SET", v.key("string"), v.value(), v.dice.pick(["NX", "XX", "GET", "KEEPTTL"])],
  (v) => ["SETNX", v.key("string"), v.value()],
  (v) => ["SETEX", v.key("string"), v.lifetime("s"), v.value()],
  (v) => ["PSETEX", v.key("string"), v.lifetime("ms"), v.value()],
  (v) => ["GETSET", v.key("string"), v.value()],
  (v) => ["GETDEL", v.key("string")],
  (v) => ["GETEX", v.key("string"), ...v.dice.pick([v.expiry(), ["PERSIST"], []])],
  (v) => ["APPEND", v.key("string"), v.value()],
  (v) => ["SETRANGE", v.key("string"), String(v.dice.below(300)), v.value()],
  (v) => ["MSET", ...v.pairs("string")],
  (v) => ["MSETNX", ...v.pairs("string")],
  (v) => ["INCR", v.key("number")],
  (v) => ["DECR", v.key("number")],
  (v) => ["INCRBY", v.key("number"), v.integer()],
  (v) => ["DECRBY", v.key("number"), v.integer()],
  (v) => ["INCRBYFLOAT", v.key("number"), v.float()],
  (v) => ["SET", v.key("number"), v.integer()],
  (v) => ["SETBIT", v.key("bits"), String(v.dice.below(4000)), v.dice.pick(["0", "1"])],
  (v) => ["BITOP", v.dice.pick(["AND", "OR", "XOR"]), v.key("bits"), ...v.keys("bits")],
  (v) => ["BITOP", "NOT", v.key("bits"), v.key("bits")],
  bitfield,
  (v) => ["PFADD", v.key("hll"), ...v.values()],
  (v) => ["PFMERGE", v.key("hll"), ...v.keys("hll")],
  // Both may write: the count is kept in the value, and the encoding is changed.
  (v) => ["PFCOUNT", v.key("hll")],
  (v) => ["PFDEBUG", v.dice.pick(["GETREG", "TODENSE"]), v.key("hll")],
];

const generic: readonly Maker[] = [
  (v) => ["DEL", v.anyKey()],
  (v) => ["UNLINK", v.anyKey()],
  (v) => ["EXPIRE", v.anyKey(), v.lifetime("s"), ...v.maybe([v.dice.pick(["NX", "XX", "GT"])])],
  (v) => ["PEXPIRE", v.anyKey(), v.lifetime("ms"), ...v.maybe([v.dice.pick(["LT", "GT"])])],
  (v) => ["EXPIREAT", v.anyKey(), v.deadline("s")],
  (v) => ["PEXPIREAT", v.anyKey(), v.deadline("ms"), ...v.maybe(["LT"])],
  (v) => ["PERSIST", v.anyKey()],
  (v) => ["PERSIST", v.anyKey()],
  (v) => ["RENAME", v.anyKey(), v.anyKey()],
  (v) => ["RENAMENX", v.anyKey(), v.anyKey()],
  (v) => ["COPY", v.anyKey(), v.anyKey(), ...v.maybe(["REPLACE"]), ...v.maybe(["DB", "1"], 4)],
  (v) => ["MOVE", v.anyKey(), v.dice.pick(["0", "1"])],
  (v) => ["SORT", v.key("list"), "ALPHA", "LIMIT", "0", "9", "STORE", v.key("list")],
  (v) => ["SORT", v.key("zset"), "ALPHA", "DESC", "GET", "#", "STORE", v.key("list")],
  (v) => ["SORT", v.key("set"), "BY", "nosort", "STORE", v.key("list")],
];

/** Said once in some hundreds: they leave little behind. */
const sweeping = [
  ["SWAPDB", "0", "1"],
  ["FLUSHDB"],
  ["SWAPDB", "1", "0"],
  ["FLUSHALL", "ASYNC"],
] as const;

const sweepOneIn = 1_500;

/** All writes in the order of their weights: collections and streams have more to get wrong. */
const families: readonly (readonly Maker[])[] = [
  strings,
  generic,
  collectionWrites,
  collectionWrites,
  streamWrites,
  streamWrites,
];

export class Writes {
  readonly #words: Vocabulary;
  #sweeps = 0;

  constructor(dice: Dice) {
    this.#words = new Vocabulary(dice);
  }

  next(): Words {
    const { dice } = this.#words;
    if (dice.chance(sweepOneIn)) return sweeping[this.#sweeps++ % sweeping.length] ?? [];
    return dice.pick(dice.pick(families))(this.#words);
  }

  /** Several at once, and sometimes as a transaction. */
  batch(size: number): readonly Words[] {
    const { dice } = this.#words;
    const commands: Words[] = [];
    while (commands.length < size) {
      if (dice.chance(12)) {
        const transaction = dice.some(0, 4, () =>
          dice.chance(5) ? ["SELECT", dice.pick(["0", "1"])] : this.next(),
        );
        commands.push(["MULTI"], ...transaction, [dice.chance(5) ? "DISCARD" : "EXEC"]);
      } else if (dice.chance(100)) {
        commands.push(["SELECT", dice.pick(["0", "0", "1"])]);
      } else {
        commands.push(this.next());
      }
    }
    return commands;
  }

  /** One that blocks for a moment if there is nothing yet. */
  blocking(): Words {
    return this.#words.dice.pick(blocking)(this.#words);
  }

  /** A key to be dumped, and how to restore it. */
  restoring(): { readonly from: string; readonly words: (payload: Buffer) => (string | Buffer)[] } {
    const v = this.#words;
    const target = v.anyKey();
    const expiry = v.dice.pick([["0"], [v.lifetime("ms")], [v.deadline("ms"), "ABSTTL"]]);
    const [at = "0", ...options] = expiry;
    return {
      from: v.anyKey(),
      words: (payload) => ["RESTORE", target, at, payload, "REPLACE", ...options],
    };
  }
}

const moment = "0.05";
const momentMs = "50";

const blocking: readonly Maker[] = [
  (v) => [v.dice.pick(["BLPOP", "BRPOP"]), ...v.keys("list"), moment],
  (v) => ["BLMOVE", v.key("list"), v.key("list"), v.end(), v.end(), moment],
  (v) => ["BRPOPLPUSH", v.key("list"), v.key("list"), moment],
  (v) => ["BLMPOP", moment, "2", v.key("list"), v.key("list"), v.end(), "COUNT", "3"],
  (v) => [v.dice.pick(["BZPOPMIN", "BZPOPMAX"]), ...v.keys("zset"), moment],
  (v) => ["BZMPOP", moment, "1", v.key("zset"), v.dice.pick(["MIN", "MAX"]), "COUNT", "2"],
  (v) => [
    ...["XREADGROUP", "GROUP", v.group(), v.consumer(), "COUNT", "3", "BLOCK", momentMs],
    ...["STREAMS", v.key("stream"), ">"],
  ],
];
