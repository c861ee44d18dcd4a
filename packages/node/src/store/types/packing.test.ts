import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { elementOf, elementText } from "./element.js";
import { type Packable, Packing } from "./packing.js";

const text = fc.oneof(
  fc.integer({ min: -130, max: 70_000 }).map(String),
  fc.string({
    maxLength: 40,
    unit: fc.integer({ min: 0, max: 255 }).map((c) => String.fromCharCode(c)),
  }),
  fc.constantFrom(127, 128, 129, 300).map((length) => "x".repeat(length)),
);
const pair = fc.tuple(fc.integer({ min: 0, max: 6 }).map(String), text);
const scored = fc.tuple(fc.constantFrom(-1.5, 0, 1, 1e300, Number.POSITIVE_INFINITY), text);

/** In the order of a sorted set. */
function inOrder(scores: ReadonlyMap<string, number>): [string, number][] {
  return [...scores].sort(([a, x], [b, y]) => x - y || (a < b ? -1 : 1));
}

describe("packing", () => {
  const packing = new Packing();

  it("gives back what was packed", () => {
    fc.assert(
      fc.property(fc.array(text), (texts) => {
        const elements = texts.map(elementOf);
        const packed = packing.pack(elements) as string;
        assert.equal(packing.count(packed), elements.length);
        assert.deepEqual(packing.unpack(packed), elements);
        for (const each of texts) assert.ok(packing.has(packed, each));
        assert.equal(packing.has(packed, "nothing of the kind"), false);
      }),
    );
  });

  it("changes hashes as they are", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(pair, fc.boolean())), (steps) => {
        const model = new Map<string, string>();
        let packed = packing.pack([]) as string;
        for (const [[field, value], removes] of steps) {
          const was = model.has(field);
          packed = removes
            ? packing.withoutField(packed, field)
            : packing.withValue(packed, field, value);
          assert.equal(packing.found, was);
          if (removes) model.delete(field);
          else model.set(field, value);
          assert.deepEqual(packing.unpack(packed).map(elementText), [...model].flat());
          assert.equal(packing.count(packed), 2 * model.size);
        }
        for (const [field, value] of model) {
          assert.equal(packing.valueOf(packed, field), elementOf(value));
        }
      }),
    );
  });

  it("changes lists as they are, at both ends and within", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.integer({ min: 0, max: 4 }), text)), (steps) => {
        const model: string[] = [];
        let packed = packing.pack([]) as string;
        for (const [step, word] of steps) {
          if (step < 2) {
            packed = packing.withPushed(packed, word, step === 0);
            if (step === 0) model.push(word);
            else model.unshift(word);
          } else if (step === 4) {
            packed = packing.withoutText(packed, word);
            const at = model.indexOf(word);
            assert.equal(packing.found, at >= 0);
            if (at >= 0) model.splice(at, 1);
          } else if (model.length > 0) {
            packed = step === 2 ? packing.withoutFirst(packed) : packing.withoutLast(packed);
            assert.equal(elementText(packing.popped), step === 2 ? model.shift() : model.pop());
          }
          assert.deepEqual(packing.unpack(packed).map(elementText), model);
        }
      }),
    );
  });

  it("keeps sorted sets in their order", () => {
    fc.assert(
      fc.property(fc.array(scored), (steps) => {
        const model = new Map<string, number>();
        let packed = packing.packScored([], []) as string;
        for (const [score, member] of steps) {
          assert.equal(packing.scoreOf(packed, member), model.get(member));
          packed = packing.withoutScored(packed, member);
          assert.equal(packing.found, model.delete(member));
          if (steps.length % 3 > 0) {
            packed = packing.withScored(packed, score, member);
            model.set(member, score);
          }
          const members: string[] = [];
          const scores: number[] = [];
          packing.unpackScored(packed, members, scores);
          const expected = inOrder(model);
          assert.deepEqual(
            members,
            expected.map(([each]) => each),
          );
          assert.deepEqual(
            scores,
            expected.map(([, each]) => each),
          );
          assert.equal(packing.packScored(members, scores), packed);
        }
      }),
    );
  });

  it("leaves alone what is too large", () => {
    assert.equal(packing.pack(["x".repeat(70_000)]), undefined);
    assert.equal(packing.pack(Array.from({ length: 70_000 }, () => 1)), undefined);
    assert.equal(
      packing.packScored(Array.from({ length: 7000 }, String), Array(7000).fill(1)),
      undefined,
    );
    const most = Array.from({ length: 6_000 }, (_, index) => `element:${index % 100}`);
    assert.deepEqual(packing.unpack(packing.pack(most) as string), most);
  });

  it("packs what has been loose for longest, and holds nobody who was forgotten", () => {
    const loose = new Packing();
    loose.looseMax = 3;
    const packed: number[] = [];
    const all = Array.from(
      { length: 8 },
      (_, index): Packable => ({ pack: () => packed.push(index) }),
    );
    for (const each of all.slice(0, 3)) loose.admit(each);
    assert.deepEqual(packed, []);
    loose.forget(all[1] as Packable);
    for (const each of all.slice(3)) loose.admit(each);
    assert.deepEqual(packed, [0, 2, 3, 4]);
    loose.looseMax = 1;
    assert.deepEqual(packed, [0, 2, 3, 4, 6, 7, 5]);
  });
});
