/**
 * A spare replica moves to a primary that has lost all of its own. Owns the choice of the one
 * replica in the cluster that moves: of the primaries with the most working replicas, the replica
 * with the smallest id.
 */

import type { Peer } from "./peers.js";
import { workingReplicas } from "./peers.js";
import { replicateFrom } from "./roles.js";
import type { Bus } from "./state.js";

/** Gives the orphan's own replicas time to show themselves after a failover. */
const orphanedForMs = 5000;

export function considerMigration(bus: Bus): void {
  const { myself, state, config, now } = bus;
  const mine = myself.primary;
  if (mine === undefined || !config.allowReplicaMigration) return;
  if (!state.ok) return;
  // A primary with a single replica keeps it, wherever else one is missing.
  const working = workingReplicas(mine);
  if (working < 2) return;
  const healthy = mine.replicas.filter((replica) => replica.health === "online").length;
  if (healthy <= config.migrationBarrier) return;
  const survey = surveyPrimaries(bus);
  if (!survey.anyOrphan || working !== survey.most) return;

  let target: Peer | undefined;
  let candidate: Peer = myself;
  for (const peer of state.peers) {
    const working = peer.role === "primary" ? workingReplicas(peer) : 0;
    const orphaned =
      peer.role !== "replica" && peer.health !== "failed" && peer.migrateTo && working === 0;
    if (!orphaned) {
      peer.orphanedAt = 0;
    } else {
      if (peer.orphanedAt === 0) peer.orphanedAt = now;
      if (target === undefined && peer.slotCount > 0) target = peer;
    }
    if (working !== survey.most) continue;
    for (const replica of peer.replicas) if (replica.id < candidate.id) candidate = replica;
  }
  if (target === undefined || candidate !== myself) return;
  if (now - target.orphanedAt <= orphanedForMs) return;
  bus.log("notice", `Migrating to orphaned master ${target.id}`);
  replicateFrom(bus, target);
  bus.save();
}

function surveyPrimaries(bus: Bus): { readonly anyOrphan: boolean; readonly most: number } {
  let anyOrphan = false;
  let most = 0;
  for (const peer of bus.state.peers) {
    if (peer.isMyself || peer.handshake || !peer.addressKnown) continue;
    if (peer.role !== "primary" || peer.health === "failed") continue;
    const working = workingReplicas(peer);
    if (working === 0 && peer.slotCount > 0 && peer.migrateTo) anyOrphan = true;
    most = Math.max(most, working);
  }
  return { anyOrphan, most };
}
