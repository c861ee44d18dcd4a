import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { EntryBatch } from "./entry-batch.js";
import { HASH_MAX } from "./key-hash.js";
import { KeyTable } from "./key-table.js";
import { FastRandom } from "./random.js";
import { EMPTY, Segment } from "./segment.js";

/** How keys of a test are hashed: well, or so badly that prefixes and whole hashes collide. */
type HashKind = "good" | "clustered" | "colliding";

function hashOf(key: string, kind: HashKind): number {
  const number = Number(key.slice(1));
  const mixed = Math.imul(number + 1, 0x9e3779b1) >>> 1;
  if (kind === "good") return Math.min(mixed, HASH_MAX);
  if (kind === "clustered") return mixed >>> 18;
  return mixed % 5;
}

/** All that must hold between operations. */
function checkTable(table: KeyTable, model: Map<string, number>, kind: HashKind): void {
  assert.equal(table.size, model.size);
  let count = 0;
  let previous = -1;
  for (const segment of table.segments()) {
    count += segment.count;
    let seen = 0;
    let gap = -1;
    for (let place = 0; place < segment.places; place++) {
      const hash = segment.entries[4 * place] as number;
      const key = segment.entries[4 * place + 2];
      if (hash === EMPTY) {
        assert.equal(key, undefined);
        gap = place;
        continue;
      }
      seen++;
      assert.equal(hash, hashOf(key as string, kind));
      assert.ok(hash >= previous, "places are in hash order");
      assert.equal(segment.find(key as string, hash), place, `found where it is, gap at ${gap}`);
      previous = hash;
    }
    assert.equal(seen, segment.count);
    assert.equal(segment.entries[4 * segment.places], EMPTY);
  }
  assert.equal(count, model.size);
  for (const [key, value] of model) assert.equal(table.get(key, hashOf(key, kind)), value);
}

function scanAll(table: KeyTable, count: number): string[] {
  const batch = new EntryBatch();
  let cursor = 0;
  while (cursor >= 0) cursor = table.collect(cursor, count, batch);
  return batch.keys;
}

describe("KeyTable", () => {
  it("equals a Map under random insertions, overwrites and deletions", () => {
    const operation = fc.record({
      kind: fc.constantFrom("set", "set", "set", "delete"),
      from: fc.nat(5000),
      length: fc.nat(1500),
    });
    fc.assert(
      fc.property(
        fc.constantFrom<HashKind>("good", "clustered", "colliding"),
        fc.array(operation, { maxLength: 12 }),
        fc.nat(16383),
        (kind, operations, slot) => {
          const table = new KeyTable(slot);
          const model = new Map<string, number>();
          const step = kind === "colliding" ? 25 : 1;
          for (const { kind: verb, from, length } of operations) {
            for (let number = from; number < from + length; number += step) {
              const key = `k${number}`;
              const hash = hashOf(key, kind);
              if (verb === "set") {
                assert.equal(table.set(key, hash, number + length), !model.has(key));
                model.set(key, number + length);
              } else {
                assert.equal(table.delete(key, hash), model.delete(key));
              }
            }
            checkTable(table, model, kind);
          }
          assert.deepEqual(scanAll(table, 7).sort(), [...model.keys()].sort());
        },
      ),
      { numRuns: 40 },
    );
  });

  it("splits, merges again and returns its memory", () => {
    const table = new KeyTable(0);
    const empty = table.overheadBytes;
    const model = new Map<string, number>();
    for (let number = 0; number < 30_000; number++) {
      table.set(`k${number}`, hashOf(`k${number}`, "good"), number);
      model.set(`k${number}`, number);
    }
    assert.ok([...table.segments()].length > 20);
    checkTable(table, model, "good");
    // 32 bytes per place, and segments 60% full on average, never less than 39%.
    assert.ok(table.overheadBytes < 30_000 * 70, `${table.overheadBytes} bytes for 30,000 keys`);
    for (let number = 0; number < 30_000; number++) {
      if (number % 1000 === 0) checkTable(table, model, "good");
      assert.ok(table.delete(`k${number}`, hashOf(`k${number}`, "good")));
      model.delete(`k${number}`);
    }
    assert.equal([...table.segments()].length, 1);
    assert.ok(table.overheadBytes <= empty + 500);
  });

  it("bounds its directory when keys share a hash prefix", () => {
    const table = new KeyTable(0);
    for (let number = 0; number < 20_000; number++) {
      table.insert(`k${number}`, number & 0xff, number, 0);
    }
    assert.ok(table.overheadBytes < 20_000 * 60);
    assert.equal(table.get("k19999", 19999 & 0xff), 19999);
  });

  it("scans every key that stays exactly once, whatever else comes and goes", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 4000 }),
        fc.integer({ min: 1, max: 300 }),
        fc.array(fc.record({ add: fc.boolean(), from: fc.nat(3000), length: fc.nat(2000) })),
        (staying, count, churn) => {
          const table = new KeyTable(7);
          for (let number = 0; number < staying; number++) {
            table.set(`s${number}`, hashOf(`s${number}`, "good"), 0);
          }
          const seen = new Map<string, number>();
          const batch = new EntryBatch();
          let cursor = 0;
          for (let step = 0; cursor >= 0; step++) {
            batch.clear();
            cursor = table.collect(cursor, count, batch);
            assert.ok(batch.length <= count + 8, "a step's work is bounded");
            for (const key of batch.keys) seen.set(key, (seen.get(key) ?? 0) + 1);
            const change = churn[step % (churn.length + 1)];
            if (change === undefined) continue;
            for (let number = change.from; number < change.from + change.length; number++) {
              const key = `t${number}`;
              if (change.add) table.set(key, hashOf(key, "good") ^ 0x155, 0);
              else table.delete(key, hashOf(key, "good") ^ 0x155);
            }
          }
          for (let number = 0; number < staying; number++) assert.equal(seen.get(`s${number}`), 1);
        },
      ),
      { numRuns: 40 },
    );
  });

  it("picks every key equally often", () => {
    const random = new FastRandom(42);
    for (const size of [1, 9, 300, 5000]) {
      const table = new KeyTable(1);
      for (let number = 0; number < size; number++) {
        table.set(`k${number}`, hashOf(`k${number}`, "good"), number);
      }
      const draws = size * 40;
      const hits = new Int32Array(size);
      for (let draw = 0; draw < draws; draw++) {
        assert.ok(table.pickPlace(random));
        const value = table.atSegment.entries[4 * table.atPlace + 3] as number;
        hits[value] = (hits[value] as number) + 1;
      }
      let chiSquare = 0;
      for (const hit of hits) chiSquare += (hit - 40) ** 2 / 40;
      // Mean size - 1, standard deviation sqrt(2 (size - 1)): five of them are out of reach.
      assert.ok(chiSquare < size - 1 + 5 * Math.sqrt(2 * size) + 1, `${chiSquare} for ${size}`);
    }
  });

  it("picks from an empty table nothing, and the only key of a nearly empty one", () => {
    const random = new FastRandom(1);
    const table = new KeyTable(1);
    assert.equal(table.pickPlace(random), false);
    for (let number = 0; number < 3000; number++) table.insert(`k${number}`, number << 19, 0, 0);
    for (let number = 1; number < 3000; number++) table.delete(`k${number}`, number << 19);
    assert.ok(table.pickPlace(random));
    assert.equal(table.atSegment.entries[4 * table.atPlace + 2], "k0");
  });
});

describe("Segment", () => {
  it("says when a run has no room before the end", () => {
    const segment = new Segment(0, 4);
    for (let number = 0; number < 4; number++) {
      assert.ok(segment.insertAt(~segment.find(`k${number}`, 9), `k${number}`, 9, 0, 0));
    }
    assert.equal(segment.insertAt(~segment.find("x", 9), "x", 9, 0, 0), false);
    assert.equal(segment.count, 4);
  });
});
