// What is wrong with a cluster, and what to do about it. Pure: from what the nodes answered.

import { addressText } from "./address.js";
import { rangesText, slotCount, slotsOf } from "./slots.js";
import type { Answer, ClusterView, SeenNode } from "./view.js";

export interface Finding {
  /** `error`: something is not served or may be lost; `warning`: it may come to that. */
  readonly severity: "error" | "warning";
  /** The node's address; `undefined` if it is the cluster's. */
  readonly node: string | undefined;
  readonly text: string;
  readonly advice: string;
}

const memoryFullShare = 0.9;
const lagBytesMax = 64 * 1024 * 1024;

export type Viewed = Pick<ClusterView, "nodes" | "primaries" | "replicasOf">;

export function findingsOf(view: Viewed): Finding[] {
  return [
    ...view.nodes.flatMap((seen) => nodeFindings(seen)),
    ...coverageFindings(view),
    ...agreementFindings(view),
    ...replicaFindings(view),
  ];
}

function nodeFindings({ node, answer, trouble }: SeenNode): Finding[] {
  const at = addressText(node);
  const error = (text: string, advice: string): Finding => ({
    severity: "error",
    node: at,
    text,
    advice,
  });
  const warning = (text: string, advice: string): Finding => ({
    ...error(text, advice),
    severity: "warning",
  });
  if (answer === undefined) {
    return [
      error(
        `does not answer: ${trouble}`,
        "Start it again from its directory; if it is gone for good: slotlog cluster remove-node.",
      ),
    ];
  }
  const found: Finding[] = [];
  const { info, openSlots } = answer;
  if (info.get("loading") === "1") {
    const share = info.get("loading_loaded_perc") ?? "?";
    found.push(warning(`loads its data (${share}%)`, "Wait: it serves when it is done."));
  }
  if (info.get("aof_last_write_status") === "err") {
    found.push(
      error(
        "cannot write its append-only file and refuses writes",
        "Make room on its disk, or mend it; it goes on by itself.",
      ),
    );
  }
  if (info.get("slotlog_fenced") === "1") {
    found.push(
      error(
        "refuses writes: no majority of the primaries answers it",
        "Look whether the others live, and whether its bus port reaches theirs; it goes on by itself.",
      ),
    );
  }
  if (info.get("aof_last_bgrewrite_status") === "err") {
    found.push(warning("its last AOF rewrite failed", "See its log; room on the disk is missing?"));
  }
  if (info.get("role") === "slave" && info.get("master_link_status") !== "up") {
    found.push(
      error(
        "has no link to its primary, and its data grow old",
        "Look whether its primary lives, and whether masterauth is the primary's password.",
      ),
    );
  }
  if (openSlots.length > 0) {
    const slots = openSlots.map((text) => Number(/\d+/.exec(text)?.[0]));
    found.push(
      warning(
        `slots stand open: ${rangesText(slots)}`,
        "If no resharding runs now: redis-cli --cluster fix, or CLUSTER SETSLOT <slot> STABLE.",
      ),
    );
  }
  return [...found, ...memoryFindings(at, answer)];
}

function memoryFindings(node: string, { info }: Answer): Finding[] {
  const used = Number(info.get("used_memory") ?? 0);
  const max = Number(info.get("maxmemory") ?? 0);
  if (max === 0 || used < max * memoryFullShare) return [];
  const share = Math.round((100 * used) / max);
  const policy = info.get("maxmemory_policy") ?? "";
  const evicts = policy !== "noeviction";
  return [
    {
      severity: evicts ? "warning" : "error",
      node,
      text: `uses ${share}% of its maxmemory${evicts ? ` and evicts (${policy})` : ""}`,
      advice: "Add a primary (slotlog cluster add-node, then rebalance), or raise maxmemory.",
    },
  ];
}

/** Every slot has one primary that is alive. */
function coverageFindings({ primaries }: Viewed): Finding[] {
  const owners = new Map<number, number>();
  for (const { node } of primaries) {
    for (const slot of slotsOf(node.slots)) owners.set(slot, (owners.get(slot) ?? 0) + 1);
  }
  const missing = Array.from({ length: slotCount }, (_, slot) => slot).filter(
    (slot) => !owners.has(slot),
  );
  const found: Finding[] = [];
  const finding = (text: string, advice: string): void => {
    found.push({ severity: "error", node: undefined, text, advice });
  };
  if (missing.length > 0) {
    finding(
      `${missing.length} slots belong to nobody: ${rangesText(missing)}`,
      "Give them to a primary: CLUSTER ADDSLOTSRANGE, or redis-cli --cluster fix.",
    );
  }
  for (const { node } of primaries) {
    const flag = node.flags.find((name) => name === "fail" || name === "fail?");
    if (flag === undefined || node.slots.length === 0) continue;
    const slots = rangesText(slotsOf(node.slots));
    finding(
      `${addressText(node)} is ${flag === "fail" ? "down" : "perhaps down"}, and slots ${slots} with it`,
      "A replica takes over within the node timeout; without one, start the node again.",
    );
  }
  return found;
}

/** All nodes see the same owners; after any change that takes a second or two. */
function agreementFindings({ nodes }: Viewed): Finding[] {
  const opinions = new Map<string, string[]>();
  for (const { node, answer } of nodes) {
    if (answer === undefined) continue;
    const opinion = answer.known
      .filter(({ slots }) => slots.length > 0)
      .map(({ id, slots }) => `${id} ${slots.join(" ")}`)
      .sort()
      .join("\n");
    opinions.set(opinion, [...(opinions.get(opinion) ?? []), addressText(node)]);
  }
  if (opinions.size < 2) return [];
  const groups = [...opinions.values()].map((group) => group.join(", ")).join(" / ");
  return [
    {
      severity: "error",
      node: undefined,
      text: `nodes disagree about who owns which slot: ${groups}`,
      advice: "Just after a change wait a few seconds; else look whether the bus ports are open.",
    },
  ];
}

function replicaFindings(view: Viewed): Finding[] {
  const found: Finding[] = [];
  for (const { node, answer } of view.primaries) {
    if (node.slots.length === 0) continue;
    const replicas = view.replicasOf(node.id);
    if (replicas.length === 0) {
      found.push({
        severity: "warning",
        node: addressText(node),
        text: "has no replica: if it dies, its slots are down",
        advice: "slotlog cluster add-node <new> <cluster> --replica-of this one.",
      });
    }
    for (const replica of replicas) {
      const lag = lagBytes(answer, replica.answer);
      if (lag === undefined || lag < lagBytesMax) continue;
      found.push({
        severity: "warning",
        node: addressText(replica.node),
        text: `is ${Math.round(lag / 1024 / 1024)} MiB behind its primary`,
        advice: "Look at its CPU, its disk and the network in between.",
      });
    }
  }
  return found;
}

/** What a replica lacks; `undefined` if either did not answer. */
export function lagBytes(
  primary: Answer | undefined,
  replica: Answer | undefined,
): number | undefined {
  const reached = replica?.info.get("slave_repl_offset");
  const offset = primary?.info.get("master_repl_offset");
  if (reached === undefined || offset === undefined) return undefined;
  return Math.max(0, Number(offset) - Number(reached));
}
