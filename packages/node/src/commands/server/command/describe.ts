/** How a command is described to clients: the replies of COMMAND INFO and COMMAND DOCS. */
import type { ReplyWriter } from "@slotlog/resp";
import { type DocsArgument, docsArguments } from "../../docs-arguments.js";
import type { Command } from "../../registry.js";
import type { CommandFlag, KeySpec } from "../../spec.js";

/** Those that Redis tells, in its order; the others are internal. */
const toldFlags: readonly CommandFlag[] = [
  "write",
  "readonly",
  "denyoom",
  "module",
  "admin",
  "pubsub",
  "noscript",
  "blocking",
  "loading",
  "stale",
  "skip_monitor",
  "skip_slowlog",
  "asking",
  "fast",
  "no_auth",
  "no_mandatory_keys",
  "no_async_loading",
  "no_multi",
  "movablekeys",
  "allow_busy",
];

/** Internal to servers: clients have no use for them. */
const systemCommands: ReadonlySet<string> = new Set([
  "pfdebug",
  "pfselftest",
  "replconf",
  "restore-asking",
  "debug",
]);

function simples(reply: ReplyWriter, words: readonly string[]): void {
  reply.set(words.length);
  for (const word of words) reply.simple(word);
}

/** The array of ten that COMMAND INFO prints. */
export function replyInfo(reply: ReplyWriter, command: Command): void {
  reply.array(10);
  reply.bulk(command.fullName);
  reply.integer(command.arity);
  const { flags } = command.spec;
  simples(
    reply,
    toldFlags.filter((flag) => (flag === "movablekeys" ? command.movable : flags.includes(flag))),
  );
  reply.integer(command.firstKey);
  reply.integer(command.lastKey);
  reply.integer(command.keyStep);
  simples(
    reply,
    command.categories.map((category) => `@${category}`),
  );
  const tips = command.spec.tips ?? [];
  reply.set(tips.length);
  for (const tip of tips) reply.bulk(tip);
  reply.set(command.keySpecs.length);
  for (const spec of command.keySpecs) replyKeySpec(reply, spec);
  const subcommands = command.subcommands;
  if (subcommands === undefined) {
    reply.set(0);
    return;
  }
  reply.array(subcommands.size);
  for (const sub of subcommands.values()) replyInfo(reply, sub);
}

function replyKeySpec(reply: ReplyWriter, spec: KeySpec): void {
  reply.map(spec.notes === undefined ? 3 : 4);
  if (spec.notes !== undefined) {
    reply.bulk("notes");
    reply.bulk(spec.notes);
  }
  reply.bulk("flags");
  simples(reply, spec.flags);
  reply.bulk("begin_search");
  const { begin, find } = spec;
  if (begin.type === "index") typed(reply, "index", { index: begin.index });
  else if (begin.type === "keyword") {
    typed(reply, "keyword", { keyword: begin.keyword, startfrom: begin.startFrom });
  } else typed(reply, "unknown", {});
  reply.bulk("find_keys");
  if (find.type === "range") {
    typed(reply, "range", { lastkey: find.last, keystep: find.step, limit: find.limit });
  } else if (find.type === "keynum") {
    typed(reply, "keynum", { keynumidx: find.index, firstkey: find.first, keystep: find.step });
  } else typed(reply, "unknown", {});
}

function typed(
  reply: ReplyWriter,
  type: string,
  spec: Readonly<Record<string, string | number>>,
): void {
  reply.map(2);
  pair(reply, "type", type);
  reply.bulk("spec");
  const entries = Object.entries(spec);
  reply.map(entries.length);
  for (const [name, value] of entries) pair(reply, name, value);
}

function pair(reply: ReplyWriter, name: string, value: string | number): void {
  reply.bulk(name);
  if (typeof value === "number") reply.integer(value);
  else reply.bulk(value);
}

/** The map that COMMAND DOCS prints. */
export function replyDocs(reply: ReplyWriter, command: Command): void {
  const { docs } = command.spec;
  const map = reply.deferMap();
  let count = 3;
  pair(reply, "summary", docs.summary);
  pair(reply, "since", docs.since);
  pair(reply, "group", docs.group.replace("_", "-"));
  if (docs.complexity !== "") {
    count += 1;
    pair(reply, "complexity", docs.complexity);
  }
  const docFlags = docs.deprecatedSince === undefined ? [] : ["deprecated"];
  if (systemCommands.has(command.fullName)) docFlags.push("syscmd");
  if (docFlags.length > 0) {
    count += 1;
    reply.bulk("doc_flags");
    simples(reply, docFlags);
  }
  if (docs.deprecatedSince !== undefined) {
    count += 1;
    pair(reply, "deprecated_since", docs.deprecatedSince);
  }
  if (docs.replacedBy !== undefined) {
    count += 1;
    pair(reply, "replaced_by", docs.replacedBy);
  }
  if (docs.history !== undefined) {
    count += 1;
    reply.bulk("history");
    reply.set(docs.history.length);
    for (const [version, change] of docs.history) {
      reply.array(2);
      reply.bulk(version);
      reply.bulk(change);
    }
  }
  const tree = docsArguments(docs.syntax);
  if (tree.length > 0) {
    count += 1;
    reply.bulk("arguments");
    replyArguments(reply, tree);
  }
  if (command.subcommands !== undefined) {
    count += 1;
    reply.bulk("subcommands");
    reply.map(command.subcommands.size);
    for (const sub of command.subcommands.values()) {
      reply.bulk(sub.fullName);
      replyDocs(reply, sub);
    }
  }
  reply.endMap(map, count);
}

function replyArguments(reply: ReplyWriter, list: readonly DocsArgument[]): void {
  reply.array(list.length);
  for (const argument of list) replyArgument(reply, argument);
}

function replyArgument(reply: ReplyWriter, argument: DocsArgument): void {
  const map = reply.deferMap();
  let count = 2;
  const optionalPair = (name: string, value: string | number | undefined): void => {
    if (value === undefined) return;
    count += 1;
    pair(reply, name, value);
  };
  pair(reply, "name", argument.name);
  pair(reply, "type", argument.type);
  optionalPair("display_text", argument.displayText);
  optionalPair("key_spec_index", argument.keySpecIndex);
  optionalPair("token", argument.token);
  optionalPair("since", argument.since);
  optionalPair("deprecated_since", argument.deprecatedSince);
  if (argument.flags.length > 0) {
    count += 1;
    reply.bulk("flags");
    simples(reply, argument.flags);
  }
  if (argument.arguments !== undefined) {
    count += 1;
    reply.bulk("arguments");
    replyArguments(reply, argument.arguments);
  }
  reply.endMap(map, count);
}
