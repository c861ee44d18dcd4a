/** What the comparison with a real server does not reach: time, scans, use statistics, watches. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { CommandHarness } from "../../testing/command-harness.js";

test("an expiry in the past deletes, and is logged as a deletion", () => {
  const harness = new CommandHarness();
  harness.run("SET", "k", "v");
  assert.equal(harness.text("EXPIRE", "k", "-1"), ":1\r\n");
  assert.deepEqual(harness.records(), [["DEL", "k"]]);
  assert.equal(harness.text("EXISTS", "k"), ":0\r\n");
});

test("an expiry is logged as an absolute time", () => {
  const harness = new CommandHarness();
  harness.run("SET", "k", "v");
  harness.run("EXPIRE", "k", "10", "NX");
  assert.deepEqual(harness.records(), [["PEXPIREAT", "k", String(harness.now + 10_000), "NX"]]);
  harness.now += 4600;
  assert.equal(harness.value("TTL", "k"), 5, "5.4 seconds are rounded");
  assert.equal(harness.value("PTTL", "k"), 5400);
  harness.now += 5401;
  assert.equal(harness.value("TTL", "k"), -2);
  assert.deepEqual(harness.records(), [["DEL", "k"]]);
});

test("RENAME takes expiry, encoding and use along", () => {
  const harness = new CommandHarness();
  harness.run("SET", "a", "v");
  harness.run("APPEND", "a", "w");
  harness.run("PEXPIRE", "a", "9000");
  harness.run("SET", "b", "old");
  harness.now += 5000;
  assert.equal(harness.value("OBJECT", "IDLETIME", "a"), 5);
  assert.equal(harness.text("RENAME", "a", "b"), "+OK\r\n");
  assert.equal(harness.text("OBJECT", "ENCODING", "b"), "$3\r\nraw\r\n");
  assert.equal(harness.value("PTTL", "b"), 4000);
  assert.equal(harness.text("GET", "b"), "$2\r\nvw\r\n");
  assert.equal(harness.text("EXISTS", "a"), ":0\r\n");
});

test("a copy is a value of its own, whatever its type", () => {
  const harness = new CommandHarness();
  harness.run("SETRANGE", "bytes", "0", "abc");
  harness.run("RPUSH", "list", "a");
  for (const key of ["bytes", "list"]) assert.equal(harness.text("COPY", key, `${key}2`), ":1\r\n");
  harness.run("SETRANGE", "bytes", "0", "x");
  harness.run("SETRANGE", "bytes2", "1", "y");
  harness.run("RPUSH", "list2", "b");
  assert.equal(harness.text("MGET", "bytes", "bytes2"), "*2\r\n$3\r\nxbc\r\n$3\r\nayc\r\n");
  assert.equal(harness.text("LRANGE", "list", "0", "-1"), "*1\r\n$1\r\na\r\n");
});

test("SCAN returns every key once, and filters by pattern and type", () => {
  const harness = new CommandHarness();
  for (let count = 0; count < 1000; count += 1) harness.run("SET", `key:${count}`, "v");
  harness.run("RPUSH", "list:1", "a");
  const scan = (...options: string[]): string[] => {
    const found: string[] = [];
    let cursor = "0";
    do {
      const [next, keys] = harness.value("SCAN", cursor, ...options) as [Buffer, Buffer[]];
      found.push(...keys.map(String));
      cursor = String(next);
    } while (cursor !== "0");
    return found.sort();
  };
  assert.equal(new Set(scan()).size, 1001);
  assert.equal(scan("COUNT", "100").length, 1001);
  assert.deepEqual(scan("TYPE", "LIST"), ["list:1"]);
  assert.deepEqual(scan("MATCH", "key:99?", "COUNT", "5000").length, 10);
  assert.deepEqual(scan("TYPE", "nothing"), []);
  assert.match(harness.text("SCAN", "x"), /^-ERR invalid cursor/);
  assert.match(harness.text("SCAN", "0", "COUNT", "0"), /^-ERR syntax error/);
});

test("KEYS hides what has expired and deletes nothing", () => {
  const harness = new CommandHarness();
  harness.run("MSET", "a", "1", "b", "2");
  harness.run("PEXPIRE", "a", "1");
  harness.now += 2;
  assert.equal(harness.text("KEYS", "*"), "*1\r\n$1\r\nb\r\n");
  assert.deepEqual(harness.records(), []);
  assert.equal(harness.text("DBSIZE"), ":2\r\n");
});

test("TOUCH counts as a use even for a client whose other commands do not", () => {
  const harness = new CommandHarness();
  harness.run("SET", "k", "v");
  harness.now += 10_000;
  harness.run("EXISTS", "k");
  harness.run("TTL", "k");
  assert.equal(harness.value("OBJECT", "IDLETIME", "k"), 10);
  harness.client.noTouch = true;
  assert.equal(harness.text("TOUCH", "k", "none"), ":1\r\n");
  assert.equal(harness.value("OBJECT", "IDLETIME", "k"), 0);
});

test("FLUSHALL empties all databases and is logged even if there was nothing", () => {
  const harness = new CommandHarness();
  assert.equal(harness.text("FLUSHALL", "ASYNC"), "+OK\r\n");
  assert.deepEqual(harness.records().at(-1), ["FLUSHALL", "ASYNC"]);
  harness.run("SET", "a", "1");
  harness.run("SELECT", "1");
  harness.run("SET", "b", "1");
  harness.run("FLUSHALL");
  assert.deepEqual(harness.records(), [["FLUSHALL"]]);
  assert.equal(harness.node.databases.size, 0);
});

test("flushing and exchanging databases breaks the watches of keys that go or come", () => {
  const harness = new CommandHarness();
  const execAfter = (...words: string[]): string => {
    harness.run("SET", "here", "1");
    harness.run("WATCH", "here", "absent");
    harness.run(...words);
    harness.run("MULTI");
    return harness.text("EXEC");
  };
  assert.equal(execAfter("FLUSHDB"), "*-1\r\n");
  assert.equal(execAfter("SWAPDB", "0", "1"), "*-1\r\n");
  assert.equal(execAfter("SWAPDB", "2", "3"), "*0\r\n");
  harness.run("WATCH", "absent");
  harness.run("FLUSHALL");
  harness.run("MULTI");
  assert.equal(harness.text("EXEC"), "*0\r\n");
});

test("DUMP and RESTORE move a value, and the log has the absolute expiry", () => {
  const harness = new CommandHarness();
  harness.run("SET", "k", "hello");
  const payload = harness.value("DUMP", "k") as Buffer;
  assert.equal(
    harness.text("RESTORE", "k", "0", payload),
    "-BUSYKEY Target key name already exists.\r\n",
  );
  const text = payload.toString("latin1");
  assert.equal(harness.text("RESTORE", "k", "5000", text, "REPLACE", "IDLETIME", "7"), "+OK\r\n");
  const at = String(harness.now + 5000);
  assert.deepEqual(harness.records(), [
    ["RESTORE", "k", at, text, "REPLACE", "IDLETIME", "7", "ABSTTL"],
  ]);
  assert.equal(harness.text("GET", "k"), "$5\r\nhello\r\n");
  assert.equal(harness.value("PTTL", "k"), 5000);
  const damaged = `${text.slice(0, -1)}\x01`;
  assert.match(
    harness.text("RESTORE", "n", "0", damaged),
    /^-ERR DUMP payload version or checksum/,
  );
  assert.equal(harness.text("RESTORE", "k", "1", text, "REPLACE", "ABSTTL"), "+OK\r\n");
  assert.deepEqual(harness.records(), [["DEL", "k"]]);
});

test("small integers count as shared, as in Redis", () => {
  const harness = new CommandHarness();
  harness.run("MSET", "small", "9999", "large", "10000", "text", "x");
  assert.equal(harness.value("OBJECT", "REFCOUNT", "small"), 2147483647);
  assert.equal(harness.value("OBJECT", "REFCOUNT", "large"), 1);
  assert.equal(harness.value("OBJECT", "REFCOUNT", "text"), 1);
});

test("MOVE, SWAPDB and COPY to another database are refused in a cluster", () => {
  const harness = new CommandHarness({ config: { clusterEnabled: true } });
  harness.run("SET", "k", "v");
  assert.match(harness.text("MOVE", "k", "0"), /^-ERR MOVE is not allowed in cluster mode/);
  assert.match(harness.text("SWAPDB", "0", "0"), /^-ERR SWAPDB is not allowed in cluster mode/);
});

test("keys that a scan finds expired are deleted one by one, not as a transaction", () => {
  const harness = new CommandHarness();
  harness.run("SET", "a", "1", "PX", "5");
  harness.run("SET", "b", "2", "PX", "5");
  harness.now += 10;
  assert.equal(harness.text("SCAN", "0"), "*2\r\n$1\r\n0\r\n*0\r\n");
  assert.deepEqual(
    harness.records().toSorted((a, b) => String(a).localeCompare(String(b))),
    [
      ["DEL", "a"],
      ["DEL", "b"],
    ],
  );
});

test("SWAPDB that puts an expired key in the place of no key changes nothing for a watcher", () => {
  const harness = new CommandHarness();
  harness.run("SET", "k", "v", "PX", "5");
  harness.now += 10;
  harness.run("SELECT", "1");
  harness.run("WATCH", "k");
  harness.run("SWAPDB", "0", "1");
  harness.run("MULTI");
  harness.run("PING");
  assert.equal(harness.text("EXEC"), "*1\r\n+PONG\r\n");
});
