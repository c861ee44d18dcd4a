/** ASKING, READONLY, READWRITE: what a client of the cluster says about its next commands. */
import type { CommandContext } from "../../dispatch/context.js";
import type { CommandSpec } from "../spec.js";

/** False, with the error written, outside of a cluster. */
function inCluster({ node, reply }: CommandContext): boolean {
  if (node.config.clusterEnabled) return true;
  reply.error("ERR This instance has cluster support disabled");
  return false;
}

export const clusterClient: readonly CommandSpec[] = [
  {
    name: "asking",
    arity: 1,
    flags: ["fast"],
    categories: ["connection"],
    docs: {
      summary: "Lets the next command into a slot that is being imported.",
      since: "3.0.0",
      group: "cluster",
      complexity: "O(1)",
      syntax: "",
    },
    run: (context) => {
      if (!inCluster(context)) return;
      context.client.asking = true;
      context.reply.ok();
    },
    keepsAsking: true,
  },
  {
    name: "readonly",
    arity: 1,
    flags: ["loading", "stale", "fast"],
    categories: ["connection"],
    docs: {
      summary: "Lets this connection read from a replica what its primary owns.",
      since: "3.0.0",
      group: "cluster",
      complexity: "O(1)",
      syntax: "",
    },
    run: (context) => {
      if (!inCluster(context)) return;
      context.client.readOnly = true;
      context.reply.ok();
    },
  },
  {
    name: "readwrite",
    arity: 1,
    flags: ["loading", "stale", "fast"],
    categories: ["connection"],
    docs: {
      summary: "Ends READONLY: reads go to the primaries again.",
      since: "3.0.0",
      group: "cluster",
      complexity: "O(1)",
      syntax: "",
    },
    run: (context) => {
      if (!inCluster(context)) return;
      context.client.readOnly = false;
      context.reply.ok();
    },
  },
];
