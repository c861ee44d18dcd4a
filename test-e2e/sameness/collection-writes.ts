// Random writes of lists, sets, hashes, sorted sets and places, for the sameness test.

import type { Vocabulary, Words } from "./words.js";

type Maker = (v: Vocabulary) => Words;

const lists: readonly Maker[] = [
  (v) => [v.dice.pick(["LPUSH", "RPUSH"]), v.key("list"), ...v.values()],
  (v) => [v.dice.pick(["LPUSHX", "RPUSHX"]), v.key("list"), ...v.values()],
  (v) => [v.dice.pick(["LPOP", "RPOP"]), v.key("list"), ...v.maybe([v.count()])],
  (v) => ["LMPOP", "2", v.key("list"), v.key("list"), v.end(), "COUNT", "3"],
  (v) => ["LMOVE", v.key("list"), v.key("list"), v.end(), v.end()],
  (v) => ["RPOPLPUSH", v.key("list"), v.key("list")],
  (v) => ["LSET", v.key("list"), v.index(), v.value()],
  (v) => ["LINSERT", v.key("list"), v.dice.pick(["BEFORE", "AFTER"]), v.value(), v.value()],
  (v) => ["LREM", v.key("list"), v.index(), v.value()],
  (v) => ["LTRIM", v.key("list"), v.index(), "-2"],
];

const setOperations = ["SINTERSTORE", "SUNIONSTORE", "SDIFFSTORE"] as const;

const sets: readonly Maker[] = [
  (v) => ["SADD", v.key("set"), ...v.values()],
  (v) => ["SADD", v.key("set"), ...v.values()],
  (v) => ["SREM", v.key("set"), ...v.values()],
  (v) => ["SPOP", v.key("set")],
  (v) => ["SPOP", v.key("set"), v.dice.pick([v.count(), "60", "5000"])],
  (v) => ["SMOVE", v.key("set"), v.key("set"), v.value()],
  (v) => [v.dice.pick(setOperations), v.key("set"), ...v.keys("set")],
];

const hashes: readonly Maker[] = [
  (v) => [v.dice.pick(["HSET", "HMSET"]), v.key("hash"), ...v.fields()],
  (v) => ["HSETNX", v.key("hash"), v.value(), v.value()],
  (v) => ["HDEL", v.key("hash"), ...v.values()],
  (v) => ["HINCRBY", v.key("hash"), `n${v.dice.below(5)}`, v.integer()],
  (v) => ["HINCRBYFLOAT", v.key("hash"), `f${v.dice.below(5)}`, v.float()],
];

const zsetOperations = ["ZINTERSTORE", "ZUNIONSTORE", "ZDIFFSTORE"] as const;

const ranges: readonly Maker[] = [
  (v) => ["ZREMRANGEBYSCORE", v.key("zset"), v.bound(), v.bound()],
  (v) => ["ZREMRANGEBYRANK", v.key("zset"), v.index(), v.index()],
  (v) => ["ZREMRANGEBYLEX", v.key("zset"), `[v${v.dice.below(60)}`, `[v${v.dice.below(60)}`],
  (v) => ["ZRANGESTORE", v.key("zset"), v.key("zset"), v.index(), "-1", ...v.maybe(["REV"])],
  (v) => ["ZRANGESTORE", v.key("zset"), v.key("zset"), v.bound(), "+inf", "BYSCORE"],
];

const zsets: readonly Maker[] = [
  (v) => ["ZADD", v.key("zset"), ...v.scores()],
  (v) => ["ZADD", v.key("zset"), v.dice.pick(["NX", "XX", "GT", "LT"]), "CH", ...v.scores()],
  (v) => ["ZADD", v.key("zset"), "INCR", v.float(), v.value()],
  (v) => ["ZINCRBY", v.key("zset"), v.float(), v.value()],
  (v) => ["ZREM", v.key("zset"), ...v.values()],
  (v) => [v.dice.pick(["ZPOPMIN", "ZPOPMAX"]), v.key("zset"), ...v.maybe([v.count()])],
  (v) => ["ZMPOP", "1", v.key("zset"), v.dice.pick(["MIN", "MAX"]), "COUNT", "3"],
  (v) => {
    const keys = v.keys("zset");
    return [v.dice.pick(zsetOperations), v.key("zset"), String(keys.length), ...keys];
  },
  (v) => v.dice.pick(ranges)(v),
];

const places: readonly Maker[] = [
  (v) => [
    "GEOADD",
    v.key("geo"),
    ...v.dice.some(1, 5, () => [...v.place(), `p${v.dice.below(40)}`]).flat(),
  ],
  (v) => ["GEORADIUS", v.key("geo"), ...v.place(), "9000", "km", "STORE", v.key("geo")],
  (v) => [
    ...["GEORADIUSBYMEMBER", v.key("geo"), `p${v.dice.below(40)}`, "9000", "km"],
    ...["STOREDIST", v.key("zset")],
  ],
  (v) => [
    ...["GEOSEARCHSTORE", v.key("geo"), v.key("geo"), "FROMLONLAT", ...v.place()],
    ...["BYBOX", "9000", "9000", "km"],
  ],
];

export const collectionWrites: readonly Maker[] = [
  ...lists,
  ...sets,
  ...hashes,
  ...zsets,
  ...places,
];
