import assert from "node:assert/strict";
import { test } from "node:test";
import { keySlot } from "@slotlog/cluster-bus";
import { type BaseKey } from "./base-keys.js";
import { dumpAof, type DumpFilter } from "./dump.js";
import { keyHistory } from "./history.js";
import { locateAof } from "./source.js";
import { AofFiles, type BaseKeyContent, disk, log, rdb } from "./testing/aof-files.js";
import type { RecordAt } from "./walk.js";

const all: DumpFilter = {
  keys: [],
  slots: new Set(),
  commands: new Set(),
  since: undefined,
  until: undefined,
};

const baseKeys: readonly BaseKeyContent[] = [
  { key: "text", value: { type: "string", value: "value" }, expireAt: 4_000_000_000_000 },
  { key: "number", value: { type: "string", value: 1234 } },
  { key: "list", value: { type: "list", items: ["a", "b"] } },
  { key: "hash", value: { type: "hash", pairs: ["f", "v"] } },
  { key: "zset", value: { type: "zset", members: ["m"], scores: [1.5] } },
];

const lineOf = ({ argv, db, offset }: RecordAt): string =>
  `${offset} ${db} ${argv.map(String).join(" ")}`;
const keyLineOf = ({ db, key, type, size, expireAt }: BaseKey): string =>
  `base ${db} ${String(key)} ${type} ${size} ${expireAt}`;

async function dump(files: AofFiles, filter: Partial<DumpFilter>, base = false): Promise<string[]> {
  const lines: string[] = [];
  await dumpAof({
    disk,
    source: await locateAof(disk, files.data),
    filter: { ...all, ...filter },
    base,
    sink: {
      record: (record) => lines.push(lineOf(record)),
      baseKey: (_file, key) => lines.push(keyLineOf(key)),
    },
  });
  return lines;
}

async function history(files: AofFiles, key: string, db?: number): Promise<string[]> {
  const lines: string[] = [];
  await keyHistory({
    disk,
    source: await locateAof(disk, files.data),
    key,
    db,
    sink: {
      record: ({ argv, db: at }) => lines.push(`${at} ${argv.map(String).join(" ")}`),
      baseKey: (_file, found) => lines.push(keyLineOf(found)),
    },
  });
  return lines;
}

test("records come with their offset and database, the base's keys in short", async () => {
  using files = new AofFiles(rdb(1, baseKeys), log("SELECT 2", "SET a 1"), log("SET b 2"));
  assert.deepEqual(await dump(files, {}, true), [
    "base 0 text string 5 4000000000000",
    "base 0 number string 4 -1",
    "base 0 list list 2 -1",
    "base 0 hash hash 1 -1",
    "base 0 zset zset 1 -1",
    "0 2 SELECT 2",
    "23 2 SET a 1",
    "0 0 SET b 2",
  ]);
});

test("the base's values as commands", async () => {
  using files = new AofFiles(rdb(1, baseKeys));
  const lines: string[] = [];
  await dumpAof({
    disk,
    source: await locateAof(disk, files.data),
    filter: all,
    base: true,
    sink: {
      record: () => assert.fail("there are no records"),
      baseKey: () => assert.fail("commands were asked for"),
      baseCommand: (_file, db, argv) => lines.push(`${db} ${argv.map(String).join(" ")}`),
    },
  });
  assert.deepEqual(lines, [
    "0 SET text value",
    "0 PEXPIREAT text 4000000000000",
    "0 SET number 1234",
    "0 RPUSH list a b",
    "0 HSET hash f v",
    "0 ZADD zset 1.5 m",
  ]);
});

test("filters: keys at their positions, slots, commands, times", async () => {
  const lines = ["SET a b", "SET b a", "MSET x 1 a 2", "#TS:100", "DEL c", "#TS:200", "DEL a"];
  using files = new AofFiles(rdb(1, baseKeys), log(...lines));
  const words = async (filter: Partial<DumpFilter>): Promise<string[]> =>
    (await dump(files, filter, true)).map((line) => line.split(" ").slice(2).join(" "));
  assert.deepEqual(await words({ keys: ["a"] }), ["SET a b", "MSET x 1 a 2", "DEL a"]);
  assert.deepEqual(await words({ keys: ["c", "list"] }), ["list list 2 -1", "DEL c"]);
  assert.deepEqual(await words({ slots: new Set([keySlot("c")]) }), ["DEL c"]);
  assert.deepEqual(await words({ commands: new Set(["del"]) }), ["DEL c", "DEL a"]);
  assert.deepEqual(await words({ commands: new Set(["del"]), until: 199 }), ["DEL c"]);
  assert.deepEqual(await words({ since: 200 }), ["DEL a"]);
});

test("a key's history: what names it, and what changes every key of its database", async () => {
  const records = [
    ...["SET a 1", "SET b a", "RENAME a c", "RENAME d a", "COPY x a DB 3", "SWAPDB 0 1"],
    ...["SELECT 1", "SET a 9", "FLUSHDB", "MOVE a 0", "SELECT 3", "DEL a", "FLUSHDB", "FLUSHALL"],
  ];
  const base = { key: "a", value: { type: "set", members: ["x"] } } as const;
  using files = new AofFiles(rdb(1, [base, ...baseKeys]), log(...records, "MODULE.SET z a"));
  const inBase = "base 0 a set 1 -1";
  assert.deepEqual(await history(files, "a"), [
    inBase,
    ...["0 SET a 1", "0 RENAME a c", "0 RENAME d a", "0 COPY x a DB 3", "0 SWAPDB 0 1"],
    ...["1 SET a 9", "1 FLUSHDB", "1 MOVE a 0", "3 DEL a", "3 FLUSHDB", "3 FLUSHALL"],
    // Which of its arguments are keys is not known.
    "3 MODULE.SET z a",
  ]);
  assert.deepEqual(await history(files, "a", 0), [
    inBase,
    ...["0 SET a 1", "0 RENAME a c", "0 RENAME d a", "0 COPY x a DB 3", "0 SWAPDB 0 1"],
    ...["1 MOVE a 0", "3 FLUSHALL"],
  ]);
  assert.deepEqual((await history(files, "a", 3)).slice(0, 2), ["0 COPY x a DB 3", "3 DEL a"]);
});

test("large values pass through, and are named by their length only", async () => {
  const large = "x".repeat(3_000_000);
  using files = new AofFiles(rdb(1), log(`SET a ${large}`, "SET b 1"));
  assert.deepEqual((await dump(files, { keys: ["b"] })).length, 1);
  const [line] = await dump(files, { keys: ["a"] });
  assert.equal(line?.length, "0 0 SET a ".length + large.length);
});
