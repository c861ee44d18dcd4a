// `slotlog up` as a user runs it: first run, Ctrl-C, second run, trouble.

import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { statSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { after, test } from "node:test";
import { run } from "../harness/exec.js";
import { freePort, freePortRow } from "../harness/ports.js";
import { projectRoot } from "../harness/project-root.js";
import { RawClient } from "../harness/raw-client.js";
import { textOf } from "../harness/reply.js";
import { eventually, removeDirectory, temporaryDirectory } from "../harness/server.js";

const bin = join(projectRoot(), "packages/slotlog/dist/bin.js");
const directory = temporaryDirectory();
const started: Up[] = [];

after(async () => {
  await Promise.all(started.map((up) => up.kill()));
  removeDirectory(directory);
});

interface NodeReport {
  readonly port: number;
  readonly id: string;
  readonly role: string;
  readonly pid: number;
}

class Up {
  readonly ended: Promise<number | null>;
  readonly ready: Promise<readonly NodeReport[]>;
  readonly child: ChildProcess;
  out = "";

  constructor(...options: readonly string[]) {
    this.child = spawn(process.execPath, [bin, "up", "--json", ...options]);
    started.push(this);
    this.ended = once(this.child, "close").then(([code]) => code as number | null);
    this.child.stderr?.on("data", (chunk: Buffer) => {
      this.out += chunk.toString();
    });
    this.ready = new Promise((resolve, reject) => {
      let text = "";
      this.child.stdout?.on("data", (chunk: Buffer) => {
        text += chunk.toString();
        if (!text.includes("\n")) return;
        resolve((JSON.parse(text) as { nodes: NodeReport[] }).nodes);
      });
      void this.ended.then((code) => reject(new Error(`up ended with ${code}: ${this.out}`)));
    });
  }

  async stop(signal: NodeJS.Signals = "SIGINT"): Promise<number | null> {
    this.child.kill(signal);
    return this.ended;
  }

  async kill(): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) {
      this.child.kill("SIGTERM");
      await this.ended;
    }
  }
}

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

async function ask(port: number, ...command: string[]): Promise<string> {
  using client = await RawClient.connect(port);
  await client.call("AUTH", "secret word");
  return textOf(await client.call(...command));
}

test("a cluster is created, stopped by Ctrl-C, and resumed with its data", async () => {
  const port = await freePortRow(6);
  const dir = join(directory, "resumed");
  const routerPort = await freePort();
  const shape = ["--dir", dir, "--port", String(port), "--router", String(routerPort)];
  const first = new Up(...shape, "--requirepass", "secret word");
  const nodes = await first.ready;
  assert.deepEqual(
    nodes.map((node) => node.role),
    ["primary", "primary", "primary", "replica", "replica", "replica"],
  );
  assert.equal(statSync(join(dir, String(port), "redis.conf")).mode & 0o077, 0);
  using open = await RawClient.connect(port);
  assert.match(textOf(await open.call("GET", "k")), /^NOAUTH/);
  // Slot 3300 is the first primary's.
  assert.equal(await ask(port, "SET", "b", "kept"), "OK");
  // Slot 12182 is another one's: the router goes there.
  assert.equal(await ask(routerPort, "SET", "foo", "bar"), "OK");
  assert.equal(await first.stop(), 0);
  assert.deepEqual(nodes.map(({ pid }) => pid).filter(isAlive), []);

  const second = new Up("--dir", dir);
  const resumed = await second.ready;
  assert.deepEqual(
    resumed.map(({ id }) => id),
    nodes.map(({ id }) => id),
  );
  assert.equal(await ask(port, "GET", "b"), "kept");
  const other = await run(process.execPath, [bin, "up", "--dir", dir, "--primaries", "5"]);
  assert.equal(other.code, 2);
  assert.match(other.out, /holds a cluster with --primaries 3/);
  const again = await run(process.execPath, [bin, "up", "--dir", dir]);
  assert.equal(again.code, 1);
  assert.match(again.out, new RegExp(`port ${port} is taken by another program`));
  assert.equal(await second.stop("SIGTERM"), 0);
});

test("a node that dies is reported, the others go on, the exit code says so", async () => {
  const port = await freePortRow(3);
  const options = ["--dir", join(directory, "dying"), "--port", String(port), "--replicas", "0"];
  const up = new Up(...options);
  const nodes = await up.ready;
  const victim = nodes[2];
  assert.ok(victim !== undefined);
  process.kill(victim.pid, "SIGKILL");
  await eventually("the death is reported", async () =>
    up.out.includes(`node ${victim.port} ended: signal SIGKILL`) ? undefined : up.out,
  );
  assert.equal(await up.stop(), 1);
  assert.deepEqual(nodes.map(({ pid }) => pid).filter(isAlive), []);
});

test("nodes end when slotlog up is killed", async () => {
  const port = await freePortRow(3);
  const options = ["--dir", join(directory, "orphans"), "--port", String(port), "--replicas", "0"];
  const up = new Up(...options);
  const nodes = await up.ready;
  await up.stop("SIGKILL");
  await eventually("the nodes are gone", async () => {
    const left = nodes.filter(({ pid }) => isAlive(pid));
    return left.length === 0 ? undefined : `${left.length} are alive`;
  });
});

test("a taken port is one clear line", async () => {
  const port = await freePortRow(3);
  const server = createServer().listen(port + 1, "127.0.0.1");
  await once(server, "listening");
  try {
    const dir = join(directory, "taken");
    const { code, out } = await run(process.execPath, [
      bin,
      "up",
      `--dir=${dir}`,
      `--port=${port}`,
      "--replicas=0",
    ]);
    assert.equal(code, 1);
    assert.match(out, new RegExp(`^slotlog: port ${port + 1} is taken by another program$`, "m"));
  } finally {
    server.close();
  }
});
