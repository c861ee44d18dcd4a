// Moves slots with their keys from primary to primary while both serve, as `redis-cli --cluster
// reshard` does: the target imports, the source migrates, keys go in batches, and then everybody is
// told. Every step may be repeated; what is cut short leaves a slot open, and the same move again
// closes it.

import { CliError, reasonOf } from "../errors.js";
import type { NodeClient } from "../forming/client.js";
import { parseInfo } from "../forming/cluster-nodes.js";
import { waitUntil } from "../forming/wait.js";
import { passwordFromEnvironment } from "../environment.js";
import type { Move } from "./slots.js";
import type { ClusterView } from "./view.js";

export interface MoveOptions {
  /** Keys per MIGRATE. */
  readonly pipeline: number;
  /** Of each MIGRATE. */
  readonly timeoutMs: number;
  /** How long a node that does not serve yet is waited for. */
  readonly patienceMs: number;
  readonly onProgress: (slotsDone: number, keysDone: number) => void;
  /** Aborts between two slots: none is left open. */
  readonly signal: AbortSignal;
}

/** Resolves to the number of keys that moved. */
export async function moveSlots(
  view: ClusterView,
  moves: readonly Move[],
  options: MoveOptions,
): Promise<number> {
  view.demandAll();
  let keys = 0;
  for (const [index, move] of moves.entries()) {
    options.signal.throwIfAborted();
    keys += await moveSlot(view, move, options, (moved) => {
      options.onProgress(index, keys + moved);
    });
    options.onProgress(index + 1, keys);
  }
  return keys;
}

async function moveSlot(
  view: ClusterView,
  { from, slot, to }: Move,
  options: MoveOptions,
  onKeys: (moved: number) => void,
): Promise<number> {
  const source = clientOf(view, from);
  const target = clientOf(view, to);
  const name = String(slot);
  await target.call("CLUSTER", "SETSLOT", name, "IMPORTING", from);
  await source.call("CLUSTER", "SETSLOT", name, "MIGRATING", to);
  let moved = 0;
  try {
    for (;;) {
      const count = String(options.pipeline);
      const keys = (await source.callBuffer("CLUSTER", "GETKEYSINSLOT", name, count)) as Buffer[];
      if (keys.length === 0) break;
      await migrate(source, target, keys, options);
      moved += keys.length;
      onKeys(moved);
    }
  } catch (error) {
    throw new CliError(`slot ${slot} is left open: ${reasonOf(error)}`, {
      hint: "Mend what is named here and ask again: the move goes on where it stopped.",
    });
  }
  // First the target: from then on the slot has an owner whatever happens.
  await target.call("CLUSTER", "SETSLOT", name, "NODE", to);
  for (const { node, client } of view.primaries) {
    if (node.id !== to && client !== undefined) await tell(client, name, to);
  }
  return moved;
}

/** A primary that has heard of the loss of its last slot is a replica by now, and needs no word. */
async function tell(client: NodeClient, slot: string, owner: string): Promise<void> {
  try {
    await client.call("CLUSTER", "SETSLOT", slot, "NODE", owner);
  } catch (error) {
    if (!reasonOf(error).includes("Please use SETSLOT only with masters")) throw error;
  }
}

async function migrate(
  source: NodeClient,
  target: NodeClient,
  keys: readonly Buffer[],
  options: MoveOptions,
): Promise<void> {
  const { host, port } = target.address;
  const password = passwordFromEnvironment();
  const auth = password === undefined ? [] : ["AUTH", password];
  const fixed = [host, String(port), "", "0", String(options.timeoutMs)];
  const send = (...replace: readonly string[]): Promise<unknown> =>
    source.callBuffer("MIGRATE", ...fixed, ...replace, ...auth, "KEYS", ...keys);
  for (;;) {
    try {
      await send();
      return;
    } catch (error) {
      const reason = reasonOf(error);
      // A key that came there by an earlier try that was cut short: the source's is the one that
      // is served, so it wins.
      if (reason.includes("BUSYKEY")) {
        await send("REPLACE");
        return;
      }
      // Refused, so the keys are where they were.
      if (!reason.includes("CLUSTERDOWN")) throw error;
      await serving(source, options);
      await serving(target, options);
    }
  }
}

/**
 * A node that joined just now refuses keys for a node timeout (up to 5 s) after it first heard of a
 * majority: it cannot know sooner that it is on the right side of a partition. So do ours and
 * Redis'.
 */
async function serving(client: NodeClient, { patienceMs, signal }: MoveOptions): Promise<void> {
  await waitUntil(
    async () => {
      const info = parseInfo(await client.call("CLUSTER", "INFO"));
      if (info.get("cluster_state") === "ok") return undefined;
      return `node ${client.address.port} does not serve: cluster_state is ${info.get("cluster_state")}`;
    },
    { patienceMs, signal, onProgress: () => {} },
  );
}

function clientOf(view: ClusterView, id: string): NodeClient {
  const client = view.nodes.find(({ node }) => node.id === id)?.client;
  if (client === undefined) throw new CliError(`node ${id} does not answer`);
  return client;
}
