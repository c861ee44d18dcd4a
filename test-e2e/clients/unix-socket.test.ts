// redis-cli over a unix socket, as with redis-server: who is connected there is local, and says so.

import assert from "node:assert/strict";
import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { mustRun, run } from "../harness/exec.js";
import {
  type Program,
  realRedis,
  realTool,
  removeDirectory,
  Server,
  subject,
  temporaryDirectory,
} from "../harness/server.js";

for (const program of [subject(), realRedis()]) {
  test(`${program.name}: redis-cli over a unix socket`, () => overSocket(program));
}

async function overSocket(program: Program): Promise<void> {
  const directory = temporaryDirectory();
  const socket = join(directory, "node.sock");
  const cli = (...words: readonly string[]): Promise<string> =>
    mustRun(realTool("redis-cli"), ["-s", socket, ...words]).then((out) => out.trim());
  try {
    const directives = ["--unixsocket", socket, "--unixsocketperm", "700"];
    await using server = await Server.start({ program, directory, directives });
    assert.equal(await cli("SET", "key", "x".repeat(100_000)), "OK");
    assert.equal(await cli("STRLEN", "key"), "100000");
    assert.equal((await cli("GET", "key")).length, 100_000);
    assert.equal(statSync(socket).mode & 0o777, 0o700);
    const line = await cli("CLIENT", "INFO");
    assert.match(line, new RegExp(` addr=${socket}:0 laddr=${socket}:0 `));
    assert.match(line, / flags=U /);
    assert.match(server.log, /Ready to accept.*connections/);
    await server.kill9();
    assert.ok(existsSync(socket), "a killed process leaves its socket");
    await using next = await Server.start({ program, directory, directives });
    assert.equal(await cli("PING"), "PONG");
    await next.stop();
    assert.equal(existsSync(socket), false, "a stopped one does not");
    const gone = await run(realTool("redis-cli"), ["-s", socket, "PING"]);
    assert.match(gone.out, /Could not connect/);
  } finally {
    removeDirectory(directory);
  }
}
