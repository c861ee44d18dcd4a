import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { ByteString } from "./byte-string.js";
import { EntryBatch } from "./entry-batch.js";
import { KeyHasher } from "./key-hash.js";
import { KeyspaceKeeper, KeyspaceTable } from "./keyspace-table.js";
import { EMPTY, NEVER } from "./segment.js";
import { SegmentRegistry } from "./segment-registry.js";
import { INLINE_LENGTH_MAX, Slab } from "./slab.js";
import type { Value } from "./value.js";

/** How keys are hashed: well, or so badly that prefixes and whole hashes collide. */
type HashKind = "good" | "clustered" | "colliding";

interface Expected {
  value: Value;
  expireAt: number;
  meta: number;
}

/** A table and the Map that it has to equal. */
class Pair {
  readonly hasher = new KeyHasher(5);
  readonly slab = new Slab(this.hasher);
  readonly registry = new SegmentRegistry();
  readonly table: KeyspaceTable;
  readonly model = new Map<string, Expected>();
  readonly #kind: HashKind;

  constructor(slot: number, kind: HashKind) {
    this.#kind = kind;
    this.table = new KeyspaceTable(slot, new KeyspaceKeeper(this.slab, this.registry));
  }

  hashOf(key: string): number {
    const hash = this.hasher.hashOf(key);
    if (this.#kind === "good") return hash;
    return this.#kind === "clustered" ? hash >>> 18 : hash % 5;
  }

  set(key: string, value: Value, meta: number): void {
    const hash = this.hashOf(key);
    const segment = this.table.segmentFor(hash);
    const place = segment.find(key, hash);
    const before = this.model.get(key);
    assert.equal(place >= 0, before !== undefined);
    if (place < 0) {
      this.table.insert(key, hash, value, meta);
      this.model.set(key, { value, expireAt: NEVER, meta });
      return;
    }
    const reference = segment.referenceAt(place);
    if (!this.slab.overwrite(reference, value, 0, -1)) segment.setValueAt(place, value);
    segment.setMetaAt(place, meta);
    (before as Expected).value = value;
    (before as Expected).meta = meta;
  }

  delete(key: string): void {
    const hash = this.hashOf(key);
    const segment = this.table.segmentFor(hash);
    const place = segment.find(key, hash);
    assert.equal(place >= 0, this.model.delete(key));
    if (place >= 0) this.table.removeAt(segment, place);
  }

  expire(key: string, at: number): void {
    const hash = this.hashOf(key);
    const segment = this.table.segmentFor(hash);
    const place = segment.find(key, hash);
    const expected = this.model.get(key);
    if (expected === undefined) return;
    this.table.setExpireAt(segment, place, at);
    expected.expireAt = at;
  }

  /** All that must hold between operations. */
  check(): void {
    assert.equal(this.table.size, this.model.size);
    let count = 0;
    let volatileCount = 0;
    let previous = -1;
    for (const segment of this.table.segments()) {
      count += segment.count;
      volatileCount += segment.volatileCount;
      assert.equal(this.registry.volatile.includes(segment), segment.volatileCount > 0);
      for (let place = 0; place < segment.places; place++) {
        const hash = segment.hashAt(place);
        if (hash === EMPTY) continue;
        const key = segment.keyAt(place);
        assert.equal(hash, this.hashOf(key));
        assert.ok(hash >= previous, "places are in hash order");
        assert.equal(segment.find(key, hash), place);
        const { value, expireAt, meta } = this.model.get(key) as Expected;
        assert.deepEqual(segment.valueAt(place), value);
        assert.equal(segment.expireAt(place), expireAt);
        assert.equal(segment.metaAt(place), meta);
        assert.ok(segment.earliestExpiry <= expireAt);
        previous = hash;
      }
      assert.equal(segment.hashAt(segment.places), EMPTY);
    }
    assert.equal(count, this.model.size);
    const expected = [...this.model.values()].filter(({ expireAt }) => expireAt !== NEVER);
    assert.equal(volatileCount, expected.length);
  }

  scan(count: number): string[] {
    const batch = new EntryBatch();
    let cursor = 0;
    while (cursor >= 0) cursor = this.table.collect(cursor, count, batch);
    for (const [index, key] of batch.keys.entries()) {
      assert.deepEqual(batch.values[index], this.model.get(key)?.value);
    }
    return batch.keys;
  }
}

/** Keys of few to very many chars, all bytes: long ones do not fit into the slab. */
function keyOf(number: number): string {
  const tail = number % 97 === 0 ? "\xff".repeat(number % 700) : "";
  return `${String.fromCharCode(number & 0xff)}k${number}${tail}`;
}

const integers = fc.oneof(
  fc.integer(),
  fc.maxSafeInteger(),
  fc.constantFrom(0, -1, 2 ** 31, -(2 ** 31), 2 ** 32, -(2 ** 32) - 1, Number.MIN_SAFE_INTEGER),
);
const texts = fc.tuple(fc.nat(INLINE_LENGTH_MAX + 40), fc.nat(255)).map(([length, code]) =>
  String.fromCharCode(code, 255 - code)
    .repeat(length)
    .slice(0, length),
);
const values: fc.Arbitrary<Value> = fc.oneof(
  integers,
  texts,
  fc.string({ maxLength: 9, unit: "binary-ascii" }),
  texts.map((text) => ByteString.from(text)),
);

describe("KeyspaceTable", () => {
  it("equals a Map under sets of all lengths, deletions, expiries, splits and merges", () => {
    const operation = fc.record({
      verb: fc.constantFrom("set", "set", "set", "delete", "expire", "persist"),
      from: fc.nat(4000),
      length: fc.nat(1500),
      values: fc.array(values, { minLength: 1, maxLength: 6 }),
    });
    fc.assert(
      fc.property(
        fc.constantFrom<HashKind>("good", "good", "clustered", "colliding"),
        fc.array(operation, { maxLength: 12 }),
        fc.nat(16383),
        (kind, operations, slot) => {
          const pair = new Pair(slot, kind);
          const step = kind === "colliding" ? 25 : 1;
          for (const { verb, from, length, values: some } of operations) {
            for (let number = from; number < from + length; number += step) {
              const key = keyOf(number);
              if (verb === "set") pair.set(key, some[number % some.length] as Value, number | 0);
              else if (verb === "delete") pair.delete(key);
              else if (verb === "expire") pair.expire(key, 1000 + number);
              else if (pair.model.has(key)) pair.expire(key, NEVER);
            }
            pair.check();
          }
          assert.deepEqual(pair.scan(7).sort(), [...pair.model.keys()].sort());
          for (const key of pair.model.keys()) pair.delete(key);
          pair.check();
          for (const segment of pair.table.segments()) segment.release();
          assert.equal(pair.slab.pages.liveWords, 0, "nothing is left in the slab");
        },
      ),
      { numRuns: 30 },
    );
  });

  it("lets go of all entries of a table that was taken out", () => {
    const pair = new Pair(3, "good");
    for (let number = 0; number < 5000; number++) {
      pair.set(keyOf(number), number % 3 === 0 ? ByteString.from("x") : `v${number}`, 0);
    }
    assert.ok(pair.slab.pages.liveWords > 5000 * 6);
    pair.table.unregister();
    for (const segment of pair.table.segments()) segment.release();
    assert.equal(pair.slab.pages.liveWords, 0);
  });

  it("keeps integers that count in the memory they began with", () => {
    const pair = new Pair(0, "good");
    for (let number = 0; number < 2000; number++) pair.set(`c${number}`, 0, 0);
    const before = pair.slab.pages.liveWords;
    for (const value of [1, 2 ** 31, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER, -1]) {
      for (let number = 0; number < 2000; number++) pair.set(`c${number}`, value, 0);
    }
    pair.check();
    assert.equal(pair.slab.pages.liveWords, before);
  });
});
