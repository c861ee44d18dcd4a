// Six nodes for a test suite: in one process, in workers, and as six redis-server processes that
// redis-cli forms. How long until every node serves and every replica follows, and what they hold
// of the machine's memory then.

import { execFile, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { freePorts } from "@slotlog/test-e2e/harness/ports";
import { textOf } from "@slotlog/test-e2e/harness/reply";
import { eventually, realRedis, Server } from "@slotlog/test-e2e/harness/server";
import { textTable } from "@slotlog/test-e2e/harness/text-table";
import type { BenchOptions } from "../bench.js";
import { describeMachine, median, residentBytes } from "./machine.js";

const rounds = 5;
const run = promisify(execFile);

export interface EmbeddedReport {
  readonly readyMs: number;
  /** Of the whole process, Node itself among it. */
  readonly residentBytes: number;
}

type Measure = () => Promise<EmbeddedReport>;

const contenders: Readonly<Record<string, Measure>> = {
  "slotlog, one process": () => embedded("local"),
  "slotlog, a worker each": () => embedded("worker"),
  "redis-server, six processes": redisServers,
};

export async function embedding(options: BenchOptions): Promise<void> {
  const results: { name: string; readyMs: number; residentMb: number }[] = [];
  for (const [name, measure] of Object.entries(contenders)) {
    const reports: EmbeddedReport[] = [];
    for (let round = 0; round < (options.quick ? 1 : rounds); round++) {
      reports.push(await measure());
    }
    const resident = median(reports.map((report) => report.residentBytes));
    results.push({
      name,
      readyMs: median(reports.map(({ readyMs }) => readyMs)),
      residentMb: resident / 2 ** 20,
    });
  }
  if (options.json) {
    console.log(JSON.stringify({ machine: describeMachine(), results }));
    return;
  }
  console.log(`${describeMachine()}, 3 primaries and 3 replicas, median of ${rounds}\n`);
  const rows = results.map(({ name, readyMs, residentMb }) => [
    name,
    readyMs.toFixed(0),
    residentMb.toFixed(0),
  ]);
  console.log(textTable([["", "ready ms", "resident MiB"], ...rows]));
}

/** In a process of its own: what this one has loaded already is nothing that a cluster needs. */
async function embedded(isolation: "local" | "worker"): Promise<EmbeddedReport> {
  // As users run it: built, and without what compiles this program.
  const built = fileURLToPath(new URL("../dist/bench/embedded.js", import.meta.url));
  const child = fork(built, [isolation], { execArgv: [] });
  try {
    const [report] = (await once(child, "message")) as [EmbeddedReport];
    return report;
  } finally {
    child.kill();
    await once(child, "close");
  }
}

async function redisServers(): Promise<EmbeddedReport> {
  const began = performance.now();
  const ports = await freePorts(6);
  const started = await Promise.all(
    ports.map((port) =>
      Server.start({
        program: realRedis(),
        port,
        directives: [
          ...["--cluster-enabled", "yes", "--appendonly", "yes", "--save", ""],
          ...["--repl-diskless-sync-delay", "0"],
        ],
      }),
    ),
  );
  try {
    const addresses = ports.map((port) => `127.0.0.1:${port}`);
    const forming = ["--cluster", "create", ...addresses, "--cluster-replicas", "1"];
    await run("redis-cli", [...forming, "--cluster-yes"]);
    for (const server of started) await eventually("it serves", () => unready(server));
    const readyMs = performance.now() - began;
    const resident = started.map(({ pid }) => residentBytes(pid) ?? Number.NaN);
    return { readyMs, residentBytes: resident.reduce((sum, bytes) => sum + bytes, 0) };
  } finally {
    await Promise.all(started.map((server) => server[Symbol.asyncDispose]()));
  }
}

async function unready(server: Server): Promise<string | undefined> {
  using client = await server.client();
  const info = textOf(await client.call("CLUSTER", "INFO"));
  if (!info.includes("cluster_state:ok")) return info;
  const replication = textOf(await client.call("INFO", "replication"));
  return /role:master|master_link_status:up/.test(replication) ? undefined : replication;
}
