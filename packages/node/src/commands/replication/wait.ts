/** WAIT and WAITAOF: until replicas, or disks, have what this client wrote. */
import type { CommandContext } from "../../dispatch/context.js";
import { aofRequired } from "../../dispatch/replica-waits.js";
import { longArgument, positiveLongArgument } from "../arguments.js";
import type { CommandSpec } from "../spec.js";
import { timeoutMsArgument } from "../timeout.js";

const noWaitOnReplicas =
  "ERR WAIT cannot be used with replica instances. Please also note that since Redis 4.0 if a " +
  "replica is configured to be writable (which is not the default) writes to replicas are just " +
  "local and are not propagated.";

const noWaitAofOnReplicas =
  "ERR WAITAOF cannot be used with replica instances. Please also note that writes to replicas " +
  "are just local and are not propagated.";

function runWait(context: CommandContext, argv: readonly string[]): void {
  const { client, command, node, reply } = context;
  if (node.role.isReplica) {
    reply.error(noWaitOnReplicas);
    return;
  }
  const replicas = longArgument(argv[1] as string);
  const timeoutAt = timeoutMsArgument(context, argv[2] as string);
  const { waits } = node.replicationControl;
  const reached = waits.countReplicas("wait", client.writeOffset);
  if (reached >= replicas || !context.mayBlock) {
    reply.integer(reached);
    return;
  }
  waits.wait(client, command, { kind: "wait", local: false, replicas, timeoutAt });
}

function runWaitAof(context: CommandContext, argv: readonly string[]): void {
  const { client, command, node, reply } = context;
  const local = longArgument(argv[1] as string);
  if (local < 0 || local > 1) {
    reply.error("ERR value is out of range, value must between 0 and 1");
    return;
  }
  const replicas = positiveLongArgument(argv[2] as string);
  const timeoutAt = timeoutMsArgument(context, argv[3] as string);
  if (node.role.isReplica) {
    reply.error(noWaitAofOnReplicas);
    return;
  }
  if (local === 1 && !node.persistence.appendOnly.enabled) {
    reply.error(aofRequired);
    return;
  }
  const { waits } = node.replicationControl;
  const reached = waits.countReplicas("waitaof", client.writeOffset);
  const here = waits.countLocal(client.writeOffset);
  if ((reached >= replicas && here >= local) || !context.mayBlock) {
    reply.array(2);
    reply.integer(here);
    reply.integer(reached);
    return;
  }
  waits.wait(client, command, { kind: "waitaof", local: local === 1, replicas, timeoutAt });
}

const wait: CommandSpec = {
  name: "wait",
  arity: 3,
  flags: [],
  categories: ["connection"],
  tips: ["request_policy:all_shards", "response_policy:agg_min"],
  docs: {
    summary: "Waits until so many replicas have confirmed what this connection wrote.",
    since: "3.0.0",
    group: "generic",
    complexity: "O(1)",
    syntax: "numreplicas:integer timeout:integer",
  },
  run: runWait,
};

const waitAof: CommandSpec = {
  name: "waitaof",
  arity: 4,
  flags: ["noscript"],
  categories: ["connection"],
  tips: ["request_policy:all_shards", "response_policy:agg_min"],
  docs: {
    summary: "Waits until what this connection wrote is on the disk here, and on that of replicas.",
    since: "7.2.0",
    group: "generic",
    complexity: "O(1)",
    syntax: "numlocal:integer numreplicas:integer timeout:integer",
  },
  run: runWaitAof,
};

export const waiting: readonly CommandSpec[] = [wait, waitAof];
