// Where a reply may differ from that of Debian's redis-server 7.0.15: what Redis 7.2 changed, which
// we follow, and nothing else. Every entry names its source and has to be met by the comparison, or
// the test fails: a difference that is gone must not stay excused.

import { parseReply, type Tree } from "../harness/reply.js";

export interface Reply {
  /** The step as written in the scenario. */
  readonly line: string;
  readonly scenario: string;
  readonly protocol: 2 | 3;
  /** Reply bytes as latin1. */
  readonly ours: string;
  readonly theirs: string;
}

export interface KnownDifference {
  readonly id: string;
  /** Which comparison meets it. */
  readonly where: "one node" | "cluster";
  /** Where Redis says so: release notes or the commit that changed it. */
  readonly source: string;
  readonly matches: (reply: Reply) => boolean;
}

export const knownDifferences: readonly KnownDifference[] = [
  {
    id: "HELLO names the protocol argument when it asks for AUTH",
    where: "one node",
    source: "redis/redis#11809, in 7.2",
    matches: ({ line, ours, theirs }) =>
      / HELLO/.test(line) && ours === theirs.replace("the HELLO AUTH", "the HELLO <proto> AUTH"),
  },
  {
    id: "COMMAND GETKEYS with one word is looked at, not refused for its arity",
    where: "one node",
    source: "arity of COMMAND GETKEYS and GETKEYSANDFLAGS: -4 in 7.0.15, -3 in 7.2",
    matches: ({ line, ours, theirs }) =>
      /^COMMAND GETKEYS(ANDFLAGS)? \w+$/.test(line) &&
      /^-ERR wrong number of arguments for 'command\|getkeys(andflags)?' command/.test(theirs) &&
      /^-ERR (The command has no key arguments|Invalid number of arguments specified)/.test(ours),
  },
  {
    id: "COMMAND DOCS has new summaries, and a text to display for each argument",
    where: "one node",
    source: "redis/redis#11051 and the reworded summaries of 7.2",
    matches: ({ line, ours, theirs }) =>
      line.includes("COMMAND DOCS") && withoutNewDocs(ours) === withoutNewDocs(theirs),
  },
  {
    id: "help texts of subcommands say Print, not Prints",
    where: "one node",
    source: "HELP of 7.2 against that of 7.0.15",
    matches: ({ line, ours, theirs }) =>
      / help$/i.test(line) &&
      ours === theirs.replace("+    Prints this help.", "+    Print this help."),
  },
  {
    id: "CLUSTER MEET does not call ports TCP ports",
    where: "cluster",
    source: "CLUSTER MEET of 7.2 against that of 7.0.15",
    matches: ({ line, ours, theirs }) =>
      line.startsWith("CLUSTER MEET") && ours === theirs.replace("Invalid TCP b", "Invalid b"),
  },
  {
    id: "CLUSTER MYSHARDID exists",
    where: "cluster",
    source: "CLUSTER MYSHARDID, since 7.2",
    matches: ({ line, ours, theirs }) =>
      line.startsWith("CLUSTER MYSHARDID") &&
      theirs.startsWith("-ERR unknown subcommand 'MYSHARDID'") &&
      ours.startsWith("-ERR wrong number of arguments for 'cluster|myshardid'"),
  },
  {
    id: "a cluster has one database, so COPY finds no other",
    where: "cluster",
    source: "databases of 7.2 in cluster mode against those of 7.0.15",
    matches: ({ line, ours, theirs }) =>
      line === "COPY b {b}c DB 1" &&
      theirs.startsWith("-ERR Copying to another database is not allowed") &&
      ours.startsWith("-ERR DB index is out of range"),
  },
];

function withoutNewDocs(reply: string): string {
  const parsed = parseReply(Buffer.from(reply, "latin1"));
  return parsed === undefined ? reply : JSON.stringify(withoutPairs(parsed.tree));
}

/** Names and values alternate in a map, and in the array that stands for it in RESP2. */
function withoutPairs(tree: Tree): unknown {
  if ("text" in tree) return tree;
  const kept: unknown[] = [];
  for (let index = 0; index < tree.items.length; index++) {
    const item = tree.items[index];
    if (item === undefined) break;
    const isNew = "text" in item && (item.text === "summary" || item.text === "display_text");
    if (isNew) index++;
    else kept.push(withoutPairs(item));
  }
  return { type: tree.type, items: kept };
}
