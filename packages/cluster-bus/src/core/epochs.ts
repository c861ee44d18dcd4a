/**
 * Config epochs: the number under which a primary claims its slots; the greater one wins. Owns the
 * two ways to get one without an election, which may collide, and the rule that parts collided
 * ones.
 */

import type { Peer } from "./peers.js";
import type { Bus } from "./state.js";

export function greatestEpoch(bus: Bus): number {
  let greatest = bus.state.currentEpoch;
  for (const peer of bus.state.peers) greatest = Math.max(greatest, peer.configEpoch);
  return greatest;
}

/**
 * Takes a new epoch without asking anybody: after importing a slot, and for a TAKEOVER. False if
 * this node has the greatest one already.
 */
export function bumpEpoch(bus: Bus): boolean {
  const { myself, state } = bus;
  if (myself.configEpoch !== 0 && myself.configEpoch === greatestEpoch(bus)) return false;
  state.currentEpoch++;
  myself.configEpoch = state.currentEpoch;
  bus.saveDurably();
  bus.log("notice", `New configEpoch set to ${myself.configEpoch}`);
  return true;
}

/**
 * Two primaries under one epoch: the one with the smaller id moves on. The one with the greatest id
 * stays, so however many collide, all differ in the end.
 */
export function partFromCollision(bus: Bus, other: Peer): void {
  const { myself, state } = bus;
  if (myself.role !== "primary" || other.role !== "primary") return;
  if (other.configEpoch !== myself.configEpoch || other.id <= myself.id) return;
  state.currentEpoch++;
  myself.configEpoch = state.currentEpoch;
  bus.saveDurably();
  bus.log(
    "verbose",
    `WARNING: configEpoch collision with node ${other.id} (${other.humanName}). ` +
      `configEpoch set to ${myself.configEpoch}`,
  );
}
