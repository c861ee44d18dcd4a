import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { FastRandom } from "../random.js";
import { BlockMemory } from "./block-memory.js";
import { ByteTable } from "./byte-table.js";
import { CollectionEnvironment, defaultCollectionLimits } from "./environment.js";
import { HashValue } from "./hash.js";
import { SetValue } from "./set.js";
import { StreamValue } from "./stream.js";
import { ZsetValue } from "./zset.js";

const mebibyte = 2 ** 20;

function environment(): CollectionEnvironment {
  const random = new FastRandom(3);
  return new CollectionEnvironment({ limits: defaultCollectionLimits, seed: 3, random });
}

/** A collection of each type that has blocks, with copies; nobody knows them afterwards. */
function makeAndForget(given: CollectionEnvironment, count: number): void {
  const hash = new HashValue(given);
  const long = "longer than a page".repeat(10_000);
  const set = new SetValue(given, "listpack");
  const zset = new ZsetValue(given);
  const stream = new StreamValue(given);
  for (let index = 0; index < count; index++) {
    hash.set(`field:${index}`, index % 500 === 0 ? "long".repeat(400) : `value:${index}`);
    set.add(`member:${index}`);
    zset.set(`member:${index}`, index);
    stream.append({ ms: index + 1, seq: 0 }, ["field", index % 5000 === 0 ? long : "value"], 0);
  }
  assert.ok(zset.resting > 0);
  const copies = [hash, set, zset, stream].map((each) => each.copy());
  for (const copy of copies) assert.equal(copy.length, count);
  // Some leaves that rest are woken, and some join others.
  for (let index = 0; index < count; index += 3) zset.remove(`member:${index}`);
  for (let index = 0; index < count; index += 30) stream.delete({ ms: index + 1, seq: 0 });
  stream.trim({ maxLength: count / 2, approximate: false, limit: 0 });
}

describe("memory of large collections", () => {
  let collect: () => void;

  before(() => {
    setFlagsFromString("--expose-gc");
    collect = runInNewContext("gc") as () => void;
  });

  /** Goes on until V8 has told of what is dead: it does so in a turn of its own. */
  async function untilFreed(given: CollectionEnvironment): Promise<void> {
    const slab = given.blocks.openSlab();
    for (let turn = 0; turn < 1000 && slab.liveWords > 0; turn++) {
      collect();
      await nextTurn();
      given.blocks.cron();
    }
    assert.equal(slab.liveWords, 0);
  }

  it("is free again when nobody knows them any more", async () => {
    const given = environment();
    makeAndForget(given, 20_000);
    const slab = given.blocks.openSlab();
    const held = 4 * slab.liveWords;
    assert.ok(held > mebibyte, `${held} bytes`);
    await untilFreed(given);
    assert.ok(slab.capacityBytes < 4 * mebibyte, "and what is empty is given back");
    assert.equal(given.blocks.idleBytes, slab.capacityBytes);
    makeAndForget(given, 20_000);
    assert.equal(4 * slab.liveWords, held, "it serves again");
  });

  it("is freed a bit for each new piece, without waiting for the cron", async () => {
    const given = environment();
    makeAndForget(given, 20_000);
    const slab = given.blocks.openSlab();
    const held = slab.liveWords;
    collect();
    for (let turn = 0; turn < 3; turn++) await nextTurn();
    const idle = given.blocks.idleBytes;
    assert.ok(idle > 4 * held, "what is dead is told at once");
    for (let piece = 0; piece < 2000; piece++) given.blocks.openSlab();
    assert.equal(slab.liveWords, 0);
  });

  it("comes from another slab when one is full", () => {
    const memory = new BlockMemory(2 * mebibyte);
    const first = memory.openSlab();
    const table = new ByteTable(true, memory);
    const count = 300_000;
    for (let index = 0; index < count; index++) {
      table.set(`member:${index}`, Math.imul(index, 0x9e3779b1) >>> 2, index);
    }
    assert.notEqual(memory.openSlab(), first);
    assert.ok(first.capacityBytes < 6 * mebibyte, `${first.capacityBytes}`);
    for (let index = 0; index < count; index++) {
      const hash = Math.imul(index, 0x9e3779b1) >>> 2;
      assert.equal(table.number(`member:${index}`, hash), index);
    }
    table.release();
    assert.equal(table.account.bytes, 0);
    assert.equal(first.liveWords, 0);
  });
});
