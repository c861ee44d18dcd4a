/**
 * Starts a node in this process the way `redis-server` starts, from arguments to `Ready`, and what
 * belongs to the process and not to the node: its log, its metrics, its end.
 */
import { systemClock } from "./adapters/clock.js";
import { createDisk } from "./adapters/disk.js";
import { systemLoadEnvironment } from "./adapters/load-environment.js";
import { NodeLog } from "./adapters/log.js";
import { systemNet } from "./adapters/net.js";
import { systemProcessInfo } from "./adapters/process-info.js";
import { systemRandom } from "./adapters/random.js";
import { pathIn } from "./config/byte-string.js";
import { loadConfig } from "./config/config-file.js";
import type { StopOptions } from "./dispatch/services.js";
import { MetricsServer } from "./metrics/server.js";
import { Node } from "./node.js";
import type { Ports } from "./ports.js";
import type { ProcessInfo } from "./process-info.js";
import { processTitle } from "./process-title.js";

export interface RunOptions {
  /** As `redis-server` takes them after its own name. */
  readonly args: readonly string[];
  /** Name and version, for error messages. */
  readonly product: string;
  readonly logFormat?: "human" | "json";
  /** In place of this machine's own: for a process that runs several nodes, and stops them. */
  readonly ports?: Omit<Ports, "log">;
  readonly process?: ProcessInfo;
  /** After SHUTDOWN, when the node has stopped; by default the process ends with it. */
  readonly onShutdown?: () => void;
}

/** This machine's clock, dice, disk and network. */
export function systemPorts(): Omit<Ports, "log"> {
  return { clock: systemClock, random: systemRandom(), disk: createDisk(), net: systemNet() };
}

/** A node that serves, and the ways to end it. */
export interface RunningNode {
  readonly node: Node;
  /**
   * As redis-server does on SIGTERM: replicas get `shutdown-timeout` to have all writes, then the
   * node saves and ends, which `onShutdown` tells. If it cannot save it stays.
   */
  terminate(): void;
  /** Ends it at once, in order. */
  stop(options?: StopOptions): Promise<void>;
}

/** Resolves when the node serves. Rejects with an error whose message is for people. */
export async function runNode(options: RunOptions): Promise<RunningNode> {
  const { config, warnings } = loadConfig(options.args, systemLoadEnvironment(options.product));
  const { values } = config;
  const ports = options.ports ?? systemPorts();
  let node: Node | undefined;
  const log = new NodeLog({
    clock: ports.clock,
    format: options.logFormat ?? values.logFormat,
    level: values.loglevel,
    file: values.logfile === "" ? "" : pathIn(values.dir, values.logfile),
    role: () => (node?.role.isReplica === true ? "replica" : "primary"),
  });
  config.onChange("loglevel", () => log.setLevel(values.loglevel));
  for (const warning of warnings) log.warning(warning);
  const metrics = new MetricsServer({ config: values, clock: ports.clock, log, disk: ports.disk });
  // The process is the node's: what else keeps the loop alive no longer matters.
  const onShutdown = options.onShutdown ?? (() => process.exit(0));
  node = new Node({
    ports: { ...ports, disk: metrics.disk, log },
    configuration: config,
    process: options.process ?? systemProcessInfo(),
    onShutdown: () => void metrics.close().then(onShutdown),
  });
  const started = node;
  try {
    // Before the node, which may load for long: who watches it sees that it does.
    await metrics.listen(started);
    await started.start();
  } catch (error) {
    // Its sockets, its lock and its timers would keep the process, which answers LOADING for ever.
    await started.stop().catch((failure: unknown) => {
      log.warning(`What did not start did not stop in order either: ${String(failure)}`);
    });
    await metrics.close();
    throw error;
  }
  // A process that others share keeps the title that it has.
  if (options.process === undefined && values.setProcTitle) {
    const setTitle = (): void => {
      const configFile = config.file ?? "";
      process.title = processTitle(values, { name: "slotlog", port: started.port, configFile });
    };
    for (const name of ["proc-title-template", "port", "bind"] as const) {
      config.onChange(name, setTitle);
    }
    setTitle();
  }
  let ending = false;
  return {
    node: started,
    terminate: () => {
      // Ctrl-C reaches a process more than once, through the terminal and through npm.
      ending ||= terminate(started);
    },
    stop: async (stopOptions) => {
      await metrics.close();
      await started.stop(stopOptions);
    },
  };
}

/** False if the node cannot end. */
function terminate(node: Node): boolean {
  const { log } = node.ports;
  log.warning("Received SIGTERM scheduling shutdown...");
  const refusal = node.shutdowns.request(undefined, { force: false, save: "default" }, false);
  if (refusal === undefined) return true;
  log.warning(
    "SIGTERM received but errors trying to shut down the server: the data cannot be saved, see " +
      "above. Make room or mend the directory and send it again; SHUTDOWN NOSAVE loses the changes.",
  );
  return false;
}
