/** LATENCY: what took long, and how long commands take. */
import type { CommandContext } from "../../dispatch/context.js";
import { latencyDoctor, latencyGraph } from "../../observe/latency-report.js";
import { helpSubcommand } from "../help.js";
import type { Command } from "../registry.js";
import type { CommandSpec } from "../spec.js";

function runLatest({ node, reply }: CommandContext): void {
  const latest = node.latency.latest();
  reply.array(latest.length);
  for (const { event, unixSeconds, ms, maxMs } of latest) {
    reply.array(4);
    reply.bulk(event);
    reply.integer(unixSeconds);
    reply.integer(ms);
    reply.integer(maxMs);
  }
}

function runHistory({ node, reply }: CommandContext, argv: readonly string[]): void {
  const samples = node.latency.history(argv[2] as string);
  reply.array(samples.length);
  for (const { unixSeconds, ms } of samples) {
    reply.array(2);
    reply.integer(unixSeconds);
    reply.integer(ms);
  }
}

function runGraph({ node, now, reply }: CommandContext, argv: readonly string[]): void {
  const event = argv[2] as string;
  const graph = latencyGraph(node.latency, event, now);
  if (graph === undefined) reply.error(`ERR No samples available for event '${event}'`);
  else reply.verbatim("txt", graph);
}

/** The commands asked for, a container standing for its subcommands; all if none is named. */
function asked({ node }: CommandContext, names: readonly string[]): readonly Command[] {
  const { registry } = node;
  const roots =
    names.length === 0
      ? [...registry.all()]
      : names.flatMap((name) => registry.findFull(name) ?? []);
  return roots.flatMap((command) => [command, ...(command.subcommands?.values() ?? [])]);
}

function runHistogram(context: CommandContext, argv: readonly string[]): void {
  const { reply } = context;
  const map = reply.deferMap();
  let count = 0;
  for (const { fullName, latency } of asked(context, argv.slice(2))) {
    if (latency === undefined || latency.count === 0) continue;
    count += 1;
    reply.bulk(fullName);
    reply.map(2);
    reply.bulk("calls");
    reply.integer(latency.count);
    reply.bulk("histogram_usec");
    const steps = latency.cumulative();
    reply.map(steps.length);
    for (const [microseconds, calls] of steps) {
      reply.integer(microseconds);
      reply.integer(calls);
    }
  }
  reply.endMap(map, count);
}

const help = helpSubcommand({
  container: "latency",
  since: "2.8.13",
  group: "server",
  lines: [
    "DOCTOR",
    "    Return a human readable latency analysis report.",
    "GRAPH <event>",
    "    Return an ASCII latency graph for the <event> class.",
    "HISTORY <event>",
    "    Return time-latency samples for the <event> class.",
    "LATEST",
    "    Return the latest latency samples for all events.",
    "RESET [<event> ...]",
    "    Reset latency data of one or more <event> classes.",
    "    (default: reset all data for all event classes)",
    "HISTOGRAM [COMMAND ...]",
    "    Return a cumulative distribution of latencies in the format of a histogram for the specified command names.",
    "    If no commands are specified then all histograms are replied.",
  ],
});

const subcommands: readonly CommandSpec[] = [
  {
    name: "doctor",
    arity: 2,
    flags: ["admin", "noscript", "loading", "stale"],
    categories: [],
    tips: ["nondeterministic_output", "request_policy:all_nodes", "response_policy:special"],
    docs: {
      summary: "Reports in words what was slow, and what may help.",
      since: "2.8.13",
      group: "server",
      complexity: "O(1)",
      syntax: "",
    },
    run: ({ node, now, reply }) => reply.verbatim("txt", latencyDoctor(node.latency, now)),
  },
  {
    name: "graph",
    arity: 3,
    flags: ["admin", "noscript", "loading", "stale"],
    categories: [],
    tips: ["nondeterministic_output", "request_policy:all_nodes", "response_policy:special"],
    docs: {
      summary: "Draws the samples of an event.",
      since: "2.8.13",
      group: "server",
      complexity: "O(1)",
      syntax: "event",
    },
    run: runGraph,
  },
  {
    name: "histogram",
    arity: -2,
    flags: ["admin", "noscript", "loading", "stale"],
    categories: [],
    tips: ["nondeterministic_output", "request_policy:all_nodes", "response_policy:special"],
    docs: {
      summary: "Returns how many calls of each command took how long.",
      since: "7.0.0",
      group: "server",
      complexity: "O(N), N being the number of commands",
      syntax: "[command...]",
    },
    run: runHistogram,
  },
  {
    name: "history",
    arity: 3,
    flags: ["admin", "noscript", "loading", "stale"],
    categories: [],
    tips: ["nondeterministic_output", "request_policy:all_nodes", "response_policy:special"],
    docs: {
      summary: "Returns the samples of an event: when, and how long.",
      since: "2.8.13",
      group: "server",
      complexity: "O(1)",
      syntax: "event",
    },
    run: runHistory,
  },
  {
    name: "latest",
    arity: 2,
    flags: ["admin", "noscript", "loading", "stale"],
    categories: [],
    tips: ["nondeterministic_output", "request_policy:all_nodes", "response_policy:special"],
    docs: {
      summary: "Returns the latest and the longest sample of every event.",
      since: "2.8.13",
      group: "server",
      complexity: "O(1)",
      syntax: "",
    },
    run: runLatest,
  },
  {
    name: "reset",
    arity: -2,
    flags: ["admin", "noscript", "loading", "stale"],
    categories: [],
    tips: ["request_policy:all_nodes", "response_policy:agg_sum"],
    docs: {
      summary: "Forgets the samples of the events named, or of all.",
      since: "2.8.13",
      group: "server",
      complexity: "O(1)",
      syntax: "[event...]",
    },
    run: ({ node, reply }, argv) => reply.integer(node.latency.reset(argv.slice(2))),
  },
  help,
];

export const latency: CommandSpec = {
  name: "latency",
  arity: -2,
  flags: [],
  categories: [],
  docs: {
    summary: "Shows what made clients wait.",
    since: "2.8.13",
    group: "server",
    complexity: "Depends on the subcommand",
    syntax: "",
  },
  subcommands,
};
