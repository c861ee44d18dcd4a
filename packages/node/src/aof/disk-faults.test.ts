/**
 * The fault matrix: nodes on disks that fail in every way, by seed, and single faults at every byte.
 * The seeds are printed; `DISK_FAULTS_SEED` repeats them, `npm run soak -- disk-faults` runs on.
 */
import assert from "node:assert/strict";
import { describe, it, test } from "node:test";
import { AofWorld, encodeRecord } from "../testing/aof-world.js";
import { type CrashedDirectory, runDiskFaults } from "../testing/disk-faults/run.js";
import { installedRedisServer, RedisServer } from "../testing/redis-server.js";
import { SimDisk } from "../testing/sim-disk.js";
import type { FsyncPolicy } from "./log-core.js";

const runs = 120;
const firstSeed = Number(process.env["DISK_FAULTS_SEED"] ?? Math.floor(Math.random() * 1e9));

test(`by seed, from DISK_FAULTS_SEED=${firstSeed} on: nothing promised is lost, nothing is there twice`, async () => {
  let [acknowledged, faults, kills, powerLosses, recoveries] = [0, 0, 0, 0, 0];
  for (let seed = firstSeed; seed < firstSeed + runs; seed += 1) {
    const result = await runDiskFaults({ seed });
    acknowledged += result.acknowledged;
    faults += result.faults;
    kills += result.kills;
    powerLosses += result.powerLosses;
    recoveries += result.recoveries;
  }
  // A run that tried nothing would pass too.
  assert.ok(acknowledged > 50 * runs, `${acknowledged} acknowledged`);
  assert.ok(faults > 2 * runs && kills > runs / 2 && powerLosses > runs / 2);
  assert.ok(recoveries > 0);
});

describe("a write that tears at every byte", () => {
  const record = encodeRecord("PUSH", "2").length;
  const ends = {
    heals: async (world: AofWorld) => {
      world.disk.clearFaults();
      await world.clock.advance(3000);
      return 4;
    },
    "is killed": (world: AofWorld) => {
      world.disk.restartProcess();
      return Promise.resolve(world.acknowledged);
    },
    "loses power, and what was written stays": (world: AofWorld) => {
      world.disk.restart({ keepBytes: (_, bytes) => bytes, keepNames: (_, names) => names });
      return Promise.resolve(2);
    },
  };
  for (const policy of ["always", "everysec", "no"] satisfies FsyncPolicy[]) {
    for (const [how, end] of Object.entries(ends)) {
      it(`${policy}, and then ${how}`, async () => {
        for (let written = 0; written <= 2 * record; written += 1) {
          // Once the cut behind it works, and once it fails like everything else.
          for (const truncates of [true, false]) {
            const world = new AofWorld(new SimDisk());
            const writer = await world.open(policy);
            world.append(writer, 2);
            await world.clock.advance(1000);
            world.disk.inject({ operation: "write", code: "EIO", path: ".incr.", written });
            if (!truncates) world.disk.inject({ operation: "truncate", code: "EIO", times: 2 });
            world.append(writer, 2);
            await world.clock.advance(100);
            const least = await end(world);
            const { values } = await world.load();
            assert.deepEqual(values, ["0", "1", "2", "3"].slice(0, values.length));
            assert.ok(values.length >= least, `torn at ${written}: ${values.length} records`);
          }
        }
      });
    }
  }
});

test("a fsync that fails while a failed one is made good loses nothing that was written before", async () => {
  const world = new AofWorld(new SimDisk());
  const writer = await world.open("everysec");
  await world.clock.advance(1000);
  world.append(writer, 2);
  world.disk.inject({ operation: "write", code: "EIO", path: ".incr." });
  world.disk.inject({ operation: "sync", code: "EIO", path: ".incr." });
  world.append(writer, 1);
  await world.clock.advance(5000);
  assert.equal(writer.writable, true);
  world.disk.restart();
  assert.deepEqual((await world.load()).values, ["0", "1", "2"]);
});

test("a file that is given up loses nothing acknowledged if the process is killed meanwhile", async () => {
  const world = new AofWorld(new SimDisk());
  const writer = await world.open("everysec");
  world.append(writer, 2);
  world.disk.inject({ operation: "sync", code: "EIO", path: ".incr.", times: 20 });
  world.append(writer, 1);
  await world.clock.advance(5000);
  assert.equal(writer.writable, false);
  world.disk.restartProcess();
  assert.deepEqual((await world.load()).values.slice(0, 2), ["0", "1"]);
});

test("what a change that failed left in a file does not come back when its name is used", async () => {
  const world = new AofWorld(new SimDisk());
  const writer = await world.open("always");
  world.append(writer, 1);
  const left = "/data/appendonlydir/appendonly.aof.2.incr.aof";
  world.disk.plant(left, encodeRecord("PUSH", "left"));
  await writer.prepareIncrement();
  await Promise.all([writer.cutIncrement(), world.clock.advance(100)]);
  world.disk.restart();
  assert.deepEqual((await world.load()).values, ["0"]);
});

test("what a killed process left in an increment before the last survives a power loss", async () => {
  const world = new AofWorld(new SimDisk());
  const writer = await world.open("everysec");
  await writer.prepareIncrement();
  // The manifest that names the second increment is on the disk, though it counts as failed.
  world.disk.inject({ operation: "syncDirectory", code: "EIO", times: 2 });
  await assert.rejects(writer.cutIncrement());
  world.disk.inject({ operation: "open", code: "EMFILE", path: ".manifest", times: 9 });
  world.append(writer, 2);
  assert.equal(world.acknowledged, 2);
  world.disk.restartProcess();
  world.continueFrom(2);
  const next = await world.open("always");
  world.append(next, 1);
  await next.close();
  world.disk.restart();
  assert.deepEqual((await world.load()).values, ["0", "1", "2"]);
});

test("a real redis-server starts on every directory that a crash leaves, and has the same", async () => {
  const binary = installedRedisServer();
  if (binary === undefined) {
    assert.equal(process.env["CI"], undefined, "redis-server is missing");
    console.error("NOT COMPARED: no redis-server; REDIS_SERVER names one");
    return;
  }
  let compared = 0;
  for (let seed = firstSeed; compared < 25; seed += 1) {
    const crashes: CrashedDirectory[] = [];
    await runDiskFaults({ seed, onCrash: (crash) => Promise.resolve(void crashes.push(crash)) });
    for (const crash of crashes) compared += await compare(binary, crash, seed);
  }
});

/** 1 if Redis starts; then it must have what we have. Where it does not, we may still. */
async function compare(binary: string, crash: CrashedDirectory, seed: number): Promise<number> {
  if (!crash.files.has("appendonly.aof.manifest")) return 0;
  let server: RedisServer;
  try {
    server = await RedisServer.start(binary, [], crash.files);
  } catch {
    return 0;
  }
  try {
    assert.ok(crash.contents !== undefined, `seed ${seed}: Redis starts where we do not`);
    const names = crash.contents.map((_, index) => index);
    const lists = await server.run(names.map((index) => ["LRANGE", `list${index}`, "0", "-1"]));
    const counts = await server.run(names.map((index) => ["GET", `count${index}`]));
    for (const [index, { list, count }] of crash.contents.entries()) {
      const found = [...String(lists[index]).matchAll(/\r\n(\d+)(?=\r\n)/g)].map(
        ([, each]) => each,
      );
      assert.deepEqual(found.map(Number), list, `seed ${seed}, lane ${index}`);
      const [, text = "0"] = /\r\n(\d+)\r\n/.exec(String(counts[index])) ?? [];
      assert.equal(Number(text), count, `seed ${seed}, lane ${index}`);
    }
    return 1;
  } finally {
    await server.stop();
  }
}
