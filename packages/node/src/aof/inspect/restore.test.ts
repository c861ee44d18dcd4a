import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { checkAof } from "./check.js";
import { type CutPoint, findCut, type Moment } from "./cut-point.js";
import { restoreAof } from "./restore.js";
import { locateAof } from "./source.js";
import { AofFiles, disk, log, nobody, rdb, recordsIn } from "./testing/aof-files.js";

/** Restores to `<data>/to` and returns the records there. */
async function restored(
  files: AofFiles,
  moment: Moment,
): Promise<{ lines: string[]; cut: CutPoint; target: string }> {
  const source = await locateAof(disk, files.data);
  const cut = await findCut({ disk, source, moment });
  const target = fs.mkdtempSync(path.join(files.data, "to-"));
  await restoreAof({ disk, source, cut, target });
  const report = await checkAof({ disk, path: target, ownerOf: nobody });
  assert.equal(report.sound, true, report.problems.join());
  return { lines: (await recordsIn(target)).lines, cut, target };
}

const before = (name: string, key?: string): Moment => ({ kind: "command", name, key });

test("without the last FLUSHALL and all behind it, later files left out", async () => {
  const first = log("SELECT 0", "SET a 1", "FLUSHALL", "SET b 2");
  const second = log("SELECT 0", "SET c 3", "FLUSHALL", "SET d 4");
  const third = log("SET e 5");
  using files = new AofFiles(rdb(1), first, second, third);
  const { lines, cut, target } = await restored(files, before("flushall"));
  assert.deepEqual(lines, [
    ...["SELECT 0", "SET a 1", "FLUSHALL", "SET b 2"],
    ...["SELECT 0", "SET c 3"],
  ]);
  assert.match(cut.dropped ?? "", /^FLUSHALL at appendonly\.aof\.2\.incr\.aof:/);
  const directory = path.join(target, "appendonlydir");
  assert.deepEqual(fs.readdirSync(directory).sort(), [
    "appendonly.aof.1.base.rdb",
    "appendonly.aof.1.incr.aof",
    "appendonly.aof.2.incr.aof",
    "appendonly.aof.manifest",
  ]);
  const manifest = fs.readFileSync(path.join(directory, "appendonly.aof.manifest"), "latin1");
  assert.doesNotMatch(manifest, /3\.incr/);
});

test("without the last command that names a key", async () => {
  using files = new AofFiles(rdb(1), log("SET a 1", "DEL a", "SET b 1", "DEL b c", "DEL d"));
  assert.deepEqual((await restored(files, before("del", "c"))).lines, [
    "SET a 1",
    "DEL a",
    "SET b 1",
  ]);
  await assert.rejects(restored(files, before("del", "x")), /holds no DEL that names this key/);
});

test("a transaction is kept or dropped as a whole", async () => {
  using files = new AofFiles(
    rdb(1),
    log("SET a 1", "MULTI", "SET b 1", "FLUSHALL", "EXEC", "SET c 1"),
  );
  const { lines, cut } = await restored(files, before("flushall"));
  assert.deepEqual(lines, ["SET a 1"]);
  assert.match(cut.dropped ?? "", /with its transaction/);
});

test("an offset anywhere cuts at the start of what holds it", async () => {
  const records = ["SET a 1", "SET b 22", "MULTI", "SET c 3", "EXEC", "SET d 4"];
  const bytes = log(...records);
  const ends = records.map((_, index) => log(...records.slice(0, index + 1)).length);
  const source = new AofFiles(rdb(1), bytes);
  using files = source;
  for (let offset = 0; offset <= bytes.length; offset++) {
    const { lines } = await restored(files, { kind: "offset", file: undefined, offset });
    let whole = ends.filter((end) => end <= offset).length;
    if (whole === 3 || whole === 4) whole = 2;
    assert.deepEqual(lines, records.slice(0, whole), `offset ${offset}`);
  }
});

test("offsets name their file where there are several", async () => {
  using files = new AofFiles(rdb(1), log("SET a 1"), log("SET b 1"));
  const at = (file: string | undefined, offset: number): Moment => ({
    kind: "offset",
    file,
    offset,
  });
  const first = "appendonly.aof.1.incr.aof";
  await assert.rejects(restored(files, at(undefined, 3)), /FILE:OFFSET/);
  await assert.rejects(restored(files, at("nothing", 3)), /no file that can be cut/);
  await assert.rejects(restored(files, at("appendonly.aof.1.base.rdb", 3)), /no file that can be/);
  await assert.rejects(restored(files, at(first, 9999)), /has 27 bytes/);
  const end = await restored(files, at(first, 27));
  assert.deepEqual(end.lines, ["SET a 1"]);
  assert.match(end.cut.dropped ?? "", /all files behind/);
  assert.deepEqual((await restored(files, at("appendonly.aof.2.incr.aof", 27))).lines, [
    "SET a 1",
    "SET b 1",
  ]);
});

test("up to a time, that second included", async () => {
  const first = log("#TS:1700000010", "SET a 1", "#TS:1700000020", "SET b 2");
  const second = log("SET c 3", "#TS:1700000030", "SET d 4", "#TS:1700000040", "SET e 5");
  using files = new AofFiles(rdb(1_700_000_005), first, second);
  const until = async (seconds: number): Promise<string> => {
    const { lines } = await restored(files, { kind: "until", seconds });
    return lines.map((line) => line.split(" ")[1]).join("");
  };
  assert.equal(await until(1_700_000_005), "");
  assert.equal(await until(1_700_000_010), "a");
  assert.equal(await until(1_700_000_019), "a");
  assert.equal(await until(1_700_000_020), "abc");
  assert.equal(await until(1_700_000_039), "abcd");
  assert.equal(await until(1_800_000_000), "abcde");
  await assert.rejects(until(1_700_000_004), /reaches no further back/);
});

test("a log without times cannot be cut by time", async () => {
  using files = new AofFiles(rdb(1), log("SET a 1"));
  await assert.rejects(restored(files, { kind: "until", seconds: 5 }), /holds no times/);
});

test("damage before the moment is refused, behind it does no harm", async () => {
  const good = log("SET a 1", "FLUSHALL");
  const bytes = Buffer.concat([good, Buffer.from("garbage\r\n"), log("SET b 1", "SET c 1")]);
  using files = new AofFiles(rdb(1), bytes, log("FLUSHALL"));
  await assert.rejects(restored(files, before("flushall")), /damaged at offset 45/);
  const offset = (at: number): Moment => ({
    kind: "offset",
    file: "appendonly.aof.1.incr.aof",
    offset: at,
  });
  assert.deepEqual((await restored(files, offset(27))).lines, ["SET a 1"]);
  assert.deepEqual((await restored(files, offset(45))).lines, ["SET a 1", "FLUSHALL"]);
  await assert.rejects(restored(files, offset(60)), /damaged/);
});

test("a torn end is where the log ends", async () => {
  using files = new AofFiles(rdb(1), log("SET a 1", "FLUSHALL", "SET b 1").subarray(0, -3));
  assert.deepEqual((await restored(files, before("flushall"))).lines, ["SET a 1"]);
  const all = await restored(files, { kind: "offset", file: undefined, offset: 60 });
  assert.deepEqual(all.lines, ["SET a 1", "FLUSHALL"]);
});

test("the single file of Redis 6 becomes a base", async () => {
  using files = new AofFiles();
  const key = { key: "k", value: { type: "string", value: "v" } } as const;
  const bytes = Buffer.concat([rdb(1, [key]), log("SET a 1", "FLUSHALL")]);
  fs.writeFileSync(path.join(files.data, "appendonly.aof"), bytes);
  const { lines, target } = await restored(files, before("flushall"));
  assert.deepEqual(lines, ["SET a 1"]);
  const manifest = path.join(target, "appendonlydir", "appendonly.aof.manifest");
  assert.equal(
    fs.readFileSync(manifest, "latin1"),
    "file appendonly.aof.1.base.aof seq 1 type b\n",
  );
});

test("nothing is written over, and one file alone is not enough", async () => {
  using files = new AofFiles(rdb(1), log("SET a 1", "FLUSHALL"));
  const source = await locateAof(disk, files.data);
  const moment = before("flushall");
  const cut = await findCut({ disk, source, moment });
  await assert.rejects(restoreAof({ disk, source, cut, target: files.data }), /is not empty/);
  const part = await locateAof(disk, files.pathOf("appendonly.aof.1.incr.aof"));
  await assert.rejects(findCut({ disk, source: part, moment }), /name the directory/);
});
