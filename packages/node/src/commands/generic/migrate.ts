/** MIGRATE: keys go to another node. What happens then is `migration/`; here are its words. */
import { replyErrors } from "@slotlog/resp";
import type { CommandContext } from "../../dispatch/context.js";
import { isWord, longArgument } from "../arguments.js";
import { fail } from "../errors.js";
import { type CommandSpec, keyAt } from "../spec.js";

const firstOption = 6;
const defaultTimeoutMs = 1000;

class MigrateOptions {
  copy = false;
  replace = false;
  authentication: readonly string[] | undefined;
  firstKey = 3;
  keyCount = 1;
}

function parseOptions(argv: readonly string[]): MigrateOptions {
  const options = new MigrateOptions();
  for (let index = firstOption; index < argv.length; index += 1) {
    const word = argv[index] as string;
    const left = argv.length - 1 - index;
    if (isWord(word, "copy")) options.copy = true;
    else if (isWord(word, "replace")) options.replace = true;
    else if (isWord(word, "auth") && left >= 1) {
      index += 1;
      const user = options.authentication?.length === 2 ? [options.authentication[0]] : [];
      options.authentication = [...user, argv[index]] as string[];
    } else if (isWord(word, "auth2") && left >= 2) {
      options.authentication = [argv[index + 1] as string, argv[index + 2] as string];
      index += 2;
    } else if (isWord(word, "keys")) {
      if (argv[3] !== "") {
        fail(
          "ERR When using MIGRATE KEYS option, the key argument must be set to the empty string",
        );
      }
      options.firstKey = index + 1;
      options.keyCount = argv.length - index - 1;
      break;
    } else fail(replyErrors.syntax);
  }
  return options;
}

/** The key, or those behind KEYS; none if both are named, which the command itself refuses. */
function findKeys(argv: readonly string[]): readonly number[] {
  for (let index = firstOption; index < argv.length; index += 1) {
    const word = argv[index] as string;
    if (isWord(word, "keys")) {
      if (argv[3] !== "") return [];
      return Array.from({ length: argv.length - index - 1 }, (_, key) => index + 1 + key);
    }
    if (isWord(word, "auth")) index += 1;
    else if (isWord(word, "auth2")) index += 2;
  }
  return [3];
}

/** What C's `atoi` makes of a port. */
function portOf(text: string): number {
  const digits = /^\s*\+?(\d+)/.exec(text)?.[1];
  const port = digits === undefined ? 0 : Number(digits);
  return port <= 65535 ? port : 0;
}

function runMigrate(context: CommandContext, argv: readonly string[]): void {
  const { client, command, db, node, reply } = context;
  const options = parseOptions(argv);
  const timeout = longArgument(argv[5] as string);
  const targetDatabase = longArgument(argv[4] as string);
  const named = argv.slice(options.firstKey, options.firstKey + options.keyCount);
  const keys = named.filter((key) => db.lookupRead(key) !== undefined);
  if (keys.length === 0) {
    reply.simple("NOKEY");
    return;
  }
  if (!context.mayBlock) {
    // Redis stops serving everybody meanwhile; we would have to as well.
    fail("ERR MIGRATE waits for another node, it cannot run inside a transaction or a script");
  }
  node.migrations.start(client, command, {
    address: { host: argv[1] as string, port: portOf(argv[2] as string) },
    keys,
    copy: options.copy,
    transfer: {
      targetDatabase,
      replace: options.replace,
      authentication: options.authentication,
      asking: node.config.clusterEnabled,
      timeoutMs: timeout <= 0 ? defaultTimeoutMs : timeout,
    },
  });
}

export const migrate: CommandSpec = {
  name: "migrate",
  arity: -6,
  flags: ["write"],
  categories: ["keyspace", "dangerous"],
  tips: ["nondeterministic_output"],
  keys: [
    keyAt(3, "RW", "access", "delete"),
    {
      flags: ["RW", "access", "delete", "incomplete"],
      begin: { type: "keyword", keyword: "KEYS", startFrom: -2 },
      find: { type: "range", last: -1, step: 1, limit: 0 },
    },
  ],
  findKeys,
  movesKeys: true,
  docs: {
    summary: "Moves keys to another node: they are there before they are deleted here.",
    since: "2.6.0",
    group: "generic",
    complexity: "O(N) for values of N bytes, here and at the target, and their way between",
    syntax:
      "host port key-selector{key | ''/empty-string} destination-db timeout:integer " +
      "[COPY@3.0.0] [REPLACE@3.0.0] " +
      "authentication[AUTH auth(password)@4.0.7 | AUTH2 auth2@6.0.0{username password}] " +
      "[KEYS keys:key#1(key)@3.0.6 ...]",
    history: [
      ["3.0.0", "Added the `COPY` and `REPLACE` options."],
      ["3.0.6", "Added the `KEYS` option."],
      ["4.0.7", "Added the `AUTH` option."],
      ["6.0.0", "Added the `AUTH2` option."],
    ],
  },
  run: runMigrate,
};
