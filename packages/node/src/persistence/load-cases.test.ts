/** Ends of files and loads that went wrong in other servers, each by name. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { NodeConfig } from "../config/config.js";
import { RdbEncoder } from "../rdb/index.js";
import { encodeRecord } from "../testing/aof-world.js";
import { SimClock } from "../testing/sim-clock.js";
import { SimDisk } from "../testing/sim-disk.js";
import { SimServer } from "../testing/sim-server.js";
import { BatchSeal } from "../aof/batch-header.js";

const directory = "/data/appendonlydir";
const increment = `${directory}/appendonly.aof.1.incr.aof`;
const id = "fedcba98".repeat(5);

/** A record per line. */
function records(...lines: readonly string[]): Buffer {
  return Buffer.concat(lines.map((line) => encodeRecord(...line.split(" "))));
}

function rdb(...keys: readonly string[]): Buffer {
  const encoder = new RdbEncoder();
  encoder.header({ redisVersion: "7.0.15", createdAt: 1, usedMemoryBytes: 1, isAofBase: true });
  encoder.selectDb(0);
  for (const key of keys) encoder.key({ key, expireAt: -1 }, { type: "string", value: "base" });
  encoder.end();
  return Buffer.concat(encoder.takeChunks());
}

async function start(
  bytes: Buffer,
  options: { readonly base?: Buffer; readonly config?: Partial<NodeConfig> } = {},
): Promise<SimServer> {
  const clock = new SimClock();
  const disk = new SimDisk({ clock });
  for (const path of ["/data", directory]) disk.makeDirectorySync(path);
  disk.plant(`${directory}/appendonly.aof.1.base.rdb`, options.base ?? rdb());
  disk.plant(increment, bytes);
  disk.plant(
    `${directory}/appendonly.aof.manifest`,
    "file appendonly.aof.1.base.rdb seq 1 type b\nfile appendonly.aof.1.incr.aof seq 1 type i\n",
  );
  return SimServer.start({ clock, disk, config: { appendonly: true, ...options.config } });
}

async function restart(server: SimServer): Promise<SimServer> {
  await server.wait(server.node.stop());
  const { clock, disk } = server;
  return SimServer.start({ clock, disk, config: { appendonly: true } });
}

const whole = records("SELECT 0", "SET a 1");
const transaction = records("MULTI", "INCR a", "RPUSH list x", "EXEC");

for (const sealed of [false, true]) {
  const how = sealed ? ", with checksums" : "";
  const seal = new BatchSeal({
    enabled: () => sealed,
    position: () => ({ id, offset: 10, streamDatabase: 0 }),
  });
  const first = Buffer.concat([Buffer.from(seal.header([whole]) ?? ""), whole]);
  const second = Buffer.concat([Buffer.from(seal.header([transaction]) ?? ""), transaction]);

  test(`a MULTI half on the disk, or torn inside of it, leaves nothing behind${how}`, async () => {
    // From behind the word MULTI to one byte before the end of EXEC.
    const begin = second.length - transaction.length + records("MULTI").length;
    for (let length = begin; length < second.length; length++) {
      const server = await start(Buffer.concat([first, second.subarray(0, length)]));
      const client = await server.connect();
      assert.equal(await client.ask("MGET", "a", "list"), "1 null", `cut at ${length}`);
      // What follows is no part of the transaction.
      assert.equal(await client.ask("INCR", "a"), "2");
      const next = await restart(server);
      const again = await next.connect();
      assert.equal(await again.ask("MGET", "a", "list"), "2 null", `cut at ${length}`);
      await next.wait(next.node.stop());
    }
  });
}

test("keys of the base that the log names again are there once, in cluster mode too", async () => {
  const slot = "15495";
  for (const clusterEnabled of [false, true]) {
    const bytes = records("SELECT 0", "SET a 1", "SET a 2", "DEL b", "SET b 3", "SET c 1", "DEL c");
    const config = { clusterEnabled };
    const server = await start(bytes, { base: rdb("a", "b", "c", "d"), config });
    const client = await server.connect();
    assert.equal(await client.ask("DBSIZE"), "3");
    if (clusterEnabled) {
      assert.equal(await client.ask("CLUSTER", "KEYSLOT", "a"), slot);
      assert.equal(await client.ask("CLUSTER", "COUNTKEYSINSLOT", slot), "1");
      assert.equal(await client.ask("CLUSTER", "GETKEYSINSLOT", slot, "10"), "a");
    }
    await client.ask("BGREWRITEAOF");
    const { appendOnly } = server.node.persistence;
    await server.until(() => appendOnly.runs.count > 0 && !appendOnly.runs.running, "the base");
    const { disk, clock } = server;
    await server.wait(server.node.stop());
    const next = await SimServer.start({ disk, clock, config: { appendonly: true, ...config } });
    assert.equal(await (await next.connect()).ask("DBSIZE"), "3");
    await next.wait(next.node.stop());
  }
});

test("the offset after a load is the one that was written, whatever the bytes of the file", async () => {
  const seal = new BatchSeal({
    enabled: () => true,
    position: () => ({ id, offset: 123_456, streamDatabase: 2 }),
  });
  const batch = [Buffer.from(`#TS:1700000000\r\n${String(seal.header([whole]))}`), whole];
  const server = await start(Buffer.concat(batch));
  const { history } = server.node.replication;
  assert.equal(history.offset, 123_456);
  assert.equal(history.secondId, id);
  assert.equal(history.secondOffset, 123_457);
  assert.notEqual(history.id, id);
  await server.wait(server.node.stop());
  // And none where something stands behind it that it does not speak of.
  const uncovered = await start(Buffer.concat([...batch, records("SET b 1")]));
  assert.equal(uncovered.node.replication.history.offset, 0);
  assert.notEqual(uncovered.node.replication.history.secondId, id);
});
