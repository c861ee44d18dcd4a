/** What looks at an AOF, mends it and cuts it keeps to its batches, and agrees with the loader. */
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { LogLines } from "../../testing/aof-world.js";
import { BatchSeal } from "../batch-header.js";
import { AofDirectory } from "../directory.js";
import { AofLoadError } from "../load-error.js";
import { type AofLoadResult, loadAppendOnly } from "../loader.js";
import { type AofReport, checkAof } from "./check.js";
import { findCut } from "./cut-point.js";
import { dumpAof } from "./dump.js";
import { applyCut, planRepair } from "./repair.js";
import { restoreAof } from "./restore.js";
import { locateAof } from "./source.js";
import { AofFiles, disk, log, nobody, rdb, recordsIn } from "./testing/aof-files.js";

const id = "89abcdef".repeat(5);
const name = "appendonly.aof.1.incr.aof";

/** Each batch is a list of records, as words; the offset counts their bytes. */
function sealed(...batches: readonly (readonly string[])[]): { bytes: Buffer; ends: number[] } {
  let offset = 1000;
  const position = () => ({ id, offset, streamDatabase: 0 });
  const seal = new BatchSeal({ enabled: () => true, position });
  const parts: Buffer[] = [];
  const ends: number[] = [];
  for (const lines of batches) {
    const records = log(...lines);
    offset += records.length;
    parts.push(Buffer.from(seal.header([records]) ?? ""), records);
    ends.push(parts.reduce((sum, part) => sum + part.length, 0));
  }
  return { bytes: Buffer.concat(parts), ends };
}

const three = () =>
  sealed(
    ["SELECT 0", "SET a 1"],
    ["INCR a", "RPUSH list x", "RPUSH list y"],
    ["MULTI", "INCR a", "INCR b", "EXEC"],
  );

const check = (files: AofFiles): Promise<AofReport> =>
  checkAof({ disk, path: files.data, ownerOf: nobody });

async function load(files: AofFiles): Promise<AofLoadResult | AofLoadError> {
  const directory = new AofDirectory({
    disk,
    log: new LogLines(),
    dataDirectory: files.data,
    directoryName: "appendonlydir",
    appendFilename: "appendonly.aof",
  });
  try {
    return await loadAppendOnly({
      directory,
      loadTruncated: true,
      monotonic: () => 0,
      execute: () => true,
      loadRdb: (file) => Promise.resolve(file.size()),
    });
  } catch (error) {
    if (error instanceof AofLoadError) return error;
    throw error;
  }
}

async function repair(files: AofFiles): Promise<void> {
  for (const cut of planRepair(await check(files)).cuts) await applyCut(disk, cut);
  assert.equal((await check(files)).sound, true);
}

test("check says what the checksums vouch for, and where the data set stands", async () => {
  const { bytes } = three();
  using files = new AofFiles(rdb(1), bytes);
  const report = await check(files);
  assert.deepEqual(report.files[1]?.checksums, { verified: 3, cutShort: 0, uncoveredRecords: 0 });
  const length = log("SELECT 0", "SET a 1", "INCR a", "RPUSH list x", "RPUSH list y").length;
  const offset = 1000 + length + log("MULTI", "INCR a", "INCR b", "EXEC").length;
  assert.deepEqual(report.replication, { id, offset });
  fs.appendFileSync(files.pathOf(name), log("SET c 1"));
  const after = await check(files);
  assert.equal(after.sound, true);
  assert.equal(after.files[1]?.checksums?.uncoveredRecords, 1);
  assert.equal(after.replication, undefined);
});

test("a changed byte is found in its batch or behind it, by check and by the loader", async () => {
  const { bytes, ends } = three();
  const records = await recordsOf(bytes);
  let refusals = 0;
  for (let at = 0; at < bytes.length; at++) {
    const changed = Buffer.from(bytes);
    changed[at] = (changed[at] as number) ^ 1;
    using files = new AofFiles(rdb(1), changed);
    const report = await check(files);
    const file = report.files[1];
    const loaded = await load(files);
    const torn = file?.verdict === "torn";
    assert.equal(loaded instanceof AofLoadError, !report.sound && !torn, `byte ${at}`);
    if (loaded instanceof AofLoadError) {
      refusals++;
      const batch = ends.findIndex((end) => at < end);
      assert.ok((file?.goodBytes ?? 0) <= (ends[batch] ?? 0), `byte ${at}: ${file?.goodBytes}`);
      await repair(files);
    }
    // Only good records are left, and those of a batch whose header was lost at the end.
    const { lines } = await recordsIn(files.data);
    assert.deepEqual(lines, records.slice(0, lines.length), `byte ${at}`);
  }
  assert.ok(refusals > bytes.length / 2, String(refusals));
});

async function recordsOf(bytes: Buffer): Promise<string[]> {
  using files = new AofFiles(rdb(1), bytes);
  return (await recordsIn(files.data)).lines;
}

test("cut at any byte it is torn at most, and goes on behind what is whole", async () => {
  const { bytes, ends } = three();
  const more = log("SET more 1");
  for (let length = 1; length < bytes.length; length++) {
    for (const mend of [repair, load]) {
      using files = new AofFiles(rdb(1), bytes.subarray(0, length));
      const { verdict, reason } = (await check(files)).files[1] ?? {};
      assert.ok(verdict === "torn" || verdict === "whole", `${length}: ${verdict} ${reason}`);
      const isInLine = bytes.lastIndexOf("\n#", length - 1) > bytes.lastIndexOf("\n*", length - 1);
      if (verdict === "torn" && isInLine) assert.match(reason ?? "", /redis-server/);
      await mend(files);
      // Whoever goes on without checksums: what is behind the cut is not taken for the batch's.
      fs.appendFileSync(files.pathOf(name), more);
      if (mend === repair && verdict === "whole" && !ends.includes(length)) continue;
      const loaded = await load(files);
      assert.ok(!(loaded instanceof AofLoadError), `${length}: ${(loaded as Error).message}`);
      assert.equal(loaded.position, undefined);
      assert.equal((await recordsIn(files.data)).lines.at(-1), "SET more 1");
    }
  }
});

test("the header that closes a cut batch may be torn at any byte, wherever the batch would end", async () => {
  const { bytes } = sealed(["SELECT 0", "SET a 1"], ["INCR a", "INCR b"]);
  const kept = bytes.length - log("INCR b").length;
  using cut = new AofFiles(rdb(1), bytes.subarray(0, kept));
  await load(cut);
  const closed = fs.readFileSync(cut.pathOf(name));
  // The batch would have ended within the line.
  assert.ok(closed.length > bytes.length, `${closed.length} after ${bytes.length}`);
  for (let length = kept + 1; length < closed.length; length++) {
    using files = new AofFiles(rdb(1), closed.subarray(0, length));
    const report = await check(files);
    assert.equal(report.files[1]?.verdict, "torn", `${length}: ${report.problems.join()}`);
    const loaded = await load(files);
    assert.ok(!(loaded instanceof AofLoadError), `${length}: ${(loaded as Error).message}`);
    assert.deepEqual((await recordsIn(files.data)).lines, ["SELECT 0", "SET a 1", "INCR a"]);
    assert.deepEqual(fs.readFileSync(files.pathOf(name)), closed);
  }
});

test("a batch that a redis-server has cut and written on behind is no damage", async () => {
  const { bytes, ends } = sealed(
    ["SELECT 0", "SET a 1"],
    ["INCR a", "RPUSH list x", "RPUSH list y", "SET long 12345678901234567890", "INCR b"],
  );
  const begin = bytes.indexOf("*2\r\n$4\r\nINCR");
  const kept = log("INCR a", "RPUSH list x").length;
  const left = (ends[1] as number) - begin - kept;
  const select = log("SELECT 0");
  const incr = log("INCR c");
  const tails = [incr, Buffer.from("#TS:1700000000\r\n*1\r\n$4"), Buffer.alloc(0)];
  let atItsEnd = 0;
  for (let length = 1; length < left + 20; length++) {
    const alien = log(`SET alien ${"x".repeat(length)}`);
    for (const tail of tails) {
      const behind = Buffer.concat([bytes.subarray(0, begin + kept), select, alien]);
      const records = behind.length + (tail === incr ? incr.length : 0);
      const ending = records === ends[1];
      // Every length where something ends where the batch should have, and some of the others.
      const near = Math.abs(behind.length - (ends[1] as number)) <= 1 || ending;
      if (!near && length % 16 !== 0) continue;
      using files = new AofFiles(rdb(1), Buffer.concat([behind, tail]));
      const loaded = await load(files);
      if (ending) {
        // Nothing tells it from damage.
        assert.ok(loaded instanceof AofLoadError && /checksum no/.test(loaded.message));
        atItsEnd++;
        continue;
      }
      assert.ok(!(loaded instanceof AofLoadError), `${length}: ${(loaded as Error).message}`);
      assert.equal(loaded.position, undefined);
      assert.equal(loaded.chain, undefined);
      const report = await check(files);
      assert.equal(report.sound, true, report.problems.join());
      assert.equal(report.replication, undefined);
      // And then a node of ours again, which begins a checksum of its own.
      fs.appendFileSync(files.pathOf(name), sealed(["SELECT 0", "INCR a"]).bytes);
      const again = await load(files);
      assert.ok(!(again instanceof AofLoadError), `${length}: ${(again as Error).message}`);
      assert.equal(again.position?.id, id);
      assert.equal((await check(files)).sound, true);
    }
  }
  assert.equal(atItsEnd, 3);
});

test("a changed value is damage, also in a batch that selects a database within", async () => {
  const { bytes } = sealed(
    ["SELECT 0", "SET a 1"],
    ["INCR a", "SELECT 3", "SET value qrstuvwx", "INCR a"],
    ["INCR a"],
  );
  for (const end of [bytes.length, bytes.lastIndexOf("#HDR")]) {
    const changed = Buffer.from(bytes.subarray(0, end));
    changed[changed.indexOf("qrst")] = 0x7a;
    using files = new AofFiles(rdb(1), changed);
    const loaded = await load(files);
    assert.ok(loaded instanceof AofLoadError, "loaded");
    assert.match(loaded.message, /does not have the checksum of its header/);
    assert.match(loaded.message, /"--aof-checksum no" takes the records as they are/);
    assert.equal((await check(files)).sound, false);
  }
});

test("a batch is closed where restore divides it, and dump tells each record's offset", async () => {
  const { bytes } = three();
  using files = new AofFiles(rdb(1), bytes);
  const source = await locateAof(disk, files.data);
  const offsets: number[] = [];
  const records: number[] = [];
  await dumpAof({
    disk,
    source,
    base: false,
    filter: { keys: [], slots: new Set(), commands: new Set(), since: undefined, until: undefined },
    sink: {
      record: ({ offset, streamOffset }) => {
        records.push(offset);
        offsets.push(streamOffset);
      },
      baseKey: () => undefined,
    },
  });
  const first = 1000 + log("SELECT 0", "SET a 1").length;
  assert.deepEqual(offsets.slice(0, 3), [first, first, offsets[4]]);
  for (const offset of records) {
    const moment = { kind: "offset", file: name, offset } as const;
    const cut = await findCut({ disk, source, moment });
    using restored = new AofFiles();
    await restoreAof({ disk, source, cut, target: restored.data });
    const report = await check(restored);
    assert.equal(report.sound, true);
    assert.equal(report.replication === undefined, cut.dividesBatch || cut.bytes === 0);
    fs.appendFileSync(path.join(restored.directory, name), log("SET more 1"));
    assert.ok(!((await load(restored)) instanceof AofLoadError), String(offset));
  }
});
