/** Starts a node in this process the way `redis-server` starts: from arguments to `Ready`. */
import { systemClock } from "./adapters/clock.js";
import { createDisk } from "./adapters/disk.js";
import { systemLoadEnvironment } from "./adapters/load-environment.js";
import { NodeLog } from "./adapters/log.js";
import { systemNet } from "./adapters/net.js";
import { systemProcessInfo } from "./adapters/process-info.js";
import { systemRandom } from "./adapters/random.js";
import { pathIn } from "./config/byte-string.js";
import { loadConfig } from "./config/config-file.js";
import { Node } from "./node.js";
import type { Ports } from "./ports.js";
import type { ProcessInfo } from "./process-info.js";

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

/** Resolves when the node serves. Rejects with an error whose message is for people. */
export async function runNode(options: RunOptions): Promise<Node> {
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
  node = new Node({
    ports: { ...ports, log },
    configuration: config,
    process: options.process ?? systemProcessInfo(),
    // The process is the node's: what else keeps the loop alive no longer matters.
    onShutdown: options.onShutdown ?? (() => process.exit(0)),
  });
  await node.start();
  return node;
}
