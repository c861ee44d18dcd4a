/**
 * Who owns a slot when two nodes say different things: the claim under the greater config epoch.
 * Owns the rebinding of slots after a claim, what this node does when it loses by it (becomes a
 * replica, or deletes keys), and telling others that their claim is outdated.
 */

import { slotCount } from "../slot.js";
import { hasSlot, nextSlot, sameSlots } from "../slot-bitmap.js";
import { sendUpdate } from "./heartbeat.js";
import type { Peer } from "./peers.js";
import { shareSlots } from "./peers.js";
import { replicateFrom } from "./roles.js";
import type { Bus } from "./state.js";

/** Gives a free slot to a node. */
export function giveSlot(bus: Bus, slot: number, peer: Peer): void {
  bus.state.slots.assign(slot, peer);
  // A primary that got its first slot should get replicas too, where primaries have replicas.
  if (peer.slotCount !== 1 || !primariesHaveReplicas(bus)) return;
  peer.migrateTo = true;
  bus.state.table.touch(peer);
}

function primariesHaveReplicas(bus: Bus): boolean {
  return bus.state.peers.some((peer) => peer.role !== "replica" && peer.replicas.length > 0);
}

export interface SlotClaim {
  readonly owner: Peer;
  readonly epoch: number;
  readonly slots: Uint8Array;
}

interface ClaimResult {
  /** Slots that our shard's primary lost to the claim. */
  lostByOurs: number;
  claimedCount: number;
  /** Slots this node lost while it has keys in them. */
  dirty: number[];
}

/** Takes over a claim as far as it is newer than what we know. */
export function applyClaim(bus: Bus, claim: SlotClaim): void {
  const { myself } = bus;
  if (claim.owner === myself) {
    bus.log("notice", "Discarding UPDATE message about myself.");
    return;
  }
  const ours = myself.role === "primary" ? myself : myself.primary;
  const result = rebind(bus, claim, ours);

  const grandPrimary = myself.primary?.primary;
  if (
    result.lostByOurs > 0 &&
    ours !== undefined &&
    ours.slotCount === 0 &&
    // Without replica migration a primary stays a primary, unless the claimant has exactly what
    // was ours: then it is our successor.
    (bus.config.allowReplicaMigration || result.claimedCount === result.lostByOurs)
  ) {
    bus.log(
      "notice",
      `Configuration change detected. Reconfiguring myself as a replica of ${claim.owner.id} ` +
        `(${claim.owner.humanName})`,
    );
    demoteTo(bus, claim.owner);
  } else if (grandPrimary !== undefined && grandPrimary !== myself) {
    bus.log(
      "notice",
      "I'm a sub-replica! Reconfiguring myself as a replica of grandmaster " +
        `${grandPrimary.id} (${grandPrimary.humanName})`,
    );
    demoteTo(bus, grandPrimary);
  } else if (result.dirty.length > 0) {
    bus.emit({ kind: "delete-slot-keys", slots: result.dirty });
  }
}

function demoteTo(bus: Bus, primary: Peer): void {
  replicateFrom(bus, primary);
  bus.saveDurably();
  bus.stateDirty = true;
}

function rebind(bus: Bus, claim: SlotClaim, ours: Peer | undefined): ClaimResult {
  const slots = bus.state.slots;
  const result: ClaimResult = { lostByOurs: 0, claimedCount: 0, dirty: [] };
  const { owner: claimant } = claim;
  // Only slots that it claims, or that are bound to it.
  let slot = nextSlot(claim.slots, 0, claimant.slots);
  for (; slot < slotCount; slot = nextSlot(claim.slots, slot + 1, claimant.slots)) {
    const owner = slots.ownerOf(slot);
    if (!hasSlot(claim.slots, slot)) {
      // It stays bound to who gave it up, lest the cluster goes down, but is free to take, and is
      // left out of updates about that node.
      if (owner === claimant) slots.markUnclaimed(slot);
      continue;
    }
    result.claimedCount++;
    if (owner === claimant) {
      slots.markClaimed(slot);
      continue;
    }
    // An importing slot changes hands only by the operator's SETSLOT. But if nobody has it any
    // more, because its owner was replaced by a replica, it is the successor's: without an owner
    // it would keep the whole cluster down here.
    if (owner !== undefined && slots.importingFrom(slot) !== undefined) continue;
    if (!slots.isUnclaimed(slot) && owner !== undefined && owner.configEpoch >= claim.epoch) {
      continue;
    }
    if (owner !== undefined && owner === bus.myself && bus.host.countKeysInSlot(slot) > 0) {
      result.dirty.push(slot);
    }
    if (owner !== undefined && owner === ours) result.lostByOurs++;
    slots.unassign(slot);
    giveSlot(bus, slot, claimant);
    bus.saveDurably();
    bus.stateDirty = true;
  }
  return result;
}

/**
 * Compares what a heartbeat claims with what we know, in both directions: newer claims are taken
 * over, outdated ones are answered with the present owner's configuration.
 */
export function reconcileClaim(
  bus: Bus,
  sender: Peer,
  claimed: { readonly epoch: number; readonly slots: Uint8Array },
): void {
  const owner = sender.role === "primary" ? sender : sender.primary;
  // The same bitmap as last time, mostly: in a simulator, or on a node that has sent it.
  if (owner === undefined || owner.slots === claimed.slots) return;
  if (sameSlots(owner.slots, claimed.slots)) {
    shareSlots(owner, claimed.slots);
    return;
  }
  if (sender.role === "primary") {
    applyClaim(bus, { owner: sender, epoch: claimed.epoch, slots: claimed.slots });
  }
  const newer = newerOwner(bus, sender, claimed);
  if (newer === undefined) return;
  bus.log(
    "verbose",
    `Node ${sender.id} has old slots configuration, sending an UPDATE message about ${newer.id}`,
  );
  sendUpdate(bus, sender, newer);
}

/** The first owner of a claimed slot whose epoch is greater than the claim's. */
function newerOwner(
  bus: Bus,
  sender: Peer,
  claimed: { readonly epoch: number; readonly slots: Uint8Array },
): Peer | undefined {
  const slots = bus.state.slots;
  let slot = nextSlot(claimed.slots, 0);
  for (; slot < slotCount; slot = nextSlot(claimed.slots, slot + 1)) {
    const owner = slots.ownerOf(slot);
    if (owner === undefined || owner === sender || slots.isUnclaimed(slot)) continue;
    if (owner.configEpoch > claimed.epoch) return owner;
  }
  return undefined;
}
