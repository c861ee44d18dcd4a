// The options of `slotlog router`, as users see them, and from there to the run.

import { readFileSync } from "node:fs";
import type { Argv, InferredOptionTypes, Options } from "yargs";
import { parseAddress } from "../cluster/address.js";
import { logFormatVariable, passwordFromEnvironment } from "../environment.js";
import { CliError, type ExitCode, reasonOf, usageError } from "../errors.js";
import { runRouter } from "./run.js";

export const routerOptions = {
  cluster: {
    type: "string",
    requiresArg: true,
    demandOption: true,
    describe: "Nodes to ask for the cluster's slots: host:port,host:port,...",
  },
  port: {
    type: "number",
    requiresArg: true,
    default: 7379,
    describe: "Port for clients",
  },
  host: {
    type: "string",
    requiresArg: true,
    default: "127.0.0.1",
    describe: "Address to listen on; 0.0.0.0 for all",
  },
  user: {
    type: "string",
    requiresArg: true,
    describe: "User with which the router asks the cluster; the password is in SLOTLOG_PASSWORD",
  },
  "read-from": {
    choices: ["primary", "replica", "nearest"],
    requiresArg: true,
    default: "primary",
    describe: "Which nodes reads are sent to",
  },
  "read-own-writes": {
    type: "boolean",
    default: false,
    describe: "A client that wrote to a slot reads there from the primary",
  },
  connections: {
    type: "number",
    requiresArg: true,
    default: 1,
    describe: "Shared connections to each node, for each user and protocol",
  },
  "dedicated-max": {
    type: "number",
    requiresArg: true,
    default: 1000,
    describe: "Connections for transactions, blocking commands and subscriptions",
  },
  "clients-max": {
    type: "number",
    requiresArg: true,
    default: 10_000,
    describe: "Clients at a time",
  },
  "client-output-mb": {
    type: "number",
    requiresArg: true,
    default: 256,
    describe: "A client with more unread replies is closed",
  },
  "upstream-mb": {
    type: "number",
    requiresArg: true,
    default: 32,
    describe: "Unanswered requests of a connection to a node, before its clients wait",
  },
  "timeout-ms": {
    type: "number",
    requiresArg: true,
    default: 10_000,
    describe: "How long a command may take, repetitions included",
  },
  "cluster-mode": {
    type: "boolean",
    default: false,
    describe: "Speak as a node of the cluster: CLUSTER SLOTS and MOVED with addresses by --map",
  },
  map: {
    type: "string",
    array: true,
    requiresArg: true,
    describe: "Rule '[CLIENTS] NODE=HOST:PORT', such as '172.18.0.2:*=localhost:{port+10000}'",
  },
  "map-file": {
    type: "string",
    requiresArg: true,
    describe: "File with such rules, one in a line",
  },
  explain: {
    type: "boolean",
    default: false,
    describe: "Log each command that cannot work in a cluster, and why",
  },
  "metrics-port": {
    type: "number",
    requiresArg: true,
    default: 0,
    describe: "Port for Prometheus (/metrics, /healthz, /readyz); 0 is off",
  },
  "log-format": {
    choices: ["human", "json"],
    requiresArg: true,
    describe: `How log lines look (${logFormatVariable}, or human)`,
  },
} as const satisfies Record<string, Options>;

type RouterArguments = InferredOptionTypes<typeof routerOptions>;

export function describeRouter(command: Argv): Argv<RouterArguments> {
  return command
    .options(routerOptions)
    .example(
      "$0 router --cluster 10.0.0.1:7000,10.0.0.2:7000",
      "a router on port 7379 of this machine",
    )
    .example("$0 router --cluster 127.0.0.1:7000 --read-from replica", "reads come from replicas")
    .example(
      "$0 router --cluster 127.0.0.1:7000 --explain",
      "see what of a program breaks in a cluster",
    )
    .epilogue(
      "Clients that know nothing of clusters connect to it as to one server. ROUTER HELP, said to " +
        "it, lists what it tells of itself. SIGTERM answers what is under way, then ends.",
    );
}

export async function startRouter(args: RouterArguments): Promise<ExitCode> {
  const seeds = args.cluster.split(",").map((each) => parseAddress(each.trim()));
  for (const name of ["connections", "dedicated-max", "clients-max", "timeout-ms"] as const) {
    if (!Number.isInteger(args[name]) || args[name] < 1) {
      throw usageError(`--${name} must be a whole number from 1 on, not ${args[name]}`);
    }
  }
  for (const name of ["port", "metrics-port"] as const) {
    if (!Number.isInteger(args[name]) || args[name] < 0 || args[name] > 65_535) {
      throw usageError(`--${name} must be a port from 0 to 65535, not ${args[name]}`);
    }
  }
  const password = passwordFromEnvironment();
  return runRouter({
    seeds,
    listen: { host: args.host, port: args.port },
    credentials: password === undefined ? undefined : { user: args.user, password },
    readFrom: args["read-from"] as "primary" | "replica" | "nearest",
    readOwnWrites: args["read-own-writes"],
    connections: args.connections,
    clusterMode: clusterRules(args),
    explain: args.explain,
    metricsPort: args["metrics-port"],
    logFormat: logFormatOf(args["log-format"] ?? process.env[logFormatVariable]),
    limits: {
      dedicatedMax: args["dedicated-max"],
      clientsMax: args["clients-max"],
      clientOutputBytesMax: args["client-output-mb"] * 2 ** 20,
      upstreamBytesMax: args["upstream-mb"] * 2 ** 20,
      timeoutMs: args["timeout-ms"],
    },
  });
}

function logFormatOf(word: string | undefined): "human" | "json" {
  if (word === undefined || word === "" || word === "human") return "human";
  if (word === "json") return "json";
  throw usageError(`${logFormatVariable} is human or json, not ${word}`);
}

/** The rules of cluster mode; without the mode, rules are a mistake. */
function clusterRules(args: RouterArguments): readonly string[] | undefined {
  const given = args.map ?? [];
  const file = args["map-file"];
  if (!args["cluster-mode"]) {
    if (given.length === 0 && file === undefined) return undefined;
    throw usageError("--map and --map-file are for --cluster-mode");
  }
  if (file === undefined) return given;
  try {
    return [...given, ...linesOf(readFileSync(file, "utf8"))];
  } catch (error) {
    throw new CliError(`cannot read ${file}: ${reasonOf(error)}`);
  }
}

function linesOf(text: string): string[] {
  const lines = text.split(/\r?\n/).map((line) => line.trim());
  return lines.filter((line) => line !== "" && !line.startsWith("#"));
}
