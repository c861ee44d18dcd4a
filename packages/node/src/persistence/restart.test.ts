/**
 * Restarts from the AOF in a replication history: a replica goes on where its file ends, wherever
 * that is, and equals its primary; a primary takes a new id that its replicas can follow it to.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { NodeConfig } from "../config/config.js";
import { SimNet } from "../replication/testing/sim-net.js";
import { SimClock } from "../testing/sim-clock.js";
import { SimDisk } from "../testing/sim-disk.js";
import { type SimClient, SimServer } from "../testing/sim-server.js";

const directory = "/data/appendonlydir";
const increment = `${directory}/appendonly.aof.1.incr.aof`;

interface World {
  readonly clock: SimClock;
  readonly net: SimNet;
  readonly primary: SimServer;
  readonly client: SimClient;
}

const aof = { appendonly: true, appendfsync: "always", replDisklessSyncDelay: 0 } as const;

async function world(config: Partial<NodeConfig> = {}): Promise<World> {
  const clock = new SimClock();
  const net = new SimNet(clock, 5);
  const primary = await SimServer.start({ clock, net, config: { ...aof, ...config } });
  return { clock, net, primary, client: await primary.connect() };
}

async function startReplica(
  { clock, net, primary }: World,
  port: number,
  more: { readonly disk?: SimDisk; readonly config?: Partial<NodeConfig> } = {},
): Promise<SimServer> {
  const replicaof = { host: "127.0.0.1", port: primary.port };
  const config = { ...aof, replicaof, ...more.config };
  const { disk } = more;
  const replica = await SimServer.start({ clock, net, port, config, ...(disk && { disk }) });
  await caughtUp(primary, replica);
  return replica;
}

async function caughtUp(primary: SimServer, replica: SimServer): Promise<void> {
  const { history } = primary.node.replication;
  await primary.until(() => {
    const { replication, persistence } = replica.node;
    const same = replication.history.offset === history.offset;
    const { rewriteScheduled, runs } = persistence.appendOnly;
    return replication.primary?.isUp === true && same && !rewriteScheduled && !runs.running;
  }, "the replica to have everything");
}

const digestOf = async (server: SimServer): Promise<string> =>
  (await server.connect()).ask("DEBUG", "DIGEST");

/** A new disk with these files. */
function diskWith(clock: SimClock, files: ReadonlyMap<string, Uint8Array>): SimDisk {
  const disk = new SimDisk({ clock });
  for (const path of ["/data", directory]) disk.makeDirectorySync(path);
  for (const [path, content] of files) disk.plant(path, content);
  return disk;
}

function filesOf(server: SimServer): Map<string, Buffer> {
  const files = new Map<string, Buffer>();
  for (const name of server.disk.listSync(directory) ?? []) {
    const path = `${directory}/${name}`;
    files.set(path, Buffer.from(server.disk.contentOf(path) ?? ""));
  }
  return files;
}

const syncs = (server: SimServer): { fullSyncs: number; partialSyncs: number } => ({
  ...server.node.replication.replicas.counters,
});

const lastIncrement = (files: ReadonlyMap<string, Buffer>): string =>
  [...files.keys()].filter((name) => name.endsWith(".incr.aof")).at(-1) ?? increment;

test("a replica's AOF cut at every byte, restarted and continued, equals its primary", async () => {
  const all = await world();
  const { client, clock, primary } = all;
  await client.ask("SET", "first", "1");
  const replica = await startReplica(all, 6380);
  await client.ask("SET", "second", "2");
  await caughtUp(primary, replica);
  const before = filesOf(replica);
  const from = before.get(lastIncrement(before))?.length ?? 0;
  client.send("INCR", "counter");
  client.send("RPUSH", "list", "a", "b");
  await client.ask("SET", "key", "value");
  await caughtUp(primary, replica);
  for (const words of [["MULTI"], ["INCR", "counter"], ["RPUSH", "list", "c"], ["EXEC"]]) {
    client.send(...words);
  }
  await client.ask("SELECT", "4");
  await client.ask("APPEND", "text", "#HDR:v1;len:3;checksum:1;\r\n*1\r\n");
  await client.ask("INCR", "counter");
  await caughtUp(primary, replica);
  const files = filesOf(replica);
  await replica.wait(replica.node.stop());
  const name = lastIncrement(files);
  const whole = files.get(name) ?? Buffer.alloc(0);
  assert.ok(whole.length - from > 500, String(whole.length));
  let partial = 0;
  for (let length = from; length <= whole.length; length++) {
    const disk = diskWith(clock, new Map([...files, [name, whole.subarray(0, length)]]));
    const counted = syncs(primary);
    const again = await startReplica(all, 6380, { disk });
    await client.ask("INCR", "later");
    await caughtUp(primary, again);
    assert.equal(await digestOf(again), await digestOf(primary), `cut at ${length}`);
    const { fullSyncs, partialSyncs } = syncs(primary);
    assert.equal(fullSyncs + partialSyncs, counted.fullSyncs + counted.partialSyncs + 1);
    if (partialSyncs > counted.partialSyncs) partial++;
    else assert.ok(isInsideBatch(whole, length), `a full synchronisation for the cut at ${length}`);
    await again.wait(again.node.stop());
    await primary.until(() => primary.node.replication.replicas.count === 0, "it to be gone");
  }
  assert.ok(partial > 200, String(partial));
});

/** A batch holds that byte, and a whole record of it stands before. */
function isInsideBatch(file: Buffer, length: number): boolean {
  const text = file.toString("latin1");
  for (const { index, 0: line, 1: bytes } of text.matchAll(
    /^#HDR:v1;len:(\d+);.*checksum.*\r\n/gm,
  )) {
    const start = index + line.length;
    if (length > start && length < start + Number(bytes)) return true;
  }
  return false;
}

async function restarted(server: SimServer, all: World, config: Partial<NodeConfig>) {
  const disk = diskWith(all.clock, filesOf(server));
  await server.wait(server.node.stop());
  const { port } = server;
  return SimServer.start({ ...all, port, disk, config: { ...aof, ...config } });
}

for (const preamble of [true, false]) {
  const base = preamble ? "an RDB" : "records";
  test(`a replica goes on from a base of ${base} alone`, async () => {
    const all = await world();
    const { client, clock, primary } = all;
    const config = { aofUseRdbPreamble: preamble };
    const replica = await startReplica(all, 6380, { config });
    await client.ask("SELECT", "3");
    await client.ask("MSET", "a", "1", "b", "2");
    await caughtUp(primary, replica);
    const there = await replica.connect();
    await there.ask("BGREWRITEAOF");
    await caughtUp(primary, replica);
    const files = filesOf(replica);
    assert.equal(files.get(lastIncrement(files))?.length, 0, "the increment is empty");
    await replica.wait(replica.node.stop());
    await client.ask("SET", "c", "3");
    const again = await startReplica(all, 6380, { disk: diskWith(clock, files), config });
    assert.equal(await digestOf(again), await digestOf(primary));
    assert.deepEqual({ ...syncs(primary) }, { ...syncs(primary), fullSyncs: 1, partialSyncs: 1 });
  });
}

test("a primary takes a new id, and its replicas follow it there", async () => {
  const all = await world();
  const { client, primary } = all;
  const replica = await startReplica(all, 6380);
  await client.ask("SET", "a", "1");
  // PINGs move the offset on, behind the last record.
  await primary.clock.advance(25_000);
  await caughtUp(primary, replica);
  const { id, offset } = primary.node.replication.history;
  const next = await restarted(primary, all, {});
  const { history } = next.node.replication;
  assert.notEqual(history.id, id);
  assert.equal(history.secondId, id);
  assert.equal(history.secondOffset, offset + 1);
  await caughtUp(next, replica);
  await (await next.connect()).ask("SET", "b", "2");
  await caughtUp(next, replica);
  assert.equal(await digestOf(replica), await digestOf(next));
  assert.equal(syncs(next).fullSyncs, 0);
  assert.equal(syncs(next).partialSyncs, 1);
  assert.equal(replica.node.replication.history.id, history.id);
});

test("without checksums, or behind a record of somebody else, everything is asked for", async () => {
  const all = await world();
  const { client, clock, primary } = all;
  const replica = await startReplica(all, 6380);
  await client.ask("SET", "a", "1");
  await caughtUp(primary, replica);
  const files = filesOf(replica);
  await (await replica.connect()).ask("CONFIG", "SET", "aof-checksum", "no");
  await client.ask("SET", "b", "2");
  await caughtUp(primary, replica);
  const uncovered = filesOf(replica);
  await replica.wait(replica.node.stop());
  assert.equal(String(uncovered.get(lastIncrement(uncovered))).split("#HDR").length, 2);
  const name = lastIncrement(files);
  const alien = "*3\r\n$3\r\nSET\r\n$5\r\nalien\r\n$1\r\n1\r\n";
  const appended = new Map([
    ...files,
    [
      name,
      Buffer.concat([files.get(name) ?? "", Buffer.from(alien)].map((part) => Buffer.from(part))),
    ],
  ]);
  for (const [found, config] of [
    [uncovered, {}],
    [appended, {}],
    [files, { aofChecksum: false }],
  ] as const) {
    const before = syncs(primary);
    const again = await startReplica(all, 6380, { disk: diskWith(clock, found), config });
    assert.equal(syncs(primary).fullSyncs, before.fullSyncs + 1);
    assert.equal(await digestOf(again), await digestOf(primary));
    await again.wait(again.node.stop());
  }
});

test("no offset is told while the files hold the data that a full synchronisation replaced", async () => {
  const all = await world();
  const { client, clock, primary } = all;
  const replica = await SimServer.start({
    ...all,
    port: 6380,
    disk: new SimDisk({ clock }),
    config: aof,
  });
  const there = await replica.connect();
  await there.ask("SET", "own", "1");
  await there.ask("RPUSH", "list", "own");
  await client.ask("RPUSH", "list", "a");
  // The rewrite that would put the new data set on the disk fails.
  replica.disk.inject({ operation: "rename", code: "EIO", times: 1000 });
  await there.ask("REPLICAOF", "127.0.0.1", String(primary.port));
  const up = (): boolean => replica.node.replication.primary?.isUp === true;
  await replica.until(up, "the link");
  await client.ask("RPUSH", "list", "b");
  await replica.clock.advance(3000);
  const files = filesOf(replica);
  await client.ask("RPUSH", "list", "c");
  replica.disk.clearFaults();
  await replica.wait(replica.node.stop());
  const before = syncs(primary);
  const again = await startReplica(all, 6380, { disk: diskWith(clock, files) });
  assert.equal(syncs(primary).fullSyncs, before.fullSyncs + 1);
  assert.equal(await digestOf(again), await digestOf(primary));
});
