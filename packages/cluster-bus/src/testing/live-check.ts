/**
 * Stands bus-only nodes beside real servers in one cluster and says what the real ones make of it:
 *
 *   node --conditions=@slotlog/source --import tsx src/testing/live-check.ts [redis-server]
 *
 * Joining, three node timeouts without a suspicion, no warning in a real log; then elections in
 * which each kind of node votes for the other. Exit code 0 if all of it held.
 */

import type { ChildProcess } from "node:child_process";
import { execFileSync, spawn } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import type { LiveNode } from "./live-node.js";
import { freePort, startLiveNode, waitUntil } from "./live-node.js";

const nodeTimeoutMs = 1500;

interface RealServer {
  readonly port: number;
  readonly busPort: number;
  readonly process: ChildProcess;
  readonly directory: string;
  cli(...args: readonly (string | number)[]): string;
}

async function startServer(binary: string): Promise<RealServer> {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), "slotlog-real-"));
  const [port, busPort] = [await freePort(), await freePort()];
  const settings: Readonly<Record<string, string | number>> = {
    port,
    "cluster-enabled": "yes",
    "cluster-port": busPort,
    "cluster-node-timeout": nodeTimeoutMs,
    "cluster-replica-validity-factor": 0,
    save: "",
    dir: directory,
    logfile: "log",
    loglevel: "verbose",
  };
  const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const child = spawn(binary, args, { stdio: "ignore" });
  const cli = (...rest: readonly (string | number)[]): string => {
    try {
      const all = ["-p", port, ...rest].map(String);
      return execFileSync("redis-cli", all, { encoding: "utf8", stdio: "pipe" }).trim();
    } catch {
      return "";
    }
  };
  await waitUntil(
    () => cli("ping") === "PONG",
    5000,
    () => "no PONG",
  );
  return { port, busPort, process: child, directory, cli };
}

function assignSlots(parts: readonly (RealServer | LiveNode)[]): void {
  const per = Math.ceil(16384 / parts.length);
  for (const [i, part] of parts.entries()) {
    const last = Math.min((i + 1) * per, 16384) - 1;
    if ("cli" in part) {
      part.cli("cluster", "addslotsrange", i * per, last);
    } else {
      const slots = Array.from({ length: last - i * per + 1 }, (_, n) => i * per + n);
      part.driver.run({ kind: "add-slots", slots });
    }
  }
}

function warningsOf(server: RealServer): string[] {
  const harmless =
    /overcommit|Changing databases|starting|version=|Configuration loaded|initialized|IP address|Cluster state|Missing implement|Failover auth|configEpoch|SYNC|election|secondary replication ID/;
  return fs
    .readFileSync(path.join(server.directory, "log"), "utf8")
    .split("\n")
    .filter((line) => (/ # /.test(line) || /WARNING/.test(line)) && !harmless.test(line));
}

function check(what: string, held: boolean, detail = ""): void {
  console.log(`${held ? "ok  " : "FAIL"} ${what}${held ? "" : `\n${detail}`}`);
  if (!held) process.exitCode = 1;
}

interface Stage {
  readonly real: readonly [RealServer, RealServer, RealServer];
  readonly ours: readonly [LiveNode, LiveNode];
  /** CLUSTER NODES of everybody. */
  views(): string[];
  serving(): boolean;
}

async function join(stage: Stage): Promise<void> {
  const [r1, r2, r3] = stage.real;
  const [o1, o2] = stage.ours;
  assignSlots([r1, o1, r2]);
  r1.cli("cluster", "meet", "127.0.0.1", o1.config.port, o1.config.busPort);
  for (const { port, busPort } of [r2, r3]) {
    o1.driver.run({ kind: "meet", ip: "127.0.0.1", port, busPort });
  }
  r2.cli("cluster", "meet", "127.0.0.1", o2.config.port, o2.config.busPort);
  const known = (): boolean =>
    stage
      .views()
      .every((view) => view.trim().split("\n").length === 5 && !view.includes("handshake"));
  await waitUntil(
    () => known() && stage.serving(),
    15_000,
    () => stage.views().join("\n"),
  );
  check("all five know each other and serve", true);
  const view = r2.cli("cluster", "nodes");
  check("real nodes show our hostname", view.includes("a.example"), view);
  r1.cli("publish", "news", "hello");
  await o2.until(() => o2.published.includes("hello"), 3000);
}

async function watch(stage: Stage): Promise<void> {
  let suspicion = "";
  const until = Date.now() + nodeTimeoutMs * 3;
  await waitUntil(
    () => {
      if (suspicion === "") suspicion = stage.views().find((view) => view.includes("fail")) ?? "";
      return Date.now() > until;
    },
    nodeTimeoutMs * 4,
    () => "",
  );
  check("no suspicion in three node timeouts", suspicion === "", suspicion);
}

async function elect(stage: Stage): Promise<void> {
  const [r1, r2, r3] = stage.real;
  const [o1, o2] = stage.ours;
  const views = (): string => stage.views().join("\n");
  o2.driver.run({ kind: "replicate", node: r2.cli("cluster", "myid") });
  r3.cli("cluster", "replicate", o1.driver.core.myId);
  const seesBoth = (server: RealServer): boolean =>
    server.cli("cluster", "nodes").match(/slave/g)?.length === 2;
  await waitUntil(() => seesBoth(r1) && seesBoth(r2), 10_000, views);
  r2.process.kill("SIGKILL");
  await o2.until(() => o2.driver.core.isPrimary, 20_000);
  await waitUntil(() => stage.serving(), 10_000, views);
  check("our replica replaced a real primary, by a vote of both kinds", true);

  await o1.stop();
  await waitUntil(() => r3.cli("cluster", "nodes").includes("myself,master"), 20_000, views);
  await waitUntil(
    () => r1.cli("cluster", "info").includes("cluster_state:ok") && o2.driver.core.stateOk,
    10_000,
    views,
  );
  check("a real replica replaced our primary, by a vote of both kinds", true);
  const warnings = [r1, r3].flatMap(warningsOf);
  check("real logs warn of nothing", warnings.length === 0, warnings.join("\n"));
}

async function main(binary: string): Promise<void> {
  const real = [
    await startServer(binary),
    await startServer(binary),
    await startServer(binary),
  ] as const;
  const ours = [
    await startLiveNode({ nodeTimeoutMs, replicaValidityFactor: 0, announceHostname: "a.example" }),
    await startLiveNode({ nodeTimeoutMs, replicaValidityFactor: 0 }),
  ] as const;
  const stage: Stage = {
    real,
    ours,
    views: () => [
      ...real.map((server) => server.cli("cluster", "nodes")),
      ...ours.map((node) => node.driver.core.nodesText()),
    ],
    serving: () =>
      real[0].cli("cluster", "info").includes("cluster_state:ok") && ours[0].driver.core.stateOk,
  };
  try {
    await join(stage);
    await watch(stage);
    await elect(stage);
  } finally {
    for (const server of real) {
      server.process.kill("SIGKILL");
      fs.rmSync(server.directory, { recursive: true, force: true });
    }
    await Promise.all(ours.map((node) => node.stop()));
  }
}

await main(process.argv[2] ?? "redis-server");
