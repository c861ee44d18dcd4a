import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { HASH_MAX } from "../key-hash.js";
import { FastRandom } from "../random.js";
import { EMPTY } from "../segment.js";
import { BlockMemory } from "./block-memory.js";
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
const lengths = [0, 1, 5, 23, 24, 25, 127, 128, 129, 1022, 1023, 5000];

/** What V8 keeps of a text of this length. */
function longBytes(length: number): number {
  return length > 1022 ? length : 0;
}

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
      const hash = segment.hashAt(place);
      if (hash === EMPTY) continue;
      assert.ok(hash >= previous, "places are in hash order");
      previous = hash;
      seen++;
      const begin = segment.offsetAt(place);
      segment.valueAt(place);
      live += segment.entries.end - begin;
    }
    assert.equal(segment.hashAt(segment.places), EMPTY);
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
      const memory = new BlockMemory();
      const table = new ByteTable(true, memory);
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
      const long = [...model].flat().reduce((sum, { length }) => sum + longBytes(length), 0);
      const slab = memory.openSlab();
      const held = table.account.bytes + copy.account.bytes;
      assert.ok(held >= 4 * slab.liveWords + long, "what is long is counted");
      for (const each of [table, copy]) each.release();
      assert.deepEqual([table.account.bytes, copy.account.bytes], [0, 0]);
      assert.equal(slab.liveWords, 0, "nothing is left in the slab");
    });
  }

  it("has copies that go their own ways, though they share what none changes", () => {
    const random = new FastRandom(17);
    const memory = new BlockMemory();
    const bound = 6000;
    const pairs = [{ table: new ByteTable(true, memory), model: new Map<string, string>() }];
    const change = (index: number, rounds: number, growing: boolean): void => {
      const { model, table } = pairs[index] as (typeof pairs)[number];
      for (let round = 0; round < rounds; round++) {
        const text = textOf(random, bound);
        const hash = hashOf(text, "good");
        if (random.below(10) < (growing ? 8 : 1)) {
          const value = textOf(random, 5000);
          assert.equal(table.set(text, hash, value), !model.has(text));
          model.set(text, value);
        } else if (random.below(3) === 0 && table.size > 0) {
          table.pick(random);
          assert.ok(model.delete(table.atSegment.textAt(table.atPlace)));
          table.removePicked();
        } else assert.equal(table.delete(text, hash), model.delete(text));
      }
    };
    change(0, 8000, true);
    for (let copies = 1; copies < 6; copies++) {
      const { table, model } = pairs[random.below(copies)] as (typeof pairs)[number];
      const slab = memory.openSlab();
      const before = slab.liveWords;
      pairs.push({ table: table.copy(), model: new Map(model) });
      assert.equal(slab.liveWords, before, "a copy takes no memory");
      for (let index = 0; index <= copies; index++) change(index, 1500, random.below(2) === 0);
      for (const pair of pairs) checkTable(pair.table, pair.model);
    }
    // Whoever goes takes nothing from those that stay.
    for (let left = pairs.length; left > 0; left--) {
      const [gone] = pairs.splice(random.below(left), 1);
      gone?.table.release();
      for (const { table, model } of pairs) {
        checkTable(table, model);
        for (const [text, value] of model) {
          assert.equal(table.value(text, hashOf(text, "good")), value);
        }
      }
    }
    assert.equal(memory.openSlab().liveWords, 0);
  });

  it("gives memory back when almost all is deleted", () => {
    const table = new ByteTable(false, new BlockMemory());
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
    const table = new ByteTable(true, new BlockMemory());
    for (let round = 0; round < 20_000; round++) {
      const text = `counter:${round % 100}`;
      table.set(text, hashOf(text, "good"), "9".repeat(round % 300));
    }
    assert.ok(table.memoryBytes < 200_000, `${table.memoryBytes} bytes`);
  });

  it("keeps numbers beside members, at whatever size and through every move", () => {
    const random = new FastRandom(5);
    const table = new ByteTable(true, new BlockMemory());
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
