// A directory written by one server and started by the other, both ways: the data is the same, and
// redis-check-aof finds nothing.

import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { contentsOf, differences } from "../harness/contents.js";
import { mustRun } from "../harness/exec.js";
import type { RawClient } from "../harness/raw-client.js";
import { textOf } from "../harness/reply.js";
import {
  eventually,
  type Program,
  realRedis,
  realTool,
  removeDirectory,
  Server,
  subject,
  temporaryDirectory,
} from "../harness/server.js";

const directives = ["--appendonly", "yes", "--save", "", "--appendfsync", "always"];

const ways = [
  { name: "ours to real", writer: subject, reader: realRedis },
  { name: "real to ours", writer: realRedis, reader: subject },
] as const;

for (const { name, writer, reader } of ways) {
  test(`${name}: an append-only file as it was written`, () => swap(writer(), reader(), false));
  test(`${name}: a rewritten append-only file and what came after`, () =>
    swap(writer(), reader(), true));
}

async function swap(writer: Program, reader: Program, rewrite: boolean): Promise<void> {
  const directory = temporaryDirectory();
  try {
    const written = await write(writer, directory, rewrite);
    await check(directory);
    await using server = await Server.start({ program: reader, directory, directives });
    using client = await server.client();
    const read = await contentsOf(server);
    assert.deepEqual(differences(written.contents, read), []);
    assert.equal(textOf(await client.call("PEXPIRETIME", "later")), written.expiry);
    // What was read can be written on, and read again by whoever wrote it first.
    await client.call("SET", "afterwards", "v");
    await server.stop();
    await using back = await Server.start({ program: writer, directory, directives });
    const again = await contentsOf(back);
    assert.deepEqual(differences(again, new Map([...read, ["afterwards", "v"]])), []);
  } finally {
    removeDirectory(directory);
  }
}

interface Written {
  readonly contents: Map<string, string>;
  readonly expiry: string;
}

async function write(program: Program, directory: string, rewrite: boolean): Promise<Written> {
  await using server = await Server.start({ program, directory, directives });
  using client = await server.client();
  await commands(client, "before");
  if (rewrite) {
    const said = textOf(await client.call("BGREWRITEAOF"));
    assert.match(said, /Background append only file rewriting/);
    await eventually("the rewrite is done", async () => {
      const info = textOf(await client.call("INFO", "persistence"));
      const running = /aof_rewrite_in_progress:1|aof_rewrite_scheduled:1/.test(info);
      if (running) return info;
      assert.match(info, /aof_last_bgrewrite_status:ok/);
      return undefined;
    });
    await commands(client, "after");
  }
  // SCAN could still show it and GET no more: what is compared must have come to rest.
  await eventually("the key that expires is gone", async () => {
    return textOf(await client.call("EXISTS", "gone")) === "0" ? undefined : "it is there";
  });
  const contents = await contentsOf(server);
  const expiry = textOf(await client.call("PEXPIRETIME", "later"));
  assert.match(await server.stop(), /exit code 0/);
  return { contents, expiry };
}

/** Everything that is written to the log in a form of its own. */
async function commands(client: RawClient, round: string): Promise<void> {
  const bytes = Buffer.from(Array.from({ length: 256 }, (_, index) => index));
  for (let index = 0; index < 500; index++) {
    await client.call("SET", `${round}:${index}`, "v".repeat(index));
  }
  await client.call("SET", `${round}:binary`, bytes);
  await client.call("SET", `${round}:large`, "x".repeat(200_000));
  await client.call("SET", Buffer.concat([Buffer.from(round), bytes]), "binary key");
  await client.call("SET", "later", round, "EX", "100000");
  await client.call("SET", "gone", "v", "PX", "1");
  await client.call("SET", "deleted", "v");
  await client.call("DEL", "deleted", `${round}:7`);
  await client.call("INCRBY", "number", "9223372036854775");
  await client.call("INCRBYFLOAT", "float", "3.3");
  await client.call("APPEND", "appended", round);
  await client.call("SETRANGE", "ranged", "10", round);
  await client.call("MSET", `${round}:a`, "1", `${round}:b`, "2");
  await client.call("MULTI");
  await client.call("SET", `${round}:tx`, "1");
  await client.call("INCR", `${round}:tx`);
  await client.call("EXEC");
  await client.call("RENAME", `${round}:8`, `${round}:renamed`);
  await client.call("GETEX", `${round}:9`, "EX", "100000");
  await client.call("PERSIST", `${round}:9`);
  await client.call("GETDEL", `${round}:10`);
}

async function check(directory: string): Promise<void> {
  const files = join(directory, "appendonlydir");
  const manifest = readdirSync(files).find((file) => file.endsWith(".manifest"));
  assert.ok(manifest !== undefined, "there is a manifest");
  const said = await mustRun(realTool("redis-check-aof"), [join(files, manifest)]);
  assert.match(said, /All AOF files and manifest are valid/);
}
