// `slotlog aof` as a user runs it, on directories that servers wrote, ours and the real one, and
// with servers started on what it made of them.

import assert from "node:assert/strict";
import { appendFileSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { contentsOf, differences } from "../harness/contents.js";
import { mustRun, run } from "../harness/exec.js";
import { projectRoot } from "../harness/project-root.js";
import { textOf } from "../harness/reply.js";
import {
  type Program,
  realRedis,
  realTool,
  removeDirectory,
  Server,
  subject,
  temporaryDirectory,
} from "../harness/server.js";

const bin = join(projectRoot(), "packages/slotlog/dist/bin.js");
const timed = ["--aof-timestamp-enabled", "yes"];
const directives = ["--appendonly", "yes", "--save", "", "--appendfsync", "always"];

function aof(...args: readonly string[]): Promise<{ code: number; out: string }> {
  return run(process.execPath, [bin, "aof", ...args]);
}

const programs = { slotlog: subject, "redis-server": realRedis } as const;

for (const [name, program] of Object.entries(programs)) {
  test(`a FLUSHALL that ${name} logged is undone, and both servers start on the result`, async () => {
    const directory = temporaryDirectory();
    const target = temporaryDirectory();
    try {
      const wanted = await writeAndFlush(program(), directory);
      const checked = await aof("check", directory);
      assert.equal(checked.code, 0, checked.out);
      assert.match(checked.out, /Sound\./);
      const history = await aof("history", directory, "user:1");
      assert.match(
        history.out,
        /SET user:1 one[\s\S]*DEL user:1[\s\S]*SET user:1 two[\s\S]*FLUSHALL/,
      );
      const restore = ["restore", directory, "--before-command", "FLUSHALL", "--to", target];
      const restored = await aof(...restore);
      assert.equal(restored.code, 0, restored.out);
      assert.match(restored.out, /Left out, first of all: FLUSHALL at /);
      const manifest = join(target, "appendonlydir", "appendonly.aof.manifest");
      assert.match(
        await mustRun(realTool("redis-check-aof"), [manifest]),
        /All AOF files .* are valid/,
      );
      const again = await aof(...restore);
      assert.equal(again.code, 1, "nothing is written over");
      for (const reader of [realRedis(), subject()]) {
        await using server = await Server.start({ program: reader, directory: target, directives });
        assert.deepEqual(differences(await contentsOf(server), wanted), [], reader.name);
        await server.stop();
      }
    } finally {
      removeDirectory(directory);
      removeDirectory(target);
    }
  });
}

/** Returns what was there before the FLUSHALL. */
async function writeAndFlush(program: Program, directory: string): Promise<Map<string, string>> {
  await using server = await Server.start({
    program,
    directory,
    directives: [...directives, ...timed],
  });
  using client = await server.client();
  for (let index = 0; index < 200; index++) await client.call("SET", `k:${index}`, `v${index}`);
  await client.call("SET", "user:1", "one");
  await client.call("DEL", "user:1");
  await client.call("SET", "user:1", "two");
  const wanted = await contentsOf(server);
  await client.call("FLUSHALL");
  await client.call("SET", "afterwards", "v");
  await server.stop();
  return wanted;
}

test("a live node's directory is read, and not written to", async () => {
  const target = join(temporaryDirectory(), "new");
  try {
    await using server = await Server.start({ program: subject(), directives });
    using client = await server.client();
    await client.call("SET", "k", "v");
    await client.call("FLUSHALL");
    const { directory } = server;
    const checked = await aof("check", directory);
    assert.equal(checked.code, 0, checked.out);
    assert.match(checked.out, /A live node owns it \(pid \d+/);
    assert.match((await aof("dump", directory)).out, /SET k v\n.*FLUSHALL/);
    for (const command of [
      ["repair", directory, "--yes"],
      ["restore", directory, "--before-command", "flushall", "--to", target],
    ]) {
      const refused = await aof(...command);
      assert.equal(refused.code, 1, refused.out);
      assert.match(refused.out, /a live node runs on/);
    }
    const live = ["restore", directory, "--live", "--before-command", "flushall", "--to", target];
    assert.equal((await aof(...live)).code, 0);
    assert.equal(textOf(await client.call("PING")), "PONG");
    await using undone = await Server.start({
      program: realRedis(),
      directory: target,
      directives,
    });
    assert.deepEqual([...(await contentsOf(undone))], [["k", "v"]]);
  } finally {
    removeDirectory(join(target, ".."));
  }
});

test("damage is found, shown, asked about, cut, and the original kept", async () => {
  const directory = temporaryDirectory();
  try {
    await writeAndFlush(realRedis(), directory);
    const files = join(directory, "appendonlydir");
    const name = readdirSync(files).find((file) => file.endsWith(".incr.aof")) ?? "";
    const file = join(files, name);
    const size = statSync(file).size;
    appendFileSync(file, "*3\r\n$3\r\nSE");
    const torn = await aof("check", directory, "--json");
    assert.equal(torn.code, 1);
    assert.equal((JSON.parse(torn.out) as { sound: boolean }).sound, false);
    const bytes = readFileSync(file);
    bytes[bytes.indexOf("k:100") - 4] = 0x3f;
    writeFileSync(file, bytes);
    const asked = await aof("repair", directory);
    assert.equal(asked.code, 1);
    assert.match(asked.out, /loses \d+ bytes, in them 10[45] whole records/);
    assert.deepEqual(readFileSync(file), bytes, "nothing is cut without an answer");
    const repaired = await aof("repair", directory, "--yes");
    assert.equal(repaired.code, 0, repaired.out);
    assert.ok(statSync(file).size < size);
    assert.deepEqual(readFileSync(`${file}.damaged-1`), bytes);
    assert.equal((await aof("check", directory)).code, 0);
    for (const program of [realRedis(), subject()]) {
      await using server = await Server.start({ program, directory, directives });
      const contents = await contentsOf(server);
      assert.equal(contents.get("k:99"), "v99", program.name);
      assert.equal(contents.get("k:100"), undefined, program.name);
      await server.stop();
    }
  } finally {
    removeDirectory(directory);
  }
});
