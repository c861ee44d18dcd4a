// `slotlog node`: hands redis-server's arguments to a node unread, and binds the node's life to the
// `slotlog up` that started it, if one did.

import { directivesFromEnvironment } from "./environment.js";
import { CliError, type ExitCode, exitCodes } from "./errors.js";
import { paceHeap } from "./heap-pace.js";
import { version } from "./version.js";

const help = `slotlog node [redis.conf | -] [--directive value ...]

Runs one node until it is told to stop (SHUTDOWN, SIGTERM or Ctrl-C). It takes what redis-server
takes: a config file in Redis' syntax ("-" reads it from standard input) and directives as
arguments, which win over the file.

Examples:
  slotlog node --port 6380
  slotlog node --port 7000 --cluster-enabled yes --appendonly yes --dir /var/lib/slotlog
  slotlog node redis.conf --loglevel verbose --save 3600 1 --save 300 100

Memory: V8's heap limit is set when the process starts and bounds the data of the node:
  node --max-old-space-size=8192 $(command -v slotlog) node redis.conf

From the environment, for containers; arguments win over it, it wins over a config file:
  SLOTLOG_PASSWORD_FILE  a file whose first line is requirepass and masterauth
  SLOTLOG_LOG_FORMAT     json, for one object per log line, or human

Exit codes: 0 stopped as asked, 1 failed, such as a taken port or a mistake in the config.`;

export async function runNodeCommand(argv: readonly string[]): Promise<ExitCode | undefined> {
  const [only] = argv.length === 1 ? argv : [];
  if (only === "--help" || only === "-h") {
    console.log(help);
    return exitCodes.ok;
  }
  if (only === "--version" || only === "-v") {
    console.log(`slotlog node v=${version()}`);
    return exitCodes.ok;
  }
  paceHeap();
  // Loaded here and not above: `slotlog --help` need not wait for a whole server.
  const { ConfigFileError, runNode } = await import("@slotlog/node");
  try {
    const args = [...argv, ...directivesFromEnvironment(argv)];
    const node = await runNode({ args, product: `slotlog ${version()}` });
    stopOnSignals(() => node.terminate());
    return undefined;
  } catch (error) {
    if (error instanceof ConfigFileError) {
      // Its message is laid out as Redis lays it out, over several lines.
      console.error(error.message);
      return exitCodes.failure;
    }
    throw operatorError(error);
  }
}

/** A failure with a code (a taken port, a damaged file) is the operator's; others are defects. */
function operatorError(error: unknown): unknown {
  if (!(error instanceof Error) || !("code" in error) || typeof error.code !== "string")
    return error;
  return new CliError(error.message);
}

/** The process ends with the node: whatever still holds the loop then no longer matters. */
function stopOnSignals(terminate: () => void): void {
  process.on("SIGTERM", terminate);
  process.on("SIGINT", terminate);
  followParent(terminate);
}

/**
 * Started by `slotlog up`, there is a channel to it. When it closes, `up` is gone, perhaps killed:
 * the node ends in order, or it would hold its port without anybody knowing of it.
 */
function followParent(terminate: () => void): void {
  if (process.channel === undefined) return;
  process.once("disconnect", terminate);
  // A listener alone would keep the process alive.
  process.channel?.unref();
  // Its ends of our pipes are gone then too, and a log line must not end the shutdown.
  process.stdout.on("error", () => {});
  process.stderr.on("error", () => {});
}
