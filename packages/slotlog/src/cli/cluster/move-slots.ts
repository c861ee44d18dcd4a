// Moves slots with their keys from primary to primary while both serve, as `redis-cli --cluster
// reshard` does: the target imports, the source migrates, keys go in batches, and then everybody is
// told. Every step may be repeated; what is cut short leaves a slot open, and the same move again
// closes it.

import { CliError, reasonOf } from "../errors.js";
import type { NodeClient } from "../forming/client.js";
import { passwordFromEnvironment } from "../environment.js";
import type { Move } from "./slots.js";
import type { ClusterView } from "./view.js";

export interface MoveOptions {
  /** Keys per MIGRATE. */
  readonly pipeline: number;
  /** Of each MIGRATE. */
  readonly timeoutMs: number;
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
      await migrate(source, target, keys, options.timeoutMs);
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
  timeoutMs: number,
): Promise<void> {
  const { host, port } = target.address;
  const password = passwordFromEnvironment();
  const auth = password === undefined ? [] : ["AUTH", password];
  const fixed = [host, String(port), "", "0", String(timeoutMs)];
  try {
    await source.callBuffer("MIGRATE", ...fixed, ...auth, "KEYS", ...keys);
  } catch (error) {
    // A key that came there by an earlier try that was cut short: the source's is the one that is
    // served, so it wins.
    if (!reasonOf(error).includes("BUSYKEY")) throw error;
    await source.callBuffer("MIGRATE", ...fixed, "REPLACE", ...auth, "KEYS", ...keys);
  }
}

function clientOf(view: ClusterView, id: string): NodeClient {
  const client = view.nodes.find(({ node }) => node.id === id)?.client;
  if (client === undefined) throw new CliError(`node ${id} does not answer`);
  return client;
}
