/**
 * The keys of one slot, or of a whole database without slots: a table whose segments keep entries
 * in the database's slab, with expiries, known to the database's registry.
 */
import { HashTable, type SegmentKeeper } from "./hash-table.js";
import type { SegmentRegistry } from "./segment-registry.js";
import type { Slab } from "./slab.js";
import { SlabSegment } from "./slab-segment.js";

/** What the tables of one database share. */
export class KeyspaceKeeper implements SegmentKeeper<SlabSegment> {
  readonly slab: Slab;
  readonly registry: SegmentRegistry;

  constructor(slab: Slab, registry: SegmentRegistry) {
    this.slab = slab;
    this.registry = registry;
  }

  make(depth: number, places: number): SlabSegment {
    return new SlabSegment(this.slab, depth, places);
  }

  update(segment: SlabSegment): void {
    this.registry.update(segment);
  }

  updateVolatile(segment: SlabSegment): void {
    this.registry.updateVolatile(segment);
  }

  remove(segment: SlabSegment): void {
    this.registry.remove(segment);
  }
}

export class KeyspaceTable extends HashTable<SlabSegment> {
  readonly #registry: SegmentRegistry;

  constructor(slot: number, keeper: KeyspaceKeeper) {
    super(slot, keeper);
    this.#registry = keeper.registry;
  }

  /** Sets (or with `NEVER` removes) the expiry of a place. */
  setExpireAt(segment: SlabSegment, place: number, at: number): void {
    segment.setExpireAt(place, at);
    this.#registry.updateVolatile(segment);
  }
}
