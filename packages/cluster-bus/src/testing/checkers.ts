/**
 * What must hold in every history, checked from outside the code under test: no voter grants twice
 * in an epoch, no vote leaves before it is durable, epochs never fall, and, once all faults are
 * gone, everybody has the same picture. These are the promises of Redis Cluster, not stronger ones:
 * two nodes may claim a slot, or share an epoch, until they have heard of each other.
 */

import type { BusMessage } from "../message.js";
import { parseNodesConf } from "../nodes-conf.js";
import { slotCount } from "../slot.js";
import type { SimNode, SimNodeObserver } from "./sim-node.js";

export class SafetyViolation extends Error {
  override readonly name = "SafetyViolation";
}

export class SafetyChecker implements SimNodeObserver {
  /** `voter epoch` of every vote that was sent. */
  readonly #votes = new Set<string>();
  readonly #epochs = new Map<string, number>();
  votesSeen = 0;

  onSend(node: SimNode, message: BusMessage): void {
    if (message.type !== "auth-ack") return;
    const epoch = message.header.currentEpoch;
    const key = `${node.core.myId} ${epoch}`;
    this.votesSeen++;
    if (this.#votes.has(key)) fail(`${node.name} voted twice in epoch ${epoch}`);
    this.#votes.add(key);
    const durable = parseNodesConf(node.durableConf ?? "")?.lastVoteEpoch ?? -1;
    if (durable < epoch) {
      fail(`${node.name} sent its vote for epoch ${epoch}, on disk is ${durable}`);
    }
  }

  check(nodes: readonly SimNode[]): void {
    for (const node of nodes) {
      if (!node.up) {
        // What a power loss took back may be lower, and nobody was promised otherwise.
        this.#epochs.delete(node.core.myId);
        continue;
      }
      // By id: a hard reset makes a new node of it.
      const known = this.#epochs.get(node.core.myId) ?? 0;
      if (node.core.currentEpoch < known) fail(`${node.name}: its current epoch fell`);
      this.#epochs.set(node.core.myId, node.core.currentEpoch);
      checkTables(node);
    }
  }
}

/** The route byte, the owner table and the bitmaps never disagree. */
function checkTables(node: SimNode): void {
  const { core } = node;
  let mine = 0;
  for (let slot = 0; slot < slotCount; slot++) {
    const owner = core.ownerOf(slot);
    if (owner?.isMyself) mine++;
    if (core.slotRoute[slot] === 0 && !owner?.isMyself) fail(`${node.name}: route of ${slot}`);
  }
  if (mine !== core.myself.slotCount) fail(`${node.name}: counts its slots wrongly`);
  if (!core.isPrimary && mine > 0) fail(`${node.name}: a replica with slots`);
}

/** Empty if all nodes that are up agree on everything, else the first difference. */
export function disagreement(nodes: readonly SimNode[]): string {
  const up = nodes.filter((node) => node.up);
  const reference = up[0];
  if (reference === undefined) return "nobody is up";
  const epochs = new Map<number, string>();
  for (const node of up) {
    const { core } = node;
    if (!core.stateOk) return `${node.name}: state is fail`;
    for (let slot = 0; slot < slotCount; slot++) {
      const owner = core.ownerOf(slot);
      const expected = reference.core.ownerOf(slot);
      if (owner?.id !== expected?.id) {
        return `slot ${slot}: ${reference.name} says ${expected?.id}, ${node.name} ${owner?.id}`;
      }
    }
    if (core.isPrimary && core.myself.slotCount > 0) {
      const epoch = core.myself.configEpoch;
      const other = epochs.get(epoch);
      if (other !== undefined) return `${node.name} and ${other} share epoch ${epoch}`;
      epochs.set(epoch, node.name);
    }
    for (const peer of core.nodes) {
      const actual = nodes.find((candidate) => candidate.core.myId === peer.id);
      if (actual?.up && peer.health !== "online")
        return `${node.name} thinks ${actual.name} is down`;
    }
  }
  return "";
}

function fail(what: string): never {
  throw new SafetyViolation(what);
}
