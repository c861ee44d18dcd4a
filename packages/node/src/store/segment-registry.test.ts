import assert from "node:assert/strict";
import { it } from "node:test";
import { KeyHasher } from "./key-hash.js";
import { KeyspaceKeeper, KeyspaceTable } from "./keyspace-table.js";
import { FastRandom } from "./random.js";
import { EMPTY } from "./segment.js";
import { SegmentRegistry } from "./segment-registry.js";
import { Slab } from "./slab.js";

function keyPicked(registry: SegmentRegistry, random: FastRandom, volatileOnly: boolean): string {
  const segment = volatileOnly ? registry.pickVolatilePlace(random) : registry.pickPlace(random);
  return segment?.keyAt(registry.pickedPlace) as string;
}

const hasher = new KeyHasher(1);

function keeperOf(registry: SegmentRegistry): KeyspaceKeeper {
  return new KeyspaceKeeper(new Slab(hasher), registry);
}

/** Tables as different as slots get: one of 3,000 keys, 200 of one key, 20 of 40. */
function fill(registry: SegmentRegistry): { tables: KeyspaceTable[]; keys: string[] } {
  const keeper = keeperOf(registry);
  const tables: KeyspaceTable[] = [];
  const keys: string[] = [];
  const sizes = [3000, ...Array<number>(200).fill(1), ...Array<number>(20).fill(40)];
  for (const [slot, size] of sizes.entries()) {
    const table = new KeyspaceTable(slot, keeper);
    for (let number = 0; number < size; number++) {
      const key = `${slot} ${number}`;
      hasher.hashOf(key);
      table.insert(key, (Math.imul(number + 7, 0x9e3779b1) >>> 1) % 0x7fffffff, 0, 0);
      keys.push(key);
    }
    tables.push(table);
  }
  return { tables, keys };
}

it("picks every key of tables of all sizes equally often", () => {
  const registry = new SegmentRegistry();
  const { keys } = fill(registry);
  const random = new FastRandom(11);
  const hits = new Map(keys.map((key) => [key, 0]));
  for (let draw = 0; draw < 30 * keys.length; draw++) {
    const key = keyPicked(registry, random, false);
    hits.set(key, (hits.get(key) as number) + 1);
  }
  let chiSquare = 0;
  for (const hit of hits.values()) chiSquare += (hit - 30) ** 2 / 30;
  const freedom = keys.length - 1;
  assert.ok(
    Math.abs(chiSquare - freedom) < 5 * Math.sqrt(2 * freedom),
    `${chiSquare} of ${freedom}`,
  );
});

it("finds the only key with an expiry among thousands, and forgets tables that leave", () => {
  const registry = new SegmentRegistry();
  const { tables } = fill(registry);
  const random = new FastRandom(12);
  assert.equal(registry.pickVolatilePlace(random), undefined);
  const [first, second] = tables as [KeyspaceTable, KeyspaceTable];
  const segment = first.segmentFor(12345);
  let place = 0;
  while (segment.hashAt(place) === EMPTY) place++;
  const key = segment.keyAt(place);
  first.setExpireAt(segment, place, 99);
  for (let draw = 0; draw < 20; draw++) assert.equal(keyPicked(registry, random, true), key);
  first.unregister();
  assert.equal(registry.pickVolatilePlace(random), undefined);
  for (let draw = 0; draw < 500; draw++) {
    assert.ok(!keyPicked(registry, random, false).startsWith("0 "));
  }
  for (const table of tables.slice(2)) table.unregister();
  assert.equal(keyPicked(registry, random, false), "1 0");
  second.unregister();
  assert.equal(registry.pickPlace(random), undefined);
});

it("returns the only key of a registry full of empty places", () => {
  const registry = new SegmentRegistry();
  const keeper = keeperOf(registry);
  const tables = Array.from({ length: 2000 }, (_, slot) => new KeyspaceTable(slot, keeper));
  assert.equal(registry.pickPlace(new FastRandom(1)), undefined);
  hasher.hashOf("lonely");
  tables[77]?.insert("lonely", 5, 0, 0);
  for (let seed = 0; seed < 20; seed++) {
    assert.equal(keyPicked(registry, new FastRandom(seed), false), "lonely");
  }
});
