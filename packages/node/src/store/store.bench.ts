/**
 * Measures the keyspace; run by hand after a build, one part at a time:
 *
 *     node --expose-gc packages/node/dist/store/store.bench.js <part> [keys]
 *
 * Parts: `hash`, `cluster` (keys over 16384 tables), `single` (all in one table; for 20 million
 * pass --max-old-space-size=12000), `long` (keys of 20 kB), `churn`, `expire`, `walk` (a snapshot).
 */
import { Buffer } from "node:buffer";
import { readFileSync } from "node:fs";
import { PerformanceObserver } from "node:perf_hooks";
import { AccessClock } from "./access.js";
import { Database, type DatabaseParts, type StoreHooks } from "./database.js";
import { DatabaseSet } from "./database-set.js";
import { EntryBatch } from "./entry-batch.js";
import { KeyHasher } from "./key-hash.js";
import { MemoryTally } from "./memory-tally.js";
import { FastRandom } from "./random.js";
import { CollectionEnvironment, defaultCollectionLimits } from "./types/environment.js";

const hooks: StoreHooks = {
  now: () => Date.now(),
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

function newParts(perSlot: boolean): DatabaseParts {
  const random = new FastRandom(1);
  const access = new AccessClock(random);
  access.setNow(Date.now());
  const limits = defaultCollectionLimits;
  const collections = new CollectionEnvironment({ limits, seed: 99, random });
  const hasher = new KeyHasher(99);
  return { hooks, hasher, access, random, tally: new MemoryTally(), collections, perSlot };
}

function newDatabase(perSlot: boolean): Database {
  return new Database(0, newParts(perSlot));
}

const scratch = Buffer.alloc(64, "x");

/** A string as the network brings it: fresh, flat, 16 bytes. */
function keyOf(number: number): string {
  scratch.write(String(number).padStart(12, "0"), 4, "latin1");
  return scratch.toString("latin1", 0, 16);
}

function valueOf(number: number): string {
  scratch.write(String(number).padStart(12, "0"), 20, "latin1");
  return scratch.toString("latin1", 16, 48);
}

function nsPer(count: number, started: number): string {
  return `${(((performance.now() - started) * 1e6) / count).toFixed(0)} ns`;
}

function rssMb(): number {
  globalThis.gc?.();
  globalThis.gc?.();
  return process.memoryUsage.rss() / 1e6;
}

function makeKeys(keys: number): void {
  const started = performance.now();
  for (let number = 0; number < keys; number++) valueOf(keyOf(number).length + number);
  console.log(`of which making key and value strings: ${nsPer(keys, started)}`);
}

/**
 * CPU time of the main thread in ms, where Linux tells it (in steps of up to 4 ms): unlike
 * a clock it does not count what other processes took of the machine.
 */
function threadMs(): number {
  try {
    return Number(readFileSync("/proc/self/schedstat", "latin1").split(" ")[0]) / 1e6;
  } catch {
    return performance.now();
  }
}

const BLOCK = 200;

/** Inserts in blocks; the slowest ones tell how long a single insertion can take at most. */
async function insert(database: Database, keys: number): Promise<void> {
  const before = rssMb();
  const blocks: { readonly from: number; readonly to: number; readonly ms: number }[] = [];
  const pauses: { readonly from: number; readonly to: number }[] = [];
  const observer = new PerformanceObserver((list) => {
    for (const { startTime, duration } of list.getEntries()) {
      pauses.push({ from: startTime, to: startTime + duration });
    }
  });
  observer.observe({ entryTypes: ["gc"] });
  const started = performance.now();
  for (let first = 0; first < keys; first += BLOCK) {
    const from = performance.now();
    const cpu = threadMs();
    for (let number = first; number < first + BLOCK; number++) {
      database.set(keyOf(number), valueOf(number));
    }
    const ms = threadMs() - cpu;
    if (ms > 1) blocks.push({ from, to: performance.now(), ms });
    // The observer is told of pauses between turns.
    if (first % 100_000 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  console.log(`insert ${keys}: ${nsPer(keys, started)} each`);
  await new Promise((resolve) => setImmediate(resolve));
  observer.disconnect();
  const own = blocks.filter((block) => !pauses.some((p) => p.from < block.to && p.to > block.from));
  const longest = (list: readonly { readonly ms: number }[]): string =>
    `${Math.max(0, ...list.map(({ ms }) => ms)).toFixed(1)} ms`;
  console.log(
    `slowest ${BLOCK} insertions: ${longest(blocks)} of CPU, ${longest(own)} without the collector`,
  );
  const after = rssMb();
  const bytes = ((after - before) * 1e6) / keys;
  console.log(`rss ${after.toFixed(0)} MB, ${bytes.toFixed(0)} B per key`);
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  console.log(
    `heap ${(heapUsed / 1e6).toFixed(0)} MB, buffers ${(arrayBuffers / 1e6).toFixed(0)} MB`,
  );
}

function read(database: Database, keys: number): void {
  const count = 1_000_000;
  const random = new FastRandom(3);
  const probes = Array.from({ length: count }, () => keyOf(random.below(keys)));
  let found = 0;
  let started = performance.now();
  for (const key of probes) if (database.lookupRead(key) !== undefined) found++;
  console.log(`cold random hits: ${nsPer(count, started)} (${found})`);
  started = performance.now();
  let total = 0;
  for (const key of probes) total += (database.lookupRead(key) as string).charCodeAt(0);
  console.log(`cold random hits, value read: ${nsPer(count, started)} (${total % 7})`);
  const warm = probes.slice(0, 256);
  for (let round = 0; round < 4; round++) {
    started = performance.now();
    for (let index = 0; index < count; index++) {
      if (database.lookupRead(warm[index & 255] as string) !== undefined) found++;
    }
    if (round === 3) console.log(`warm hits (256 keys): ${nsPer(count, started)}`);
  }
  started = performance.now();
  const one = probes[0] as string;
  for (let index = 0; index < count; index++) {
    if (database.lookupWrite(one) !== undefined) database.replace(one, index);
  }
  console.log(`lookupWrite and replace, one key: ${nsPer(count, started)}`);
  const absent = Array.from({ length: 256 }, (_, index) => keyOf(keys + index));
  started = performance.now();
  for (let index = 0; index < count; index++) database.lookupRead(absent[index & 255] as string);
  console.log(`warm misses: ${nsPer(count, started)}`);
  started = performance.now();
  for (let index = 0; index < 100_000; index++) database.randomKey();
  console.log(`randomKey: ${nsPer(100_000, started)}`);
}

function scanAll(database: Database, keys: number): void {
  const batch = new EntryBatch();
  const started = performance.now();
  let cursor = 0;
  let longest = 0;
  do {
    batch.clear();
    const before = performance.now();
    cursor = database.scan(cursor, 10, batch);
    longest = Math.max(longest, performance.now() - before);
  } while (cursor !== 0);
  console.log(`scan by 10: ${nsPer(keys, started)} per key, longest ${longest.toFixed(2)} ms`);
}

function hash(): void {
  for (const length of [4, 8, 16, 32, 64, 1000, 20_000]) {
    const hasher = new KeyHasher(7);
    const pad = Buffer.alloc(length, "y");
    const keys = Array.from({ length: 256 }, (_, index) => {
      pad.write(String(index).padStart(3, "0"), length - 3, "latin1");
      return pad.toString("latin1");
    });
    const count = Math.min(2_000_000, Math.ceil(2e8 / length));
    let sum = 0;
    for (let round = 0; round < 3; round++) {
      const started = performance.now();
      for (let index = 0; index < count; index++) sum += hasher.hashOf(keys[index & 255] as string);
      if (round === 2) console.log(`${length} chars: ${nsPer(count, started)} (${sum % 2})`);
    }
  }
}

function long(): void {
  const database = newDatabase(true);
  const tail = "z".repeat(19_900);
  const keys = Array.from({ length: 10_000 }, (_, index) =>
    Buffer.from(keyOf(index) + tail, "latin1").toString("latin1"),
  );
  let started = performance.now();
  for (const key of keys) database.set(key, 1);
  console.log(`insert keys of ${keys[0]?.length} chars: ${nsPer(keys.length, started)}`);
  started = performance.now();
  for (const key of keys) if (database.peek(key) !== 1) throw new Error("lost");
  console.log(`find them: ${nsPer(keys.length, started)}`);
}

function churn(): void {
  const database = newDatabase(true);
  const keys = Array.from({ length: 1000 }, (_, index) => keyOf(index));
  for (let round = 0; round < 300; round++) {
    const started = performance.now();
    for (const key of keys) database.set(key, 1);
    for (const key of keys) database.delete(key);
    if (round === 299) console.log(`insert and delete in an empty slot: ${nsPer(1000, started)}`);
  }
}

function expire(keys: number): void {
  const database = newDatabase(true);
  for (let number = 0; number < keys; number++) {
    const key = keyOf(number);
    database.set(key, 1);
    database.setExpireAt(key, Date.now() + (number % 10 === 0 ? 0 : 1e9));
  }
  console.log(`rss ${rssMb().toFixed(0)} MB with ${keys} volatile keys`);
  for (let round = 0; round < 60; round++) {
    const started = performance.now();
    const { expired } = database.expireCycle(() => false);
    const ms = performance.now() - started;
    if (round < 2 || round === 59) {
      console.log(`expire cycle ${round + 1}: ${ms.toFixed(2)} ms, ${expired} expired`);
    }
  }
}

function walk(keys: number): void {
  const set = new DatabaseSet(1, newParts(true));
  const random = new FastRandom(2);
  for (let number = 0; number < keys; number++) set.first.set(keyOf(number), valueOf(number));
  for (const changesPerSlice of [0, 100]) {
    let bytes = 0;
    const sink = { entry: (_db: number, key: string) => void (bytes += key.length) };
    const snapshot = set.beginWalk({ sink, preimageBytesMax: 1e9 });
    let walked = 0;
    let changed = 0;
    let slices = 0;
    let peak = 0;
    for (let finished = false; !finished; slices++) {
      let started = performance.now();
      const end = started + 1;
      finished = snapshot.step(() => performance.now() > end);
      walked += performance.now() - started;
      started = performance.now();
      for (let change = 0; change < changesPerSlice; change++) {
        set.first.set(keyOf(random.below(keys)), change);
      }
      changed += performance.now() - started;
      peak = Math.max(peak, snapshot.preimageBytes);
    }
    const each = (changed * 1e6) / Math.max(1, slices * changesPerSlice);
    const perKey = ((walked * 1e6) / keys).toFixed(0);
    console.log(
      `walk with ${changesPerSlice} changes per slice: ${perKey} ns per key, ${slices} slices`,
    );
    console.log(`${each.toFixed(0)} ns per change, at most ${peak} bytes queued (${bytes})`);
  }
}

const part = process.argv[2] ?? "cluster";
const keyCount = Number(process.argv[3] ?? 1_000_000);
if (part === "hash") hash();
else if (part === "long") long();
else if (part === "churn") churn();
else if (part === "expire") expire(keyCount);
else if (part === "walk") walk(keyCount);
else {
  makeKeys(keyCount);
  const database = newDatabase(part === "cluster");
  await insert(database, keyCount);
  read(database, keyCount);
  scanAll(database, keyCount);
}
