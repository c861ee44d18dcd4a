import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { OrderedBlocks } from "./ordered-blocks.js";

class Numbers extends OrderedBlocks<number, number> {
  protected compare(item: number, key: number): number {
    return item - key;
  }

  protected keyOf(item: number): number {
    return item;
  }
}

function forwards(list: Numbers, from: number): number[] {
  const items: number[] = [];
  for (let item = list.seek(from); item !== undefined; item = list.next()) items.push(item);
  return items;
}

function backwards(list: Numbers, from: number): number[] {
  const items: number[] = [];
  for (let item = list.seekFloor(from); item !== undefined; item = list.previous()) {
    items.push(item);
  }
  return items;
}

describe("ordered blocks", () => {
  it("do what a sorted array does", () => {
    const runs = fc.array(fc.tuple(fc.nat(5000), fc.nat(400), fc.boolean()), { maxLength: 40 });
    fc.assert(
      fc.property(runs, fc.nat(5000), (changes, from) => {
        const list = new Numbers();
        const model = new Set<number>();
        for (const [start, count, adds] of changes) {
          for (let item = start; item < start + count; item++) {
            if (adds && !model.has(item)) {
              list.insert(item);
              model.add(item);
            } else if (!adds) {
              assert.equal(list.remove(item), model.delete(item) ? item : undefined);
            }
          }
        }
        const sorted = [...model].sort((left, right) => left - right);
        assert.equal(list.size, sorted.length);
        assert.equal(list.first, sorted[0]);
        assert.equal(list.last, sorted.at(-1));
        assert.equal(list.get(from), model.has(from) ? from : undefined);
        assert.deepEqual(
          forwards(list, from),
          sorted.filter((item) => item >= from),
        );
        assert.deepEqual(backwards(list, from), sorted.filter((item) => item <= from).reverse());
      }),
    );
  });

  it("stand behind what was removed", () => {
    const list = new Numbers();
    for (let item = 0; item < 2000; item++) list.append(item);
    list.remove(511);
    assert.equal(list.next(), 513);
    list.remove(700);
    assert.equal(list.previous(), 699);
    assert.equal(list.seekLast(), 1999);
    assert.equal(list.next(), undefined);
    assert.equal(list.seekFirst(), 0);
    assert.equal(list.previous(), undefined);
  });

  it("grow, and lose items in any order, without moving them all", () => {
    const list = new Numbers();
    const count = 200_000;
    // Each item is a multiplication away from the one before it: no order at all.
    const at = (index: number): number => (index * 7919) % count;
    for (let index = 0; index < count; index++) list.insert(at(index));
    assert.equal(list.size, count);
    for (let index = 0; index < count; index++) assert.equal(list.remove(at(index)), at(index));
    assert.equal(list.size, 0);
    assert.equal(list.first, undefined);
  });
});
