/**
 * Clusters in which nothing happens, by seed: their write leases must never run out. Owns the shape
 * of such a cluster and the measure of how close a lease came to its end.
 */

import { leaseMs } from "../core/write-lease.js";
import type { Millis } from "../message.js";
import { SimCluster } from "./sim-cluster.js";
import { SeededRandom } from "./sim-world.js";

export interface QuietOptions {
  readonly seed: number;
  readonly primaries: number;
  readonly replicas?: number;
  readonly nodeTimeoutMs: Millis;
  readonly virtualMs: Millis;
  /** Packets that vanish although the connection lives, which TCP does not do. */
  readonly lostPerMille?: number;
  readonly latencyMsMax?: Millis;
}

export interface QuietReport {
  readonly lapses: number;
  /** How much of a lease was left at the worst moment, of 1. */
  readonly leftMin: number;
  readonly packetsPerNodeAndSecond: number;
}

const lookEveryMs: Millis = 50;

export async function stayQuiet(options: QuietOptions): Promise<QuietReport> {
  const { seed, primaries, replicas = 0, nodeTimeoutMs, virtualMs } = options;
  const cluster = await SimCluster.form({ seed, primaries, replicas, nodeTimeoutMs });
  cluster.network.lostPerMille = options.lostPerMille ?? 0;
  cluster.network.latencyMsMax = options.latencyMsMax ?? cluster.network.latencyMsMax;
  const dice = new SeededRandom(seed);
  for (const node of cluster.nodes) node.clockDriftPpm = dice.below(200) - 100;
  const owners = cluster.nodes.filter(({ core }) => core.myself.slotCount > 0);
  const packets = cluster.checker.packetsSent;
  let leftMin = 1;
  for (const end = cluster.clock.now + virtualMs; cluster.clock.now < end; ) {
    await cluster.clock.runUntil(cluster.clock.now + lookEveryMs);
    for (const { core, config, now } of owners.map((node) => withNow(node))) {
      // Asked at its end, it says what it knows.
      core.mayWrite(core.writableUntil);
      leftMin = Math.min(leftMin, (core.writableUntil - now) / leaseMs(config));
    }
  }
  const seconds = virtualMs / 1000;
  return {
    lapses: owners.reduce((sum, { core }) => sum + core.writeLeaseLapses, 0),
    leftMin,
    packetsPerNodeAndSecond:
      (cluster.checker.packetsSent - packets) / seconds / cluster.nodes.length,
  };
}

function withNow(node: SimCluster["nodes"][number]) {
  return { core: node.core, config: node.config, now: node.now() };
}
