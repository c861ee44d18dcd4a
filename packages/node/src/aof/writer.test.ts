import assert from "node:assert/strict";
import { test } from "node:test";
import { AofWorld, encodeRecord } from "../testing/aof-world.js";
import { settlePromises } from "../testing/sim-clock.js";
import { SimDisk, type SimOperation } from "../testing/sim-disk.js";
import type { FsyncPolicy } from "./log-core.js";

const increment = "/data/appendonlydir/appendonly.aof.1.incr.aof";
const policies: readonly FsyncPolicy[] = ["always", "everysec", "no"];

/** A world whose slow operations take as long as the table says. */
function slowWorld(latencies: Partial<Record<SimOperation, number>>): AofWorld {
  // The clock belongs to the world, so the disk asks for it late.
  const late: { world?: AofWorld } = {};
  const clock = {
    now: () => late.world?.clock.now() ?? 0,
    monotonic: () => late.world?.clock.monotonic() ?? 0,
    defer: (callback: () => void) => late.world?.clock.defer(callback),
    every: () => {
      throw new Error("not used");
    },
    after: (delayMs: number, callback: () => void) => {
      if (late.world === undefined) throw new Error("too early");
      return late.world.clock.after(delayMs, callback);
    },
  };
  const disk = new SimDisk({ clock, latencyMs: (operation) => latencies[operation] ?? 0 });
  late.world = new AofWorld(disk);
  return late.world;
}

async function finished<T>(world: AofWorld, promise: Promise<T>): Promise<T> {
  let done = false;
  const watched = promise.finally(() => {
    done = true;
  });
  watched.catch(() => undefined);
  for (let step = 0; step < 1000 && !done; step++) await world.clock.advance(10);
  assert.ok(done, "did not finish in ten virtual seconds");
  return watched;
}

for (const policy of ["everysec", "no"] as const) {
  test(`${policy}: a turn is written on the loop and released at once`, async () => {
    const world = new AofWorld(new SimDisk());
    const writer = await world.open(policy);
    world.append(writer, 3);
    assert.equal(world.acknowledged, 3);
    assert.equal(writer.bufferedBytes, 0);
    assert.match(String(world.disk.contentOf(increment)), /PUSH\r\n\$1\r\n2\r\n$/);
    assert.equal(writer.durableOffset, 0);
  });
}

test("everysec: during a sync turns go off the loop, in order, and replies wait for the write", async () => {
  const world = slowWorld({ sync: 50, write: 5 });
  const writer = await finished(world, world.open("everysec"));
  world.append(writer);
  await world.clock.advance(1000);
  assert.equal(writer.pendingSyncs, 1);
  world.append(writer);
  world.append(writer);
  assert.equal(world.acknowledged, 1);
  assert.ok(writer.bufferedBytes > 0);
  await world.clock.advance(5);
  assert.equal(world.acknowledged, 2, "the first write took what was there when it began");
  await world.clock.advance(5);
  assert.equal(world.acknowledged, 3);
  assert.equal(writer.pendingSyncs, 1, "all that during the sync");
  await finished(world, writer.close());
  assert.deepEqual((await finished(world, world.load())).values, world.expected);
});

test("always: one write and sync at a time, and what comes meanwhile shares the next", async () => {
  const world = slowWorld({ sync: 10 });
  const writer = await finished(world, world.open("always"));
  let syncs = 0;
  const before = world.disk.operations;
  world.append(writer);
  await world.clock.advance(1);
  for (let turn = 0; turn < 5; turn++) world.append(writer);
  assert.equal(world.acknowledged, 0);
  await world.clock.advance(9);
  assert.equal(world.acknowledged, 1);
  await world.clock.advance(10);
  assert.equal(world.acknowledged, 6);
  syncs = (world.disk.operations - before) / 2;
  assert.equal(syncs, 2, "two writes and two syncs for six turns");
  assert.equal(writer.durableOffset, writer.acceptedOffset);
});

test("always: a sync waits for the writes of those whom the one before has released", async () => {
  const world = slowWorld({ sync: 10 });
  const writer = await finished(world, world.open("always"));
  world.append(writer);
  await world.clock.advance(1);
  world.append(writer);
  const offset = writer.acceptedOffset;
  const before = world.disk.operations;
  // Just behind the end of the sync; the pass in which its reply leaves is not over yet.
  world.clock.after(9, () => writer.append([encodeRecord("PUSH", "back")], offset + 1));
  await world.clock.advance(9);
  assert.equal(world.acknowledged, 1);
  await world.clock.advance(10);
  assert.equal(writer.durableOffset, offset + 1);
  assert.equal(world.disk.operations - before, 3, "that sync, then one write and one for both");
  await finished(world, writer.close());
});

test("the policy can change in flight, in every direction", async () => {
  const world = slowWorld({ sync: 20, write: 5 });
  const writer = await finished(world, world.open("everysec"));
  world.append(writer, 2);
  assert.equal(world.acknowledged, 2);
  writer.setPolicy("always");
  world.append(writer);
  assert.equal(world.acknowledged, 2);
  await world.clock.advance(60);
  assert.equal(world.acknowledged, 3);
  assert.equal(writer.durableOffset, writer.acceptedOffset);
  world.append(writer);
  await world.clock.advance(1);
  assert.equal(world.acknowledged, 3);
  writer.setPolicy("no");
  assert.equal(world.acknowledged, 4, "it was written already");
  await finished(world, writer.close());
  assert.deepEqual((await finished(world, world.load())).values, world.expected);
});

test("the buffer limit shows while the disk does not keep up, and no longer when it does", async () => {
  const world = slowWorld({ sync: 500, write: 300 });
  const writer = await finished(world, world.open("everysec", 100));
  world.append(writer);
  await world.clock.advance(1000);
  world.append(writer, 10);
  assert.equal(writer.overLimit, true);
  await world.clock.advance(300);
  assert.equal(writer.overLimit, false);
});

test("a sync of more than two seconds counts as delayed, once", async () => {
  const world = slowWorld({ sync: 3000 });
  const writer = await finished(world, world.open("everysec"));
  world.append(writer);
  await world.clock.advance(1000);
  for (let turn = 0; turn < 5; turn++) {
    await world.clock.advance(500);
    world.append(writer);
  }
  assert.equal(writer.delayedSyncs, 1);
});

for (const policy of policies) {
  test(`${policy}: a full disk refuses writes, loses nothing, and heals by itself`, async () => {
    const world = new AofWorld(new SimDisk());
    const writer = await world.open(policy);
    world.append(writer, 5);
    await settlePromises();
    const before = world.disk.contentOf(increment);
    world.disk.capacityBytes = world.disk.usedBytes() + 20;
    world.append(writer, 5);
    await settlePromises();
    assert.equal(writer.writable, false);
    assert.equal(writer.lastError?.code, "ENOSPC");
    assert.equal(world.failures, 1);
    assert.equal(world.acknowledged, 5);
    assert.deepEqual(world.disk.contentOf(increment), before, "the torn part is cut at once");
    await world.clock.advance(3000);
    assert.equal(writer.writable, false);
    world.disk.capacityBytes = Number.POSITIVE_INFINITY;
    await world.clock.advance(1000);
    assert.equal(writer.writable, true);
    assert.equal(world.recoveries, 1);
    assert.equal(writer.lastError, undefined);
    assert.equal(world.acknowledged, 10);
    assert.equal(writer.durableOffset, writer.acceptedOffset);
    world.append(writer);
    await writer.close();
    assert.deepEqual((await world.load()).values, world.expected);
    assert.ok(
      world.log.lines.some((line) => line.includes("Short write while writing to the AOF")),
    );
  });
}

for (const policy of ["always", "everysec"] as const) {
  test(`${policy}: after a failed fsync all that it covered is written again, once`, async () => {
    const world = new AofWorld(new SimDisk());
    const writer = await world.open(policy);
    world.append(writer, 3);
    await world.clock.advance(1000);
    assert.equal(writer.durableOffset, writer.acceptedOffset);
    world.disk.inject({ operation: "sync", code: "EIO" });
    world.append(writer, 3);
    await world.clock.advance(policy === "always" ? 500 : 1500);
    assert.equal(writer.writable, false);
    await world.clock.advance(1000);
    assert.equal(writer.writable, true);
    assert.equal(world.acknowledged, 6);
    world.append(writer);
    await world.clock.advance(1000);
    // The simulated kernel forgot the pages of the failed sync: only written again do they survive.
    world.disk.restart();
    assert.deepEqual((await world.load()).values, world.expected);
  });
}

test("a failed fsync that the buffer cannot cover is made good from the file", async () => {
  const world = new AofWorld(new SimDisk());
  const writer = await world.open("everysec", 50);
  world.disk.inject({ operation: "sync", code: "EIO" });
  for (let turn = 0; turn < 20; turn++) world.append(writer);
  await world.clock.advance(2500);
  assert.equal(writer.writable, true);
  world.disk.restart();
  assert.deepEqual((await world.load()).values, world.expected);
});

test("a file that cannot be written any more is left for a new increment", async () => {
  const world = new AofWorld(new SimDisk());
  const writer = await world.open("everysec");
  world.append(writer, 3);
  await world.clock.advance(1000);
  assert.equal(writer.durableOffset, writer.acceptedOffset);
  world.disk.inject({ operation: "write", code: "EIO", path: increment, times: 9, written: 7 });
  world.append(writer, 3);
  assert.equal(writer.writable, false);
  await world.clock.advance(5000);
  assert.equal(writer.writable, true);
  assert.equal(world.acknowledged, 6);
  world.append(writer);
  await writer.close();
  assert.equal(String(world.disk.contentOf(increment)).split("PUSH").length, 4);
  const { values, directory } = await world.load();
  assert.deepEqual(values, world.expected);
  assert.equal(directory.manifest.increments.length, 2);
});

test("what was acknowledged and never synced is not cut from a file that is left", async () => {
  const world = new AofWorld(new SimDisk());
  const writer = await world.open("everysec");
  world.append(writer, 3);
  world.disk.inject({ operation: "write", code: "EIO", path: increment, times: 9, written: 7 });
  // Until the new increment counts, a crash of the process must find them in the old one.
  world.disk.inject({ operation: "syncDirectory", code: "EIO", times: 2 });
  world.append(writer, 3);
  assert.equal(world.acknowledged, 3);
  for (let step = 0; step < 50 && !writer.writable; step++) {
    const old = String(world.disk.contentOf(increment));
    assert.match(old, /PUSH\r\n\$1\r\n2\r\n/, `at ${step * 100} ms`);
    await world.clock.advance(100);
  }
  assert.equal(writer.writable, true);
  world.append(writer);
  await writer.close();
  const { values, directory } = await world.load();
  assert.deepEqual(values, world.expected);
  assert.deepEqual(
    directory.manifest.history.map((info) => info.name),
    ["appendonly.aof.1.incr.aof"],
    "the new increment begins with a copy of it",
  );
  assert.equal(directory.manifest.increments.length, 1);
});

test("where even cutting fails, the good part moves into the new increment", async () => {
  const world = new AofWorld(new SimDisk());
  const writer = await world.open("everysec");
  world.append(writer, 3);
  world.disk.inject({ operation: "write", code: "EIO", path: increment, times: 9, written: 7 });
  world.disk.inject({ operation: "truncate", code: "EIO", path: increment, times: 9 });
  world.append(writer, 3);
  const sizeBefore = writer.currentSize;
  await world.clock.advance(5000);
  assert.equal(writer.writable, true);
  assert.ok(writer.currentSize > sizeBefore);
  world.append(writer);
  await writer.close();
  const { values, directory, result } = await world.load();
  assert.deepEqual(values, world.expected);
  assert.deepEqual(
    directory.manifest.history.map((info) => info.name),
    ["appendonly.aof.1.incr.aof"],
  );
  assert.equal(result.totalBytes, writer.currentSize);
});

test("a new increment that failed half way is taken back before the old file is used again", async () => {
  const world = new AofWorld(new SimDisk());
  const writer = await world.open("everysec");
  world.append(writer, 3);
  // Two failures in place, then the new increment stands in the manifest, but its rename may not be
  // durable; by then the old file can be written again.
  world.disk.inject({ operation: "write", code: "EIO", path: increment, times: 3, written: 7 });
  world.disk.inject({ operation: "syncDirectory", code: "EIO" });
  world.append(writer, 3);
  await world.clock.advance(5000);
  assert.equal(writer.writable, true);
  assert.match(String(world.disk.contentOf(increment)), /PUSH\r\n\$1\r\n5\r\n$/);
  world.disk.restartProcess();
  assert.deepEqual((await world.load()).values, world.expected);
});

test("a new increment after trouble selects the database that its first record needs", async () => {
  const world = new AofWorld(new SimDisk());
  const writer = await world.open("everysec");
  world.append(writer, 1, 3);
  world.disk.inject({ operation: "write", code: "EIO", path: increment, times: 9 });
  world.append(writer, 1, 3);
  await world.clock.advance(5000);
  await writer.close();
  assert.deepEqual((await world.load()).values, ["0@3", "1@3"]);
});

test("a rewrite puts a new base in place of all that was before it", async () => {
  const world = new AofWorld(new SimDisk());
  const writer = await world.open("everysec");
  world.append(writer, 3);
  const rewritten = world.rewrite(writer);
  await settlePromises();
  world.append(writer, 2);
  await rewritten;
  world.append(writer, 2);
  assert.equal(writer.currentSize > writer.baseSize, true);
  await writer.close();
  const { values, directory, result } = await world.load();
  assert.deepEqual(values, world.expected);
  assert.equal(result.totalBytes, writer.currentSize);
  assert.equal(directory.manifest.base?.name, "appendonly.aof.2.base.rdb");
  assert.deepEqual(world.disk.listSync("/data/appendonlydir"), [
    "appendonly.aof.2.base.rdb",
    "appendonly.aof.2.incr.aof",
    "appendonly.aof.manifest",
  ]);
});

test("a rewrite without room for its base leaves everything as it was, and no debris", async () => {
  const world = new AofWorld(new SimDisk());
  const writer = await world.open("everysec");
  world.append(writer, 3);
  world.disk.inject({ operation: "write", code: "ENOSPC", path: "temp-rewriteaof", written: 5 });
  await assert.rejects(world.rewrite(writer), { code: "ENOSPC" });
  world.append(writer, 2);
  await writer.close();
  const { values, directory } = await world.load();
  assert.deepEqual(values, world.expected);
  assert.equal(directory.manifest.base?.name, "appendonly.aof.1.base.rdb");
  assert.deepEqual(
    world.disk.listSync("/data/appendonlydir")?.filter((name) => name.startsWith("temp-")),
    [],
  );
});

test("the AOF can be turned on later: a base of what is there, an increment of what follows", async () => {
  const world = new AofWorld(new SimDisk());
  const before = await world.open("everysec");
  world.append(before, 3);
  await before.close();
  const enabling = world.enable("everysec");
  await settlePromises();
  const writer = await enabling;
  world.append(writer, 2);
  await writer.close();
  world.disk.restart();
  const { values, directory } = await world.load();
  assert.deepEqual(values, world.expected);
  assert.deepEqual(
    directory.manifest.increments.map((info) => info.sequence),
    [2],
  );
  assert.deepEqual(directory.manifest.history, []);
});

test("an AOF that cannot be turned on leaves the one before in force", async () => {
  const world = new AofWorld(new SimDisk());
  const before = await world.open("everysec");
  world.append(before, 3);
  await before.close();
  world.disk.inject({ operation: "rename", code: "EIO", path: "temp-rewriteaof" });
  await assert.rejects(world.enable("everysec"), { code: "EIO" });
  assert.deepEqual((await world.load()).values, world.expected);
});

test("a new increment begins only when it stands in the manifest, and takes what was held", async () => {
  const world = slowWorld({ sync: 10, write: 2, rename: 10, syncDirectory: 10 });
  const writer = await finished(world, world.open("everysec"));
  world.append(writer, 2);
  await finished(world, writer.prepareIncrement());
  const cut = writer.cutIncrement();
  world.append(writer, 2);
  assert.equal(world.acknowledged, 2);
  await finished(world, cut);
  await world.clock.advance(10);
  assert.equal(world.acknowledged, 4);
  const size = writer.currentSize;
  await finished(world, writer.close());
  const { values, directory, result } = await finished(world, world.load());
  assert.deepEqual(values, world.expected);
  assert.equal(directory.manifest.increments.length, 2);
  assert.equal(result.totalBytes, size);
  const second = String(world.disk.contentOf("/data/appendonlydir/appendonly.aof.2.incr.aof"));
  assert.ok(second.startsWith("*2\r\n$6\r\nSELECT\r\n"));
});

test("an increment whose manifest cannot be written is abandoned without losing a record", async () => {
  const world = new AofWorld(new SimDisk());
  const writer = await world.open("everysec");
  world.append(writer, 2);
  await writer.prepareIncrement();
  world.disk.inject({ operation: "rename", code: "EIO" });
  const cut = writer.cutIncrement();
  world.append(writer, 2);
  await assert.rejects(cut, { code: "EIO" });
  await settlePromises();
  assert.equal(world.acknowledged, 4);
  await writer.prepareIncrement();
  const second = writer.cutIncrement();
  world.append(writer);
  await second;
  await writer.close();
  assert.deepEqual((await world.load()).values, world.expected);
});

test("close writes and syncs all there is, also when it begins during a cut", async () => {
  const world = slowWorld({ sync: 10, write: 5, rename: 10 });
  const writer = await finished(world, world.open("always"));
  world.append(writer, 2);
  await finished(world, writer.prepareIncrement());
  const cut = writer.cutIncrement();
  world.append(writer, 2);
  const closed = writer.close();
  await finished(world, Promise.all([cut, closed]));
  assert.equal(writer.durableOffset, writer.acceptedOffset);
  world.disk.restart();
  assert.deepEqual((await finished(world, world.load())).values, world.expected);
});

test("close on a broken disk tries once more, then says so", async () => {
  const world = new AofWorld(new SimDisk());
  const writer = await world.open("everysec");
  world.disk.inject({ operation: "write", code: "ENOSPC", times: 2 });
  world.append(writer, 2);
  assert.equal(writer.writable, false);
  await assert.rejects(writer.close(), { code: "ENOSPC" });
});
