/**
 * One seed, one history: a cluster forms, a phase of faults with the safety checkers on, then calm,
 * in which all nodes must come to agree within a bound, and stay so.
 */

import type { Millis } from "../message.js";
import { disagreement } from "./checkers.js";
import { Faults } from "./faults.js";
import { SimCluster } from "./sim-cluster.js";
import { SeededRandom } from "./sim-world.js";

/** Node timeout in the simulator; the bounds below are multiples of it. */
const nodeTimeoutMs: Millis = 2000;
/**
 * After the last fault everybody agrees within 30 node timeouts. A failure report lives two, a
 * failed primary is trusted again after two, an election is given up after two and tried again
 * after four, a forgotten connection is dialled again after one; what takes longest is elections
 * one after another when several shards have lost their primary at once.
 */
export const agreeWithinMs: Millis = 30 * nodeTimeoutMs;
/** And then nothing changes any more: watched for longer than any delay in the protocol. */
const calmMs: Millis = 5 * nodeTimeoutMs;
const faultsMsMin: Millis = 20_000;
const faultsMsSpread: Millis = 60_000;
const strikeEveryMsMax: Millis = 4000;

export interface SeedOptions {
  readonly seed: number;
  /** Nodes in all; by default the seed decides. */
  readonly nodes?: number;
  readonly trace?: (line: string) => void;
}

export interface SeedReport {
  readonly virtualMs: Millis;
  readonly agreedAfterMs: Millis;
  readonly packets: number;
  readonly elections: number;
  readonly nodes: number;
}

export class LivenessViolation extends Error {
  override readonly name = "LivenessViolation";
}

export async function runSeed(options: SeedOptions): Promise<SeedReport> {
  const shape = shapeOf(options);
  const cluster = await SimCluster.form({
    seed: options.seed,
    nodeTimeoutMs,
    primaries: shape.primaries,
    replicas: shape.replicas,
    ...(options.trace === undefined ? {} : { trace: options.trace }),
  });
  // Every other one as with replica-acks: nothing may depend on which.
  if (options.seed % 2 === 0) {
    for (const { config } of cluster.nodes) config.standsWithRestraint = true;
  }
  const began = cluster.clock.now;
  const { random } = cluster;
  const faults = new Faults(cluster);
  faults.skewClocks();
  const end = began + faultsMsMin + random.below(faultsMsSpread);
  while (cluster.clock.now < end) {
    await cluster.advance(random.below(strikeEveryMsMax));
    faults.strike();
  }
  cluster.trace("** calm");
  cluster.network.calm();
  for (const node of cluster.nodes) {
    node.disk.powerLossIn = -1;
    if (!node.up) node.restart();
    node.resume();
  }
  const calmAt = cluster.clock.now;
  const agreed = (): boolean => disagreement(cluster.nodes) === "";
  const inTime = await cluster.advanceUntil(agreed, agreeWithinMs);
  const agreedAfterMs = cluster.clock.now - calmAt;
  if (!inTime) notAgreed(cluster, `still after ${agreeWithinMs} ms of calm`);
  await cluster.advance(calmMs);
  if (!agreed()) notAgreed(cluster, "after all had agreed");
  return {
    virtualMs: cluster.clock.now - began,
    agreedAfterMs,
    packets: cluster.checker.packetsSent,
    elections: cluster.checker.electionsWon,
    nodes: cluster.nodes.length,
  };
}

function notAgreed(cluster: SimCluster, when: string): never {
  throw new LivenessViolation(`${when}: ${disagreement(cluster.nodes)}\n${cluster.show()}`);
}

/** Dice of their own, so that the shape can be given without changing what follows. */
function shapeOf(options: SeedOptions): { readonly primaries: number; readonly replicas: number } {
  const random = new SeededRandom(options.seed ^ 0x5107);
  const primaries = 3 + random.below(3);
  if (options.nodes === undefined) return { primaries, replicas: 1 + random.below(primaries * 2) };
  const given = Math.max(1, Math.min(primaries, options.nodes));
  return { primaries: given, replicas: options.nodes - given };
}
