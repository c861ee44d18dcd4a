/**
 * What a demoted primary alone has is kept aside: all of it, nothing that its new primary has, and
 * before its data are replaced.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { dumpAof } from "../aof/inspect/dump.js";
import { locateAof } from "../aof/inspect/source.js";
import type { NodeConfig } from "../config/config.js";
import { SimNet } from "../replication/testing/sim-net.js";
import { SimClock } from "../testing/sim-clock.js";
import { type SimClient, SimServer } from "../testing/sim-server.js";

interface Pair {
  /** It was the primary, and has written what the other never had. */
  old: SimServer;
  readonly heir: SimServer;
  readonly here: SimClient;
  readonly there: SimClient;
}

const usual = { replDisklessSyncDelay: 0 } as const;
const withAof = { ...usual, appendonly: true, appendfsync: "always" } as const;
const own = ["own:1 a", "own:2 b", "own:3 c"];

async function ask(client: SimClient, ...commands: readonly string[]): Promise<void> {
  for (const command of commands) assert.equal(await client.ask(...command.split(" ")), "OK");
}

/** Both have `common:*`; then the replica takes over and the primary, cut off, writes on. */
async function diverged(config: Partial<NodeConfig>): Promise<Pair> {
  const clock = new SimClock();
  const net = new SimNet(clock, 7);
  const old = await SimServer.start({ clock, net, config });
  const heir = await SimServer.start({ clock, net, port: 6380, config });
  const here = await old.connect();
  const there = await heir.connect();
  await ask(here, "SET common:1 x", "SELECT 3", "SET common:2 x");
  await ask(there, "REPLICAOF 127.0.0.1 6379");
  await old.until(() => heir.node.replication.primary?.isUp === true, "the replica's link");
  await ask(here, "SET common:3 x");
  const { history } = old.node.replication;
  await old.until(() => heir.node.replication.history.offset === history.offset, "all to be there");
  await ask(there, "REPLICAOF NO ONE", "SET theirs y");
  await ask(here, "SET own:1 a", "MULTI");
  for (const command of ["SET own:2 b", "SELECT 0", "SET own:3 c"])
    here.send(...command.split(" "));
  assert.equal(await here.ask("EXEC"), "OK OK OK");
  return { old, heir, here, there };
}

async function demote({ old, heir }: Pair): Promise<void> {
  await ask(await old.connect(), "REPLICAOF 127.0.0.1 6380");
  const history = (server: SimServer): string => {
    const { id, offset } = server.node.replication.history;
    return `${id} ${offset}`;
  };
  await old.until(() => old.node.replication.primary?.isUp === true, "the link to the heir");
  await old.until(() => history(old) === history(heir), "the same history");
  const client = await old.connect();
  assert.equal(await client.ask("GET", "theirs"), "y");
  assert.equal(await client.ask("GET", "own:3"), "null");
}

/** As `slotlog aof dump` reads it. */
async function dumped(server: SimServer, path: string): Promise<string[]> {
  const disk = server.disk.forProcess();
  const lines: string[] = [];
  const filter = { keys: [], slots: new Set<number>(), commands: new Set<string>() };
  const source = await server.wait(locateAof(disk, path));
  const dump = dumpAof({
    disk,
    source,
    filter: { ...filter, since: undefined, until: undefined },
    base: true,
    sink: {
      record: ({ argv, db }) => void lines.push(`${db} ${argv.map(String).join(" ")}`),
      baseKey: () => void lines.push("a key"),
    },
  });
  await server.wait(dump);
  return lines;
}

const kept = (server: SimServer): Promise<readonly string[] | undefined> =>
  server.wait(server.disk.forProcess().list("/data/salvage"));

const writes = (lines: readonly string[]): string[] =>
  lines.filter((line) => line.includes(" SET ")).map((line) => line.replace(" SET", ""));

const expected = [`3 ${own[0]}`, `3 ${own[1]}`, `0 ${own[2]}`];

test("from the backlog, with and without an AOF", async () => {
  for (const config of [usual, withAof]) {
    const pair = await diverged(config);
    await demote(pair);
    assert.deepEqual(await kept(pair.old), ["1.aof"]);
    assert.deepEqual(writes(await dumped(pair.old, "/data/salvage/1.aof")), expected);
    const { salvages, salvagedRecords } = pair.old.node.stats;
    assert.deepEqual([salvages, salvagedRecords], [1, 5], "MULTI and EXEC are records");
    const info = await (await pair.old.connect()).ask("INFO", "stats");
    assert.match(info, /slotlog_salvages:1\r\nslotlog_salvaged_records:5\r\n/);
    assert.ok(pair.old.log.lines.some((line) => /^warning .*salvage\/1\.aof/.test(line)));
  }
});

test("from the AOF after a restart, and with times where it has them", async () => {
  for (const config of [withAof, { ...withAof, aofTimestampEnabled: true }]) {
    const pair = await diverged(config);
    await pair.old.clock.advance(200);
    pair.old.kill();
    const { clock, disk } = pair.old;
    pair.old = await SimServer.start({ clock, net: pair.heir.net, disk, config, port: 6381 });
    await demote(pair);
    assert.deepEqual(await kept(pair.old), ["1.aof"]);
    assert.deepEqual(writes(await dumped(pair.old, "/data/salvage/1.aof")), expected);
    const text = String(disk.forProcess().readFileSync("/data/salvage/1.aof"));
    assert.match(text, /^#SALVAGE:v1;replid:[0-9a-f]{40};from:\d+;to:\d+;at:\d+;\r\n/);
    assert.equal(/\r\n#TS:\d+\r\n/.test(text), "aofTimestampEnabled" in config);
  }
});

test("the whole AOF, if nothing tells where the histories part", async () => {
  const pair = await diverged(withAof);
  await ask(pair.there, "DEBUG CHANGE-REPL-ID");
  await demote(pair);
  const lines = await dumped(pair.old, "/data/salvage/1");
  const all = ["0 common:1 x", "3 common:2 x", "3 common:3 x", ...expected];
  assert.deepEqual(writes(lines), all);
});

test("a node without data of its own keeps nothing", async () => {
  const pair = await diverged(withAof);
  const { clock, net } = pair.heir;
  const fresh = await SimServer.start({ clock, net, port: 6382, config: withAof });
  await ask(await fresh.connect(), "REPLICAOF 127.0.0.1 6380");
  await fresh.until(() => fresh.node.replication.primary?.isUp === true, "its link");
  assert.equal(await kept(fresh), undefined);
});

test("as long as it cannot be kept, the data stay", async () => {
  const pair = await diverged(withAof);
  const { old } = pair;
  const downs = (): number =>
    old.log.lines.filter((line) => line.includes("link to the primary is down")).length;
  old.disk.inject({ operation: "sync", code: "ENOSPC", path: "salvage", times: 2 });
  await ask(pair.here, "REPLICAOF 127.0.0.1 6380");
  await old.until(() => downs() > 1, "two attempts that failed");
  assert.equal(await pair.here.ask("GET", "own:3"), "c");
  await old.until(() => old.node.replication.primary?.isUp === true, "the link to the heir");
  assert.deepEqual(writes(await dumped(old, "/data/salvage/1.aof")), expected);
});

test("never overwritten: the next is the next number; salvage-max is for all of them", async () => {
  const pair = await diverged(withAof);
  const disk = pair.old.disk.forProcess();
  disk.makeDirectorySync("/data/salvage");
  const earlier = disk.openSync("/data/salvage/7.aof", "append");
  earlier.writeSync([Buffer.from("#TS:1\r\n")]);
  await demote(pair);
  assert.deepEqual(await kept(pair.old), ["7.aof", "8.aof"]);
  assert.equal(String(disk.readFileSync("/data/salvage/7.aof")), "#TS:1\r\n");

  const full = await diverged({ ...withAof, salvageMax: 10 });
  await demote(full);
  assert.equal(await kept(full.old), undefined);
  assert.ok(full.old.log.lines.some((line) => /^warning NOT kept: .*salvage-max is 10/.test(line)));
  assert.equal(full.old.node.stats.salvages, 0);
});
