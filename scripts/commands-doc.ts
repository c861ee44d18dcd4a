// `docs/commands.md` from the commands' declarations. Without an argument it writes the file; with
// `--check` it fails if the file is not what the declarations say, so that it cannot go stale.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  type Command,
  CommandRegistry,
  type DocsArgument,
  docsArguments,
  families,
} from "@slotlog/node/commands";
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

/** An argument in the usual notation: `[optional]`, `<one | of>`, `repeated [repeated ...]`. */
function notation(argument: DocsArgument): string {
  const { flags, token } = argument;
  const value = valueOf(argument);
  const repeats = flags.includes("multiple") || flags.includes("multiple_token");
  const whole = [token, value].filter((part) => part !== undefined && part !== "").join(" ");
  const again = flags.includes("multiple_token") ? whole : value;
  const text = repeats ? `${whole} [${again} ...]` : whole;
  if (flags.includes("optional")) return `[${text}]`;
  return argument.type === "oneof" ? `<${text}>` : text;
}

function valueOf(argument: DocsArgument): string {
  const inner = argument.arguments?.map(notation) ?? [];
  if (argument.type === "oneof") return inner.join(" | ");
  if (argument.type === "block") return inner.join(" ");
  return argument.type === "pure-token" ? "" : (argument.displayText ?? argument.name);
}

function row(command: Command): string {
  const { docs } = command.spec;
  const name = command.fullName.replace("|", " ").toUpperCase();
  const call = [name, ...docsArguments(docs.syntax).map(notation)].join(" ");
  const old = docs.deprecatedSince === undefined ? "" : ` (old: use ${docs.replacedBy})`;
  const keys = command.firstKey === 0 && !command.movable ? "" : "by its keys";
  const cells = [`\`${call}\``, docs.summary + old, docs.complexity, keys, docs.since];
  return `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
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
    "Arguments in the usual notation: `[optional]`, `<one | of>`, `repeated [repeated ...]`.",
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
