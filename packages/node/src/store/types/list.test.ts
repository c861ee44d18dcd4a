import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { FastRandom } from "../random.js";
import { type Element, elementText } from "./element.js";
import { CollectionEnvironment, defaultCollectionLimits } from "./environment.js";
import { ListValue } from "./list.js";

function newList(listMaxListpackSize: number): ListValue {
  const limits = { ...defaultCollectionLimits, listMaxListpackSize };
  return new ListValue(new CollectionEnvironment({ limits, seed: 1, random: new FastRandom(1) }));
}

function contents(list: ListValue): string[] {
  const all: Element[] = [];
  list.range(0, list.length, all);
  return all.map(elementText);
}

function pushed(list: ListValue, words: readonly string[], end: "head" | "tail"): void {
  list.prepare(words, 0, words.length);
  for (const word of words) list.push(word, end);
}

const words = fc.array(fc.integer({ min: 0, max: 30 }).map(String), {
  minLength: 1,
  maxLength: 12,
});
const place = fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true });
const step = fc.oneof(
  fc.record({ verb: fc.constantFrom("push", "unshift"), words }),
  fc.record({ verb: fc.constantFrom("pop", "shift") }),
  fc.record({ verb: fc.constantFrom("before", "after"), pivot: fc.integer({ max: 30 }), words }),
  fc.record({ verb: fc.constant("replace"), place, words }),
  fc.record({
    verb: fc.constant("range"),
    place,
    share: fc.double({ max: 0.2, min: 0, noNaN: true }),
  }),
  fc.record({
    verb: fc.constantFrom("remove", "removeBack"),
    words,
    max: fc.integer({ min: 1, max: 3 }),
  }),
);
type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never;

/** Does the same to an array. */
function apply(list: ListValue, model: string[], action: Step): void {
  const at = "place" in action ? Math.floor(action.place * model.length) : 0;
  const first = "words" in action ? (action.words[0] as string) : "";
  switch (action.verb) {
    case "push":
    case "unshift": {
      const given = (action as { words: string[] }).words;
      pushed(list, given, action.verb === "push" ? "tail" : "head");
      if (action.verb === "push") model.push(...given);
      else model.unshift(...given.toReversed());
      return;
    }
    case "pop":
    case "shift": {
      if (model.length === 0) return;
      const popped = elementText(list.pop(action.verb === "pop" ? "tail" : "head"));
      assert.equal(popped, action.verb === "pop" ? model.pop() : model.shift());
      list.shrink();
      return;
    }
    case "before":
    case "after": {
      const pivot = String((action as { pivot: number }).pivot);
      const index = model.indexOf(pivot);
      list.prepare([first], 0, 1);
      assert.equal(list.insert(pivot, first, action.verb === "after"), index >= 0);
      if (index >= 0) model.splice(action.verb === "after" ? index + 1 : index, 0, first);
      return;
    }
    case "replace":
      list.prepare([first], 0, 1);
      assert.equal(list.replaceAt(at, first), at < model.length);
      if (at < model.length) model[at] = first;
      return;
    case "range": {
      const count = Math.floor((action as { share: number }).share * (model.length - at));
      list.removeRange(at, count);
      model.splice(at, count);
      list.shrink();
      return;
    }
    case "remove":
    case "removeBack":
      removeEqual(list, model, { first, ...(action as { verb: string; max: number }) });
  }
}

function removeEqual(
  list: ListValue,
  model: string[],
  { first, max, verb }: { first: string; max: number; verb: string },
): void {
  const back = verb === "removeBack";
  let removed = 0;
  while (removed < max) {
    const index = back ? model.lastIndexOf(first) : model.indexOf(first);
    if (index < 0) break;
    model.splice(index, 1);
    removed++;
  }
  assert.equal(list.remove(first, max, back ? "tail" : "head"), removed);
  list.shrink();
}

describe("ListValue", () => {
  for (const size of [1, 3, -1, -2]) {
    it(`equals an array under random changes, list-max-listpack-size ${size}`, () => {
      fc.assert(
        fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
          const list = newList(size);
          const model: string[] = [];
          for (const action of steps) {
            apply(list, model, action);
            assert.equal(list.length, model.length);
          }
          assert.deepEqual(contents(list), model);
          const copy = list.copy();
          if (model.length > 0) list.pop("head");
          assert.deepEqual(contents(copy), model);
        }),
        { numRuns: 150 },
      );
    });
  }

  it("finds positions in a chain of thousands of nodes, wherever nodes come and go", () => {
    const list = newList(1);
    const model: string[] = [];
    const random = new FastRandom(5);
    for (let round = 0; round < 20_000; round++) {
      const word = String(round);
      if (random.below(3) === 0 && model.length > 0) {
        const at = random.below(model.length);
        list.removeRange(at, 1);
        model.splice(at, 1);
      } else if (random.below(2) === 0) {
        pushed(list, [word], "tail");
        model.push(word);
      } else {
        pushed(list, [word], "head");
        model.unshift(word);
      }
    }
    assert.ok(model.length > 5000);
    for (let at = 0; at < model.length; at += 37) {
      assert.equal(elementText(list.at(at) as Element), model[at]);
      assert.equal(elementText(list.at(at - model.length) as Element), model[at]);
    }
    assert.deepEqual(contents(list), model);
  });

  it("is a listpack again at half of the limit, not before", () => {
    const list = newList(10);
    pushed(list, Array.from({ length: 10 }, String), "tail");
    assert.equal(list.encoding, "listpack");
    pushed(list, ["one more"], "tail");
    assert.equal(list.encoding, "quicklist");
    while (list.length > 6) {
      list.pop("tail");
      list.shrink();
      assert.equal(list.encoding, "quicklist");
    }
    list.pop("tail");
    list.shrink();
    assert.equal(list.encoding, "listpack");
  });

  it("keeps elements of any length and bytes through its neutral form", () => {
    const list = newList(-2);
    const items = ["", "\0\xff", "1", "x".repeat(70_000), "y".repeat(9000)];
    pushed(list, items, "tail");
    const neutral = list.toNeutral();
    assert.ok(Buffer.isBuffer(neutral.items[3]), "long elements are bytes");
    const limits = defaultCollectionLimits;
    const environment = new CollectionEnvironment({ limits, seed: 1, random: new FastRandom(1) });
    assert.deepEqual(contents(ListValue.fromNeutral(neutral, environment)), items);
  });
});
