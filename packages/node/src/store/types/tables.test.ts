/** Hashes and sets beside plain models, across their conversions. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { FastRandom } from "../random.js";
import { type Element, elementText } from "./element.js";
import { CollectionEnvironment, defaultCollectionLimits } from "./environment.js";
import { HashValue } from "./hash.js";
import { SetValue } from "./set.js";

function environment(seed = 1): CollectionEnvironment {
  const limits = {
    ...defaultCollectionLimits,
    hashMaxListpackEntries: 16,
    setMaxListpackEntries: 16,
    setMaxIntsetEntries: 24,
  };
  return new CollectionEnvironment({ limits, seed, random: new FastRandom(seed) });
}

function members(set: SetValue): string[] {
  const all: Element[] = [];
  set.collect(all);
  return all.map(elementText);
}

const texts = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: -60, max: 60 }).map(String) },
  { weight: 1, arbitrary: fc.bigInt({ min: 2n ** 53n - 3n, max: 2n ** 53n + 9n }).map(String) },
  { weight: 1, arbitrary: fc.string({ unit: "binary-ascii", maxLength: 3 }) },
);
const changes = fc.array(fc.record({ add: fc.boolean(), text: texts, value: texts }), {
  maxLength: 120,
});

describe("HashValue", () => {
  it("equals a Map under random changes", () => {
    fc.assert(
      fc.property(changes, (steps) => {
        const hash = new HashValue(environment());
        const model = new Map<string, string>();
        for (const { add, text, value } of steps) {
          if (add) {
            assert.equal(hash.set(text, value), !model.has(text));
            model.set(text, value);
          } else {
            assert.equal(hash.delete(text), model.delete(text));
          }
          assert.equal(hash.length, model.size);
        }
        const pairs: Element[] = [];
        hash.collect(pairs);
        const flat = [...model].flat();
        if (hash.encoding === "listpack") assert.deepEqual(pairs.map(elementText), flat);
        for (const [field, value] of model) {
          assert.equal(elementText(hash.get(field) as Element), value);
        }
        const copy = HashValue.fromNeutral(hash.copy().toNeutral(), environment(2));
        assert.deepEqual(new Map(pairsOf(copy)), model);
      }),
    );
  });

  it("scans every field that stays, while others come and go", () => {
    const hash = new HashValue(environment());
    for (let index = 0; index < 3000; index++) hash.set(`stays:${index}`, "1");
    const seen = new Set<string>();
    let cursor = 0;
    let round = 0;
    do {
      const part: Element[] = [];
      cursor = hash.scan(cursor, 25, part);
      assert.ok(part.length < 80, "a step is bounded by COUNT");
      for (let at = 0; at < part.length; at += 2) seen.add(elementText(part[at] as Element));
      for (let more = 0; more < 60; more++) hash.set(`more:${round}:${more}`, "2");
      if (round > 3) for (let gone = 0; gone < 60; gone++) hash.delete(`more:${round - 3}:${gone}`);
      round++;
    } while (cursor !== 0);
    for (let index = 0; index < 3000; index++) assert.ok(seen.has(`stays:${index}`));
    assert.equal(hash.scan(2 ** 40, 10, []), 0, "a cursor of nobody's");
  });
});

function pairsOf(hash: HashValue): [string, string][] {
  const all: Element[] = [];
  hash.collect(all);
  const pairs: [string, string][] = [];
  for (let at = 0; at < all.length; at += 2) {
    pairs.push([elementText(all[at] as Element), elementText(all[at + 1] as Element)]);
  }
  return pairs;
}

describe("SetValue", () => {
  it("equals a Set under random changes, whatever its encoding", () => {
    fc.assert(
      fc.property(changes, (steps) => {
        const set = SetValue.for(steps[0]?.text ?? "", 1, environment());
        const model = new Set<string>();
        for (const { add, text } of steps) {
          if (add) {
            assert.equal(set.add(text), !model.has(text));
            model.add(text);
          } else {
            assert.equal(set.delete(text), model.delete(text));
          }
          assert.equal(set.length, model.size);
          assert.equal(set.has(text), add);
        }
        assert.deepEqual(members(set).sort(), [...model].sort());
        if (model.size === 0) return;
        const copy = SetValue.fromNeutral(set.copy().toNeutral(), environment(2));
        assert.deepEqual(members(copy).sort(), [...model].sort());
      }),
    );
  });

  it("pops each member once, in every encoding", () => {
    for (const make of [(n: number) => `m${n}`, String]) {
      for (const count of [10, 20, 500]) {
        const set = SetValue.for(make(0), 1, environment());
        for (let index = 0; index < count; index++) set.add(make(index));
        const popped = new Set<string>();
        while (set.length > 0) popped.add(elementText(set.pop()));
        assert.equal(popped.size, count, set.encoding);
      }
    }
  });

  it("picks each member about equally often", () => {
    const set = SetValue.for("m", 1, environment());
    for (let index = 0; index < 2000; index++) set.add(`m${index}`);
    const counts = new Map<string, number>();
    for (let draw = 0; draw < 100_000; draw++) {
      const member = elementText(set.pick());
      counts.set(member, (counts.get(member) ?? 0) + 1);
    }
    // 50 on average with a deviation of 7; six deviations are next to impossible.
    assert.equal(counts.size, 2000);
    for (const count of counts.values()) assert.ok(count > 8 && count < 100, String(count));
  });
});
