/** CLUSTER, and the commands by which a client adapts itself to one. */
import type { CommandSpec } from "../spec.js";
import { changes } from "./change.js";
import { looks } from "./look.js";

const container: CommandSpec = {
  name: "cluster",
  arity: -2,
  flags: [],
  categories: [],
  docs: {
    summary: "Everything about the cluster, by subcommand.",
    since: "3.0.0",
    group: "cluster",
    complexity: "Depends on the subcommand",
    syntax: "",
  },
  subcommands: [...looks, ...changes],
};

export const cluster: readonly CommandSpec[] = [container];
