// A replica that was killed starts again from its append-only file and goes on where that ends:
// without a full synchronisation, with the same data set.

import assert from "node:assert/strict";
import { test } from "node:test";
import { contentsOf, differences } from "../harness/contents.js";
import type { RawClient } from "../harness/raw-client.js";
import { textOf } from "../harness/reply.js";
import { eventually, type Program, realRedis, Server, subject } from "../harness/server.js";

const common = ["--save", "", "--repl-diskless-sync-delay", "0"];
const aof = [...common, "--appendonly", "yes"];

const primaries: readonly { readonly name: string; readonly program: () => Program }[] = [
  { name: "slotlog", program: subject },
  { name: "redis-server", program: realRedis },
];

for (const { name, program } of primaries) {
  test(`a killed replica of ${name} goes on from its append-only file`, () => goesOn(program()));
}

async function goesOn(program: Program): Promise<void> {
  await using primary = await Server.start({ program, directives: common });
  using client = await primary.client();
  for (let index = 0; index < 200; index++) await client.call("SET", `old:${index}`, "v");
  const directives = [...aof, "--replicaof", "127.0.0.1", String(primary.port)];
  await using first = await Server.start({ program: subject(), directives });
  await linked(first);
  await rewritten(first);
  for (let round = 0; round < 3; round++) {
    await write(client, `round${round}`);
    await same(primary, first);
  }
  const { directory } = first;
  await first.kill9();
  await write(client, "away");
  const before = await syncs(client);
  await using second = await Server.start({ program: subject(), directives, directory });
  await linked(second);
  await write(client, "back");
  await same(primary, second);
  const after = await syncs(client);
  assert.equal(after.full, before.full, `no full synchronisation:\n${second.log.slice(-2000)}`);
  assert.equal(after.partial, before.partial + 1);
}

async function write(client: RawClient, round: string): Promise<void> {
  for (let index = 0; index < 100; index++) {
    await client.call("SET", `${round}:${index}`, round);
    await client.call("INCR", "counter");
  }
  await client.call("MULTI");
  await client.call("APPEND", "log", round);
  await client.call("INCR", "counter");
  await client.call("EXEC");
}

async function field(client: RawClient, section: string, name: string): Promise<string> {
  const info = textOf(await client.call("INFO", section));
  return new RegExp(`^${name}:(.*?)\\r?$`, "m").exec(info)?.[1] ?? "";
}

async function syncs(client: RawClient): Promise<{ full: number; partial: number }> {
  const full = Number(await field(client, "stats", "sync_full"));
  return { full, partial: Number(await field(client, "stats", "sync_partial_ok")) };
}

async function linked(server: Server): Promise<void> {
  using client = await server.client();
  await eventually("the link to the primary", async () => {
    const status = await field(client, "replication", "master_link_status");
    return status === "up" ? undefined : status;
  });
}

/** The full synchronisation is on the disk: until then nothing can go on from the files. */
async function rewritten(server: Server): Promise<void> {
  using client = await server.client();
  await eventually("a base with the primary's data set", async () => {
    const info = textOf(await client.call("INFO", "persistence"));
    const busy = /aof_rewrite_in_progress:1|aof_rewrite_scheduled:1/.test(info);
    return busy ? info : undefined;
  });
}

async function same(primary: Server, replica: Server): Promise<void> {
  using client = await primary.client();
  const offset = await field(client, "replication", "master_repl_offset");
  using there = await replica.client();
  await eventually("the replica has everything", async () => {
    const at = await field(there, "replication", "slave_repl_offset");
    return Number(at) >= Number(offset) ? undefined : `${at} of ${offset}`;
  });
  assert.deepEqual(differences(await contentsOf(primary), await contentsOf(replica)), []);
}
