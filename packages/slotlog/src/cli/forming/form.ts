// Makes one cluster out of started nodes, over the client protocol, as `redis-cli --cluster create`
// does: epochs, slots, MEET, REPLICATE. Every step looks first and may be repeated: a run that was
// cut short is simply taken up again, and nodes that have moved to other addresses find each other.

import { CliError } from "../errors.js";
import type { NodeRole } from "../up/plan.js";
import type { NodeClient } from "./client.js";
import { type Belonging, obstacle } from "./belonging.js";
import { type KnownNode, parseClusterNodes, parseInfo } from "./cluster-nodes.js";
import { type Waiting, waitUntil } from "./wait.js";

export interface Member {
  /** What messages call it. */
  readonly label: string;
  /** The address by which the others reach it: CLUSTER MEET takes no names. */
  readonly ip: string;
  readonly port: number;
  /** What it becomes if it is nothing yet. */
  readonly role: NodeRole;
  readonly client: NodeClient;
}

export async function formCluster(members: readonly Member[], waiting: Waiting): Promise<void> {
  await waitUntil(() => missingLoaded(members), waiting);
  await demandOneCluster(members);
  for (const [index, member] of members.entries()) await prepare(member, index + 1);
  const [first, ...others] = members;
  for (const other of others) {
    await first?.client.call("CLUSTER", "MEET", other.ip, String(other.port));
  }
  await waitUntil(() => missingAcquaintance(members), waiting);
  for (const member of members) await follow(member, members);
}

/** Slots, and an epoch of its own: then no two primaries have to settle who is right. */
async function prepare({ role, client }: Member, epoch: number): Promise<void> {
  const known = await nodesKnownTo(client);
  const self = myself(known);
  // Who knows others or owns slots has been through this, and may have lost its role since.
  if (known.length > 1 || self.slots.length > 0) return;
  if (self.configEpoch === 0) await client.call("CLUSTER", "SET-CONFIG-EPOCH", String(epoch));
  if (role.kind !== "primary") return;
  await client.call("CLUSTER", "ADDSLOTSRANGE", String(role.slots.first), String(role.slots.last));
}

async function demandOneCluster(members: readonly Member[]): Promise<void> {
  const belongings: Belonging[] = [];
  for (const { client, label, role } of members) {
    const known = await nodesKnownTo(client);
    belongings.push({ label, known, becomesPrimary: role.kind === "primary" });
  }
  const reason = obstacle(belongings);
  if (reason === undefined) return;
  throw new CliError(`${reason}: nothing was changed`, {
    hint:
      "Give each node its own data directory or volume. An empty node joins a cluster by " +
      "slotlog cluster add-node.",
  });
}

/** A node answers INFO before it knows its cluster, and everything else with LOADING. */
async function missingLoaded(members: readonly Member[]): Promise<string | undefined> {
  const missing: string[] = [];
  for (const { label, client } of members) {
    const trouble = await loadingOf(client);
    if (trouble !== undefined) missing.push(`${label} ${trouble}`);
  }
  if (missing.length === 0) return undefined;
  return `${members.length - missing.length} of ${members.length} nodes loaded (${missing[0]})`;
}

async function missingAcquaintance(members: readonly Member[]): Promise<string | undefined> {
  let ready = 0;
  for (const { client } of members) {
    const known = await nodesKnownTo(client);
    const settled = known.filter((node) => !node.flags.includes("handshake"));
    if (settled.length >= members.length) ready++;
  }
  if (ready === members.length) return undefined;
  return `${ready} of ${members.length} nodes know each other`;
}

/**
 * Only a primary without slots follows: any other has a part already, after a failover a new one.
 */
async function follow({ role, client }: Member, members: readonly Member[]): Promise<void> {
  if (role.kind !== "replica") return;
  const self = myself(await nodesKnownTo(client));
  if (self.primaryId !== undefined || self.slots.length > 0) return;
  const primary = members[role.primary];
  if (primary === undefined) throw new CliError("a replica without a primary was planned");
  const its = myself(await nodesKnownTo(primary.client));
  await client.call("CLUSTER", "REPLICATE", its.primaryId ?? its.id);
}

/** Waits until every node serves and every replica follows; roles may be any after a failover. */
export async function waitUntilServing(
  members: readonly Member[],
  waiting: Waiting,
): Promise<void> {
  await waitUntil(async () => {
    const missing: string[] = [];
    for (const { label, client } of members) {
      const trouble = await troubleOf(client);
      if (trouble !== undefined) missing.push(`${label} ${trouble}`);
    }
    if (missing.length === 0) return undefined;
    const ready = members.length - missing.length;
    return `${ready} of ${members.length} nodes ready (${missing.slice(0, 3).join(", ")})`;
  }, waiting);
}

async function loadingOf(client: NodeClient): Promise<string | undefined> {
  const persistence = parseInfo(await client.call("INFO", "persistence"));
  if (persistence.get("loading") !== "1") return undefined;
  return `loads its data: ${persistence.get("loading_loaded_perc") ?? "?"}%`;
}

async function troubleOf(client: NodeClient): Promise<string | undefined> {
  const loading = await loadingOf(client);
  if (loading !== undefined) return loading;
  const replication = parseInfo(await client.call("INFO", "replication"));
  if (replication.get("role") === "slave" && replication.get("master_link_status") !== "up") {
    return "synchronises with its primary";
  }
  const cluster = parseInfo(await client.call("CLUSTER", "INFO"));
  return cluster.get("cluster_state") === "ok" ? undefined : "sees slots without a primary";
}

export async function nodesKnownTo(client: NodeClient): Promise<KnownNode[]> {
  return parseClusterNodes(await client.call("CLUSTER", "NODES"));
}

function myself(known: readonly KnownNode[]): KnownNode {
  const self = known.find((node) => node.flags.includes("myself"));
  if (self === undefined) throw new CliError("a node does not list itself in CLUSTER NODES");
  return self;
}
