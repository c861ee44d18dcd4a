/** CONFIG: GET, SET, REWRITE, RESETSTAT. What the words mean is `config/`'s business. */
import { configGet, configSet } from "../../config/config-commands.js";
import { rewriteConfigFile } from "../../config/rewrite-file.js";
import type { CommandContext } from "../../dispatch/context.js";
import { isLocal } from "../../net/addresses.js";
import { helpSubcommand } from "../help.js";
import type { CommandSpec } from "../spec.js";

function runGet({ node, reply }: CommandContext, argv: readonly string[]): void {
  const found = configGet(node.configuration, argv.slice(2));
  reply.map(found.length / 2);
  for (const word of found) reply.bulk(word);
}

function runSet({ client, node, reply }: CommandContext, argv: readonly string[]): void {
  const error = configSet(node.configuration, argv.slice(2), {
    loading: node.loading,
    localClient: isLocal(client.link.remoteAddress),
  });
  if (error === undefined) reply.ok();
  else reply.error(error);
}

function runRewrite({ node, reply }: CommandContext): void {
  const { disk, log } = node.ports;
  const userLines = node.acl.lines();
  const error = rewriteConfigFile(node.configuration, disk, { userLines });
  if (error === undefined) {
    log.notice("CONFIG REWRITE executed with success.");
    reply.ok();
    return;
  }
  log.warning(`CONFIG REWRITE failed: ${error}`);
  reply.error(error);
}

const help = helpSubcommand({
  container: "config",
  since: "5.0.0",
  group: "server",
  lines: [
    "GET <pattern>",
    "    Return parameters matching the glob-like <pattern> and their values.",
    "SET <directive> <value>",
    "    Set the configuration <directive> to <value>.",
    "RESETSTAT",
    "    Reset statistics reported by the INFO command.",
    "REWRITE",
    "    Rewrite the configuration file.",
  ],
});

const subcommands: readonly CommandSpec[] = [
  {
    name: "get",
    arity: -3,
    flags: ["admin", "noscript", "loading", "stale"],
    categories: [],
    docs: {
      summary: "Returns directives and their values, by names or patterns.",
      since: "2.0.0",
      group: "server",
      complexity: "O(N), N being the number of directives asked for",
      syntax: "parameter...",
    },
    run: runGet,
  },
  {
    name: "set",
    arity: -4,
    flags: ["admin", "noscript", "loading", "stale"],
    categories: [],
    tips: ["request_policy:all_nodes", "response_policy:all_succeeded"],
    docs: {
      summary: "Sets directives while the server runs: all of them, or none.",
      since: "2.0.0",
      group: "server",
      complexity: "O(N), N being the number of directives given",
      syntax: "data{parameter value}...",
    },
    run: runSet,
  },
  {
    name: "rewrite",
    arity: 2,
    flags: ["admin", "noscript", "loading", "stale"],
    categories: [],
    tips: ["request_policy:all_nodes", "response_policy:all_succeeded"],
    docs: {
      summary: "Writes the values in force into the configuration file.",
      since: "2.8.0",
      group: "server",
      complexity: "O(1)",
      syntax: "",
    },
    run: runRewrite,
  },
  {
    name: "resetstat",
    arity: 2,
    flags: ["admin", "noscript", "loading", "stale"],
    categories: [],
    tips: ["request_policy:all_nodes", "response_policy:all_succeeded"],
    docs: {
      summary: "Sets the counters that INFO tells to zero.",
      since: "2.0.0",
      group: "server",
      complexity: "O(1)",
      syntax: "",
    },
    run: ({ node, reply }) => {
      node.resetStatistics();
      reply.ok();
    },
  },
  help,
];

export const config: CommandSpec = {
  name: "config",
  arity: -2,
  flags: [],
  categories: [],
  docs: {
    summary: "Reads and changes the configuration.",
    since: "2.0.0",
    group: "server",
    complexity: "Depends on the subcommand",
    syntax: "",
  },
  subcommands,
};
