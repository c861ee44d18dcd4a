/**
 * Who serves each slot, which slots are on the move, and the one byte per slot that the command
 * path looks at. Owns the agreement between the table, the bitmaps of the nodes and that byte;
 * decides nothing about who should own what.
 */

import { assert } from "./assert.js";
import type { Peer } from "./core/peers.js";
import { addPeerSlot, removePeerSlot } from "./core/peers.js";
import { slotCount } from "./slot.js";
import { addSlot, createSlotBitmap, hasSlot, nextSlot, removeSlot } from "./slot-bitmap.js";

/** Values of the route table; 0 is the only one the command path may serve without asking. */
export const slotRoutes = {
  local: 0,
  elsewhere: 1,
  migrating: 2,
  importing: 3,
  unassigned: 4,
} as const;

export class SlotMap {
  /** One byte per slot, always current; see `slotRoutes`. The array itself never changes. */
  readonly route: Uint8Array = new Uint8Array(slotCount).fill(slotRoutes.unassigned);
  readonly #myself: Peer;
  readonly #owners: (Peer | undefined)[] = Array.from({ length: slotCount }, () => undefined);
  readonly #migratingTo = new Map<number, Peer>();
  readonly #importingFrom = new Map<number, Peer>();
  /** Slots whose owner has stopped claiming them, though nobody else has claimed them yet. */
  readonly #unclaimed = createSlotBitmap();
  readonly #changed = createSlotBitmap();
  #anyChanged = false;
  #assigned = 0;

  constructor(myself: Peer) {
    this.#myself = myself;
  }

  get assignedCount(): number {
    return this.#assigned;
  }

  ownerOf(slot: number): Peer | undefined {
    return this.#owners[slot];
  }

  /** Nobody owns it, or the owner of record no longer says so. */
  isUnclaimed(slot: number): boolean {
    return this.#owners[slot] === undefined || hasSlot(this.#unclaimed, slot);
  }

  markClaimed(slot: number): void {
    removeSlot(this.#unclaimed, slot);
  }

  markUnclaimed(slot: number): void {
    addSlot(this.#unclaimed, slot);
  }

  migratingTo(slot: number): Peer | undefined {
    return this.#migratingTo.get(slot);
  }

  importingFrom(slot: number): Peer | undefined {
    return this.#importingFrom.get(slot);
  }

  get migrating(): ReadonlyMap<number, Peer> {
    return this.#migratingTo;
  }

  get importing(): ReadonlyMap<number, Peer> {
    return this.#importingFrom;
  }

  assign(slot: number, peer: Peer): void {
    assert(this.#owners[slot] === undefined, "a slot is taken from its owner first");
    this.#owners[slot] = peer;
    this.#assigned++;
    addPeerSlot(peer, slot);
    removeSlot(this.#unclaimed, slot);
    this.#refresh(slot);
  }

  unassign(slot: number): void {
    const owner = this.#owners[slot];
    if (owner === undefined) return;
    this.#owners[slot] = undefined;
    this.#assigned--;
    removePeerSlot(owner, slot);
    removeSlot(this.#unclaimed, slot);
    this.#refresh(slot);
  }

  unassignAllOf(peer: Peer): void {
    if (peer.slotCount === 0) return;
    for (let slot = 0; slot < slotCount; slot++) {
      if (this.#owners[slot] === peer) this.unassign(slot);
    }
  }

  setMigrating(slot: number, target: Peer | undefined): void {
    setOrDelete(this.#migratingTo, slot, target);
    this.#refresh(slot);
  }

  setImporting(slot: number, source: Peer | undefined): void {
    setOrDelete(this.#importingFrom, slot, source);
    this.#refresh(slot);
  }

  closeAll(): void {
    for (const slot of this.#migratingTo.keys()) this.setMigrating(slot, undefined);
    for (const slot of this.#importingFrom.keys()) this.setImporting(slot, undefined);
  }

  /** Takes `peer` out of everything: its slots, and the slots moving to or from it. */
  forget(peer: Peer): void {
    for (const [slot, target] of this.#migratingTo) {
      if (target === peer) this.setMigrating(slot, undefined);
    }
    for (const [slot, source] of this.#importingFrom) {
      if (source === peer) this.setImporting(slot, undefined);
    }
    this.unassignAllOf(peer);
  }

  /** Slots of `peer` without those it no longer claims. */
  claimedSlots(peer: Peer): Uint8Array {
    const slots = peer.slots.slice();
    for (let i = 0; i < slots.length; i++) {
      slots[i] = (slots[i] as number) & ~(this.#unclaimed[i] as number);
    }
    return slots;
  }

  /** Slots that changed since the last call, ascending. */
  takeChanged(): number[] {
    if (!this.#anyChanged) return [];
    const slots: number[] = [];
    let slot = nextSlot(this.#changed, 0);
    for (; slot < slotCount; slot = nextSlot(this.#changed, slot + 1)) slots.push(slot);
    this.#changed.fill(0);
    this.#anyChanged = false;
    return slots;
  }

  #refresh(slot: number): void {
    const owner = this.#owners[slot];
    let route: number;
    if (this.#importingFrom.has(slot)) route = slotRoutes.importing;
    else if (owner === undefined) route = slotRoutes.unassigned;
    else if (owner !== this.#myself) route = slotRoutes.elsewhere;
    else route = this.#migratingTo.has(slot) ? slotRoutes.migrating : slotRoutes.local;
    this.route[slot] = route;
    addSlot(this.#changed, slot);
    this.#anyChanged = true;
  }
}

function setOrDelete(map: Map<number, Peer>, slot: number, peer: Peer | undefined): void {
  if (peer === undefined) map.delete(slot);
  else map.set(slot, peer);
}
