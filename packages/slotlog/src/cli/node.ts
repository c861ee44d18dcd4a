// `slotlog node`: hands redis-server's arguments to a node unread, and binds the node's life to the
// `slotlog up` that started it, if one did.

import { type ExitCode, exitCodes } from "./errors.js";
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
  followParent();
  const { runNode } = await import("@slotlog/node");
  return runNode(argv);
}

/**
 * Started by `slotlog up`, there is a channel to it. When it closes, `up` is gone, perhaps killed:
 * the node ends in order, or it would hold its port without anybody knowing of it.
 */
function followParent(): void {
  if (process.channel === undefined) return;
  process.once("disconnect", () => process.emit("SIGTERM"));
  // A listener alone would keep the process alive.
  process.channel?.unref();
  // Its ends of our pipes are gone then too, and a log line must not end the shutdown.
  process.stdout.on("error", () => {});
  process.stderr.on("error", () => {});
}
