/** MODULE: there are none, and none can be loaded. */
import type { CommandContext } from "../../dispatch/context.js";
import { helpSubcommand } from "../help.js";
import type { CommandSpec } from "../spec.js";

function refuseLoading({ reply }: CommandContext): void {
  reply.error("ERR Error loading the extension. Please check the server logs.");
}

function runUnload({ reply }: CommandContext): void {
  reply.error("ERR Error unloading module: no such module with that name");
}

const help = helpSubcommand({
  container: "module",
  since: "5.0.0",
  group: "server",
  lines: [
    "LIST",
    "    Return a list of loaded modules.",
    "LOAD <path> [<arg> ...]",
    "    Load a module library from <path>, passing to it any optional arguments.",
    "LOADEX <path> [[CONFIG NAME VALUE] [CONFIG NAME VALUE]] [ARGS ...]",
    "    Load a module library from <path>, while passing it module configurations and optional arguments.",
    "UNLOAD <name>",
    "    Unload a module.",
  ],
});

const subcommands: readonly CommandSpec[] = [
  {
    name: "list",
    arity: 2,
    flags: ["admin", "noscript"],
    categories: [],
    tips: ["nondeterministic_output_order"],
    docs: {
      summary: "Returns the loaded modules: an empty list.",
      since: "4.0.0",
      group: "server",
      complexity: "O(1)",
      syntax: "",
    },
    run: ({ reply }) => reply.array(0),
  },
  {
    name: "load",
    arity: -3,
    flags: ["admin", "noscript", "no_async_loading", "protected"],
    categories: [],
    docs: {
      summary: "Would load a module; refused.",
      since: "4.0.0",
      group: "server",
      complexity: "O(1)",
      syntax: "path [arg...]",
    },
    run: refuseLoading,
  },
  {
    name: "loadex",
    arity: -3,
    flags: ["admin", "noscript", "no_async_loading", "protected"],
    categories: [],
    docs: {
      summary: "Would load a module with a configuration; refused.",
      since: "7.0.0",
      group: "server",
      complexity: "O(1)",
      syntax: "path [CONFIG configs{name value}....] [ARGS args...]",
    },
    run: refuseLoading,
  },
  {
    name: "unload",
    arity: 3,
    flags: ["admin", "noscript", "no_async_loading", "protected"],
    categories: [],
    docs: {
      summary: "Would unload a module; there is none.",
      since: "4.0.0",
      group: "server",
      complexity: "O(1)",
      syntax: "name",
    },
    run: runUnload,
  },
  help,
];

export const module: CommandSpec = {
  name: "module",
  arity: -2,
  flags: [],
  categories: [],
  docs: {
    summary: "Modules of Redis, which cannot be loaded here.",
    since: "4.0.0",
    group: "server",
    complexity: "Depends on the subcommand",
    syntax: "",
  },
  subcommands,
};
