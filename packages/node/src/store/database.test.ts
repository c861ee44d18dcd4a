import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { AccessClock } from "./access.js";
import { Database, type ExpiredKeys, type StoreHooks } from "./database.js";
import { DatabaseSet } from "./database-set.js";
import { EntryBatch } from "./entry-batch.js";
import { KeyHasher } from "./key-hash.js";
import { MemoryTally } from "./memory-tally.js";
import { FastRandom } from "./random.js";
import { CollectionEnvironment, defaultCollectionLimits } from "./types/environment.js";
import { NEVER } from "./segment.js";
import { parseCursor } from "./slot-tables.js";
import type { CollectionValue } from "./value.js";

class TestHooks implements StoreHooks {
  time = 1_000_000;
  expiredKeys: ExpiredKeys = "delete";
  noTouch = false;
  readonly events: string[] = [];

  now(): number {
    return this.time;
  }
  expired(database: Database, key: string): void {
    this.events.push(`expired ${database.index} ${key}`);
  }
  modified(database: Database, key: string): void {
    this.events.push(`modified ${database.index} ${key}`);
  }
  missed(_database: Database, key: string): void {
    this.events.push(`missed ${key}`);
  }
  created(): void {}
  expirySet(): void {}

  collectionAdded(_database: Database, key: string): void {
    this.events.push(`added ${key}`);
  }
  gone(): void {}
  contentsReplaced(): void {}

  take(): string[] {
    return this.events.splice(0);
  }
}

function setUp(perSlot = true, seed = 1) {
  const hooks = new TestHooks();
  const random = new FastRandom(seed);
  const access = new AccessClock(random);
  access.setNow(hooks.time);
  const limits = defaultCollectionLimits;
  const collections = new CollectionEnvironment({ limits, seed, random });
  const parts = {
    hooks,
    hasher: new KeyHasher(seed),
    access,
    random,
    tally: new MemoryTally(),
    collections,
    perSlot,
  };
  return { hooks, access, database: new Database(0, parts), parts };
}

function scanAll(database: Database, count: number): string[] {
  const batch = new EntryBatch();
  let cursor = 0;
  do cursor = database.scan(cursor, count, batch);
  while (cursor !== 0);
  return batch.keys;
}

const set: CollectionValue = {
  type: "set",
  encoding: "listpack",
  length: 1,
  memoryCharged: 0,
  toNeutral: () => ({ type: "set", members: ["a"] }),
  copy: () => set,
  memoryUsage: () => 0,
};

describe("Database", () => {
  it("equals a Map with expiry under random commands, standalone and per slot", () => {
    const command = fc.record({
      verb: fc.constantFrom("set", "keep", "delete", "expire", "persist", "read", "wait", "cycle"),
      key: fc.nat(60),
      value: fc.nat(1000),
    });
    fc.assert(
      fc.property(fc.boolean(), fc.array(command, { maxLength: 300 }), (perSlot, commands) => {
        const { hooks, database } = setUp(perSlot);
        const model = new Map<string, { value: number; at: number }>();
        const alive = (key: string) => {
          const entry = model.get(key);
          return entry !== undefined && hooks.time <= entry.at ? entry : undefined;
        };
        for (const { verb, key: number, value } of commands) {
          const key = `key${number}`;
          const entry = alive(key);
          if (verb === "set" || verb === "keep") {
            assert.equal(database.lookupWrite(key), entry?.value);
            database.set(key, value, verb === "keep");
            model.set(key, { value, at: verb === "keep" && entry ? entry.at : NEVER });
          } else if (verb === "delete") {
            database.expireIfNeeded(key);
            assert.equal(database.delete(key), entry !== undefined);
            model.delete(key);
          } else if (verb === "expire" && database.exists(key)) {
            database.setExpireAt(key, hooks.time + value);
            model.set(key, { value: entry?.value ?? 0, at: hooks.time + value });
          } else if (verb === "persist" && database.exists(key)) {
            assert.equal(database.persist(key), entry?.at !== NEVER);
            if (entry !== undefined) entry.at = NEVER;
          } else if (verb === "wait") {
            hooks.time += value;
          } else if (verb === "cycle") {
            assert.ok(database.expireCycle(() => false).finished);
            const left = [...model.keys()].filter((each) => alive(each) !== undefined);
            assert.equal(database.size, left.length);
          }
          assert.equal(database.lookupRead(key), alive(key)?.value);
          const at = alive(key)?.at ?? NEVER;
          assert.equal(database.expireAt(key), at === NEVER ? -1 : at);
        }
        const left = [...model.keys()].filter((each) => alive(each) !== undefined).sort();
        assert.deepEqual(scanAll(database, 3).sort(), left);
        assert.equal(database.size, left.length, "the scan has deleted what was expired");
      }),
      { numRuns: 150 },
    );
  });

  it("deletes, hides or shows what is expired", () => {
    const { hooks, database } = setUp();
    database.set("a", 1);
    database.setExpireAt("a", hooks.time);
    assert.equal(database.peek("a"), 1, "alive until its time is over");
    hooks.time++;
    hooks.expiredKeys = "show";
    assert.equal(database.lookupRead("a"), 1);
    hooks.expiredKeys = "hide";
    assert.equal(database.lookupRead("a"), undefined);
    assert.equal(database.lookupWrite("a"), undefined);
    assert.deepEqual(scanAll(database, 10), []);
    assert.equal(database.randomKey(), "a", "as Redis where nothing else is there");
    assert.equal(database.expireCycle(() => false).expired, 0);
    assert.equal(database.size, 1);
    assert.deepEqual(hooks.take(), ["missed a"]);
    hooks.expiredKeys = "delete";
    assert.equal(database.exists("a"), false);
    assert.equal(database.size, 0);
    assert.deepEqual(hooks.take(), ["expired 0 a"]);
    assert.equal(database.randomKey(), undefined);
  });

  it("counts hits and misses of reads only", () => {
    const { database } = setUp();
    database.set("a", "x");
    database.lookupRead("a");
    database.lookupRead("b");
    database.lookupWrite("b");
    database.peek("b");
    assert.deepEqual([database.hits, database.misses], [1, 1]);
  });

  it("finds rare volatile keys and expires them within its budget", () => {
    const { hooks, database } = setUp(false);
    for (let number = 0; number < 20_000; number++) {
      database.set(`k${number}`, number);
      if (number % 1000 === 0) database.setExpireAt(`k${number}`, hooks.time + number);
    }
    assert.equal(database.volatileSize, 20);
    hooks.time += 10_000;
    assert.deepEqual(
      database.expireCycle(() => false),
      {
        examined: 1,
        expired: 10,
        finished: true,
      },
    );
    assert.equal(database.volatileSize, 10);
    const batch = new EntryBatch();
    for (let draw = 0; draw < 50; draw++) assert.ok(database.sample(true, batch));
    assert.ok(batch.expireAts.every((at) => at >= hooks.time));
    for (let number = 0; number < 20_000; number++) database.setExpireAt(`k${number}`, hooks.time);
    hooks.time++;
    let calls = 0;
    const stopped = database.expireCycle(() => ++calls === 10);
    assert.ok(stopped.expired <= 320 && stopped.expired > 0 && !stopped.finished);
    assert.ok(database.expireCycle(() => false).finished);
    assert.equal(database.size, 0);
    assert.equal(database.sample(true, batch), false);
  });

  it("keeps slots apart: size, keys, detaching", () => {
    const { database } = setUp();
    for (let number = 0; number < 3000; number++) database.set(`{tag}${number}`, number);
    for (let number = 0; number < 3000; number++) database.set(`free${number}`, number);
    const slot = database.slotOf("tag");
    const others = database.size - 3000;
    assert.ok(database.slotSize(slot) >= 3000);
    assert.equal(database.keysInSlot(slot, 10).length, 10);
    assert.equal(new Set(database.keysInSlot(slot, 5000)).size, database.slotSize(slot));
    const detached = database.detachSlot(slot);
    assert.ok(detached >= 3000);
    assert.equal(database.peek("{tag}1"), undefined);
    assert.equal(database.size, 6000 - detached);
    assert.equal(scanAll(database, 100).length, database.size);
    for (let draw = 0; draw < 200; draw++) {
      assert.ok(database.exists(database.randomKey() as string));
    }
    database.set("{tag}new", 1);
    assert.equal(database.slotSize(slot), 1);
    assert.ok(database.delete("{tag}new"));
    assert.equal(database.slotSize(slot), 0);
    assert.ok(others === 3000);
  });

  it("swaps and clears databases as wholes", () => {
    const { parts } = setUp(false);
    const all = new DatabaseSet(3, parts);
    const [first, second] = all.databases as [Database, Database, Database];
    first.set("a", 1);
    second.set("b", 2);
    second.set("c", 3);
    second.setExpireAt("c", 9e15);
    all.swap(first, second);
    assert.deepEqual([first.size, second.size, first.volatileSize], [2, 1, 1]);
    assert.equal(first.peek("b"), 2);
    assert.equal(second.peek("a"), 1);
    first.replace("b", 4);
    assert.equal(first.peek("b"), 4);
    const detached = all.clear();
    assert.deepEqual(
      detached.map(({ size }) => size),
      [2, 1, 0],
    );
    assert.equal(all.size, 0);
    assert.equal(first.peek("b"), undefined);
    assert.equal(first.delete("b"), false);
    assert.equal(first.randomKey(), undefined);
    first.set("b", 5);
    assert.equal(first.size, 1);
  });

  it("visits everything in an order that the seed decides, while keys are deleted", () => {
    const run = (seed: number): string[] => {
      const { database } = setUp(true, seed);
      for (let number = 0; number < 2000; number++) database.set(`k${number}`, number);
      const order: string[] = [];
      database.forEach((key, value) => {
        order.push(key);
        database.delete(key);
        database.delete(`k${(value as number) ^ 1}`);
      });
      assert.equal(database.size, 0);
      assert.equal(order.length, 1000);
      return order;
    };
    assert.deepEqual(run(5), run(5));
    assert.notDeepEqual(run(5), run(6));
  });

  it("announces collections under free keys, not strings", () => {
    const { hooks, database } = setUp();
    database.set("s", "x");
    database.set("c", set);
    database.replace("s", set);
    assert.deepEqual(hooks.take(), ["added c"]);
  });

  it("tells encoding, idle time and frequency", () => {
    const { hooks, access, database } = setUp();
    database.set("n", "12", false, 2);
    database.set("r", "abc", false, 1);
    assert.equal(database.encoding("n"), "embstr");
    assert.equal(database.encoding("r"), "raw");
    database.replace("n", 12);
    assert.equal(database.encoding("n"), "int");
    assert.equal(database.encoding("none"), undefined);
    hooks.time += 5000;
    access.setNow(hooks.time);
    assert.equal(database.idleMs("n"), 5000);
    hooks.noTouch = true;
    database.lookupRead("n");
    assert.equal(database.idleMs("n"), 5000);
    hooks.noTouch = false;
    database.lookupRead("n");
    assert.equal(database.idleMs("n"), 0);
    database.setAccess("n", access.fromIdleMs(60_000));
    assert.equal(database.idleMs("n"), 60_000);
    assert.equal(database.encoding("n"), "int");
    access.lfu = true;
    database.set("f", "1");
    assert.equal(database.frequency("f"), 5);
    for (let use = 0; use < 1000; use++) database.touch("f");
    const used = database.frequency("f");
    assert.ok(used > 10 && used < 60, `${used}`);
    hooks.time += 3 * 60_000;
    access.setNow(hooks.time);
    assert.equal(database.frequency("f"), used - 3);
  });

  it("reads cursors as unsigned 64-bit integers", () => {
    const { database } = setUp();
    database.set("a", 1);
    assert.equal(parseCursor("x"), undefined);
    assert.equal(parseCursor("-1"), undefined);
    assert.equal(parseCursor("0"), 0);
    const beyond = parseCursor("18446744073709551615") as number;
    assert.equal(database.scan(beyond, 10, new EntryBatch()), 0);
    assert.equal(database.scan(parseCursor("35184372088831") as number, 10, new EntryBatch()), 0);
  });
});
