import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { FastRandom } from "../random.js";
import { textOfBytes } from "./element.js";
import { CollectionEnvironment, defaultCollectionLimits } from "./environment.js";
import { isBefore, type ZsetRange } from "./zset-leaf.js";
import { ZsetOrder } from "./zset-order.js";
import { ZsetValue } from "./zset.js";

interface Entry {
  readonly member: string;
  readonly score: number;
}

function environment(entriesMax = 128, seed = 1): CollectionEnvironment {
  return new CollectionEnvironment({
    limits: { ...defaultCollectionLimits, zsetMaxListpackEntries: entriesMax },
    seed,
    random: new FastRandom(seed),
  });
}

function compareEntries(a: Entry, b: Entry): number {
  if (isBefore(a.score, a.member, b.score, b.member)) return -1;
  return isBefore(b.score, b.member, a.score, a.member) ? 1 : 0;
}

/** What a sorted set must be, done slowly. */
class Model {
  readonly scores = new Map<string, number>();

  sorted(): Entry[] {
    return [...this.scores].map(([member, score]) => ({ member, score })).sort(compareEntries);
  }
}

function contents(zset: ZsetValue): Entry[] {
  const all: Entry[] = [];
  for (const cursor = zset.at(0); cursor.valid; cursor.next()) {
    all.push({ member: cursor.member, score: cursor.score });
  }
  return all;
}

function backwards(zset: ZsetValue): Entry[] {
  const all: Entry[] = [];
  for (const cursor = zset.at(zset.length - 1); cursor.valid; cursor.previous()) {
    all.push({ member: cursor.member, score: cursor.score });
  }
  return all;
}

function between(low: number, high: number): ZsetRange {
  return { isBelow: (score) => score < low, isAbove: (score) => score > high };
}

function checkAgainst(zset: ZsetValue, model: Model): void {
  const sorted = model.sorted();
  assert.deepEqual(contents(zset), sorted);
  assert.deepEqual(backwards(zset), sorted.toReversed());
  for (const [rank, { member, score }] of sorted.entries()) {
    assert.equal(zset.rank(member, score), rank);
    assert.equal(zset.at(rank).member, member);
    assert.equal(zset.score(member), score);
  }
  assert.equal(zset.at(sorted.length).valid, false);
  assert.equal(zset.at(-1).valid, false);
  for (const [low, high] of [
    [-50, 50],
    [10, 10],
    [300, -300],
    [-1000, 1000],
  ] as const) {
    const range = between(low, high);
    assert.equal(zset.countBefore(range, false), sorted.filter(({ score }) => score < low).length);
    assert.equal(zset.countBefore(range, true), sorted.filter(({ score }) => score <= high).length);
  }
}

/** Many changes of few members in few scores, growing and shrinking in long waves. */
function runModel(
  seed: number,
  steps: number,
  members: number,
  zset: ZsetValue,
  model = new Model(),
): void {
  const random = new FastRandom(seed);
  for (let step = 0; step < steps; step++) {
    const member = `m${random.below(members)}`;
    const score = random.below(400) - 200;
    const grows = Math.floor(step / members) % 2 === 0;
    if (random.below(100) < (grows ? 80 : 25)) {
      zset.set(member, score);
      model.scores.set(member, score);
    } else assert.equal(zset.remove(member), model.scores.delete(member));
    assert.equal(zset.length, model.scores.size);
  }
  checkAgainst(zset, model);
  const start = random.below(zset.length + 1);
  const count = random.below(zset.length - start + 1);
  for (const { member } of model.sorted().slice(start, start + count)) model.scores.delete(member);
  zset.removeRanks(start, count);
  checkAgainst(zset, model);
  for (const member of [...model.scores.keys()]) assert.equal(zset.remove(member), true);
  assert.equal(zset.length, 0);
  zset.add("again", 1);
  assert.deepEqual(contents(zset), [{ member: "again", score: 1 }]);
}

test("a sorted set behaves as its model, small and large", () => {
  fc.assert(
    fc.property(fc.integer(), fc.constantFrom(0, 8, 1000), (seed, entriesMax) => {
      runModel(seed, 600, 150, new ZsetValue(environment(entriesMax)));
    }),
    { numRuns: 25 },
  );
});

test("trees of several levels grow and shrink as the model", () => {
  fc.assert(
    fc.property(fc.integer(), (seed) => {
      runModel(seed, 40_000, 12_000, new ZsetValue(environment(0)));
    }),
    { numRuns: 2 },
  );
});

test("what has grown at an end rests, and behaves as the model when it is read and changed", () => {
  for (const direction of [1, -1]) {
    const zset = new ZsetValue(environment(0));
    const model = new Model();
    const count = 6000;
    for (let number = 0; number < count; number++) {
      // Late comers go into leaves that rest, or are about to.
      const score = direction * (number % 500 === 499 ? number - 400 : number) * 0.5;
      const member = number % 700 === 0 ? `m${number}${"long".repeat(300)}` : `m${number}`;
      zset.set(member, score);
      model.scores.set(member, score);
    }
    const resting = zset.resting;
    assert.ok(resting > count / 64 / 2, `${resting} leaves rest`);
    const copy = zset.copy();
    checkAgainst(zset, model);
    assert.equal(zset.resting, resting, "who reads them does not wake them");
    const bytes = zset.memoryUsage(0) / count;
    assert.ok(bytes < 60, `${bytes} bytes a member`);
    const before = model.sorted();
    runModel(7, 3000, count, zset, model);
    assert.deepEqual(contents(copy), before);
    assert.equal(copy.resting, resting);
  }
});

test("ascending and descending insertion, and removal from either end", () => {
  const count = 10_000;
  const ascending = new ZsetOrder();
  const descending = new ZsetOrder();
  ascending.grow();
  descending.grow();
  for (let score = 0; score < count; score++) ascending.insert(score, "m");
  for (let score = count - 1; score >= 0; score--) descending.insert(score, "m");
  for (let score = 0; score < count; score++) {
    assert.equal(ascending.rank(score, "m"), score);
    assert.equal(descending.at(score).score, score);
  }
  for (let left = count; left > 0; left--) {
    assert.equal(ascending.at(0).score, count - left);
    assert.equal(ascending.remove(count - left, "m"), true);
    assert.equal(descending.at(left - 1).score, left - 1);
    assert.equal(descending.remove(left - 1, "m"), true);
    assert.equal(ascending.size, left - 1);
    assert.equal(descending.size, left - 1);
  }
  assert.equal(ascending.remove(0, "m"), false);
});

test("a small set is converted by its size and by long members, once and for all", () => {
  const zset = new ZsetValue(environment(3));
  for (const member of ["a", "b", "c"]) zset.add(member, 0);
  assert.equal(zset.encoding, "listpack");
  zset.add("d", -1);
  assert.equal(zset.encoding, "skiplist");
  zset.remove("d");
  assert.equal(zset.encoding, "skiplist");
  assert.deepEqual(
    contents(zset).map(({ member }) => member),
    ["a", "b", "c"],
  );
  const long = new ZsetValue(environment());
  long.add("x".repeat(64), 0);
  assert.equal(long.encoding, "listpack");
  long.add("x".repeat(65), 0);
  assert.equal(long.encoding, "skiplist");
});

test("a zero keeps its sign in large sets only", () => {
  const small = new ZsetValue(environment());
  small.add("a", -0);
  assert.ok(Object.is(small.score("a"), 0));
  const large = new ZsetValue(environment(0));
  large.add("a", -0);
  assert.ok(Object.is(large.score("a"), -0));
});

test("a copy shares nothing and keeps the encoding", () => {
  for (const entriesMax of [0, 1000]) {
    const zset = new ZsetValue(environment(entriesMax));
    for (let index = 0; index < 500; index++) zset.add(`m${index}`, index % 7);
    const before = contents(zset);
    const copy = zset.copy();
    assert.equal(copy.encoding, zset.encoding);
    for (let index = 0; index < 400; index++) zset.remove(`m${index}`);
    assert.deepEqual(contents(copy), before);
    assert.equal(copy.score("m3"), 3);
    copy.set("m3", -5);
    assert.equal(zset.score("m3"), undefined);
  }
});

test("the neutral form gives the same set, and a member named twice counts once", () => {
  const zset = new ZsetValue(environment());
  zset.add("b", 1.5);
  zset.add("a", Infinity);
  zset.add("l".repeat(70_000), -3);
  const neutral = zset.toNeutral();
  assert.ok(Buffer.isBuffer(neutral.members[0]));
  const again = ZsetValue.fromNeutral(neutral, environment());
  assert.deepEqual(contents(again), contents(zset));
  const forged = ZsetValue.fromNeutral(
    { type: "zset", members: ["a", "a"], scores: [1, 2] },
    environment(),
  );
  assert.deepEqual(contents(forged), [{ member: "a", score: 2 }]);
});

test("a scan returns every member that stays, whatever comes and goes meanwhile", () => {
  const zset = new ZsetValue(environment(0, 7));
  for (let index = 0; index < 5000; index++) zset.add(`stays${index}`, index);
  const seen = new Set<string>();
  let cursor = 0;
  let step = 0;
  do {
    const members: string[] = [];
    cursor = zset.scan(cursor, 50, members, []);
    for (const member of members) seen.add(member);
    for (let index = 0; index < 200; index++) zset.set(`goes${step * 200 + index}`, 0);
    if (step % 3 === 2) {
      for (let index = 0; index < 500; index++) zset.remove(`goes${step * 200 - index}`);
    }
    step++;
  } while (cursor !== 0);
  for (let index = 0; index < 5000; index++) assert.ok(seen.has(`stays${index}`));
});

test("a frozen copy stays what it was, and is written in whatever order", () => {
  for (const count of [5, 3000]) {
    const zset = new ZsetValue(environment());
    for (let index = 0; index < count; index++) zset.set(`m${index}`, index);
    const before = new Map(contents(zset).map(({ member, score }) => [member, score]));
    const frozen = zset.frozen();
    for (let index = 0; index < count; index += 2) zset.set(`m${index}`, -index);
    zset.remove("m1");
    assert.equal(frozen.length, count);
    const { members, scores } = frozen.toNeutral();
    assert.deepEqual(
      new Map(members.map((member, at) => [textOfBytes(member), scores[at]])),
      before,
    );
    const scanned: string[] = [];
    for (let cursor = 0; ; ) {
      cursor = frozen.scan(cursor, 100, scanned, []);
      if (cursor === 0) break;
    }
    assert.deepEqual(new Set(scanned), new Set(before.keys()));
  }
});
