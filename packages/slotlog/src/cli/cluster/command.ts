// `slotlog cluster`: commands about a running cluster, wherever its nodes are. Here are their
// words; what they do is in the files beside.

import type { Argv, InferredOptionTypes, Options } from "yargs";
import { type ExitCode, exitCodes } from "../errors.js";
import { passwordFileVariable, passwordVariable } from "../environment.js";
import { parseAddress } from "./address.js";
import { addNode, failover, rebalance, removeNode, reshard } from "./change.js";
import { createCluster } from "./create.js";
import { check, showStatus } from "./status.js";

const json = { type: "boolean", default: false, describe: "Print the result as JSON" } as const;

export const createOptions = {
  replicas: {
    type: "number",
    requiresArg: true,
    default: 0,
    describe: "Replicas of each primary; the first addresses become primaries",
  },
  timeout: {
    type: "number",
    requiresArg: true,
    default: 60,
    describe: "Seconds without progress after which it is given up",
  },
  json,
} as const satisfies Record<string, Options>;

const statusOptions = {
  watch: { type: "boolean", default: false, describe: "Draw it again and again, until Ctrl-C" },
  interval: {
    type: "number",
    requiresArg: true,
    default: 2,
    describe: "Seconds between two drawings",
  },
  json,
} as const satisfies Record<string, Options>;

const movingOptions = {
  pipeline: { type: "number", requiresArg: true, default: 100, describe: "Keys per MIGRATE" },
  timeout: { type: "number", requiresArg: true, default: 60, describe: "Seconds for each MIGRATE" },
  "dry-run": { type: "boolean", default: false, describe: "Say what would move, and move nothing" },
  json,
} as const satisfies Record<string, Options>;

const checkOptions = { json } as const satisfies Record<string, Options>;

const addOptions = {
  "replica-of": {
    type: "string",
    requiresArg: true,
    describe: "The primary it shall follow; without one it becomes a primary without slots",
  },
  json,
} as const satisfies Record<string, Options>;

const removeOptions = {
  "move-slots": {
    type: "boolean",
    default: false,
    describe: "Give its slots to the other primaries first",
  },
  ...movingOptions,
} as const satisfies Record<string, Options>;

const reshardOptions = {
  slots: { type: "number", requiresArg: true, demandOption: true, describe: "How many slots move" },
  to: { type: "string", requiresArg: true, demandOption: true, describe: "The primary they go to" },
  from: {
    type: "string",
    array: true,
    default: [] as string[],
    describe: "The primaries they come from (all others)",
  },
  ...movingOptions,
} as const satisfies Record<string, Options>;

const rebalanceOptions = {
  weight: {
    type: "string",
    array: true,
    default: [] as string[],
    describe: "<node>=<number>: its share beside the others' 1; 0 empties it",
  },
  ...movingOptions,
} as const satisfies Record<string, Options>;

const failoverOptions = {
  force: { type: "boolean", default: false, describe: "Without the primary, which may be dead" },
  takeover: {
    type: "boolean",
    default: false,
    describe: "Without the votes of the other primaries as well",
  },
  json,
} as const satisfies Record<string, Options>;

/** The options of each command, for suggestions. */
export const clusterOptions = {
  create: createOptions,
  status: statusOptions,
  check: checkOptions,
  "add-node": addOptions,
  "remove-node": removeOptions,
  reshard: reshardOptions,
  rebalance: rebalanceOptions,
  failover: failoverOptions,
} as const;

const clusterAddress = {
  type: "string",
  default: "127.0.0.1:7000",
  describe: "Any node of the cluster, host:port",
} as const;

export function describeCluster(command: Argv, setCode: (code: ExitCode) => void): Argv {
  return describeChanges(describeLooks(command, setCode), setCode)
    .epilogue(
      "A node is named by host:port or by the beginning of its id. A password is taken from\n" +
        `${passwordVariable} in the environment, or from the file that ${passwordFileVariable} names.\n` +
        "Works with Redis and Valkey clusters as well.",
    )
    .demandCommand(1, "a command is missing");
}

function describeLooks(command: Argv, setCode: (code: ExitCode) => void): Argv {
  return command
    .command({
      command: "create <nodes..>",
      describe: "Make one cluster out of empty nodes",
      builder: (create) =>
        create
          .usage(
            "$0 cluster create <host:port ...> [options]\n\n" +
              "Makes one cluster out of empty nodes that run with cluster-enabled. Asked again, it\n" +
              "changes nothing, except that nodes which have moved to new addresses meet again.\n" +
              `A password is taken from ${passwordVariable} in the environment, or from the file\n` +
              `that ${passwordFileVariable} names.`,
          )
          .positional("nodes", { type: "string", array: true, demandOption: true })
          .options(createOptions)
          .example("$0 cluster create a:7000 b:7000 c:7000", "three primaries")
          .example("$0 cluster create --replicas 1 a:1 b:1 c:1 d:1 e:1 f:1", "with a replica each"),
      handler: async (args) => setCode(await createCluster(args)),
    })
    .command({
      command: "status [cluster]",
      describe: "Show nodes, roles, slots, lag, AOF, memory, and what is wrong",
      builder: (status) => status.positional("cluster", clusterAddress).options(statusOptions),
      handler: async (args) => setCode(await showStatus(parseAddress(args.cluster), args)),
    })
    .command({
      command: "check [cluster]",
      describe: "Say what is wrong and what to do; exit code 1 if anything is",
      builder: (looked) => looked.positional("cluster", clusterAddress).options(checkOptions),
      handler: async (args) => setCode(await check(parseAddress(args.cluster), args.json)),
    });
}

type Moving = InferredOptionTypes<typeof movingOptions>;

function movingOf(args: Moving): Moving & { readonly dryRun: boolean } {
  return { ...args, dryRun: args["dry-run"] };
}

function describeChanges(command: Argv, setCode: (code: ExitCode) => void): Argv {
  const done = async (change: Promise<void>): Promise<void> => {
    await change;
    setCode(exitCodes.ok);
  };
  const node = { type: "string", demandOption: true } as const;
  return command
    .command({
      command: "add-node <node> [cluster]",
      describe: "Take an empty node in",
      builder: (add) =>
        add.positional("node", node).positional("cluster", clusterAddress).options(addOptions),
      handler: (args) =>
        done(
          addNode(parseAddress(args.node), parseAddress(args.cluster), {
            replicaOf: args["replica-of"],
            json: args.json,
          }),
        ),
    })
    .command({
      command: "remove-node <node> [cluster]",
      describe: "Take a node out; dead ones too",
      builder: (remove) =>
        remove
          .positional("node", node)
          .positional("cluster", clusterAddress)
          .options(removeOptions),
      handler: (args) =>
        done(
          removeNode(args.node, parseAddress(args.cluster), {
            ...movingOf(args),
            moveSlots: args["move-slots"],
          }),
        ),
    })
    .command({
      command: "reshard [cluster]",
      describe: "Move slots, with their keys, to one primary",
      builder: (moved) => moved.positional("cluster", clusterAddress).options(reshardOptions),
      handler: (args) => {
        const { from, slots, to } = args;
        return done(reshard(parseAddress(args.cluster), { ...movingOf(args), from, slots, to }));
      },
    })
    .command({
      command: "rebalance [cluster]",
      describe: "Give every primary its share of the slots",
      builder: (moved) => moved.positional("cluster", clusterAddress).options(rebalanceOptions),
      handler: (args) =>
        done(rebalance(parseAddress(args.cluster), { ...movingOf(args), weights: args.weight })),
    })
    .command({
      command: "failover <node> [cluster]",
      describe: "Make a replica the primary, in order",
      builder: (over) =>
        over
          .positional("node", node)
          .positional("cluster", clusterAddress)
          .options(failoverOptions),
      handler: (args) => done(failover(args.node, parseAddress(args.cluster), args)),
    });
}
