// A disk that is full for real: writes are refused and say why, reads go on, and once there is room
// writes go on too, without a restart. What is on the disk then is what was acknowledged, once.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { cpSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import type { RawClient } from "../harness/raw-client.js";
import { textOf } from "../harness/reply.js";
import {
  eventually,
  realRedis,
  removeDirectory,
  Server,
  subject,
  temporaryDirectory,
} from "../harness/server.js";
import { SmallDisk } from "../harness/small-disk.js";

const value = "v".repeat(4000);
const noSpace = /^MISCONF Errors writing to the AOF file: No space left on device/;

/** The disk, or the test is left out, loudly. */
async function smallDisk(context: TestContext, mebibytes: number): Promise<SmallDisk | undefined> {
  const disk = await SmallDisk.mount(mebibytes);
  if (typeof disk !== "string") return disk;
  console.error(`!! NOT RUN: ${context.name}: cannot ${disk}`);
  context.skip(`cannot ${disk}`);
  return undefined;
}

/** Sets keys and counts, until a write is refused; how many were acknowledged. */
async function writeUntilRefused(client: RawClient): Promise<number> {
  for (let count = 0; count < 5000; count += 1) {
    const set = textOf(await client.call("SET", `key:${count}`, value));
    if (set !== "OK") {
      assert.match(set, noSpace);
      return count;
    }
    const incremented = textOf(await client.call("INCR", "counter"));
    if (incremented !== String(count + 1)) {
      assert.match(incremented, noSpace);
      return count;
    }
  }
  throw new Error("the disk never ran full");
}

async function info(client: RawClient, field: string): Promise<string | undefined> {
  const text = textOf(await client.call("INFO", "persistence"));
  return new RegExp(`^${field}:(.*)\r$`, "m").exec(text)?.[1];
}

for (const policy of ["everysec", "always"]) {
  test(`appendfsync ${policy}: a full disk stops writes and nothing else, until there is room`, async (context) => {
    const disk = await smallDisk(context, 8);
    if (disk === undefined) return;
    await using _ = disk;
    disk.take(4);
    const directives = ["--appendonly", "yes", "--appendfsync", policy, "--save", ""];
    const { directory } = disk;
    await using server = await Server.start({ program: subject(), directory, directives });
    using client = await server.client();
    using other = await server.client();
    const acknowledged = await writeUntilRefused(client);
    assert.ok(acknowledged > 500, `${acknowledged} acknowledged`);

    assert.match(textOf(await other.call("SET", "other", "x")), noSpace);
    assert.match(textOf(await other.call("DEL", "key:0")), noSpace);
    assert.equal(textOf(await other.call("GET", "key:0")), value);
    assert.equal(textOf(await other.call("EXISTS", "key:1", "key:2", "nothing")), "2");
    assert.equal(await info(other, "aof_last_write_status"), "err");
    assert.match(server.log, /Error writing to the AOF file|Short write while writing to the AOF/);

    disk.giveBack();
    await eventually("writes are accepted again", async () => {
      const reply = textOf(await other.call("SET", "other", "x"));
      return reply === "OK" ? undefined : reply;
    });
    assert.equal(await info(other, "aof_last_write_status"), "ok");
    const counter = Number(textOf(await other.call("INCR", "counter")));
    // One step may have been applied without being confirmed.
    assert.ok(counter === acknowledged + 1 || counter === acknowledged + 2, `${counter} counted`);
    await server.kill9();
    for (const program of [subject(), realRedis()]) {
      const copy = temporaryDirectory();
      try {
        const files = "appendonlydir";
        cpSync(join(directory, files), join(copy, files), { recursive: true });
        await using next = await Server.start({ program, directory: copy, directives });
        using reader = await next.client();
        assert.equal(textOf(await reader.call("GET", "counter")), String(counter), program.name);
        assert.equal(textOf(await reader.call("GET", `key:${acknowledged - 1}`)), value);
        assert.equal(textOf(await reader.call("GET", "other")), "x");
      } finally {
        removeDirectory(copy);
      }
    }
  });
}

test("a rewrite without room for its base leaves the log as it was, and no debris", async (context) => {
  const disk = await smallDisk(context, 8);
  if (disk === undefined) return;
  await using _ = disk;
  const directives = ["--appendonly", "yes", "--appendfsync", "everysec", "--save", ""];
  const { directory } = disk;
  await using server = await Server.start({ program: subject(), directory, directives });
  using client = await server.client();
  for (let count = 0; count < 1200; count += 1) {
    // Noise, or the base would be compressed to nothing.
    assert.equal(textOf(await client.call("SET", `key:${count}`, randomBytes(4000))), "OK");
  }
  disk.take(2);
  assert.match(textOf(await client.call("BGREWRITEAOF")), /rewriting started/);
  await eventually("the rewrite fails", async () => {
    const status = await info(client, "aof_last_bgrewrite_status");
    return status === "err" ? undefined : `${status}`;
  });
  const left = readdirSync(join(directory, "appendonlydir"));
  assert.deepEqual(
    left.filter((name) => name.startsWith("temp-")),
    [],
  );
  assert.equal(textOf(await client.call("SET", "after", "x")), "OK");
  disk.giveBack();
  await client.call("FLUSHALL");
  assert.equal(textOf(await client.call("SET", "small", "x")), "OK");
  await client.call("BGREWRITEAOF");
  await eventually("a rewrite succeeds", async () => {
    const status = await info(client, "aof_last_bgrewrite_status");
    return status === "ok" ? undefined : `${status}`;
  });
  assert.equal(textOf(await client.call("DBSIZE")), "1");
});
