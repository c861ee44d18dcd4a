import assert from "node:assert/strict";
import { test } from "node:test";
import { SimClock } from "./sim-clock.js";
import { SimCrashed, SimDisk } from "./sim-disk.js";

function text(disk: SimDisk, path: string): string | undefined {
  return disk.contentOf(path)?.toString("latin1");
}

test("a power loss forgets bytes that were not synced and names whose directory was not", async () => {
  const disk = new SimDisk();
  disk.makeDirectorySync("/d");
  const named = await disk.open("/d/named", "append");
  await disk.syncDirectory("/d");
  await named.write([Buffer.from("durable ")]);
  await named.sync();
  await named.write([Buffer.from("lost")]);
  const unnamed = await disk.open("/d/unnamed", "append");
  await unnamed.write([Buffer.from("x")]);
  await unnamed.sync();
  disk.restart();
  assert.equal(text(disk, "/d/named"), "durable ");
  assert.deepEqual(disk.listSync("/d"), ["named"]);
});

test("a torn write keeps as many bytes as one likes", () => {
  const disk = new SimDisk();
  disk.makeDirectorySync("/d");
  const file = disk.openSync("/d/a", "append");
  disk.syncDirectorySync("/d");
  file.writeSync([Buffer.from("0123456789")]);
  disk.restart({ keepBytes: () => 4 });
  assert.equal(text(disk, "/d/a"), "0123");
});

test("overwriting and cutting durable bytes is undone by a power loss, too", () => {
  const disk = new SimDisk();
  disk.plant("/d/a", "0123456789");
  const file = disk.openSync("/d/a", "update");
  file.writeSync([Buffer.from("xx")]);
  file.truncateSync(5);
  assert.equal(text(disk, "/d/a"), "xx234");
  disk.restart();
  assert.equal(text(disk, "/d/a"), "0123456789");
});

test("kill -9 keeps everything, and the files of the dead process are dead", () => {
  const disk = new SimDisk();
  disk.makeDirectorySync("/d");
  const file = disk.openSync("/d/a", "append");
  file.writeSync([Buffer.from("abc")]);
  disk.restartProcess();
  assert.equal(text(disk, "/d/a"), "abc");
  assert.throws(() => {
    file.writeSync([Buffer.from("d")]);
  }, SimCrashed);
});

test("a rename survives whole or not at all", () => {
  for (const kept of [0, 1, 2, 3]) {
    const disk = new SimDisk();
    disk.plant("/d/old", "old");
    disk.plant("/d/new", "new");
    disk.renameSync("/d/new", "/d/old");
    disk.restart({ keepNames: () => kept });
    assert.equal(text(disk, "/d/old"), kept === 0 ? "old" : "new");
    assert.equal(disk.listSync("/d")?.length, kept === 0 ? 2 : 1);
  }
});

test("after a failed sync the bytes look fine and are gone with the power, unless rewritten", async () => {
  const disk = new SimDisk();
  disk.makeDirectorySync("/d");
  const file = disk.openSync("/d/a", "append");
  disk.syncDirectorySync("/d");
  file.writeSync([Buffer.from("abcdef")]);
  disk.inject({ operation: "sync", code: "EIO" });
  await assert.rejects(file.sync(), { code: "EIO" });
  file.seek(0);
  file.writeSync([Buffer.from("abc")]);
  await file.sync();
  assert.equal(text(disk, "/d/a"), "abcdef");
  disk.restart();
  assert.equal(text(disk, "/d/a"), "abc\0\0\0");
});

test("a full disk takes what fits and says so", () => {
  const disk = new SimDisk({ capacityBytes: 5 });
  disk.makeDirectorySync("/d");
  const file = disk.openSync("/d/a", "append");
  assert.throws(
    () => {
      file.writeSync([Buffer.from("12345678")]);
    },
    { code: "ENOSPC", written: 5 },
  );
  assert.equal(text(disk, "/d/a"), "12345");
});

test("the machine goes down at the step one names, and stays down until its restart", async () => {
  const disk = new SimDisk();
  disk.makeDirectorySync("/d");
  disk.crashAt(1);
  const file = disk.openSync("/d/a", "append");
  await assert.rejects(file.write([Buffer.from("x")]), SimCrashed);
  assert.throws(() => disk.readFileSync("/d/a"), SimCrashed);
  disk.restart();
  assert.equal(disk.readFileSync("/d/a"), undefined);
});

test("with a clock an operation takes its time, and one cut off by a crash never ends", async () => {
  const clock = new SimClock();
  const disk = new SimDisk({ clock, latencyMs: (operation) => (operation === "sync" ? 10 : 0) });
  disk.plant("/d/a", "");
  const file = disk.openSync("/d/a", "append");
  let ended = 0;
  const syncing = file.sync().then(() => ended++);
  await clock.advance(9);
  assert.equal(ended, 0);
  await clock.advance(1);
  await syncing;
  assert.equal(ended, 1);
  void file.sync().then(() => ended++);
  disk.restart();
  await clock.advance(100);
  assert.equal(ended, 1);
});

test("the memory of a write must not change before the write ends", async () => {
  const clock = new SimClock();
  const disk = new SimDisk({ clock });
  disk.plant("/d/a", "");
  const file = disk.openSync("/d/a", "append");
  const chunk = Buffer.from("abc");
  const writing = assert.rejects(file.write([chunk]), /changed before it ended/);
  chunk.fill(0);
  await clock.advance(1);
  await writing;
});

test("a directory is locked once", async () => {
  const disk = new SimDisk();
  const lock = await disk.lockDirectory("/d");
  await assert.rejects(disk.lockDirectory("/d/"));
  await lock.release();
  await disk.lockDirectory("/d");
  disk.restart();
  await disk.lockDirectory("/d");
});
