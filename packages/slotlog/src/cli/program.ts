// The commands that yargs parses: which there are, their options, and how mistakes are answered.
// What a command does is in a file of its own.

import yargs from "yargs";
import type { Argv } from "yargs";
import { CliError, type ExitCode, exitCodes, usageError } from "./errors.js";
import { nearest } from "./suggest.js";
import { aofOptions, describeAof } from "./aof/command.js";
import { clusterOptions, describeCluster } from "./cluster/command.js";
import { describeRouter, routerOptions, startRouter } from "./router/command.js";
import { describeUp, runUp, upOptions } from "./up/command.js";
import { version } from "./version.js";

/** The commands, and the words that follow each: options, or commands of its own. */
const known: Readonly<Record<string, readonly string[]>> = {
  up: Object.keys(upOptions),
  node: [],
  router: Object.keys(routerOptions),
  cluster: Object.keys(clusterOptions),
  ...Object.fromEntries(
    Object.entries(clusterOptions).map(([name, options]) => [
      `cluster ${name}`,
      Object.keys(options),
    ]),
  ),
  aof: Object.keys(aofOptions),
  ...Object.fromEntries(
    Object.entries(aofOptions).map(([name, options]) => [`aof ${name}`, Object.keys(options)]),
  ),
};

export async function runCommand(argv: readonly string[]): Promise<ExitCode> {
  let code: ExitCode = exitCodes.ok;
  const parser = buildParser(argv, (result) => {
    code = result;
  });
  // Without a command there is nothing to do, and the help is the best answer.
  if (argv.length === 0) {
    console.error(await parser.getHelp());
    return exitCodes.usage;
  }
  await parser.parseAsync([...argv]);
  return code;
}

function buildParser(argv: readonly string[], setCode: (code: ExitCode) => void): Argv {
  return (
    yargs()
      .scriptName("slotlog")
      .usage("$0 <command> [options]\n\nA sharded, replicated database that speaks Redis Cluster.")
      .command({
        command: "up",
        describe: "Run a whole cluster on this machine",
        builder: describeUp,
        handler: async (args) => setCode(await runUp(args)),
      })
      .command({
        command: "router",
        describe: "Run a proxy in front of a cluster, for clients that know nothing of clusters",
        builder: describeRouter,
        handler: async (args) => setCode(await startRouter(args)),
      })
      .command({
        command: "cluster",
        describe: "Look at a running cluster, and change it: status, reshard, ...",
        builder: (command) => describeCluster(command, setCode),
        handler: () => {},
      })
      .command({
        command: "aof",
        describe: "Check, repair, read and restore append-only files",
        builder: (command) => describeAof(command, setCode),
        handler: () => {},
      })
      .command({
        command: "node [config] [directives..]",
        describe: "Run one node; takes what redis-server takes (slotlog node --help)",
        handler: () => {},
      })
      .example("$0 up", "3 primaries, 3 replicas on ports 7000-7005, data in .slotlog")
      .example("$0 up --primaries 5 --port 9000", "5 primaries and 5 replicas from port 9000 on")
      .example("$0 node --port 6380 --appendonly yes", "one node with an append-only file")
      .example("$0 router --cluster 10.0.0.1:7000", "a proxy on port 7379 before that cluster")
      .example("$0 node redis.conf --loglevel verbose", "one node from a Redis config file")
      .demandCommand(1, "a command is missing")
      .strict()
      // What follows `--` belongs to somebody else: `up` hands it to every node.
      .parserConfiguration({ "populate--": true })
      .version(version())
      .alias("version", "v")
      .help()
      .alias("help", "h")
      .wrap(Math.min(100, process.stdout.columns ?? 100))
      .epilogue("Exit codes: 0 done, 1 failed, 2 wrong usage.")
      .exitProcess(false)
      .fail((message, error: unknown) => {
        throw error instanceof Error ? error : explain(message, argv);
      })
  );
}

/** Adds the nearest known word to yargs' "Unknown argument" and "Unknown command". */
function explain(message: string, argv: readonly string[]): CliError {
  const [first = "", second = ""] = argv;
  const command = [`${first} ${second}`, first].find((name) => Object.hasOwn(known, name));
  const hint = `See: slotlog ${command === undefined ? "" : `${command} `}--help`;
  const commands = Object.keys(known).filter((name) => !name.includes(" "));
  const words = command === undefined ? commands : (known[command] ?? []);
  const unknown = /^Unknown (?:argument|command)s?: (.+)$/.exec(message)?.[1];
  // What is missing may be there, misspelt, and yargs looks for what is missing first.
  const strange =
    unknown?.split(", ") ??
    flagsOf(argv).filter((flag) => !words.includes(flag.replace(/^no-/, "")));
  if (unknown === undefined && !strange.some((flag) => nearest(flag, words) !== undefined)) {
    return usageError(message, hint);
  }
  const answers = strange.map((word) => {
    const guess = nearest(word, words);
    // A word that came without dashes is no flag, however much it looks like one.
    const typed = argv.includes(word) ? word : `--${word}`;
    if (guess === undefined) return `${typed} is unknown`;
    const isCommand = command === undefined || Object.hasOwn(known, `${command} ${guess}`);
    return `${typed} is unknown: did you mean ${isCommand ? guess : `--${guess}`}?`;
  });
  return usageError(answers.join("; "), hint);
}

/** The names of the flags in it, up to what belongs to somebody else. */
function flagsOf(argv: readonly string[]): string[] {
  const end = argv.indexOf("--");
  return argv
    .slice(0, end < 0 ? argv.length : end)
    .flatMap((word) => /^--([^=]+)/.exec(word)?.[1] ?? []);
}
