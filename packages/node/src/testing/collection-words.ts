/**
 * Random commands on hashes, lists and sets for comparisons: few keys, few values of telling sizes,
 * so that most commands meet something and every conversion happens.
 */
import { Choices } from "./comparison.js";

export type Words = readonly string[];

const keys: Words = ["a", "b", "c"];
/** Where results are stored: their encoding may depend on the order of a hash table. */
export const resultKey = "result";
const long = "x".repeat(65);
const values: Words = [
  "",
  "1",
  "-1",
  "0",
  "00",
  "-0",
  "12",
  "127",
  "128",
  "-4096",
  "4095",
  "65536",
  "8388608",
  "2147483647",
  "2147483648",
  "-9223372036854775808",
  "9223372036854775807",
  "9223372036854775808",
  "9007199254740993",
  "1.5",
  "abc",
  "\xff\0\r\n",
  "y".repeat(64),
  long,
  "z".repeat(300),
];
/** Extreme ones stay out of LSET: 7.2 cuts its index to 32 bits, 7.0 does not. */
const numbers: Words = ["0", "1", "2", "3", "-1", "-2", "-3", "5", "-5", "100", "-100", "x", "1.5"];
/** Not the smallest one: 7.0 checks it later than 7.2 does. */
const hugeNumbers: Words = [
  "9223372036854775807",
  "-9223372036854775807",
  "9223372036854775808",
  "4294967296",
  "",
];

class Vocabulary {
  readonly choices: Choices;
  readonly #valueShare: number;

  constructor(seed: number) {
    this.choices = new Choices(seed);
    this.#valueShare = 0.3;
  }

  key(): string {
    // `s` holds a string, `d` is used less.
    const draw = this.choices.below(40);
    if (draw === 0) return "s";
    return draw === 1 ? "d" : this.choices.of(keys);
  }

  value(): string {
    const { choices } = this;
    if (choices.chance(this.#valueShare)) return choices.of(values);
    return choices.chance(0.5) ? `v${choices.below(40)}` : String(choices.between(-20, 40));
  }

  number(): string {
    return this.choices.chance(0.05) ? this.choices.of(hugeNumbers) : this.choices.of(numbers);
  }

  count(): string {
    const { choices } = this;
    return choices.chance(0.1) ? this.number() : String(choices.below(8));
  }

  /** A count that may be negative: a huge one would make Redis reply until memory ends. */
  small(): string {
    return this.choices.of(numbers);
  }

  values(max: number): string[] {
    const { choices } = this;
    const many = choices.chance(0.02) ? choices.between(max, max * 12) : choices.between(1, max);
    return Array.from({ length: many }, () => this.value());
  }

  /** Integers without repetition: what fills an intset. */
  integers(): string[] {
    const { choices } = this;
    const first = choices.between(-600, 600);
    return Array.from({ length: choices.between(1, 200) }, (_, index) => String(first + index));
  }

  keys(max: number): string[] {
    return Array.from({ length: this.choices.between(1, max) }, () => this.key());
  }

  /** Keys and sometimes the result of an earlier computation. */
  sources(): string[] {
    return this.choices.chance(0.2) ? [...this.keys(2), resultKey] : this.keys(3);
  }

  scan(name: string): Words {
    const { choices } = this;
    const words = [name, this.key(), choices.chance(0.1) ? choices.of(["x", "-", "", "1a"]) : "0"];
    if (choices.chance(0.5)) words.push("MATCH", choices.of(["*", "v*", "*1*", "?"]));
    if (choices.chance(0.7)) words.push("count", choices.chance(0.1) ? this.number() : "100000");
    return words;
  }
}

type Maker = (v: Vocabulary) => Words;

/** Draws by weight. */
function sentence(v: Vocabulary, makers: readonly (readonly [number, Maker])[]): Words {
  const total = makers.reduce((sum, [weight]) => sum + weight, 0);
  let draw = v.choices.below(total);
  for (const [weight, make] of makers) {
    draw -= weight;
    if (draw < 0) return make(v);
  }
  return ["PING"];
}

/** What every family needs between its own commands. */
const common: readonly (readonly [number, Maker])[] = [
  [1, (v) => ["DEL", v.key()]],
  [1, () => ["SET", "s", "string"]],
];

const hashMakers: readonly (readonly [number, Maker])[] = [
  ...common,
  [12, (v) => ["HSET", v.key(), ...v.values(4).flatMap((field) => [field, v.value()])]],
  [2, (v) => ["HMSET", v.key(), ...v.values(4).flatMap((field) => [field, v.value()])]],
  [1, (v) => ["hset", v.key(), ...v.values(3)]],
  [3, (v) => ["HSETNX", v.key(), v.value(), v.value()]],
  [6, (v) => ["HDEL", v.key(), ...v.values(6)]],
  [3, (v) => ["HGET", v.key(), v.value()]],
  [3, (v) => ["HMGET", v.key(), ...v.values(4)]],
  [3, (v) => ["HGETALL", v.key()]],
  [1, (v) => ["HKEYS", v.key()]],
  [1, (v) => ["HVALS", v.key()]],
  [1, (v) => ["HLEN", v.key()]],
  [1, (v) => ["HEXISTS", v.key(), v.value()]],
  [1, (v) => ["HSTRLEN", v.key(), v.value()]],
  [3, (v) => ["HINCRBY", v.key(), v.value(), v.value()]],
  [3, (v) => ["HINCRBYFLOAT", v.key(), v.value(), v.value()]],
  [2, (v) => v.scan("HSCAN")],
  [1, (v) => ["HRANDFIELD", v.key()]],
  [1, (v) => ["HRANDFIELD", v.key(), v.small()]],
  [1, (v) => ["HRANDFIELD", v.key(), v.small(), v.choices.of(["WITHVALUES", "withvalue"])]],
];

const setMakers: readonly (readonly [number, Maker])[] = [
  ...common,
  [10, (v) => ["SADD", v.key(), ...v.values(5)]],
  [8, (v) => ["SADD", v.key(), ...v.integers()]],
  [6, (v) => ["SREM", v.key(), ...v.values(6)]],
  [6, (v) => ["SREM", v.key(), ...v.integers()]],
  [3, (v) => ["SMOVE", v.key(), v.key(), v.value()]],
  [2, (v) => ["SISMEMBER", v.key(), v.value()]],
  [2, (v) => ["SMISMEMBER", v.key(), ...v.values(4)]],
  [1, (v) => ["SCARD", v.key()]],
  [3, (v) => ["SMEMBERS", v.key()]],
  [2, (v) => ["SINTER", ...v.keys(3)]],
  [2, (v) => ["SUNION", ...v.keys(3)]],
  [2, (v) => ["SDIFF", ...v.keys(3)]],
  [2, (v) => ["SINTERSTORE", resultKey, ...v.sources()]],
  [2, (v) => ["SUNIONSTORE", resultKey, ...v.sources()]],
  [3, (v) => ["SDIFFSTORE", resultKey, ...v.sources()]],
  [2, (v) => ["SINTERCARD", v.count(), ...v.keys(3)]],
  [2, (v) => ["SINTERCARD", "2", v.key(), v.key(), "limit", v.count()]],
  [2, () => ["SMEMBERS", resultKey]],
  [1, (v) => ["DEL", resultKey, v.key()]],
  [2, (v) => v.scan("SSCAN")],
  [1, (v) => ["SRANDMEMBER", v.key()]],
  [1, (v) => ["SRANDMEMBER", v.key(), v.small()]],
];

function pushMany(v: Vocabulary): Words {
  const name = v.choices.of(["LPUSH", "RPUSH"]);
  const length = v.choices.of([10, 500, 3000]);
  const words = Array.from({ length: v.choices.between(1, 6) }, () => "w".repeat(length));
  return [name, v.key(), ...words];
}

const end: Words = ["LEFT", "right", "Left", "RIGHT", "up"];

const listMakers: readonly (readonly [number, Maker])[] = [
  ...common,
  [8, (v) => [v.choices.of(["LPUSH", "RPUSH", "lpushx", "RPUSHX"]), v.key(), ...v.values(6)]],
  [6, pushMany],
  [4, (v) => [v.choices.of(["LPOP", "RPOP"]), v.key()]],
  [4, (v) => [v.choices.of(["LPOP", "RPOP"]), v.key(), v.count()]],
  [1, (v) => ["LPOP", v.key(), "1", "2"]],
  [4, (v) => ["LMPOP", v.count(), ...v.keys(3), v.choices.of(end)]],
  [3, (v) => ["LMPOP", "2", v.key(), v.key(), "LEFT", "COUNT", v.count()]],
  [3, (v) => ["LMOVE", v.key(), v.key(), v.choices.of(end), v.choices.of(end)]],
  [2, (v) => ["RPOPLPUSH", v.key(), v.key()]],
  [1, (v) => ["LLEN", v.key()]],
  [3, (v) => ["LINDEX", v.key(), v.number()]],
  [5, (v) => ["LSET", v.key(), v.choices.of(numbers), v.value()]],
  [2, (v) => ["LSET", v.key(), v.choices.of(numbers), "w".repeat(v.choices.of([1, 3000, 9000]))]],
  [7, (v) => ["LINSERT", v.key(), v.choices.of(["BEFORE", "after", "on"]), v.value(), v.value()]],
  [4, (v) => ["LINSERT", v.key(), "AFTER", "w".repeat(500), "w".repeat(3000)]],
  [4, (v) => ["LINSERT", v.key(), "BEFORE", "w".repeat(3000), "w".repeat(500)]],
  [5, (v) => ["LRANGE", v.key(), v.number(), v.number()]],
  [1, (v) => ["LRANGE", v.key(), "0", "-1"]],
  [2, (v) => ["LTRIM", v.key(), v.number(), v.number()]],
  [3, (v) => ["LREM", v.key(), v.number(), v.value()]],
  [2, (v) => ["LREM", v.key(), v.number(), "w".repeat(500)]],
  [2, (v) => ["LPOS", v.key(), v.value()]],
  [2, (v) => ["LPOS", v.key(), v.value(), "RANK", v.number(), "COUNT", v.count()]],
  [2, (v) => ["LPOS", v.key(), "10", "maxlen", v.count(), "rank", v.number(), v.value()]],
];

/**
 * SORT where Redis leaves nothing open: elements with equal weights, and those of hash tables that
 * are not sorted, come in an order of its own.
 */
function sortWords(v: Vocabulary): Words {
  const { choices } = v;
  const key = v.key();
  const alpha = choices.chance(0.5);
  const limit = choices.chance(0.4);
  const words = [choices.of(["SORT", "SORT", "sort_ro"]), key];
  const get: Words = ["#", "w_*", "h_*->f", "none_*", "plain", "h_*"];
  if (key !== "d" && choices.chance(0.2)) words.push("BY", choices.of(["nosort", "#"]));
  else if ((!alpha || (key === "a" && !limit)) && choices.chance(0.6)) {
    words.push("BY", choices.of(["w_*", "h_*->f", "w_*->", "*"]));
  }
  if (limit) words.push("LIMIT", v.number(), v.number());
  if (choices.chance(0.3)) words.push("GET", choices.of(get));
  if (choices.chance(0.2)) words.push("get", choices.of(get));
  if (choices.chance(0.5)) words.push(choices.of(["ASC", "DESC", "desc"]));
  if (alpha) words.push("ALPHA");
  if (choices.chance(0.3)) words.push("STORE", resultKey);
  return words;
}

const sortMakers: readonly (readonly [number, Maker])[] = [
  ...common,
  [2, (v) => ["RPUSH", "a", ...v.values(6)]],
  [2, (v) => ["RPUSH", "a", String(v.choices.below(9)), String(v.choices.below(9))]],
  [3, (v) => ["SADD", "b", ...v.integers().slice(0, 9)]],
  [1, (v) => ["SADD", "d", ...v.values(6)]],
  [3, (v) => ["ZADD", "c", v.count(), v.value(), v.count(), v.value()]],
  [4, (v) => ["SET", `w_${v.value()}`, v.choices.of(["1", "2", "-3", "1e3", " 5", "inf", "x"])]],
  [4, (v) => ["HSET", `h_${v.value()}`, "f", String(v.choices.below(20))]],
  [2, (v) => ["DEL", v.key(), `w_${v.value()}`]],
  [1, () => ["LRANGE", resultKey, "0", "-1"]],
  [20, sortWords],
];

const families = { sort: sortMakers, hash: hashMakers, list: listMakers, set: setMakers };
export type CollectionFamily = keyof typeof families;

/** An endless source of random commands of a family. */
export function commandSource(family: CollectionFamily, seed: number): () => Words {
  const vocabulary = new Vocabulary(seed);
  return () => sentence(vocabulary, families[family]);
}
