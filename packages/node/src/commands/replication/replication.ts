/** REPLICAOF, ROLE, and what replicas say to their primary: REPLCONF, PSYNC, SYNC. */
import { replyErrors } from "@slotlog/resp";
import type { CommandContext } from "../../dispatch/context.js";
import { roleReport } from "../../replication/report.js";
import { parseSafeInteger } from "../../store/int64.js";
import type { CommandDocs, CommandSpec } from "../spec.js";
import { failover } from "./failover.js";
import { waiting } from "./wait.js";

const portMax = 65535;

function replicaOf(context: CommandContext, argv: readonly string[]): void {
  const { node, reply } = context;
  if (node.config.clusterEnabled) {
    reply.error("ERR REPLICAOF not allowed in cluster mode.");
    return;
  }
  if (node.replicationControl.failover.isRunning) {
    reply.error("ERR REPLICAOF not allowed while failing over.");
    return;
  }
  const host = argv[1] as string;
  const portText = argv[2] as string;
  if (host.toLowerCase() === "no" && portText.toLowerCase() === "one") {
    node.replication.unfollow();
    reply.ok();
    return;
  }
  const port = parseSafeInteger(portText);
  if (port === undefined || port < 0 || port > portMax) {
    reply.error("ERR Invalid master port");
    return;
  }
  const current = node.replication.primary?.address;
  if (current?.host === host && current.port === port) {
    reply.simple("OK Already connected to specified master");
    return;
  }
  node.replication.follow({ host, port });
  reply.ok();
}

function replicaOfSpec(
  name: "replicaof" | "slaveof",
  docs: Pick<CommandDocs, "since" | "summary"> & Partial<CommandDocs>,
): CommandSpec {
  return {
    name,
    arity: 3,
    flags: ["admin", "noscript", "stale", "no_async_loading"],
    categories: [],
    docs: {
      group: "server",
      complexity: "O(1)",
      syntax: "args{host-port{host port} | no-one{NO ONE}}",
      ...docs,
    },
    run: replicaOf,
  };
}

const role: CommandSpec = {
  name: "role",
  arity: 1,
  flags: ["noscript", "loading", "stale", "fast"],
  categories: ["admin", "dangerous"],
  docs: {
    summary: "Tells whether the node is a primary or a replica, and of whom.",
    since: "2.8.12",
    group: "server",
    complexity: "O(1)",
    syntax: "",
  },
  run({ node, reply }) {
    const report = roleReport(node.replication);
    if (report.role === "slave") {
      reply.array(5);
      reply.bulk("slave");
      reply.bulk(report.host);
      reply.integer(report.port);
      reply.bulk(report.state);
      reply.integer(report.offset);
      return;
    }
    reply.array(3);
    reply.bulk("master");
    reply.integer(report.offset);
    reply.array(report.replicas.length);
    for (const { address, port, offset } of report.replicas) {
      reply.array(3);
      reply.bulk(address);
      reply.bulk(String(port));
      reply.bulk(String(offset));
    }
  },
};

const replconf: CommandSpec = {
  name: "replconf",
  arity: -1,
  flags: ["admin", "noscript", "loading", "stale", "allow_busy"],
  categories: [],
  docs: {
    summary: "What replicas and primaries tell each other outside the stream.",
    since: "3.0.0",
    group: "server",
    complexity: "O(1)",
    syntax: "",
  },
  run(context, argv) {
    const { client, node, reply } = context;
    const answer = node.replication.replconf(client.replicaPeer, argv);
    if (answer.kind === "ok") reply.ok();
    else if (answer.kind === "error") reply.error(answer.text);
  },
};

function synchronise(context: CommandContext, argv: readonly string[]): void {
  const { client, node, reply } = context;
  const { takeOver } = client.link;
  if (takeOver === undefined) {
    reply.error(replyErrors.syntax);
    return;
  }
  const refusal = node.replication.sync({
    argv: [...argv],
    peer: client.replicaPeer,
    hasPendingOutput: reply.pending > 0 || client.link.outputBufferBytes > 0,
    takeOver: (handlers) => takeOver.call(client.link, handlers),
  });
  if (refusal !== undefined) reply.error(refusal);
}

const psync: CommandSpec = {
  name: "psync",
  arity: -3,
  flags: ["admin", "noscript", "no_async_loading", "no_multi"],
  categories: [],
  docs: {
    summary: "Makes the connection a replica's: the stream from an offset, or everything.",
    since: "2.8.0",
    group: "server",
    complexity: "O(N), N being the data set, where all of it must be sent",
    syntax: "replicationid:string offset:integer",
  },
  run: synchronise,
};

const sync: CommandSpec = {
  name: "sync",
  arity: 1,
  flags: ["admin", "noscript", "no_async_loading", "no_multi"],
  categories: [],
  docs: {
    summary: "Makes the connection a replica's, in the way of Redis before 2.8.",
    since: "1.0.0",
    group: "server",
    complexity: "O(N), N being the data set",
    syntax: "",
  },
  run: synchronise,
};

export const replication: readonly CommandSpec[] = [
  failover,
  psync,
  replconf,
  replicaOfSpec("replicaof", {
    since: "5.0.0",
    summary: "Makes the node a replica of another, or a primary again.",
  }),
  role,
  replicaOfSpec("slaveof", {
    since: "1.0.0",
    summary: "REPLICAOF under its old name.",
    deprecatedSince: "5.0.0",
    replacedBy: "`REPLICAOF`",
  }),
  sync,
  ...waiting,
];
