// `slotlog cluster add-node|remove-node|reshard|rebalance|failover`: what changes a cluster. Each
// looks before it acts, says what it is going to do, and can be asked again.

import { ProgressBar } from "../aof/progress-bar.js";
import { CliError, usageError } from "../errors.js";
import type { NodeClient } from "../forming/client.js";
import { parseClusterNodes, parseInfo } from "../forming/cluster-nodes.js";
import { waitUntil } from "../forming/wait.js";
import { type Progress, progressOn } from "../progress.js";
import { type Address, addressText } from "./address.js";
import { findingsOf } from "./findings.js";
import { moveSlots } from "./move-slots.js";
import { balancingMoves, type Move, movesTo, type Owner, slotsOf } from "./slots.js";
import { ClusterView, connectTo, type SeenNode } from "./view.js";

const patienceMs = 30_000;

export interface MovingOptions {
  /** Keys per MIGRATE. */
  readonly pipeline: number;
  /** Seconds for each MIGRATE. */
  readonly timeout: number;
  readonly json: boolean;
  readonly dryRun: boolean;
}

function waiting(progress: Progress): Parameters<typeof waitUntil>[1] {
  const signal = new AbortController().signal;
  return { patienceMs, onProgress: (text) => progress.step(text), signal };
}

/** Runs with the cluster open and a progress display, and closes both. */
async function onCluster(
  seed: Address,
  quiet: boolean,
  change: (view: ClusterView, progress: Progress) => Promise<string>,
): Promise<void> {
  const view = await ClusterView.open(seed);
  const progress = progressOn(process.stderr, quiet);
  let done: string;
  try {
    done = await change(view, progress);
  } finally {
    progress.done();
    view.close();
  }
  if (quiet) console.log(JSON.stringify({ ok: true, done }));
  else console.log(done);
}

export async function addNode(
  added: Address,
  seed: Address,
  options: { readonly replicaOf: string | undefined; readonly json: boolean },
): Promise<void> {
  await onCluster(seed, options.json, async (view, progress) => {
    const client = await connectTo(added);
    try {
      const primary = options.replicaOf === undefined ? undefined : view.find(options.replicaOf);
      await demandEmpty(client, added);
      const [first] = view.demandAll();
      if (first === undefined) throw new CliError("the cluster has no nodes");
      const { host, port } = first.address;
      await client.call("CLUSTER", "MEET", host, String(port));
      const id = await client.call("CLUSTER", "MYID");
      await waitUntil(async () => {
        const strangers = await missing(view.demandAll(), id);
        return strangers === 0 ? undefined : `${strangers} nodes do not know the new one yet`;
      }, waiting(progress));
      if (primary === undefined) {
        await waitUntil(() => notServing(client, view), waiting(progress));
        return `${addressText(added)} is a primary without slots: slotlog cluster rebalance, or reshard, gives it some.`;
      }
      await waitUntil(
        async () =>
          (await missing([client], primary.node.id)) === 0 ? undefined : "it learns of its primary",
        waiting(progress),
      );
      await client.call("CLUSTER", "REPLICATE", primary.node.id);
      await waitUntil(async () => {
        const info = parseInfo(await client.call("INFO", "replication"));
        return info.get("master_link_status") === "up" ? undefined : "it gets its primary's data";
      }, waiting(progress));
      return `${addressText(added)} is a replica of ${addressText(primary.node)}.`;
    } finally {
      client.close();
    }
  });
}

/** Where the cluster itself is down, a new node cannot be up, and may be what it waits for. */
async function notServing(added: NodeClient, view: ClusterView): Promise<string | undefined> {
  for (const client of view.demandAll()) if (!(await isServing(client))) return undefined;
  return (await isServing(added)) ? undefined : "it waits until it may serve";
}

async function isServing(client: NodeClient): Promise<boolean> {
  return parseInfo(await client.call("CLUSTER", "INFO")).get("cluster_state") === "ok";
}

async function demandEmpty(client: NodeClient, address: Address): Promise<void> {
  const known = parseClusterNodes(await client.call("CLUSTER", "NODES"));
  const keys = Number(await client.call("DBSIZE"));
  if (known.length === 1 && keys === 0 && known[0]?.slots.length === 0) return;
  const reason = keys > 0 ? `holds ${keys} keys` : "is a member of a cluster";
  throw new CliError(`${addressText(address)} ${reason}`, {
    hint: "Only an empty node can be added: FLUSHALL and CLUSTER RESET empty it, for good.",
  });
}

async function missing(clients: readonly NodeClient[], id: string): Promise<number> {
  let count = 0;
  for (const client of clients) {
    const known = parseClusterNodes(await client.call("CLUSTER", "NODES"));
    const found = known.find((node) => node.id === id);
    if (found === undefined || found.flags.includes("handshake")) count++;
  }
  return count;
}

export async function removeNode(
  text: string,
  seed: Address,
  options: MovingOptions & { readonly moveSlots: boolean },
): Promise<void> {
  await onCluster(seed, options.json, async (view, progress) => {
    const removed = view.find(text);
    const { node } = removed;
    const name = addressText(node);
    const replicas = view.replicasOf(node.id);
    if (node.slots.length > 0) {
      if (!options.moveSlots) {
        throw new CliError(`${name} owns slots`, {
          hint: "--move-slots gives them to the other primaries first.",
        });
      }
      const owners = ownersOf(view, (seen) => (seen.node.id === node.id ? 0 : 1));
      await move(view, balancingMoves(owners), options);
    }
    // Replicas without slots to follow would be promised to nobody.
    const heir = view.primaries.find((seen) => seen.node.id !== node.id);
    for (const replica of replicas) {
      if (heir === undefined) break;
      await replica.client?.call("CLUSTER", "REPLICATE", heir.node.id);
    }
    progress.step("telling the others");
    for (const other of view.nodes) {
      if (other.node.id !== node.id) await other.client?.call("CLUSTER", "FORGET", node.id);
    }
    await removed.client?.call("CLUSTER", "RESET", "SOFT");
    const kept = removed.client === undefined ? "" : " It runs on, alone, with what data it has.";
    return `${name} is no member any more.${kept}`;
  });
}

export async function reshard(
  seed: Address,
  options: MovingOptions & {
    readonly slots: number;
    readonly to: string;
    readonly from: readonly string[];
  },
): Promise<void> {
  if (!Number.isInteger(options.slots) || options.slots < 1) {
    throw usageError("--slots must be a whole number above 0");
  }
  await onCluster(seed, options.json, async (view) => {
    const target = demandPrimary(view.find(options.to));
    const sources = options.from.map((text) => demandPrimary(view.find(text)).node.id);
    const owners = ownersOf(view, () => 1).filter(
      ({ id }) => sources.length === 0 || sources.includes(id),
    );
    let moves: Move[];
    try {
      moves = movesTo(target.node.id, options.slots, owners);
    } catch (error) {
      throw error instanceof RangeError ? usageError(error.message) : error;
    }
    return move(view, moves, options);
  });
}

export async function rebalance(
  seed: Address,
  options: MovingOptions & { readonly weights: readonly string[] },
): Promise<void> {
  await onCluster(seed, options.json, async (view) => {
    const weights = new Map(options.weights.map((text) => weightOf(text, view)));
    const owners = ownersOf(view, ({ node }) => weights.get(node.id) ?? 1);
    if (owners.every(({ weight }) => weight === 0)) throw usageError("somebody must keep slots");
    return move(view, balancingMoves(owners), options);
  });
}

/** `host:port=2` */
function weightOf(text: string, view: ClusterView): readonly [string, number] {
  const [, name = "", number] = /^(.+)=(\d+(?:\.\d+)?)$/.exec(text) ?? [];
  if (number === undefined) throw usageError(`--weight ${text}: expected <node>=<number>`);
  return [demandPrimary(view.find(name)).node.id, Number(number)];
}

export async function failover(
  text: string,
  seed: Address,
  options: { readonly force: boolean; readonly takeover: boolean; readonly json: boolean },
): Promise<void> {
  await onCluster(seed, options.json, async (view, progress) => {
    const { node, client, trouble } = view.find(text);
    const name = addressText(node);
    if (client === undefined) throw new CliError(`${name} does not answer: ${trouble}`);
    if (node.primaryId === undefined) {
      const replicas = view.replicasOf(node.id).map((seen) => addressText(seen.node));
      const hint = `Name the replica that shall take over: ${replicas.join(", ") || "it has none"}.`;
      throw new CliError(`${name} is a primary`, { hint });
    }
    const manner = options.takeover ? ["TAKEOVER"] : options.force ? ["FORCE"] : [];
    await client.call("CLUSTER", "FAILOVER", ...manner);
    await waitUntil(async () => {
      const info = parseInfo(await client.call("INFO", "replication"));
      return info.get("role") === "master" ? undefined : `${name} waits for the votes`;
    }, waiting(progress));
    return `${name} is primary.`;
  });
}

function demandPrimary(seen: SeenNode): SeenNode {
  if (seen.node.primaryId === undefined) return seen;
  throw usageError(`${addressText(seen.node)} is a replica: slots belong to primaries`);
}

function ownersOf(view: ClusterView, weight: (seen: SeenNode) => number): Owner[] {
  return view.primaries.map((seen) => ({
    id: seen.node.id,
    slots: slotsOf(seen.node.slots),
    weight: weight(seen),
  }));
}

/** Refuses where a slot is open already, or views differ: a move on top would make it worse. */
function demandCalm(view: ClusterView): void {
  const unsettled = findingsOf(view).find(({ text }) => /stand open|disagree/.test(text));
  if (unsettled === undefined) return;
  const { advice, node = "", text } = unsettled;
  throw new CliError(`${node} ${text}`.trim(), { hint: advice });
}

async function move(
  view: ClusterView,
  moves: readonly Move[],
  options: MovingOptions,
): Promise<string> {
  demandCalm(view);
  const nameOf = (id: string): string => {
    const found = view.nodes.find(({ node }) => node.id === id);
    return found === undefined ? id : addressText(found.node);
  };
  const flows = new Map<string, number>();
  for (const { from, to } of moves) {
    const flow = `${nameOf(from)} -> ${nameOf(to)}`;
    flows.set(flow, (flows.get(flow) ?? 0) + 1);
  }
  const plan = [...flows].map(([flow, count]) => `${count} slots ${flow}`).join("\n");
  if (moves.length === 0) return "Nothing to do: every node has its share.";
  if (options.dryRun) return plan;
  if (!options.json) console.log(plan);
  const bar = new ProgressBar(process.stderr, !options.json);
  const abort = new AbortController();
  const onSignal = (): void => abort.abort(new CliError("stopped between two slots; none is open"));
  process.once("SIGINT", onSignal);
  try {
    const keys = await moveSlots(view, moves, {
      pipeline: options.pipeline,
      timeoutMs: options.timeout * 1000,
      patienceMs,
      onProgress: (slots, moved) => {
        bar.at(`${moved} keys`, slots, moves.length, `${moves.length} slots`);
      },
      signal: abort.signal,
    });
    return `Moved ${moves.length} slots with ${keys} keys.`;
  } finally {
    process.removeListener("SIGINT", onSignal);
    bar.done();
  }
}
