import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { CommandHarness } from "../testing/command-harness.js";
import type { Database } from "./database.js";
import { EvictionPool, evictionTimeMs } from "./eviction.js";

const database = {} as Database;
const oom = "-OOM command not allowed when used memory > 'maxmemory'.\r\n";

/** A node with so many keys `k0`, `k1`, … and room for `spare` bytes. */
function filled(policy: string, keys: number, make: (harness: CommandHarness, n: number) => void) {
  const harness = new CommandHarness();
  assert.equal(harness.text("CONFIG", "SET", "maxmemory-policy", policy), "+OK\r\n");
  for (let n = 0; n < keys; n += 1) make(harness, n);
  limit(harness, 1);
  return harness;
}

/** Leaves this share of what there is. */
function limit(harness: CommandHarness, share: number, spare = 0): void {
  const { gauge, tally } = harness.node.memory;
  gauge.refresh();
  const bytes = Math.floor(gauge.usedBytes - tally.bytes * (1 - share)) + spare;
  assert.equal(harness.text("CONFIG", "SET", "maxmemory", String(bytes)), "+OK\r\n");
}

function set(harness: CommandHarness, n: number): void {
  harness.run("SET", `k${n}`, "x".repeat(100));
}

/** How many of the keys k`from` to before k`to` are still there. */
function left(harness: CommandHarness, from: number, to: number): number {
  let count = 0;
  for (let n = from; n < to; n += 1) {
    if (harness.node.databases.first.exists(`k${n}`)) count += 1;
  }
  return count;
}

/** Writes keys with other names until as many were evicted. */
function evict(harness: CommandHarness, count: number): void {
  for (let n = 0; harness.node.stats.evictedKeys < count; n += 1) {
    assert.equal(harness.text("SET", `n${n}`, "x".repeat(100)), "+OK\r\n");
    assert.ok(n < 20 * count, "nothing is evicted");
  }
}

describe("EvictionPool", () => {
  it("keeps the best sixteen and gives the best one first", () => {
    const pool = new EvictionPool();
    const scores = Array.from({ length: 100 }, (_, n) => (n * 37) % 100);
    for (const score of scores) pool.offer(database, `k${score}`, score);
    assert.equal(pool.length, 16);
    const taken = Array.from({ length: 16 }, () => pool.takeBest().score);
    assert.deepEqual(
      taken,
      Array.from({ length: 16 }, (_, n) => 99 - n),
    );
  });

  it("takes a key in once", () => {
    const pool = new EvictionPool();
    pool.offer(database, "a", 1);
    pool.offer(database, "a", 2);
    assert.equal(pool.length, 1);
  });
});

describe("eviction", () => {
  it("takes as long as the tenacity allows", () => {
    assert.equal(evictionTimeMs(0), 0);
    assert.equal(evictionTimeMs(10), 0.5);
    assert.ok(evictionTimeMs(99) > 100_000);
    assert.equal(evictionTimeMs(100), Number.POSITIVE_INFINITY);
  });

  it("refuses writes under noeviction, and nothing else", () => {
    const harness = filled("noeviction", 10, set);
    limit(harness, 1, -1);
    assert.equal(harness.text("SET", "n", "x"), oom);
    assert.equal(harness.text("GET", "k1"), `$100\r\n${"x".repeat(100)}\r\n`);
    assert.equal(harness.text("DEL", "k1"), ":1\r\n");
    assert.equal(harness.text("SET", "n", "x"), "+OK\r\n");
  });

  it("does not queue in a transaction what it would have to keep, and lets it end", () => {
    const harness = filled("noeviction", 10, set);
    limit(harness, 1, -1);
    assert.equal(harness.text("MULTI"), "+OK\r\n");
    assert.equal(harness.text("GET", "k1"), oom);
    assert.match(harness.text("EXEC"), /^-EXECABORT/);
    assert.equal(harness.text("MULTI"), "+OK\r\n");
    assert.equal(harness.text("DISCARD"), "+OK\r\n");
  });

  it("evicts under allkeys-lru mostly what was not used", () => {
    const harness = filled("allkeys-lru", 200, set);
    harness.now += 10_000;
    for (let n = 0; n < 100; n += 1) harness.run("GET", `k${n}`);
    evict(harness, 80);
    const used = left(harness, 0, 100);
    const unused = left(harness, 100, 200);
    assert.ok(used > 90 && unused < 40, `${used} of the used, ${unused} of the others`);
  });

  it("evicts under allkeys-lfu mostly what was seldom used", () => {
    const harness = filled("allkeys-lfu", 200, set);
    for (let times = 0; times < 30; times += 1) {
      for (let n = 0; n < 100; n += 1) harness.run("GET", `k${n}`);
    }
    evict(harness, 60);
    const used = left(harness, 0, 100);
    assert.ok(used > 95, `${used} of those used often`);
  });

  it("evicts under volatile-ttl mostly what ends soon", () => {
    const harness = filled("volatile-ttl", 200, (node, n) => {
      node.run("SET", `k${n}`, "x".repeat(100), "EX", n < 100 ? "1000" : "9000");
    });
    evict(harness, 80);
    const soon = left(harness, 0, 100);
    const late = left(harness, 100, 200);
    assert.ok(soon < 40 && late > 85, `${soon} that end soon, ${late} that end late`);
  });

  for (const policy of ["volatile-lru", "volatile-lfu", "volatile-random", "volatile-ttl"]) {
    it(`evicts under ${policy} no key without expiry, and refuses when they are all that is left`, () => {
      const harness = filled(policy, 100, (node, n) => {
        set(node, n);
        if (n >= 50) node.run("EXPIRE", `k${n}`, "1000");
      });
      evict(harness, 50);
      assert.equal(left(harness, 0, 50), 50);
      assert.equal(left(harness, 50, 100), 0);
      limit(harness, 0);
      assert.equal(harness.text("SET", "n", "x"), oom);
    });
  }

  it("evicts under allkeys-random from all databases", () => {
    const harness = filled("allkeys-random", 50, set);
    harness.run("SELECT", "3");
    for (let n = 0; n < 50; n += 1) set(harness, n);
    limit(harness, 0.5);
    harness.run("PING");
    const sizes = [0, 3].map((index) => harness.node.databases.get(index)?.size as number);
    assert.ok(Math.abs((sizes[0] as number) - (sizes[1] as number)) < 5, String(sizes));
  });

  it("logs each key as a record of its own, in front of the command's", () => {
    const harness = filled("allkeys-lru", 50, set);
    limit(harness, 1, -1);
    harness.run("SET", "n", "x");
    const [evicted, written, ...others] = harness.records();
    assert.equal(evicted?.[0], "DEL");
    assert.deepEqual(written, ["SET", "n", "x"]);
    assert.deepEqual(others, []);
    harness.run("CONFIG", "SET", "lazyfree-lazy-eviction", "yes");
    limit(harness, 1, -1);
    harness.run("PING");
    assert.equal(harness.records().at(-1)?.[0], "UNLINK");
  });

  it("breaks a WATCH and notifies", () => {
    const harness = filled("allkeys-lru", 1, set);
    const chunks: string[] = [];
    const listener = harness.newClient({
      ...silentLink,
      push: (bytes: Buffer) => chunks.push(bytes.toString("latin1")),
    });
    limit(harness, 1, 10_000);
    set(harness, 0);
    assert.equal(harness.text("CONFIG", "SET", "notify-keyspace-events", "Ee"), "+OK\r\n");
    harness.node.pubsub.subscribe(listener, "channel", "__keyevent@0__:evicted");
    harness.run("WATCH", "k0");
    limit(harness, 0);
    harness.run("PING");
    limit(harness, 0, 10_000);
    harness.run("MULTI");
    assert.equal(harness.text("EXEC"), "*-1\r\n");
    assert.match(chunks.join(""), /evicted\r\n\$2\r\nk0/);
  });

  it("waits while clients are paused", () => {
    const harness = filled("allkeys-lru", 10, set);
    harness.run("CLIENT", "PAUSE", "100000", "WRITE");
    limit(harness, 0);
    assert.equal(harness.node.memory.makeRoom(), true);
    assert.equal(harness.node.stats.evictedKeys, 0);
  });
});

const silentLink = {
  remoteAddress: "127.0.0.1:1",
  localAddress: "127.0.0.1:2",
  queryBufferBytes: 0,
  outputBufferBytes: 0,
  outputChunks: 0,
  chunk: () => {},
  closeAfterReplies: () => {},
  closeNow: () => {},
  resume: () => {},
};
