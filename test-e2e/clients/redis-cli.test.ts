// redis-cli and redis-benchmark, unmodified: the cluster manager builds and checks a cluster, `-c`
// follows redirections, the benchmark runs across all nodes.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { mustRun, run } from "../harness/exec.js";
import { freePorts } from "../harness/ports.js";
import { eventually, Server, subject } from "../harness/server.js";

const servers: Server[] = [];

before(async () => {
  const ports = await freePorts(6);
  const starting = ports.map((port) =>
    Server.start({
      program: subject(),
      port,
      directives: ["--cluster-enabled", "yes", "--repl-diskless-sync-delay", "0"],
    }),
  );
  servers.push(...(await Promise.all(starting)));
});

after(async () => {
  await Promise.all(servers.map((server) => server[Symbol.asyncDispose]()));
});

const port = (): string => String(servers[0]?.port ?? 0);

test("--cluster create makes a cluster that --cluster check finds clean", async () => {
  const addresses = servers.map((server) => `127.0.0.1:${server.port}`);
  const created = await mustRun("redis-cli", [
    "--cluster",
    "create",
    ...addresses,
    "--cluster-replicas",
    "1",
    "--cluster-yes",
  ]);
  assert.match(created, /\[OK\] All 16384 slots covered\./);
  await eventually("the check is clean", async () => {
    const { code, out } = await run("redis-cli", ["--cluster", "check", `127.0.0.1:${port()}`]);
    const clean = code === 0 && /\[OK\] All nodes agree about slots configuration\./.test(out);
    return clean && (out.match(/1 additional replica/g) ?? []).length === 3 ? undefined : out;
  });
  // Agreed on slots, a node that was just given some still waits before it serves.
  for (const server of servers) {
    await eventually(`port ${server.port} serves`, async () => {
      const info = await mustRun("redis-cli", ["-p", String(server.port), "CLUSTER", "INFO"]);
      return info.includes("cluster_state:ok") ? undefined : info;
    });
  }
});

test("-c follows redirections", async () => {
  for (let index = 0; index < 20; index++) {
    const set = await mustRun("redis-cli", ["-c", "-p", port(), "SET", `cli:${index}`, "v"]);
    assert.equal(set.trim(), "OK");
    const got = await mustRun("redis-cli", ["-c", "-p", port(), "GET", `cli:${index}`]);
    assert.equal(got.trim(), "v");
  }
});

test("--cluster call and info reach every node", async () => {
  const called = await mustRun("redis-cli", ["--cluster", "call", `127.0.0.1:${port()}`, "PING"]);
  assert.equal(called.match(/PONG/g)?.length, 6, called);
  const info = await mustRun("redis-cli", ["--cluster", "info", `127.0.0.1:${port()}`]);
  assert.match(info, /in 3 (masters|primaries)/);
});

test("redis-benchmark runs across the cluster", async () => {
  const options = `-p ${port()} --cluster -q -n 3000 -c 10 -P 4 -t set,get,incr`;
  const out = await mustRun("redis-benchmark", options.split(" "));
  for (const name of ["SET", "GET", "INCR"]) {
    assert.match(out, new RegExp(`${name}: [\\d.]+ requests per second`));
  }
});
