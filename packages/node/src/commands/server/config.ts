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

function runSet(context: CommandContext, argv: readonly string[]): void {
  const { client, node, reply } = context;
  const pairs = argv.slice(2);
  const names = pairs.filter((_, index) => index % 2 === 0);
  const listening = names.find((name) => ["port", "bind"].includes(name.toLowerCase()));
  const before = listening === undefined ? [] : configGet(node.configuration, names);
  const error = configSet(node.configuration, pairs, {
    loading: node.loading,
    localClient: isLocal(client.link.remoteAddress),
  });
  if (error !== undefined) reply.error(error);
  else if (listening === undefined) reply.ok();
  else rebind(context, before, listening);
}

/**
 * Other addresses can be had only later; who asked is answered then, and all goes back on failure.
 */
function rebind(
  { client, denyBlocking, node, reply }: CommandContext,
  before: readonly string[],
  directive: string,
): void {
  const restore = (): void => {
    configSet(node.configuration, before, { loading: false, localClient: true });
  };
  if (denyBlocking || node.config.clusterEnabled) {
    restore();
    reply.error(`${rebindFailed(directive)} this needs a restart in a cluster, and no transaction`);
    return;
  }
  let waits = true;
  client.blocked = {
    reason: "module",
    cancel: () => {
      waits = false;
      client.blocked = undefined;
    },
  };
  const answer = (text: string): void => {
    if (!waits) return;
    client.blocked = undefined;
    client.link.push(Buffer.from(`${text}\r\n`, "latin1"));
    client.link.resume();
  };
  node.rebind(restore).then(
    (done) =>
      answer(
        done ? "+OK" : `-${rebindFailed(directive)} ${rebindReasons[directive.toLowerCase()]}`,
      ),
    (error: unknown) => {
      node.ports.log.warning(`Listening failed, and so did going back: ${String(error)}`);
      answer(`-${rebindFailed(directive)} see the server's log`);
    },
  );
}

const rebindReasons: Readonly<Record<string, string>> = {
  port: "Unable to listen on this port. Check server logs.",
  bind: "Failed to bind to specified addresses.",
};

function rebindFailed(directive: string): string {
  return `ERR CONFIG SET failed (possibly related to argument '${directive}') -`;
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
