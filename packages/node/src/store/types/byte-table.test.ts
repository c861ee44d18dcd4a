import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { HASH_MAX } from "../key-hash.js";
import { FastRandom } from "../random.js";
import { EMPTY } from "../segment.js";
import { ArenaPool } from "./arena-pool.js";
import { ByteTable } from "./byte-table.js";

/** How texts are hashed: well, or so badly that prefixes and whole hashes collide. */
type HashKind = "good" | "clustered" | "colliding";

function hashOf(text: string, kind: HashKind): number {
  let hash = 7;
  for (let index = 0; index < Math.min(text.length, 20); index++) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x9e3779b1);
    hash ^= hash >>> 15;
  }
  const mixed = Math.min(hash >>> 1, HASH_MAX);
  if (kind === "good") return mixed;
  return kind === "clustered" ? mixed >>> 18 : mixed % 5;
}

/** Lengths on both sides of every change of form. */
const lengths = [0, 1, 5, 23, 24, 25, 127, 128, 129, 1023, 1024, 5000];

function textOf(random: FastRandom, bound: number): string {
  const number = random.below(bound);
  const length = lengths[number % 97] ?? 8;
  return `${number}:`.padEnd(length, "\xff\0z");
}

function checkTable(table: ByteTable, model: ReadonlyMap<string, string>): void {
  assert.equal(table.size, model.size);
  let count = 0;
  let previous = -1;
  for (const segment of table.segments()) {
    let seen = 0;
    let live = 0;
    for (let place = 0; place < segment.places; place++) {
      const hash = segment.slots[2 * place] as number;
      if (hash === EMPTY) continue;
      assert.ok(hash >= previous, "places are in hash order");
      previous = hash;
      seen++;
      const begin = segment.slots[2 * place + 1] as number;
      segment.valueAt(place);
      live += segment.entries.end - begin;
    }
    assert.equal(segment.slots[2 * segment.places], EMPTY);
    assert.equal(segment.count, seen);
    assert.equal(segment.liveBytes, live, "holes are counted exactly");
    count += seen;
  }
  assert.equal(count, model.size);
}

describe("ByteTable", () => {
  for (const kind of ["good", "clustered", "colliding"] as const) {
    it(`equals a Map while it grows and shrinks, ${kind} hashes`, () => {
      const random = new FastRandom(11);
      const bound = kind === "good" ? 12_000 : 700;
      const table = new ByteTable(true, new ArenaPool());
      const model = new Map<string, string>();
      for (let round = 0; round < 60_000; round++) {
        const text = textOf(random, bound);
        const hash = hashOf(text, kind);
        // Growing for two thirds of the rounds, shrinking for the rest.
        if (random.below(10) < (round < 40_000 ? 8 : 1)) {
          const value = textOf(random, 5000);
          assert.equal(table.set(text, hash, value), !model.has(text));
          model.set(text, value);
        } else {
          assert.equal(table.delete(text, hash), model.delete(text));
        }
        assert.equal(table.value(text, hash), model.get(text));
        if (round % 10_000 === 0) checkTable(table, model);
      }
      checkTable(table, model);
      const copy = table.copy();
      for (const [text] of [...model].slice(0, 10)) table.delete(text, hashOf(text, kind));
      checkTable(copy, model);
      const all: string[] = [];
      copy.collectAll(all);
      const pairs = all.flatMap((text, at) => (at % 2 === 0 ? [[text, all[at + 1]] as const] : []));
      assert.deepEqual(new Map(pairs), model);
    });
  }

  it("gives memory back when almost all is deleted", () => {
    const table = new ByteTable(false, new ArenaPool());
    for (let index = 0; index < 50_000; index++) {
      table.set(`member:${index}`, hashOf(`member:${index}`, "good"), undefined);
    }
    const full = table.memoryBytes;
    assert.ok(full < 50_000 * 45, `${full / 50_000} bytes a member`);
    for (let index = 0; index < 49_990; index++) {
      table.delete(`member:${index}`, hashOf(`member:${index}`, "good"));
    }
    assert.ok(table.memoryBytes < 10_000, `${table.memoryBytes} bytes for ten members`);
  });

  it("keeps up with values that change their length", () => {
    const table = new ByteTable(true, new ArenaPool());
    for (let round = 0; round < 20_000; round++) {
      const text = `counter:${round % 100}`;
      table.set(text, hashOf(text, "good"), "9".repeat(round % 300));
    }
    assert.ok(table.memoryBytes < 200_000, `${table.memoryBytes} bytes`);
  });

  it("keeps numbers beside members, at whatever size and through every move", () => {
    const random = new FastRandom(5);
    const table = new ByteTable(true, new ArenaPool());
    const model = new Map<string, number>();
    const special = [0, -0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 5e-324, 2 ** 53];
    for (let round = 0; round < 60_000; round++) {
      const text = textOf(random, 9000);
      const hash = hashOf(text, "good");
      if (random.below(10) < (round < 40_000 ? 8 : 2)) {
        const value = special[random.below(40)] ?? random.below(1e9) / 7;
        assert.equal(table.set(text, hash, value), !model.has(text));
        model.set(text, value);
      } else {
        assert.equal(table.delete(text, hash), model.delete(text));
      }
      assert.ok(Object.is(table.number(text, hash), model.get(text)));
    }
    const members: string[] = [];
    const numbers: number[] = [];
    for (let at = 0; at >= 0; ) at = table.collect(at, 100, members, numbers);
    assert.equal(members.length, model.size);
    for (const [at, member] of members.entries()) {
      assert.ok(Object.is(numbers[at], model.get(member)), member);
    }
  });
});
