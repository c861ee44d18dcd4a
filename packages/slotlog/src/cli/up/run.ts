// One run of `slotlog up` from start to end: ports checked, nodes started, cluster formed or
// resumed, table printed, then watched until the user stops it.

import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { CliError, type ExitCode, exitCodes, errnoOf, reasonOf } from "../errors.js";
import { NodeClient } from "../forming/client.js";
import { formCluster, type Member, nodesKnownTo, waitUntilServing } from "../forming/form.js";
import { type Waiting, waitUntil } from "../forming/wait.js";
import { heapMbFor, nodeFlags } from "../node-flags.js";
import { type Progress, progressOn } from "../progress.js";
import { unwritable, writeClusterFile } from "./cluster-file.js";
import { configFileName, nodeConfig } from "./node-config.js";
import { passwordOf } from "./password.js";
import type { ClusterPlan } from "./plan.js";
import { chooseMetricsPort, requireFreePorts } from "./ports.js";
import { type Ending, type Launch, logFileName, NodeProcess } from "./processes.js";
import { chooseRouterPort, startRouter } from "./router.js";
import { connectLines, nodeTable, reportOf } from "./table.js";

export interface UpRun {
  readonly plan: ClusterPlan;
  readonly isNew: boolean;
  readonly formed: boolean;
  readonly requirepass: string | undefined;
  readonly appendfsync: string;
  /** Further arguments for every node. */
  readonly directives: readonly string[];
  readonly heapMb: number | undefined;
  /** First port for metrics; 0 is off, without a number 9121 if it is free. */
  readonly metricsPort: number | undefined;
  /** Port of the router; 0 is none, without a number 7379 if it is free. */
  readonly routerPort: number | undefined;
  readonly patienceMs: number;
  readonly json: boolean;
  /** Another server in place of ours: tests start real ones. */
  readonly launch?: Launch;
}

/** Redis' own shutdown-timeout, in which a primary waits for its replicas, and the last fsync. */
const stopGraceMs = 15_000;

export async function startCluster(run: UpRun): Promise<ExitCode> {
  const progress = progressOn(process.stderr, run.json);
  const stop = new AbortController();
  const nodes: NodeProcess[] = [];
  const stopped = whenToldToStop(stop, nodes, progress);
  // While it forms and while it ends, a cluster says much that sounds worse than it is; the logs
  // have it all.
  let serving = false;
  const onTrouble = (text: string): void => {
    if (serving && !stop.signal.aborted) progress.note(text);
  };
  try {
    prepareDirectories(run);
    await requireFreePorts(run.plan);
    const metricsPort = await metricsPortOf(run, progress);
    const routerPort = await chooseRouterPort(run.plan, run.routerPort, (text) =>
      progress.note(text),
    );
    progress.step(`starting ${run.plan.nodes.length} nodes`);
    startNodes(run, nodes, { stop, metricsPort, onTrouble });
    const members = await connect(run, nodes, waiting(run, progress, stop.signal));
    if (!run.formed) await form(run, members, waiting(run, progress, stop.signal));
    const wait = waiting(run, progress, stop.signal);
    await waitUntilServing(members, wait);
    if (routerPort !== 0) {
      const { plan, requirepass } = run;
      await startRouter({ plan, port: routerPort, requirepass, onTrouble, wait }, (router) =>
        nodes.push(router),
      );
    }
    progress.done();
    await announce(run, members, nodes, routerPort);
    if (metricsPort !== 0 && !run.json) console.log(metricsLine(run.plan, metricsPort));
    serving = true;
    for (const { client } of members) client.close();
    return await watch(nodes, stopped, progress);
  } catch (error) {
    progress.done();
    if (!stop.signal.aborted) throw error;
    // Why we stop is what the user should read, not what the stop interrupted.
    const reason: unknown = stop.signal.reason;
    if (reason instanceof CliError) throw reason;
    return exitCodes.ok;
  } finally {
    await stopNodes(nodes);
    progress.done();
    stopped.release();
  }
}

/** The config files come first: where there is a cluster.json, they are complete. */
function prepareDirectories({ plan, isNew, requirepass, appendfsync }: UpRun): void {
  if (!isNew) return;
  for (const { directory, port } of plan.nodes) {
    const foreign = entriesOf(directory).find((name) => name !== configFileName);
    if (foreign !== undefined) {
      throw new CliError(`${directory} holds ${foreign}, but no cluster of slotlog up`, {
        hint: "Choose another directory with --dir.",
      });
    }
    try {
      mkdirSync(directory, { recursive: true });
      const config = nodeConfig({ host: plan.host, port, appendfsync, requirepass });
      // It may hold the password, which is nobody else's to read.
      writeFileSync(join(directory, configFileName), config, { mode: 0o600 });
    } catch (error) {
      throw unwritable(directory, error);
    }
  }
  writeClusterFile(plan.directory, { host: plan.host, shape: plan.shape, formed: false });
}

function entriesOf(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return [];
    throw unwritable(directory, error);
  }
}

function ourLaunch(run: UpRun): Launch {
  const heapMb = run.heapMb ?? heapMbFor(run.plan.nodes.length);
  const bin = fileURLToPath(new URL("../../bin.js", import.meta.url));
  return { command: process.execPath, args: [...nodeFlags(heapMb), bin, "node"] };
}

/** Only ours serve metrics themselves. */
function metricsPortOf({ launch, metricsPort, plan }: UpRun, progress: Progress): Promise<number> {
  if (launch !== undefined) return Promise.resolve(0);
  return chooseMetricsPort(plan, metricsPort, (text) => progress.note(text));
}

function metricsLine({ host, nodes }: ClusterPlan, first: number): string {
  return `Metrics: http://${host}:${first}/metrics for the first node, to ${first + nodes.length - 1}.\n`;
}

interface StartOptions {
  readonly stop: AbortController;
  readonly metricsPort: number;
  readonly onTrouble: (text: string) => void;
}

function startNodes(run: UpRun, nodes: NodeProcess[], options: StartOptions): void {
  const { metricsPort, onTrouble, stop } = options;
  const launch = run.launch ?? ourLaunch(run);
  for (const [index, plan] of run.plan.nodes.entries()) {
    const config = join(plan.directory, configFileName);
    const metrics = metricsPort === 0 ? [] : ["--metrics-port", String(metricsPort + index)];
    const args = [config, "--dir", plan.directory, ...metrics, ...run.directives];
    const node = new NodeProcess(plan, launch, args, (trouble) =>
      onTrouble(`${plan.port}: ${trouble}`),
    );
    nodes.push(node);
    void node.ended.then((ending) => stop.abort(deathOf(node, ending)));
  }
}

/** Only used while starting; later a death is reported and the others go on. */
function deathOf(node: NodeProcess, { how }: Ending): CliError {
  const log = join(node.plan.directory, logFileName);
  const last = node.lastLines.at(-1);
  const said = last === undefined ? "" : `; its last words: ${last}`;
  return new CliError(
    `node ${node.plan.port} ended while the cluster was starting: ${how}${said}`,
    {
      hint: `All it said is in ${log}`,
    },
  );
}

function waiting(run: UpRun, progress: Progress, signal: AbortSignal): Waiting {
  return { patienceMs: run.patienceMs, onProgress: (text) => progress.step(text), signal };
}

async function connect(
  { plan, requirepass }: UpRun,
  nodes: readonly NodeProcess[],
  wait: Waiting,
): Promise<Member[]> {
  const members: Member[] = [];
  for (const node of nodes) {
    const password = requirepass ?? passwordOf(node.plan.directory);
    const { port } = node.plan;
    const role = plan.nodes.find((each) => each.port === port)?.role;
    if (role === undefined) continue;
    const address = { host: plan.host, port, password };
    await waitUntil(async () => {
      try {
        const client = await NodeClient.connect(address);
        members.push({ label: String(port), ip: plan.host, port, role, client });
        return undefined;
      } catch (error) {
        return `${members.length} of ${nodes.length} nodes answer (${reasonOf(error)})`;
      }
    }, wait);
  }
  return members;
}

async function form({ plan }: UpRun, members: readonly Member[], wait: Waiting): Promise<void> {
  await formCluster(members, wait);
  writeClusterFile(plan.directory, { host: plan.host, shape: plan.shape, formed: true });
}

async function announce(
  run: UpRun,
  members: readonly Member[],
  nodes: readonly NodeProcess[],
  routerPort: number,
): Promise<void> {
  const [first] = members;
  if (first === undefined) return;
  const known = new Map((await nodesKnownTo(first.client)).map((node) => [node.port, node]));
  const reports = reportOf(
    nodes.flatMap(({ plan, pid }) => {
      const node = known.get(plan.port);
      return node === undefined ? [] : [{ node, pid, directory: plan.directory }];
    }),
  );
  if (run.json) {
    const router = routerPort === 0 ? {} : { router: { host: run.plan.host, port: routerPort } };
    console.log(JSON.stringify({ ready: true, nodes: reports, ...router }));
    return;
  }
  console.log(`${nodeTable(reports)}\n\nConnect with:\n${connectLines(first.client.address)}\n`);
  if (routerPort !== 0) {
    const { host } = run.plan;
    console.log(`Clients that know nothing of clusters: redis-cli -h ${host} -p ${routerPort}\n`);
  }
  console.log("The cluster runs until Ctrl-C.");
}

interface Stopped {
  readonly asked: Promise<void>;
  release(): void;
}

/**
 * The first signal stops in order. A second one may be the same Ctrl-C, which npm passes on after
 * the terminal has sent it to us already; only one that comes a second later means "now", and
 * kills.
 */
function whenToldToStop(
  stop: AbortController,
  nodes: readonly NodeProcess[],
  progress: Progress,
): Stopped {
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  let askedAt: number | undefined;
  let resolveAsked = (): void => {};
  const asked = new Promise<void>((resolve) => {
    resolveAsked = resolve;
  });
  const listener = (): void => {
    if (askedAt === undefined) {
      askedAt = performance.now();
      progress.step("stopping the nodes");
      stop.abort();
      resolveAsked();
    } else if (performance.now() - askedAt > 1_000) {
      for (const node of nodes) node.kill();
    }
  };
  for (const signal of signals) process.on(signal, listener);
  const release = (): void => {
    for (const signal of signals) process.removeListener(signal, listener);
  };
  return { asked, release };
}

/** Returns when told to stop, or when no node is left. */
async function watch(
  nodes: readonly NodeProcess[],
  stopped: Stopped,
  progress: Progress,
): Promise<ExitCode> {
  let stopping = false;
  let code: ExitCode = exitCodes.ok;
  const endings = nodes.map(async (node) => {
    const { clean, how } = await node.ended;
    if (stopping) return;
    progress.note(
      `node ${node.plan.port} ended: ${how}; see ${node.plan.directory}/${logFileName}`,
    );
    if (!clean) code = exitCodes.failure;
  });
  await Promise.race([stopped.asked, Promise.all(endings)]);
  stopping = true;
  return code;
}

async function stopNodes(nodes: readonly NodeProcess[]): Promise<void> {
  await Promise.all(nodes.map((node) => (node.running ? node.stop(stopGraceMs) : node.ended)));
}
