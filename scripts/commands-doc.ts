// `docs/commands.md` from the commands' declarations. Without an argument it writes the file; with
// `--check` it fails if the file is not what the declarations say, so that it cannot go stale.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Command, CommandRegistry, families } from "@slotlog/node/commands";
import { root } from "./workspace.mjs";

const file = join(root, "docs/commands.md");

const groupTitles: Readonly<Record<string, string>> = {
  bitmap: "Bitmaps",
  cluster: "Cluster",
  connection: "Connection",
  generic: "Keys",
  geo: "Geo",
  hash: "Hashes",
  hyperloglog: "HyperLogLog",
  list: "Lists",
  pubsub: "Pub/sub",
  scripting: "Scripting",
  server: "Server",
  set: "Sets",
  sorted_set: "Sorted sets",
  stream: "Streams",
  string: "Strings",
  transactions: "Transactions",
};

function row(command: Command): string {
  const { docs } = command.spec;
  const name = command.fullName.replace("|", " ").toUpperCase();
  const call = [name, docs.syntax].filter((part) => part !== "").join(" ");
  // A type behind a name is for COMMAND DOCS; people read the name.
  const shown = call.replaceAll(/([a-z0-9-]+):[a-z-]+/g, "$1").replaceAll("|", "\\|");
  const old = docs.deprecatedSince === undefined ? "" : ` (old: use ${docs.replacedBy})`;
  const keys = command.firstKey === 0 && !command.movable ? "" : "by its keys";
  return `| \`${shown}\` | ${docs.summary}${old} | ${docs.complexity} | ${keys} | ${docs.since} |`;
}

function document(): string {
  const registry = new CommandRegistry(families);
  const leaves = [...registry.all()].flatMap((command) =>
    command.subcommands === undefined || command.body !== undefined
      ? [command, ...(command.subcommands?.values() ?? [])]
      : [...command.subcommands.values()],
  );
  const groups = Object.entries(groupTitles).flatMap(([group, title]) => {
    const members = leaves.filter((command) => command.spec.docs.group === group);
    if (members.length === 0) return [];
    const sorted = members.toSorted((a, b) => (a.fullName < b.fullName ? -1 : 1));
    return [
      `## ${title}`,
      "",
      "| command | what it does | complexity | routed | since |",
      "|---|---|---|---|---|",
      ...sorted.map(row),
      "",
    ];
  });
  return [
    "# Commands",
    "",
    `Made from the declarations by \`npm run docs\`; ${leaves.length} commands and subcommands.`,
    "Arguments in the usual notation: `[optional]`, `one | of`, `repeated ...`.",
    "",
    ...groups,
  ].join("\n");
}

const text = document();
if (process.argv.includes("--check")) {
  const found = readFileSync(file, "utf8");
  if (found !== text) {
    console.error("docs/commands.md is not what the declarations say: run `npm run docs`.");
    process.exitCode = 1;
  }
} else {
  writeFileSync(file, text);
  console.log(`docs/commands.md: ${text.split("\n").length} lines`);
}
