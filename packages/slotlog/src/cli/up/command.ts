// The options of `slotlog up`, as users see them, and from there to the run.

import { resolve } from "node:path";
import type { Argv, InferredOptionTypes, Options } from "yargs";
import { type ExitCode, usageError } from "../errors.js";
import { readClusterFile } from "./cluster-file.js";
import { type ClusterPlan, type ClusterShape, planCluster } from "./plan.js";
import { startCluster } from "./run.js";

const defaults: ClusterShape = { primaries: 3, replicas: 1, port: 7000 };
const defaultHost = "127.0.0.1";

// No yargs defaults for what describes the cluster: whether the user said it matters on later runs.
export const upOptions = {
  primaries: {
    type: "number",
    requiresArg: true,
    describe: `Primaries, among which the slots are divided (${defaults.primaries})`,
  },
  replicas: {
    type: "number",
    requiresArg: true,
    describe: `Replicas of each primary (${defaults.replicas})`,
  },
  port: {
    type: "number",
    requiresArg: true,
    describe: `Port of the first node; the others follow (${defaults.port})`,
  },
  host: {
    type: "string",
    requiresArg: true,
    describe: `Address of this machine to listen on (${defaultHost})`,
  },
  dir: {
    type: "string",
    requiresArg: true,
    default: ".slotlog",
    describe: "Where the cluster lives: created on the first run, resumed later",
  },
  requirepass: {
    type: "string",
    requiresArg: true,
    describe: "Password of a new cluster, for clients and among its nodes",
  },
  appendfsync: {
    choices: ["always", "everysec", "no"],
    requiresArg: true,
    default: "everysec",
    describe: "When a new cluster's append-only files are flushed to disk",
  },
  "heap-mb": {
    type: "number",
    requiresArg: true,
    describe: "Memory limit of each node in MiB (75% of this machine's, divided)",
  },
  timeout: {
    type: "number",
    requiresArg: true,
    default: 60,
    describe: "Seconds without progress after which starting is given up",
  },
  "metrics-port": {
    type: "number",
    describe: "First of the ports for Prometheus, one per node; 0 is off (9121 if it is free)",
  },
  router: {
    type: "number",
    requiresArg: true,
    describe: "Port of a router for clients that know nothing of clusters; 0 is off (7379 if free)",
  },
  json: {
    type: "boolean",
    default: false,
    describe: "Print the nodes as one line of JSON when the cluster serves",
  },
} as const satisfies Record<string, Options>;

export type UpArguments = InferredOptionTypes<typeof upOptions> & {
  /** What followed `--`: directives for every node. */
  readonly "--"?: unknown;
};

export function describeUp(command: Argv): Argv<InferredOptionTypes<typeof upOptions>> {
  return command
    .usage(
      "$0 up [options] [-- directives]\n\n" +
        "Runs a whole cluster on this machine until Ctrl-C. The first run creates it in --dir;\n" +
        "later runs resume what they find there, with the same ports, roles and data.\n" +
        "Each node's redis.conf and log are in <dir>/<port>/.",
    )
    .options(upOptions)
    .example("$0 up", "3 primaries, 3 replicas on ports 7000-7005, data in .slotlog")
    .example("$0 up --primaries 5 --replicas 0 --port 9000", "5 primaries from port 9000 on")
    .example("$0 up --dir /var/lib/db --requirepass secret", "with a password, data elsewhere")
    .example("$0 up -- --maxmemory 200mb", "hands directives to every node")
    .epilogue("Exit codes: 0 stopped as asked, 1 failed or a node died, 2 wrong usage.");
}

export async function runUp(args: UpArguments): Promise<ExitCode> {
  for (const name of ["heap-mb", "timeout"] as const) {
    const value = args[name];
    if (value !== undefined && !(value > 0)) throw usageError(`--${name} must be above 0`);
  }
  const metricsPort = args["metrics-port"];
  if (metricsPort !== undefined && !(metricsPort >= 0 && metricsPort <= 65_535)) {
    throw usageError("--metrics-port must be from 0 to 65535");
  }
  const routerPort = args.router;
  if (routerPort !== undefined && !(routerPort >= 0 && routerPort <= 65_535)) {
    throw usageError("--router must be from 0 to 65535");
  }
  const directory = resolve(args.dir);
  const found = readClusterFile(directory);
  const plan = choosePlan(args, directory, found);
  return startCluster({
    plan,
    formed: found?.formed ?? false,
    isNew: found === undefined,
    requirepass: args.requirepass,
    appendfsync: args.appendfsync,
    directives: Array.isArray(args["--"]) ? args["--"].map(String) : [],
    heapMb: args["heap-mb"],
    metricsPort: args["metrics-port"],
    routerPort,
    patienceMs: args.timeout * 1000,
    json: args.json,
  });
}

type Asked = Pick<UpArguments, "primaries" | "replicas" | "port" | "host" | "requirepass">;

/** A directory keeps its cluster's shape: asking it for another one is a mistake, not a wish. */
export function choosePlan(
  asked: Asked,
  directory: string,
  found: { readonly host: string; readonly shape: ClusterShape } | undefined,
): ClusterPlan {
  const host = asked.host ?? found?.host ?? defaultHost;
  const base = found?.shape ?? defaults;
  const shape = {
    primaries: asked.primaries ?? base.primaries,
    replicas: asked.replicas ?? base.replicas,
    port: asked.port ?? base.port,
  };
  const plan = planCluster(shape, host, directory);
  if (found === undefined) return plan;
  const other = (["primaries", "replicas", "port"] as const).find(
    (key) => shape[key] !== base[key],
  );
  const hint = "Leave the option out to resume it, or choose another --dir for a new cluster.";
  if (other !== undefined || host !== found.host) {
    const name = other ?? "host";
    const had = other === undefined ? found.host : String(base[other]);
    throw usageError(`${directory} holds a cluster with --${name} ${had}`, hint);
  }
  if (asked.requirepass !== undefined) {
    throw usageError(`${directory} holds a cluster, which keeps its password`, hint);
  }
  return plan;
}
