/**
 * CLUSTER FAILOVER without FORCE: the replica asks its primary to pause its writers (MFSTART), the
 * primary says where its stream ends, and when the replica has processed up to there it stands for
 * election. Owns that agreement on both sides; the election itself is in `election.ts`.
 */

import type { Peer } from "./peers.js";
import type { Bus } from "./state.js";

export const manualFailoverTimeoutMs = 5000;
/** The primary stays paused longer than the attempt lives, so that no write slips in between. */
const pauseFactor = 2;

export function resetManualFailover(bus: Bus): void {
  const manual = bus.state.manual;
  if (manual.replica !== undefined) bus.emit({ kind: "unpause-writes" });
  manual.endsAt = 0;
  manual.replica = undefined;
  manual.primaryOffset = -1;
  manual.canStart = false;
}

/** On the primary: one of our replicas wants to take over. */
export function startAsPrimary(bus: Bus, replica: Peer): void {
  const manual = bus.state.manual;
  resetManualFailover(bus);
  manual.endsAt = bus.now + manualFailoverTimeoutMs;
  manual.replica = replica;
  bus.state.table.wake(replica);
  bus.emit({ kind: "pause-writes", until: bus.now + manualFailoverTimeoutMs * pauseFactor });
  bus.log("notice", `Manual failover requested by replica ${replica.id} (${replica.humanName}).`);
}

/** On the replica: the paused primary said where its stream ends. */
export function notePausedPrimary(bus: Bus, primary: Peer): void {
  const manual = bus.state.manual;
  if (manual.endsAt === 0 || manual.primaryOffset !== -1) return;
  manual.primaryOffset = primary.replicationOffset;
  bus.manualDirty = true;
  bus.log(
    "notice",
    `Received replication offset for paused master manual failover: ${manual.primaryOffset}`,
  );
}

/** On the replica: may the election begin? */
export function advanceManualFailover(bus: Bus): void {
  const manual = bus.state.manual;
  bus.manualDirty = false;
  if (manual.endsAt === 0 || manual.canStart || manual.primaryOffset === -1) return;
  if (bus.host.replicationOffset() !== manual.primaryOffset) return;
  manual.canStart = true;
  bus.failoverDirty = true;
  bus.log("notice", "All master replication stream processed, manual failover can start.");
}

export function expireManualFailover(bus: Bus): void {
  const manual = bus.state.manual;
  if (manual.endsAt === 0 || manual.endsAt >= bus.now) return;
  bus.log("warning", "Manual failover timed out.");
  resetManualFailover(bus);
}
