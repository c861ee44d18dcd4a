/** SLOWLOG: the last commands that took long. */
import type { CommandContext } from "../../dispatch/context.js";
import { longArgument } from "../arguments.js";
import { helpSubcommand, subcommandError } from "../help.js";
import type { CommandSpec } from "../spec.js";

const defaultCount = 10;

function runGet({ node, reply }: CommandContext, argv: readonly string[]): void {
  if (argv.length > 3) {
    reply.error(subcommandError(argv));
    return;
  }
  let count = defaultCount;
  if (argv.length === 3) {
    const rangeError = "ERR count should be greater than or equal to -1";
    count = longArgument(argv[2] as string, rangeError);
    if (count < -1) {
      reply.error(rangeError);
      return;
    }
  }
  const entries = node.slowLog.latest(count);
  reply.array(entries.length);
  for (const entry of entries) {
    reply.array(6);
    reply.integer(entry.id);
    reply.integer(entry.unixSeconds);
    reply.integer(Math.floor(entry.microseconds));
    reply.array(entry.argv.length);
    for (const word of entry.argv) reply.bulk(word);
    reply.bulk(entry.clientAddress);
    reply.bulk(entry.clientName);
  }
}

const help = helpSubcommand({
  container: "slowlog",
  since: "6.2.0",
  group: "server",
  lines: [
    "GET [<count>]",
    "    Return top <count> entries from the slowlog (default: 10, -1 mean all).",
    "    Entries are made of:",
    "    id, timestamp, time in microseconds, arguments array, client IP and port,",
    "    client name",
    "LEN",
    "    Return the length of the slowlog.",
    "RESET",
    "    Reset the slowlog.",
  ],
});

const subcommands: readonly CommandSpec[] = [
  {
    name: "get",
    arity: -2,
    flags: ["admin", "loading", "stale"],
    categories: [],
    tips: ["request_policy:all_nodes", "nondeterministic_output"],
    docs: {
      summary: "Returns the newest entries of the slow log.",
      since: "2.2.12",
      group: "server",
      complexity: "O(N), N being the number of entries returned",
      syntax: "[count]",
    },
    run: runGet,
  },
  {
    name: "len",
    arity: 2,
    flags: ["admin", "loading", "stale"],
    categories: [],
    tips: ["request_policy:all_nodes", "response_policy:agg_sum", "nondeterministic_output"],
    docs: {
      summary: "Returns how many entries the slow log has.",
      since: "2.2.12",
      group: "server",
      complexity: "O(1)",
      syntax: "",
    },
    run: ({ node, reply }) => reply.integer(node.slowLog.length),
  },
  {
    name: "reset",
    arity: 2,
    flags: ["admin", "loading", "stale"],
    categories: [],
    tips: ["request_policy:all_nodes", "response_policy:all_succeeded"],
    docs: {
      summary: "Empties the slow log.",
      since: "2.2.12",
      group: "server",
      complexity: "O(N), N being the number of entries",
      syntax: "",
    },
    run: ({ node, reply }) => {
      node.slowLog.reset();
      reply.ok();
    },
  },
  help,
];

export const slowlog: CommandSpec = {
  name: "slowlog",
  arity: -2,
  flags: [],
  categories: [],
  docs: {
    summary: "Shows which commands took long.",
    since: "2.2.12",
    group: "server",
    complexity: "Depends on the subcommand",
    syntax: "",
  },
  subcommands,
};
