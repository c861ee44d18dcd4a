/**
 * What may go wrong in a simulated cluster, and the dice that decide it. Each seed chooses some
 * kinds of faults and leaves out others, because what breaks under one kind alone is often hidden
 * by another.
 */

import type { Millis } from "../message.js";
import type { SimCluster } from "./sim-cluster.js";
import type { SimNode } from "./sim-node.js";

const slowestExtraMs = 4000;
const perMilleMax = 60;
/** The power fails in the middle of one of the next disk operations. */
const powerLossWithinSteps = 12;

type Fault = (faults: Faults) => string;

const kinds: Readonly<Record<string, Fault>> = {
  isolate: (faults) => {
    const node = faults.anyNode();
    faults.cluster.isolate(node.name);
    return node.name;
  },
  partition: (faults) => {
    const names = faults.cluster.nodes
      .filter(() => faults.random.below(2) === 0)
      .map((node) => node.name);
    faults.cluster.partition(names);
    return names.join(" ");
  },
  "one way": (faults) => {
    const [from, to] = [faults.anyNode().name, faults.anyNode().name];
    faults.cluster.network.cutOneWay(from, to);
    return `${from} to ${to}`;
  },
  deaf: (faults) => {
    const deaf = faults.anyNode().name;
    for (const { name } of faults.cluster.nodes) faults.cluster.network.cutOneWay(name, deaf);
    return deaf;
  },
  slow: (faults) => {
    const [from, to] = [faults.anyNode().name, faults.anyNode().name];
    faults.cluster.network.slow(from, to, 1 + faults.random.below(slowestExtraMs));
    return `${from} to ${to}`;
  },
  lossy: (faults) => {
    const { network } = faults.cluster;
    network.lostPerMille = faults.random.below(perMilleMax);
    network.doubledPerMille = faults.random.below(perMilleMax);
    network.resetPerMille = faults.random.below(perMilleMax / 10);
    return `${network.lostPerMille} ${network.doubledPerMille} ${network.resetPerMille}`;
  },
  reset: (faults) => {
    const [a, b] = [faults.anyNode(), faults.anyNode()];
    faults.cluster.network.resetBetween(a, b);
    return `${a.name} ${b.name}`;
  },
  kill: (faults) => faults.crashOrRestart("process"),
  "power loss": (faults) => faults.crashOrRestart("power"),
  "power loss while writing": (faults) => {
    const node = faults.anyNode();
    node.disk.powerLossIn = faults.random.below(powerLossWithinSteps);
    return node.name;
  },
  pause: (faults) => {
    const node = faults.anyNode();
    if (node.paused) node.resume();
    else node.pause();
    return `${node.name} ${node.paused ? "stops" : "goes on"}`;
  },
  failover: (faults) => faults.command((node) => node.run({ kind: "failover", mode: "default" })),
  "forced failover": (faults) =>
    faults.command((node) => node.run({ kind: "failover", mode: "force" })),
  takeover: (faults) => faults.command((node) => node.run({ kind: "failover", mode: "takeover" })),
  "bump epoch": (faults) => faults.command((node) => node.run({ kind: "bump-epoch" })),
  "slots move": (faults) => faults.moveSlots(),
};

/** Every history ends again and again: without these two, most would end in silence. */
const mends: Readonly<Record<string, Fault>> = {
  heal: (faults) => {
    faults.cluster.network.heal();
    return "";
  },
  restart: (faults) => {
    for (const node of faults.cluster.nodes) if (!node.up) node.restart();
    return "";
  },
};

export class Faults {
  readonly cluster: SimCluster;
  readonly #enabled: readonly [string, Fault][];

  constructor(cluster: SimCluster) {
    this.cluster = cluster;
    const chosen = Object.entries(kinds).filter(([name]) => {
      const likely = this.random.below(3) > 0;
      // With a takeover in it a history promises less, so only some have one.
      return name === "takeover" ? !likely : likely;
    });
    this.#enabled = [...chosen, ...Object.entries(mends)];
  }

  get random() {
    return this.cluster.random;
  }

  /** One fault, or one mend, happens. */
  strike(): void {
    const [name, fault] = this.random.pick(this.#enabled);
    const what = fault(this);
    this.cluster.trace(`** ${name} ${what}`.trimEnd());
  }

  /** Clocks of machines differ, by little mostly, and by a lot where nobody sets them. */
  skewClocks(): void {
    const most: Millis = this.random.pick([0, 300, 3000, 600_000]);
    for (const node of this.cluster.nodes) {
      node.clockSkewMs += this.random.below(most + 1);
      node.clockDriftPpm = this.random.below(400) - 200;
    }
  }

  anyNode(): SimNode {
    return this.random.pick(this.cluster.nodes);
  }

  crashOrRestart(kind: "process" | "power"): string {
    const node = this.anyNode();
    if (node.up) node.crash(kind);
    else node.restart();
    return `${node.name} ${node.up ? "starts" : "dies"}`;
  }

  command(run: (node: SimNode) => { readonly kind: string }): string {
    const node = this.anyNode();
    if (!node.running) return `${node.name} cannot`;
    return `${node.name} ${run(node).kind}`;
  }

  /** As an operator does it: importing, migrating, then the new owner on both. */
  moveSlots(): string {
    const [from, to] = [this.anyNode(), this.anyNode()];
    const able = (node: SimNode): boolean => node.running && node.core.isPrimary;
    if (from === to || !able(from) || !able(to)) return "nobody can";
    const [source, target] = [from.core.myId, to.core.myId];
    const first = this.random.below(16000);
    let moved = 0;
    for (let slot = first; slot < first + 50; slot++) {
      if (!from.core.ownerOf(slot)?.isMyself) continue;
      const importing = to.run({ kind: "set-slot", slot, action: "importing", node: source });
      if (importing.kind !== "ok") continue;
      from.run({ kind: "set-slot", slot, action: "migrating", node: target });
      // The operator may lose heart, or the connection, between the steps.
      if (this.random.below(10) === 0) continue;
      const taken = to.run({ kind: "set-slot", slot, action: "node", node: target });
      // Only an owner who has said so is told of: the source forgets the slot.
      if (taken.kind !== "ok") break;
      if (this.random.below(10) > 0) {
        from.run({ kind: "set-slot", slot, action: "node", node: target });
      }
      moved++;
    }
    return `${moved} from ${from.name} to ${to.name}`;
  }
}
