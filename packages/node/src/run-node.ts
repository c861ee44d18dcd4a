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

export interface RunOptions {
  /** As `redis-server` takes them after its own name. */
  readonly args: readonly string[];
  /** Name and version, for error messages. */
  readonly product: string;
  readonly logFormat?: "human" | "json";
}

/** Resolves when the node serves. Rejects with an error whose message is for people. */
export async function runNode(options: RunOptions): Promise<Node> {
  const { config, warnings } = loadConfig(options.args, systemLoadEnvironment(options.product));
  const { values } = config;
  let node: Node | undefined;
  const log = new NodeLog({
    clock: systemClock,
    format: options.logFormat ?? values.logFormat,
    level: values.loglevel,
    file: values.logfile === "" ? "" : pathIn(values.dir, values.logfile),
    role: () => (node?.role.isReplica === true ? "replica" : "primary"),
  });
  config.onChange("loglevel", () => log.setLevel(values.loglevel));
  for (const warning of warnings) log.warning(warning);
  node = new Node({
    ports: {
      clock: systemClock,
      random: systemRandom(),
      disk: createDisk(),
      net: systemNet(),
      log,
    },
    configuration: config,
    process: systemProcessInfo(),
    // The process is the node's: what else keeps the loop alive no longer matters.
    onShutdown: () => process.exit(0),
  });
  await node.start();
  return node;
}
