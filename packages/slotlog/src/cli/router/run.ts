// `slotlog router` as a process: gives the router this machine's clock and network and a node's
// declarations of commands, and binds its life to the process' signals.

import type { CommandSource, Credentials, ReadFrom, RouterLimits } from "@slotlog/router";
import { CliError, type ExitCode, exitCodes, reasonOf, usageError } from "../errors.js";
import { version } from "../version.js";

export interface RouterRun {
  readonly seeds: readonly { readonly host: string; readonly port: number }[];
  readonly listen: { readonly host: string; readonly port: number };
  readonly credentials: Credentials | undefined;
  readonly readFrom: ReadFrom;
  readonly readOwnWrites: boolean;
  readonly connections: number;
  readonly clusterMode: readonly string[] | undefined;
  readonly explain: boolean;
  readonly metricsPort: number;
  readonly logFormat: "human" | "json";
  readonly limits: Partial<RouterLimits>;
}

/** How long SIGTERM waits for what is under way. */
const drainMs = 10_000;

export async function runRouter(run: RouterRun): Promise<ExitCode> {
  // Loaded here and not above: `slotlog --help` need not wait for a whole server.
  const [{ Router, RouterMetrics }, node] = await Promise.all([
    import("@slotlog/router"),
    import("@slotlog/node"),
  ]);
  const commands = await declaredCommands();
  const { clock, net, random } = node.systemPorts();
  const format = run.logFormat;
  const role = (): "router" => "router";
  const log = new node.NodeLog({ clock, format, level: "notice", file: "", role });
  const router = make(
    () =>
      new Router({
        ports: { clock, net, log },
        commands,
        seeds: run.seeds,
        ...(run.credentials === undefined ? {} : { credentials: run.credentials }),
        readFrom: run.readFrom,
        readOwnWrites: run.readOwnWrites,
        connections: run.connections,
        ...(run.clusterMode === undefined ? {} : { clusterMode: run.clusterMode }),
        explain: run.explain,
        limits: run.limits,
        random: () => random.uint32() / 2 ** 32,
        version: version(),
      }),
  );
  const metrics = run.metricsPort === 0 ? undefined : new RouterMetrics(router);
  const { host, port } = run.listen;
  try {
    const page = await metrics?.listen(host, run.metricsPort);
    if (page !== undefined) log.notice(`Metrics at http://${host}:${page}/metrics`);
    const listener = await router.start(run.listen);
    log.notice(`Ready to accept connections on ${listener.address}:${listener.port}`);
  } catch (error) {
    metrics?.close();
    throw new CliError(`cannot listen for clients on port ${port}: ${reasonOf(error)}`, {
      hint: "Choose other ports with --port and --metrics-port.",
    });
  }
  stopOnSignals(async () => {
    log.notice("stopping: no new clients, what is under way is answered");
    const cut = await router.stop(drainMs);
    metrics?.close();
    log.notice(cut === 0 ? "stopped" : `stopped; ${cut} clients were cut off`);
    process.exit(0);
  });
  return exitCodes.ok;
}

/** A node's declarations, which are all the router has of it. */
async function declaredCommands(): Promise<CommandSource> {
  const { CommandRegistry, families, keyPositions } = await import("@slotlog/node/commands");
  const registry = new CommandRegistry(families);
  return {
    commands: registry.declared,
    keyIndexes: (declared, argv) => {
      const command = registry.findFull(declared.fullName);
      const found = command === undefined ? undefined : keyPositions(command, argv);
      return found?.map(({ index }) => index);
    },
  };
}

function stopOnSignals(end: () => Promise<void>): void {
  let stopping = false;
  const stop = (): void => {
    if (!stopping) void end();
    stopping = true;
  };
  process.on("SIGTERM", stop);
  process.on("SIGINT", stop);
  followParent(stop);
}

/** A rule that is none is the operator's mistake. */
function make<Made>(create: () => Made): Made {
  try {
    return create();
  } catch (error) {
    if (error instanceof RangeError) throw usageError(`--map: ${error.message}`);
    throw error;
  }
}

/** Started by `slotlog up`, it ends when that is gone. */
function followParent(stop: () => void): void {
  if (process.channel === undefined) return;
  process.once("disconnect", stop);
  process.channel?.unref();
  process.stdout.on("error", () => {});
  process.stderr.on("error", () => {});
}
