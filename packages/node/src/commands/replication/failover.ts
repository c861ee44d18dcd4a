/** FAILOVER: this primary hands its role to a replica of its own. */
import { replyErrors } from "@slotlog/resp";
import type { CommandContext } from "../../dispatch/context.js";
import { findReplica } from "../../replication/failover.js";
import { isWord, longArgument } from "../arguments.js";
import { fail } from "../errors.js";
import type { CommandSpec } from "../spec.js";

class FailoverOptions {
  host: string | undefined;
  port = 0;
  force = false;
  /** 0 if it was not said. */
  timeoutMs = 0;
}

function parseOptions(argv: readonly string[]): FailoverOptions {
  const options = new FailoverOptions();
  for (let index = 1; index < argv.length; index += 1) {
    const word = argv[index] as string;
    const left = argv.length - 1 - index;
    if (isWord(word, "timeout") && left >= 1 && options.timeoutMs === 0) {
      options.timeoutMs = longArgument(argv[index + 1] as string);
      if (options.timeoutMs <= 0) fail("ERR FAILOVER timeout must be greater than 0");
      index += 1;
    } else if (isWord(word, "to") && left >= 2 && options.host === undefined) {
      options.port = longArgument(argv[index + 2] as string);
      options.host = argv[index + 1] as string;
      index += 2;
    } else if (isWord(word, "force") && !options.force) options.force = true;
    else fail(replyErrors.syntax);
  }
  return options;
}

function runFailover(context: CommandContext, argv: readonly string[]): void {
  const { node, reply } = context;
  const { failover } = node.replicationControl;
  if (node.config.clusterEnabled) {
    fail("ERR FAILOVER not allowed in cluster mode. Use CLUSTER FAILOVER command instead.");
  }
  if (argv.length === 2 && isWord(argv[1], "abort")) {
    if (!failover.isRunning) fail("ERR No failover in progress.");
    failover.abort("Failover manually aborted");
    reply.ok();
    return;
  }
  const { force, host, port, timeoutMs } = parseOptions(argv);
  const { replicas } = node.replication;
  if (failover.isRunning) fail("ERR FAILOVER already in progress.");
  if (node.role.isReplica) fail("ERR FAILOVER is not valid when server is a replica.");
  if (replicas.count === 0) fail("ERR FAILOVER requires connected replicas.");
  if (force && (timeoutMs === 0 || host === undefined)) {
    fail("ERR FAILOVER with force option requires both a timeout and target HOST and IP.");
  }
  const target = host === undefined ? undefined : { host, port };
  if (target !== undefined) {
    const replica = findReplica(replicas, target);
    if (replica === undefined) fail("ERR FAILOVER target HOST and PORT is not a replica.");
    if (replica.state !== "online") fail("ERR FAILOVER target replica is not online.");
  }
  failover.start({ target, force, timeoutMs: timeoutMs === 0 ? undefined : timeoutMs });
  reply.ok();
}

export const failover: CommandSpec = {
  name: "failover",
  arity: -1,
  flags: ["admin", "noscript", "stale"],
  categories: [],
  docs: {
    summary: "Hands the role of the primary to one of its replicas, without losing a write.",
    since: "6.2.0",
    group: "server",
    complexity: "O(1)",
    syntax: "[TO target{host port:integer [FORCE]}] [ABORT] [TIMEOUT milliseconds:integer]",
  },
  run: runFailover,
};
