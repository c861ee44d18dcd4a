/** ACL CAT, GENPASS, DRYRUN, LOG: what helps to write rules and to see what they do. */
import { denialText } from "../../acl/access-control.js";
import type { CommandContext } from "../../dispatch/context.js";
import { longArgument } from "../arguments.js";
import { categoryNames } from "../registry.js";
import type { CommandSpec } from "../spec.js";
import { subcommandError } from "../help.js";

const quotedCharsMax = 128;

function runCategories({ node, reply }: CommandContext, argv: readonly string[]): void {
  if (argv.length > 3) {
    reply.error(subcommandError(argv));
    return;
  }
  const asked = argv[2];
  if (asked === undefined) {
    reply.array(categoryNames.length);
    for (const name of categoryNames) reply.bulk(name);
    return;
  }
  const category = categoryNames.find((name) => name === asked.toLowerCase());
  if (category === undefined) {
    reply.error(`ERR Unknown category '${asked.slice(0, quotedCharsMax)}'`);
    return;
  }
  const names: string[] = [];
  for (const command of node.registry.declared) {
    for (const each of [command, ...(command.subcommands?.values() ?? [])]) {
      if (each.categories.includes(category)) names.push(each.fullName);
    }
  }
  reply.array(names.length);
  for (const name of names) reply.bulk(name);
}

const passwordBits = 256;
const passwordBitsMax = 4096;
const bitsPerDigit = 4;

function runGeneratePassword({ node, reply }: CommandContext, argv: readonly string[]): void {
  if (argv.length > 3) {
    reply.error(subcommandError(argv));
    return;
  }
  const bits = argv[2] === undefined ? passwordBits : longArgument(argv[2]);
  if (bits <= 0 || bits > passwordBitsMax) {
    reply.error(
      "ERR ACL GENPASS argument must be the number of bits for the output password, a positive " +
        `number up to ${passwordBitsMax}`,
    );
    return;
  }
  const digits = Math.ceil(bits / bitsPerDigit);
  const bytes = node.ports.random.bytes(Math.ceil(digits / 2));
  reply.bulk(Buffer.from(bytes).toString("hex").slice(0, digits));
}

function runDryRun({ node, reply }: CommandContext, argv: readonly string[]): void {
  const name = argv[2] as string;
  const user = node.acl.find(name);
  if (user === undefined) {
    reply.error(`ERR User '${name}' not found`);
    return;
  }
  const words = argv.slice(3);
  const found = node.registry.resolve(words);
  if (found === undefined || (found.subcommands !== undefined && words.length > 1)) {
    reply.error(`ERR Command '${words[0]}' not found`);
    return;
  }
  const { arity, fullName } = found;
  if (arity > 0 ? words.length !== arity : words.length < -arity) {
    reply.error(`ERR wrong number of arguments for '${fullName}' command`);
    return;
  }
  const denial = user.check(found, words);
  if (denial === undefined) {
    reply.ok();
    return;
  }
  const named = words[denial.index] as string;
  reply.bulk(denialText(denial, { user: name, command: found, named }));
}

const logEntriesByDefault = 10;

function runLog({ node, now, reply }: CommandContext, argv: readonly string[]): void {
  if (argv.length > 3) {
    reply.error(subcommandError(argv));
    return;
  }
  if (argv[2]?.toLowerCase() === "reset") {
    node.acl.log.reset();
    reply.ok();
    return;
  }
  const count = argv[2] === undefined ? logEntriesByDefault : longArgument(argv[2]);
  const entries = node.acl.log.latest(count);
  reply.array(entries.length);
  for (const entry of entries) {
    reply.map(10);
    reply.bulk("count");
    reply.integer(entry.count);
    for (const [name, value] of [
      ["reason", entry.reason],
      ["context", entry.place],
      ["object", entry.object],
      ["username", entry.user],
    ] as const) {
      reply.bulk(name);
      reply.bulk(value);
    }
    reply.bulk("age-seconds");
    reply.double((now - entry.at) / 1000);
    reply.bulk("client-info");
    reply.bulk(entry.clientInfo);
    reply.bulk("entry-id");
    reply.integer(entry.id);
    reply.bulk("timestamp-created");
    reply.integer(entry.createdAt);
    reply.bulk("timestamp-last-updated");
    reply.integer(entry.at);
  }
}

export const tools: readonly CommandSpec[] = [
  {
    name: "cat",
    arity: -2,
    flags: ["noscript", "loading", "stale"],
    categories: [],
    docs: {
      summary: "Returns the categories of commands, or the commands of one.",
      since: "6.0.0",
      group: "server",
      complexity: "O(N), N being the number of commands",
      syntax: "[category]",
    },
    run: runCategories,
  },
  {
    name: "genpass",
    arity: -2,
    flags: ["noscript", "loading", "stale"],
    categories: [],
    docs: {
      summary: "Makes a random password of so many bits.",
      since: "6.0.0",
      group: "server",
      complexity: "O(1)",
      syntax: "[bits]",
    },
    run: runGeneratePassword,
  },
  {
    name: "dryrun",
    arity: -4,
    flags: ["admin", "noscript", "loading", "stale"],
    categories: [],
    docs: {
      summary: "Tells whether a user could run a command, without running it.",
      since: "7.0.0",
      group: "server",
      complexity: "O(1)",
      syntax: "username command [arg...]",
    },
    run: runDryRun,
  },
  {
    name: "log",
    arity: -2,
    flags: ["admin", "noscript", "loading", "stale"],
    categories: [],
    docs: {
      summary: "Returns what was denied of late, or forgets it.",
      since: "6.0.0",
      group: "server",
      complexity: "O(N), N being the number of entries",
      syntax: "operation[count | RESET]",
    },
    run: runLog,
  },
];
