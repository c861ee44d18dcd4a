// The router beside nutcracker, the proxy that people used before clusters had one: both before
// three redis-server nodes, and one node without anything between. All run all the time and are
// measured in turn, several times, and the median counts.
//
// nutcracker is Debian's (`apt-get download nutcracker; dpkg -x nutcracker*.deb DIR` does not start
// it as a service); NUTCRACKER names the program, and without one it is left out.

import { type ChildProcess, execFile, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { TestCluster } from "@slotlog/test-e2e/harness/cluster";
import { freePort, freePorts } from "@slotlog/test-e2e/harness/ports";
import { RawClient } from "@slotlog/test-e2e/harness/raw-client";
import { eventually, realRedis, Server } from "@slotlog/test-e2e/harness/server";
import { RouterProcess } from "@slotlog/test-e2e/router/router-process";
import type { BenchOptions } from "../bench.js";
import { cpuSeconds, describeMachine, median } from "./machine.js";
import { textTable } from "@slotlog/test-e2e/harness/text-table";

const rounds = 5;
const clients = 50;
const keys = 100_000;
const pipelines = [
  { pipeline: 1, requests: 60_000 },
  { pipeline: 16, requests: 400_000 },
] as const;
const directives = ["--save", "", "--appendonly", "no"];

interface Way {
  readonly name: "direct" | "nutcracker" | "router";
  readonly port: number;
  readonly pid: number;
}

interface Measured {
  readonly perSecond: number;
  readonly p99Ms: number;
  readonly cpuMicrosPerRequest: number;
}

interface Row {
  readonly test: string;
  readonly pipeline: number;
  readonly measured: Readonly<Record<string, Measured>>;
}

export async function router(options: BenchOptions): Promise<void> {
  const ports = await freePorts(3);
  await using shards = new Disposables();
  const nodes: Server[] = [];
  for (const port of ports) {
    nodes.push(shards.use(await Server.start({ program: realRedis(), port, directives })));
  }
  const programs = [realRedis(), realRedis(), realRedis()];
  await using cluster = await TestCluster.start({ programs, primaries: 3, directives });
  await using proxy = await RouterProcess.start({ nodes: cluster.servers.map(({ port }) => port) });
  await using nutcracker = await Nutcracker.start(ports);
  const [first] = nodes;
  if (first === undefined) throw new Error("no node was started");
  const ways: Way[] = [
    { name: "direct", port: first.port, pid: first.pid },
    ...(nutcracker === undefined
      ? []
      : [{ name: "nutcracker" as const, port: nutcracker.port, pid: nutcracker.pid }]),
    { name: "router", port: proxy.port, pid: proxy.pid },
  ];
  const tests = options.tests.filter((test) => test === "set" || test === "get");
  const rows: Row[] = [];
  for (const test of tests) {
    for (const { pipeline, requests } of pipelines) {
      const count = options.quick ? requests / 10 : requests;
      rows.push({ test, pipeline, measured: await inTurn(ways, test, pipeline, count) });
    }
  }
  report(rows, ways, options.json);
}

async function inTurn(
  ways: readonly Way[],
  test: string,
  pipeline: number,
  requests: number,
): Promise<Record<string, Measured>> {
  const taken = new Map(ways.map(({ name }) => [name, [] as Measured[]]));
  // One more round than counted: the first warms up.
  for (let round = 0; round <= rounds; round++) {
    for (const way of ways) {
      const measured = await measure(way, test, pipeline, requests);
      if (round > 0) taken.get(way.name)?.push(measured);
    }
  }
  return Object.fromEntries(
    [...taken].map(([name, all]) => [
      name,
      {
        perSecond: median(all.map((each) => each.perSecond)),
        p99Ms: median(all.map((each) => each.p99Ms)),
        cpuMicrosPerRequest: median(all.map((each) => each.cpuMicrosPerRequest)),
      },
    ]),
  );
}

async function measure(
  way: Way,
  test: string,
  pipeline: number,
  requests: number,
): Promise<Measured> {
  const before = cpuSeconds(way.pid) ?? Number.NaN;
  const options = `-p ${way.port} -c ${clients} -P ${pipeline} -n ${requests} -r ${keys} -t ${test} --csv`;
  const { stdout } = await promisify(execFile)("redis-benchmark", options.split(" "), {
    timeout: 120_000,
  });
  const used = (cpuSeconds(way.pid) ?? Number.NaN) - before;
  const fields = (stdout.trim().split("\n").at(-1) ?? "").split(",");
  const number = (at: number): number => Number(fields[at]?.replaceAll('"', ""));
  return {
    perSecond: number(1),
    p99Ms: number(6),
    cpuMicrosPerRequest: (used / requests) * 1e6,
  };
}

function report(rows: readonly Row[], ways: readonly Way[], json: boolean): void {
  if (json) {
    console.log(JSON.stringify({ machine: describeMachine(), rows }));
    return;
  }
  const names = ways.map(({ name }) => name);
  const heading = ["", ...names.flatMap((name) => [`${name}/s`, "p99 ms", "CPU us"]), "ratio"];
  const lines = rows.map(({ test, pipeline, measured }) => {
    const base = measured["nutcracker"] ?? measured["direct"];
    const ratio = (measured["router"]?.perSecond ?? Number.NaN) / (base?.perSecond ?? Number.NaN);
    return [
      `${test.toUpperCase()} pipeline ${pipeline}`,
      ...names.flatMap((name) => {
        const { perSecond, p99Ms, cpuMicrosPerRequest } = measured[name] as Measured;
        return [perSecond.toFixed(0), p99Ms.toFixed(2), cpuMicrosPerRequest.toFixed(2)];
      }),
      ratio.toFixed(2),
    ];
  });
  const beside = names.includes("nutcracker") ? "nutcracker" : "a node (no nutcracker was found)";
  console.log(`${describeMachine()}, ${clients} clients, median of ${rounds}; ratio: the router`);
  console.log(`to ${beside}; CPU: of the proxy, or of the node itself, for each request\n`);
  console.log(textTable([heading, ...lines]));
}

/** Ends everything it was given, the last one first. */
class Disposables implements AsyncDisposable {
  readonly #all: AsyncDisposable[] = [];

  use<Resource extends AsyncDisposable>(resource: Resource): Resource {
    this.#all.push(resource);
    return resource;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const each of this.#all.reverse()) await each[Symbol.asyncDispose]();
  }
}

class Nutcracker implements AsyncDisposable {
  readonly port: number;
  readonly pid: number;
  readonly #child: ChildProcess;
  readonly #directory: string;

  private constructor(child: ChildProcess, port: number, directory: string) {
    this.#child = child;
    this.port = port;
    this.pid = child.pid ?? 0;
    this.#directory = directory;
  }

  static async start(nodes: readonly number[]): Promise<Nutcracker | undefined> {
    const program = process.env["NUTCRACKER"] ?? "nutcracker";
    if (spawnSync(program, ["--version"]).error !== undefined) return undefined;
    const [port, statistics] = [await freePort(), await freePort()];
    const directory = mkdtempSync(join(tmpdir(), "slotlog-bench-"));
    const file = join(directory, "nutcracker.yml");
    const servers = nodes.map((each) => `   - 127.0.0.1:${each}:1`).join("\n");
    writeFileSync(
      file,
      `pool:\n  listen: 127.0.0.1:${port}\n  hash: fnv1a_64\n  distribution: ketama\n` +
        `  redis: true\n  servers:\n${servers}\n`,
    );
    // Where it writes without being asked to needs more rights than a benchmark has.
    const files = ["-o", join(directory, "log"), "-p", join(directory, "pid")];
    const args = ["-c", file, "-s", String(statistics), "-a", "127.0.0.1", "-v", "0", ...files];
    const child = spawn(program, args, { stdio: "ignore" });
    process.once("exit", () => child.kill("SIGKILL"));
    const started = new Nutcracker(child, port, directory);
    await eventually("nutcracker answers", () => answers(port));
    return started;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = new Promise((resolve) => this.#child.once("close", resolve));
    this.#child.kill("SIGKILL");
    await ended;
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

async function answers(port: number): Promise<string | undefined> {
  try {
    using client = await RawClient.connect(port);
    const reply = (await client.call("GET", "k")).toString("latin1");
    return reply === "$-1\r\n" ? undefined : reply;
  } catch (error) {
    return String(error);
  }
}
