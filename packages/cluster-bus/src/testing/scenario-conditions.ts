/**
 * Conditions of the scenario language: what `until`, `never` and `is` ask about. Names of nodes are
 * the scenario's (`p1`, `r1`), never ids.
 */

import { disagreement } from "./checkers.js";
import type { SimCluster } from "./sim-cluster.js";
import type { SimNode } from "./sim-node.js";

export class ScenarioError extends Error {
  override readonly name = "ScenarioError";
}

interface Asked {
  readonly cluster: SimCluster;
  readonly node: SimNode;
  readonly words: readonly string[];
}

/** By the word behind the node's name. */
const conditions: Readonly<Record<string, (asked: Asked) => boolean>> = {
  /** `p2 sees p1 failed`: online, suspected, failed or unknown. */
  sees: ({ cluster, node, words: [other = "", health] }) =>
    (node.core.node(cluster.node(other).core.myId)?.health ?? "unknown") === health,
  /** `r1 is primary`, `p1 is replica of r1`. */
  is: ({ cluster, node, words: [role, , primary] }) => {
    if (role === "primary") return node.core.isPrimary;
    if (role !== "replica" || node.core.isPrimary) return role === "down" && !node.up;
    return primary === undefined || cluster.nameOf(node.core.primary?.id) === primary;
  },
  /** `p1 serves`: its state is ok. */
  serves: ({ node }) => node.core.stateOk,
  refuses: ({ node }) => !node.core.stateOk,
  /** `p1 writes 0`: it takes a client's write for that slot. */
  writes: ({ node, words: [slot] }) => node.takesWrites(Number(slot)),
  /** `p1 fenced`: its state is ok, and it takes no writes. */
  fenced: ({ node }) => node.core.stateOk && !node.core.mayWrite(node.now()),
  /** `r1 owns 0`: `r1` itself says so. */
  owns: ({ node, words: [slot] }) => node.core.ownerOf(Number(slot))?.isMyself ?? false,
  /** `p1 gives 5 p2`: to `p1`, `p2` owns the slot. */
  gives: ({ cluster, node, words: [slot, owner] }) =>
    cluster.nameOf(node.core.ownerOf(Number(slot))?.id) === owner,
  /** `p1 knows 5`: so many nodes, itself included. */
  knows: ({ node, words: [count] }) => node.core.nodes.length === Number(count),
  /** `p1 pauses`: clients' writes wait. */
  pauses: ({ node }) => node.writesPaused,
  /** `r1 logs some text`: since it was last asked with `forget logs`. */
  logs: ({ node, words }) => node.logs.some((line) => line.includes(words.join(" "))),
  /** `p1 reports p2 1`: so many primaries told `p1` that they cannot reach `p2`. */
  reports: ({ cluster, node, words: [other = "", count] }) => {
    const reply = node.run({ kind: "count-failure-reports", node: cluster.node(other).core.myId });
    return reply.kind === "integer" && reply.value === Number(count);
  },
};

export function holds(cluster: SimCluster, condition: string): boolean {
  if (condition === "all agree") return disagreement(cluster.nodes) === "";
  const [name = "", verb = "", ...words] = condition.split(/\s+/);
  if (name === "two" && verb === "write") return twoWrite(cluster, Number(words[0]));
  const ask = conditions[verb];
  if (ask === undefined) throw new ScenarioError(`no such condition: ${condition}`);
  return ask({ cluster, node: cluster.node(name), words });
}

/** `two write 0`: two nodes would take a write for that slot. */
function twoWrite({ nodes }: SimCluster, slot: number): boolean {
  return nodes.filter((node) => node.takesWrites(slot)).length > 1;
}
