/**
 * What all collections of one node share: the thresholds of the compact encodings as they are now
 * configured, the seeded hash of members and fields, the dice for random members, what packs those
 * at rest, and the memory of large ones.
 *
 * A node makes one and hands it to its databases (`DatabaseParts.collections`); values get it when
 * they are made, so that no module keeps state.
 */
import type { NodeConfig } from "../../config/config.js";
import type { FastRandom } from "../random.js";
import { BlockMemory } from "./block-memory.js";
import { ElementHasher } from "./element-hash.js";
import { Packing } from "./packing.js";

/** The directives that decide encodings. Read at each change: CONFIG SET takes effect at once. */
export type CollectionLimits = Pick<
  NodeConfig,
  | "hashMaxListpackEntries"
  | "hashMaxListpackValue"
  | "listMaxListpackSize"
  | "setMaxIntsetEntries"
  | "setMaxListpackEntries"
  | "setMaxListpackValue"
  | "zsetMaxListpackEntries"
  | "zsetMaxListpackValue"
  | "streamNodeMaxBytes"
  | "streamNodeMaxEntries"
>;

/** Redis' initial values, for tests and tools that have no configuration. */
export const defaultCollectionLimits: CollectionLimits = {
  hashMaxListpackEntries: 512,
  hashMaxListpackValue: 64,
  listMaxListpackSize: -2,
  setMaxIntsetEntries: 512,
  setMaxListpackEntries: 128,
  setMaxListpackValue: 64,
  zsetMaxListpackEntries: 128,
  zsetMaxListpackValue: 64,
  streamNodeMaxBytes: 4096,
  streamNodeMaxEntries: 100,
};

export class CollectionEnvironment {
  readonly limits: CollectionLimits;
  readonly hasher: ElementHasher;
  readonly random: FastRandom;
  readonly packing = new Packing();
  readonly blocks = new BlockMemory();

  constructor(options: {
    readonly limits: CollectionLimits;
    readonly seed: number;
    readonly random: FastRandom;
  }) {
    this.limits = options.limits;
    this.hasher = new ElementHasher(options.seed);
    this.random = options.random;
  }
}
