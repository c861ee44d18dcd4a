/**
 * DEBUG, as far as tests and operators need it. What makes Redis crash on purpose is refused: other
 * nodes may live in this process.
 */
import { replyErrors } from "@slotlog/resp";
import type { CommandContext } from "../../../dispatch/context.js";
import { rewriteConfigFile } from "../../../config/rewrite-file.js";
import { parseMemory } from "../../../config/numbers.js";
import { parseSafeInteger } from "../../../store/int64.js";
import { fail } from "../../errors.js";
import { helpReply, subcommandError } from "../../help.js";
import type { CommandSpec } from "../../spec.js";
import { datasetDigest, valueDigest } from "./digest.js";
import { debugHelp } from "./help.js";
import { debugObject, debugPacked, debugPopulate, debugSdsLength, debugTables } from "./keys.js";
import { debugProtocol } from "./protocol.js";

interface Debugger {
  /** Words it takes, `debug` and its own name included; negative: at least that many. */
  readonly arity: number;
  readonly run: (context: CommandContext, argv: readonly string[]) => void;
}

function accept({ reply }: CommandContext): void {
  reply.ok();
}

function refuse({ reply }: CommandContext): void {
  reply.error("ERR a server that may share its process does not crash on purpose");
}

/** What C's `atoi` says: anything that is no number is 0. */
function isOn(word: string): boolean {
  return Number.parseInt(word, 10) !== 0 && !Number.isNaN(Number.parseInt(word, 10));
}

function sleep({ node, reply }: CommandContext, argv: readonly string[]): void {
  const seconds = Number.parseFloat(argv[2] as string);
  if (seconds > 0) node.process.block(seconds * 1000);
  reply.ok();
}

function packedThreshold({ reply }: CommandContext, argv: readonly string[]): void {
  const bytes = parseMemory(argv[2] as string);
  if (bytes === undefined || bytes < 0n || bytes >= 2n ** 32n) {
    fail("ERR argument must be a memory value bigger than 1 and smaller than 4gb");
  }
  reply.ok();
}

function reload({ node, reply }: CommandContext, argv: readonly string[]): void {
  const options = argv.slice(2).map((word) => word.toLowerCase());
  if (!options.every((word) => ["merge", "noflush", "nosave"].includes(word))) {
    fail("ERR DEBUG RELOAD only supports the MERGE, NOFLUSH and NOSAVE options.");
  }
  const error = node.reloadDataset({
    save: !options.includes("nosave"),
    flush: !options.includes("noflush"),
    merge: options.includes("merge"),
  });
  if (error === undefined) reply.ok();
  else reply.error(error);
}

function loadAppendOnly({ client, command, mayBlock, node }: CommandContext): void {
  if (!mayBlock) fail("ERR DEBUG LOADAOF cannot be part of a transaction or script here");
  if (node.loading) fail(replyErrors.loading);
  const isSilent = client.replyMode !== "on";
  let closed = false;
  client.blocked = {
    reason: "loading",
    cancel: (how) => {
      closed ||= how === "closed";
    },
  };
  void node.reloadAppendOnly().then((error) => {
    if (closed) return;
    node.late.answer({ client, command, isSilent }, (late) => {
      if (error === undefined) late.ok();
      else late.error(error);
    });
  });
}

function rewriteWholeConfig({ node, reply }: CommandContext): void {
  const userLines = node.acl.lines();
  const error = rewriteConfigFile(node.configuration, node.ports.disk, { userLines, all: true });
  if (error === undefined) reply.ok();
  else reply.error(error);
}

/** A link that breaks, when a test needs it to. */
function clusterLink({ node, reply }: CommandContext, argv: readonly string[]): void {
  const [, , action, direction, id] = argv as [string, string, string, string, string];
  if (action.toLowerCase() !== "kill") fail(subcommandError(argv));
  if (!node.config.clusterEnabled) {
    fail("ERR Debug option only available for cluster mode enabled setup!");
  }
  const bus = node.cluster?.bus;
  if (bus === undefined || !bus.core.knows(id)) fail(`ERR Unknown node ${id}`);
  const which = direction.toLowerCase();
  if (which !== "from" && which !== "to" && which !== "all") {
    fail(`ERR Unknown direction ${direction}`);
  }
  bus.killLinks(id, which);
  reply.ok();
}

function dropClusterPackets({ node, reply }: CommandContext, argv: readonly string[]): void {
  const type = parseSafeInteger(argv[2] as string);
  if (type === undefined) fail(replyErrors.notAnInteger);
  node.cluster?.bus.dropArriving(type < 0 ? undefined : type);
  reply.ok();
}

const debuggers: Readonly<Record<string, Debugger>> = {
  sleep: { arity: 3, run: sleep },
  digest: {
    arity: 2,
    run: ({ node, reply }) => reply.simple(datasetDigest(node.databases.databases)),
  },
  "digest-value": {
    arity: -2,
    run: ({ db, reply }, argv) => {
      reply.array(argv.length - 2);
      for (const key of argv.slice(2)) reply.simple(valueDigest(db, key));
    },
  },
  object: { arity: 3, run: (context, argv) => debugObject(context, argv[2] as string) },
  listpack: {
    arity: 3,
    run: (context, argv) => debugPacked(context, argv[2] as string, "listpack"),
  },
  quicklist: {
    arity: -3,
    run: (context, argv) => debugPacked(context, argv[2] as string, "quicklist"),
  },
  sdslen: { arity: 3, run: (context, argv) => debugSdsLength(context, argv[2] as string) },
  populate: { arity: -3, run: debugPopulate },
  htstats: { arity: -3, run: debugTables },
  protocol: { arity: 3, run: (context, argv) => debugProtocol(context, argv[2] as string) },
  error: { arity: 3, run: ({ reply }, argv) => reply.error(argv[2] as string) },
  log: {
    arity: 3,
    run: ({ node, reply }, argv) => {
      node.ports.log.warning(`DEBUG LOG: ${argv[2]}`);
      reply.ok();
    },
  },
  reload: { arity: -2, run: reload },
  "config-rewrite-force-all": { arity: 2, run: rewriteWholeConfig },
  loadaof: { arity: 2, run: loadAppendOnly },
  "set-active-expire": {
    arity: 3,
    run: ({ node, reply }, argv) => {
      node.switches.activeExpire = isOn(argv[2] as string);
      reply.ok();
    },
  },
  "pause-cron": {
    arity: 3,
    run: ({ node, reply }, argv) => {
      node.switches.cronPaused = isOn(argv[2] as string);
      reply.ok();
    },
  },
  "change-repl-id": {
    arity: 2,
    run: ({ node, reply }) => {
      node.replication.history.changeId();
      reply.ok();
    },
  },
  replicate: {
    arity: -3,
    run: ({ db, node, reply }, argv) => {
      node.propagate(db.index, argv.slice(2));
      reply.ok();
    },
  },
  structsize: { arity: 2, run: ({ reply }) => reply.bulk("bits:64 ") },
  "quicklist-packed-threshold": { arity: 3, run: packedThreshold },
  "set-skip-checksum-validation": { arity: 3, run: accept },
  "set-disable-deny-scripts": { arity: 3, run: accept },
  "aof-flush-sleep": { arity: 3, run: accept },
  "drop-cluster-packet-filter": { arity: 3, run: dropClusterPackets },
  clusterlink: { arity: 5, run: clusterLink },
  replybuffer: { arity: 4, run: accept },
  leak: { arity: 3, run: accept },
  "stringmatch-test": {
    arity: 2,
    run: ({ reply }) => reply.simple("Apparently Redis did not crash: test passed"),
  },
  segfault: { arity: -2, run: refuse },
  panic: { arity: -2, run: refuse },
  assert: { arity: -2, run: refuse },
  oom: { arity: -2, run: refuse },
  restart: { arity: -2, run: refuse },
  "crash-and-recover": { arity: -2, run: refuse },
  help: { arity: 2, run: ({ reply }) => helpReply(reply, "debug", debugHelp) },
};

function run(context: CommandContext, argv: readonly string[]): void {
  const name = (argv[1] as string).toLowerCase();
  const found = Object.hasOwn(debuggers, name) ? debuggers[name] : undefined;
  const fits =
    found !== undefined &&
    (found.arity > 0 ? argv.length === found.arity : argv.length >= -found.arity);
  if (found === undefined || !fits) {
    context.reply.error(subcommandError(argv));
    return;
  }
  if (name === "populate" && argv.length > 5) fail(replyErrors.syntax);
  found.run(context, argv);
}

export const debug: CommandSpec = {
  name: "debug",
  arity: -2,
  flags: ["admin", "noscript", "loading", "stale", "protected"],
  categories: [],
  docs: {
    summary: "Looks into the server, for tests and diagnosis.",
    since: "1.0.0",
    group: "server",
    complexity: "Depends on the subcommand",
    syntax: "",
  },
  run: run,
};
