/** COMMAND and its subcommands: the server tells what it understands. */
import { replyErrors } from "@slotlog/resp";
import type { CommandContext } from "../../../dispatch/context.js";
import { globMatch } from "../../../store/glob.js";
import { helpSubcommand } from "../../help.js";
import { keyPositions } from "../../key-positions.js";
import { categoryNames, type Command, Flag } from "../../registry.js";
import type { CommandSpec } from "../../spec.js";
import { replyDocs, replyInfo } from "./describe.js";

function replyAll({ node, reply }: CommandContext): void {
  reply.array(node.registry.size);
  for (const command of node.registry.all()) replyInfo(reply, command);
}

function runInfo(context: CommandContext, argv: readonly string[]): void {
  const { node, reply } = context;
  if (argv.length === 2) {
    replyAll(context);
    return;
  }
  reply.array(argv.length - 2);
  for (const name of argv.slice(2)) {
    const command = node.registry.findFull(name);
    if (command === undefined) reply.nil();
    else replyInfo(reply, command);
  }
}

function runDocs({ node, reply }: CommandContext, argv: readonly string[]): void {
  const { registry } = node;
  const asked =
    argv.length === 2
      ? [...registry.all()]
      : argv.slice(2).flatMap((name) => registry.findFull(name) ?? []);
  reply.map(asked.length);
  for (const command of asked) {
    reply.bulk(command.fullName);
    replyDocs(reply, command);
  }
}

/** True if some specification of it is about keys. */
function hasKeys(command: Command): boolean {
  if (command.spec.findKeys !== undefined) return true;
  return command.keySpecs.some((spec) => !spec.flags.includes("not_key"));
}

function getKeys(context: CommandContext, argv: readonly string[], withFlags: boolean): void {
  const { node, reply } = context;
  const words = argv.slice(2);
  const found = node.registry.resolve(words);
  // A container with an unknown subcommand is no command.
  const isContainer = found?.subcommands !== undefined && words.length > 1;
  if (found === undefined || isContainer) {
    reply.error("ERR Invalid command specified");
    return;
  }
  if (!hasKeys(found)) {
    reply.error("ERR The command has no key arguments");
    return;
  }
  const { arity } = found;
  if (arity > 0 ? words.length !== arity : words.length < -arity) {
    reply.error("ERR Invalid number of arguments specified for command");
    return;
  }
  const positions = keyPositions(found, words) ?? [];
  if (positions.length === 0) {
    if (found.has(Flag.noMandatoryKeys)) reply.array(0);
    else reply.error("ERR Invalid arguments specified for command");
    return;
  }
  reply.array(positions.length);
  for (const { index, flags } of positions) {
    if (withFlags) reply.array(2);
    reply.bulk(words[index] as string);
    if (!withFlags) continue;
    reply.set(flags.length);
    for (const flag of flags) reply.simple(flag);
  }
}

type Filter = (command: Command) => boolean;

/** The filter of COMMAND LIST, or `undefined` if the words are none. */
function listFilter(words: readonly string[]): Filter | undefined {
  if (words.length === 0) return () => true;
  const [option = "", type = "", wanted = ""] = words;
  if (words.length !== 3 || option.toLowerCase() !== "filterby") return undefined;
  switch (type.toLowerCase()) {
    case "module":
      return () => false;
    case "aclcat": {
      const category = categoryNames.find((name) => name === wanted.toLowerCase());
      return (command) => category !== undefined && command.categories.includes(category);
    }
    case "pattern":
      return (command) => globMatch(wanted, command.fullName, true);
    default:
      return undefined;
  }
}

function runList({ node, reply }: CommandContext, argv: readonly string[]): void {
  const filter = listFilter(argv.slice(2));
  if (filter === undefined) {
    reply.error(replyErrors.syntax);
    return;
  }
  const names: string[] = [];
  for (const command of node.registry.all()) {
    for (const each of [command, ...(command.subcommands?.values() ?? [])]) {
      if (filter(each)) names.push(each.fullName);
    }
  }
  reply.array(names.length);
  for (const name of names) reply.bulk(name);
}

const help = helpSubcommand({
  container: "command",
  since: "5.0.0",
  group: "server",
  categories: ["connection"],
  lines: [
    "(no subcommand)",
    "    Return details about all Redis commands.",
    "COUNT",
    "    Return the total number of commands in this Redis server.",
    "LIST",
    "    Return a list of all commands in this Redis server.",
    "INFO [<command-name> ...]",
    "    Return details about multiple Redis commands.",
    "    If no command names are given, documentation details for all",
    "    commands are returned.",
    "DOCS [<command-name> ...]",
    "    Return documentation details about multiple Redis commands.",
    "    If no command names are given, documentation details for all",
    "    commands are returned.",
    "GETKEYS <full-command>",
    "    Return the keys from a full Redis command.",
    "GETKEYSANDFLAGS <full-command>",
    "    Return the keys and the access flags from a full Redis command.",
  ],
});

const subcommands: readonly CommandSpec[] = [
  {
    name: "count",
    arity: 2,
    flags: ["loading", "stale"],
    categories: ["connection"],
    docs: {
      summary: "Returns the number of commands.",
      since: "2.8.13",
      group: "server",
      complexity: "O(1)",
      syntax: "",
    },
    run: ({ node, reply }) => reply.integer(node.registry.size),
  },
  {
    name: "docs",
    arity: -2,
    flags: ["loading", "stale"],
    categories: ["connection"],
    tips: ["nondeterministic_output_order"],
    docs: {
      summary: "Documents commands: summary, arguments, history.",
      since: "7.0.0",
      group: "server",
      complexity: "O(N), N being the number of commands",
      syntax: "[command-name...]",
    },
    run: runDocs,
  },
  {
    name: "getkeys",
    arity: -3,
    flags: ["loading", "stale"],
    categories: ["connection"],
    docs: {
      summary: "Returns which words of a command line are keys.",
      since: "2.8.13",
      group: "server",
      complexity: "O(N), N being the number of words",
      syntax: "command [arg...]",
    },
    run: (context, argv) => getKeys(context, argv, false),
  },
  {
    name: "getkeysandflags",
    arity: -3,
    flags: ["loading", "stale"],
    categories: ["connection"],
    docs: {
      summary: "Returns which words of a command line are keys, and how they are used.",
      since: "7.0.0",
      group: "server",
      complexity: "O(N), N being the number of words",
      syntax: "command [arg...]",
    },
    run: (context, argv) => getKeys(context, argv, true),
  },
  {
    name: "info",
    arity: -2,
    flags: ["loading", "stale"],
    categories: ["connection"],
    tips: ["nondeterministic_output_order"],
    docs: {
      summary: "Describes commands: arity, flags, where the keys are.",
      since: "2.8.13",
      group: "server",
      complexity: "O(N), N being the number of commands",
      syntax: "[command-name...]",
    },
    run: runInfo,
  },
  {
    name: "list",
    arity: -2,
    flags: ["loading", "stale"],
    categories: ["connection"],
    tips: ["nondeterministic_output_order"],
    docs: {
      summary: "Returns the names of commands.",
      since: "7.0.0",
      group: "server",
      complexity: "O(N), N being the number of commands",
      syntax: "[FILTERBY filterby{MODULE module-name | ACLCAT category | PATTERN pattern}]",
    },
    run: runList,
  },
  help,
];

export const command: CommandSpec = {
  name: "command",
  arity: -1,
  flags: ["loading", "stale"],
  categories: ["connection"],
  tips: ["nondeterministic_output_order"],
  docs: {
    summary: "Describes all commands.",
    since: "2.8.13",
    group: "server",
    complexity: "O(N), N being the number of commands",
    syntax: "",
  },
  run: (context) => replyAll(context),
  subcommands,
};
