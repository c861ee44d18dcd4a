/**
 * Whether the cluster can serve, as seen from here: every slot has an owner that has not failed,
 * and a majority of the slot-owning primaries can be reached. Owns the two delays that keep a
 * primary from accepting writes right after a start or a partition, when a successor may exist
 * that it has not heard of yet.
 */

import { slotCount } from "../slot.js";
import type { Bus } from "./state.js";
import { lacksLease, reviewLease } from "./write-lease.js";

/** Bounds of the delay after a minority partition; between them it is the node timeout. */
const rejoinDelayMsMin = 500;
const rejoinDelayMsMax = 5000;

export function updateState(bus: Bus): void {
  const { state, config, now } = bus;
  reviewLease(bus);
  bus.stateDirty = false;
  if (state.firstEvaluatedAt === 0) state.firstEvaluatedAt = now;
  const isPrimary = bus.myself.role === "primary";
  const delayed = now - state.firstEvaluatedAt < config.writableDelayMs;
  if (isPrimary && !state.ok && delayed) return;

  let ok = !config.requireFullCoverage || allSlotsCovered(bus);
  const reachable = countElectorate(bus);
  if (reachable < quorum(bus)) {
    ok = false;
    state.minorityAt = now;
  }
  if (ok === state.ok) return;
  if (ok && isPrimary && now - state.minorityAt < rejoinDelayMs(config.nodeTimeoutMs)) return;
  if (ok && isPrimary && lacksLease(bus)) return;
  state.ok = ok;
  bus.log(ok ? "notice" : "warning", `Cluster state changed: ${ok ? "ok" : "fail"}`);
  bus.emit({ kind: "state-changed", ok });
}

/** Votes, or failure reports, that make a majority. */
export function quorum(bus: Bus): number {
  return Math.floor(bus.state.size / 2) + 1;
}

function rejoinDelayMs(nodeTimeoutMs: number): number {
  return Math.min(Math.max(nodeTimeoutMs, rejoinDelayMsMin), rejoinDelayMsMax);
}

function allSlotsCovered(bus: Bus): boolean {
  const slots = bus.state.slots;
  if (slots.assignedCount < slotCount) return false;
  for (const peer of bus.state.peers) {
    if (peer.slotCount > 0 && peer.health === "failed") return false;
  }
  return true;
}

/** Counts the slot-owning primaries into `state.size` and returns how many can be reached. */
function countElectorate(bus: Bus): number {
  let size = 0;
  let reachable = 0;
  for (const peer of bus.state.peers) {
    if (peer.role !== "primary" || peer.slotCount === 0) continue;
    size++;
    if (peer.health === "online") reachable++;
  }
  bus.state.size = size;
  return reachable;
}
