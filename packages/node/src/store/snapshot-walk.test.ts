import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import type { RdbCollection } from "../rdb/values.js";
import { AccessClock } from "./access.js";
import { ByteString } from "./byte-string.js";
import type { Database, StoreHooks } from "./database.js";
import { DatabaseSet } from "./database-set.js";
import { KeyHasher } from "./key-hash.js";
import { MemoryTally } from "./memory-tally.js";
import { FastRandom } from "./random.js";
import { CollectionEnvironment, defaultCollectionLimits } from "./types/environment.js";
import { EMPTY, NEVER } from "./segment.js";
import { EPOCH_MAX, isNeutral, type SnapshotSink, type SnapshotValue } from "./snapshot-walk.js";
import type { CollectionValue, Value } from "./value.js";

const hooks: StoreHooks = {
  now: () => 0,
  expiredKeys: "delete",
  noTouch: false,
  expired: () => {},
  modified: () => {},
  missed: () => {},
  created: () => {},
  expirySet: () => {},
  collectionAdded: () => {},
  gone: () => {},
  contentsReplaced: () => {},
};

function setUp(count: number, perSlot: boolean): DatabaseSet {
  const random = new FastRandom(1);
  const access = new AccessClock(random);
  const limits = defaultCollectionLimits;
  const collections = new CollectionEnvironment({ limits, seed: 3, random });
  const hasher = new KeyHasher(3);
  return new DatabaseSet(count, {
    hooks,
    hasher,
    access,
    random,
    tally: new MemoryTally(),
    collections,
    perSlot,
  });
}

/** A set that is changed in place. */
class TestSet implements CollectionValue {
  readonly type = "set";
  memoryCharged = 0;
  readonly encoding = "hashtable";
  readonly members: string[] = [];
  get length(): number {
    return this.members.length;
  }
  toNeutral(): RdbCollection {
    return { type: "set", members: [...this.members] };
  }
  copy(): TestSet {
    const copy = new TestSet();
    copy.members.push(...this.members);
    return copy;
  }
  memoryUsage(): number {
    return 0;
  }
}

function textOf(value: SnapshotValue): string {
  if (value instanceof ByteString) return `bytes ${value.view().toString("latin1")}`;
  if (typeof value !== "object") return `${typeof value} ${value}`;
  assert.ok(value.type === "set");
  const neutral = isNeutral(value) ? value : value.toNeutral();
  return `set ${neutral.type === "set" ? neutral.members.join() : ""}`;
}

class Collected implements SnapshotSink {
  readonly entries: string[] = [];
  entry(database: number, key: string, value: SnapshotValue, expireAt: number): void {
    this.entries.push(`${database} ${key} ${textOf(value)} ${expireAt}`);
  }
}

function stateOf(set: DatabaseSet): string[] {
  const entries: string[] = [];
  for (const database of set.databases) {
    database.forEach((key, value, expireAt) => {
      entries.push(`${database.index} ${key} ${textOf(value)} ${expireAt}`);
    });
  }
  return entries.sort();
}

function marksIn(set: DatabaseSet): number {
  let marks = 0;
  for (const { tables } of set.databases) {
    for (let slot = tables.nextSlot(0); slot >= 0; slot = tables.nextSlot(slot + 1)) {
      for (const segment of tables.table(slot)?.segments() ?? []) {
        for (let place = 0; place < segment.places; place++) {
          if (segment.hashAt(place) === EMPTY) continue;
          if (segment.metaAt(place) >>> 28 !== 0) marks++;
        }
      }
    }
  }
  return marks;
}

function newValue(number: number): Value {
  if (number % 4 === 0) return number;
  if (number % 4 === 1) return `text ${number}`;
  if (number % 4 === 2) return ByteString.from(`long ${number}`);
  const set = new TestSet();
  set.members.push(`m${number}`);
  return set;
}

function change(database: Database, key: string, number: number): void {
  const value = database.lookupWrite(key);
  if (value instanceof ByteString) {
    value.append(`+${number}`);
    value.setByte(0, 65 + (number % 26));
  } else if (value instanceof TestSet) value.members.push(`m${number}`);
  else database.set(key, newValue(number), true);
}

/** Half of the keys share a slot, so that the walk stops inside it. */
function keyOf(number: number): string {
  return number % 2 === 0 ? `key${number}` : `{tag}${number}`;
}

const operation = fc.record({
  verb: fc.constantFrom(
    "set",
    "set",
    "change",
    "change",
    "delete",
    "delete",
    "expire",
    "persist",
    "step",
    "step",
    "fill",
    "drop",
    "clear",
    "swap",
    "detach",
    "rename",
    "rename",
  ),
  key: fc.nat(400),
  number: fc.nat(10_000),
});

function apply(set: DatabaseSet, verb: string, keyNumber: number, number: number): void {
  const database = set.databases[number % set.count] as Database;
  const key = keyOf(keyNumber);
  if (verb === "set") database.set(key, newValue(number));
  else if (verb === "change") change(database, key, number);
  else if (verb === "delete") database.delete(key);
  else if (verb === "expire") database.setExpireAt(key, 1000 + number);
  else if (verb === "persist") database.persist(key);
  else if (verb === "clear" && number % 4 === 0) database.clear();
  else if (verb === "swap") set.swap(set.first, database);
  else if (verb === "rename") {
    const target = set.databases[(number >>> 3) % set.count] as Database;
    const newKey = keyOf((keyNumber + number) % 400);
    if (database.exists(key) && (target !== database || key !== newKey)) {
      target.delete(newKey);
      database.transfer(key, target, newKey);
      change(target, newKey, number);
    }
  } else if (verb === "detach") database.detachSlot(database.slotOf(key));
  else if (verb === "fill") {
    for (let each = 0; each < 60; each++) database.set(keyOf((keyNumber + each) % 400), number);
  } else if (verb === "drop") {
    for (let each = 0; each < 60; each++) database.delete(keyOf((keyNumber + each) % 400));
  }
}

describe("SnapshotWalk", () => {
  it("hands over every entry as it was at the begin, once, whatever happens meanwhile", () => {
    fc.assert(
      fc.property(
        fc.boolean(),
        fc.nat(400),
        fc.array(operation, { maxLength: 40 }),
        fc.array(operation, { maxLength: 200 }),
        (perSlot, size, before, during) => {
          const set = setUp(perSlot ? 1 : 3, perSlot);
          for (let key = 0; key < size; key++) apply(set, "set", key, key);
          for (const { verb, key, number } of before) apply(set, verb, key, number);
          const expected = stateOf(set);
          const sink = new Collected();
          const walk = set.beginWalk({ sink, preimageBytesMax: 1e9 });
          for (const { verb, key, number } of during) {
            if (verb === "step") walk.step(() => true);
            else apply(set, verb, key, number);
          }
          while (!walk.step(() => true));
          assert.deepEqual(sink.entries.sort(), expected);
          assert.equal(walk.written, expected.length);
          assert.equal(walk.preimageBytes, 0);
          assert.equal(marksIn(set), 0, "no marks are left behind");
          assert.ok(set.databases.every(({ tables }) => tables.walk === undefined));
        },
      ),
      { numRuns: 150 },
    );
  });

  it("is abandoned when too much changes ahead of it, and the next one is not confused", () => {
    const set = setUp(1, true);
    for (let key = 0; key < 500; key++) set.first.set(`key${key}`, `value ${key}`);
    for (let round = 0; round < 3 * EPOCH_MAX; round++) {
      const sink = new Collected();
      const walk = set.beginWalk({ sink, preimageBytesMax: 5000 });
      walk.step(() => true);
      for (let key = 0; key < 300; key++) set.first.set(`key${(round * 7 + key) % 500}`, round);
      assert.ok(walk.abandoned && walk.finished && walk.step(() => false));
      assert.equal(walk.preimageBytes, 0);
      const written = sink.entries.length;
      set.first.set("key1", "x");
      assert.equal(sink.entries.length, written);
    }
    const expected = stateOf(set);
    const sink = new Collected();
    assert.ok(set.beginWalk({ sink, preimageBytesMax: 5000 }).step(() => false));
    assert.deepEqual(sink.entries.sort(), expected);
    assert.equal(marksIn(set), 0);
  });

  it("walks one at a time, and does nothing for empty databases", () => {
    const set = setUp(2, false);
    const sink = new Collected();
    assert.ok(set.beginWalk({ sink, preimageBytesMax: 1 }).step(() => false));
    set.first.set("a", 1);
    const walk = set.beginWalk({ sink, preimageBytesMax: 1000 });
    assert.throws(() => set.beginWalk({ sink, preimageBytesMax: 1000 }));
    set.first.delete("a");
    set.first.set("a", 2);
    assert.ok(walk.step(() => false));
    assert.deepEqual(sink.entries, [`0 a number 1 ${NEVER}`]);
  });
});
