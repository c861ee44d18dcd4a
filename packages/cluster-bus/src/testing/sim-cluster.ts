/**
 * A whole cluster in virtual time: nodes, faults, and what a person would want to see of it. Owns
 * the setup of common shapes; the promises that must hold are in `checkers.ts`.
 */

import type { BusConfig } from "../core/config.js";
import { defaultBusConfig } from "../core/config.js";
import type { Millis } from "../message.js";
import { slotCount } from "../slot.js";
import { SafetyChecker } from "./checkers.js";
import type { SimNodeObserver } from "./sim-node.js";
import { SimNode } from "./sim-node.js";
import { SimNetwork } from "./sim-network.js";
import { SeededRandom, SimClock } from "./sim-world.js";

const startOfTime: Millis = 1_700_000_000_000;
/** The checkers look this often. */
const checkEveryMs = 100;
const formWithinMs: Millis = 30_000;

export interface SimClusterOptions {
  readonly seed: number;
  readonly primaries: number;
  readonly replicasEach?: number;
  /** Replicas in all, dealt out one by one, in place of so many for each primary. */
  readonly replicas?: number;
  readonly nodeTimeoutMs?: number;
  readonly config?: Partial<BusConfig>;
  /** Gets a line for everything worth reading that happens. */
  readonly trace?: (line: string) => void;
}

export class SimCluster {
  readonly clock = new SimClock(startOfTime);
  readonly random: SeededRandom;
  readonly network: SimNetwork;
  readonly checker = new SafetyChecker(() => this.clock.now);
  readonly nodes: SimNode[] = [];
  readonly #options: SimClusterOptions;
  readonly #observer: SimNodeObserver;

  constructor(options: SimClusterOptions) {
    this.#options = options;
    this.random = new SeededRandom(options.seed);
    this.network = new SimNetwork(this.clock, this.random);
    const { trace } = options;
    const line = (text: string): void => this.trace(text);
    this.#observer = trace === undefined ? this.checker : traced(this.checker, line);
  }

  /** Nodes `p1`… and their replicas `r1`… (`r1a`, `r1b` if there are several), not joined yet. */
  addNode(name: string): SimNode {
    const index = this.nodes.length;
    const config = {
      ...defaultBusConfig(),
      port: 7000,
      nodeTimeoutMs: this.#options.nodeTimeoutMs ?? 2000,
      ...this.#options.config,
    };
    const node = new SimNode({
      name,
      ip: `10.0.0.${index + 1}`,
      config,
      clock: this.clock,
      network: this.network,
      random: this.random,
      observer: this.#observer,
      resolve: (host, port) => this.#reachable(node, host, port),
      myId: index.toString(16).padStart(2, "0").repeat(20),
    });
    this.nodes.push(node);
    return node;
  }

  /** Builds the cluster of the options and waits until it serves. */
  static async form(options: SimClusterOptions): Promise<SimCluster> {
    const cluster = new SimCluster(options);
    const { primaries } = options;
    const per = Math.ceil(slotCount / primaries);
    for (let i = 0; i < primaries; i++) {
      const node = cluster.addNode(`p${i + 1}`);
      node.run({ kind: "set-config-epoch", epoch: i + 1 });
      const first = i * per;
      const length = Math.min(per, slotCount - first);
      node.run({ kind: "add-slots", slots: Array.from({ length }, (_, n) => first + n) });
    }
    const replicas: [SimNode, SimNode][] = [];
    for (const name of replicaNames(options)) {
      replicas.push([cluster.addNode(name), cluster.node(`p${Number.parseInt(name.slice(1))}`)]);
    }
    const [first, ...others] = cluster.nodes as [SimNode, ...SimNode[]];
    for (const node of others) {
      first.run({ kind: "meet", ip: node.ip, port: 7000, busPort: 17000 });
    }
    await cluster.advance(3000);
    // Nearly always so by now; a dial that met another may have to wait for gossip.
    const met = (): boolean =>
      cluster.nodes.every(({ core }) => cluster.nodes.every((node) => core.node(node.core.myId)));
    if (!(await cluster.advanceUntil(met, formWithinMs))) throw new Error("the nodes do not meet");
    for (const [replica, primary] of replicas) {
      const reply = replica.run({ kind: "replicate", node: primary.core.myId });
      if (reply.kind !== "ok") throw new Error(JSON.stringify(reply));
    }
    await cluster.advance(5000);
    return cluster;
  }

  trace(text: string): void {
    this.#options.trace?.(`${((this.clock.now - startOfTime) / 1000).toFixed(3)} ${text}`);
  }

  node(name: string): SimNode {
    const node = this.nodes.find((candidate) => candidate.name === name);
    if (node === undefined) throw new Error(`no node ${name}`);
    return node;
  }

  async advance(ms: Millis): Promise<void> {
    const end = this.clock.now + ms;
    while (this.clock.now < end) {
      await this.clock.runUntil(Math.min(end, this.clock.now + checkEveryMs));
      this.checker.check(this.nodes);
    }
  }

  /** Advances in steps until the condition holds; false if it does not in time. */
  async advanceUntil(condition: () => boolean, limitMs: Millis): Promise<boolean> {
    for (const end = this.clock.now + limitMs; this.clock.now < end; ) {
      if (condition()) return true;
      await this.advance(checkEveryMs);
    }
    return condition();
  }

  isolate(name: string): void {
    for (const node of this.nodes) if (node.name !== name) this.network.cut(name, node.name);
  }

  /** The nodes named on one side, all others on the other. */
  partition(names: readonly string[]): void {
    for (const a of names) {
      for (const node of this.nodes) {
        if (!names.includes(node.name)) this.network.cut(a, node.name);
      }
    }
  }

  nameOf(id: string | undefined): string {
    return this.nodes.find((node) => node.core.myId === id)?.name ?? "?";
  }

  /** One line per node: what it believes about itself. */
  show(): string {
    return this.nodes
      .map((node) => {
        if (!node.up) return `${node.name} down`;
        const { core } = node;
        const state = core.stateOk ? "ok" : "fail";
        if (!core.isPrimary) {
          return `${node.name} replica of ${this.nameOf(core.primary?.id)} state=${state}`;
        }
        const own = /myself.* connected ?(.*)$/m.exec(core.nodesText());
        const slots = own?.[1] === undefined || own[1] === "" ? "no slots" : own[1];
        return `${node.name} primary epoch=${core.myself.configEpoch} ${slots} state=${state}`;
      })
      .join("\n");
  }

  #reachable(from: SimNode, host: string, port: number): SimNode | undefined {
    const node = this.nodes.find((candidate) => candidate.ip === host);
    if (node === undefined || !node.running || node.config.port !== port) return undefined;
    return this.network.isCutBetween(from, node) ? undefined : node;
  }
}

/** `r1`…, or `r1a`, `r1b`… where primaries have several: the digit is that of the primary. */
function replicaNames(options: SimClusterOptions): string[] {
  const { primaries, replicasEach = 0, replicas = primaries * replicasEach } = options;
  const lettered = replicas > primaries;
  const names = Array.from({ length: replicas }, (_, i) => {
    const letter = lettered ? String.fromCharCode(97 + Math.floor(i / primaries)) : "";
    return `r${1 + (i % primaries)}${letter}`;
  });
  return names.sort();
}

/** The same observer, and a line for each thing that is not everyday. */
function traced(inner: SimNodeObserver, line: (text: string) => void): SimNodeObserver {
  return {
    onStart: (node) => {
      line(`${node.name} starts`);
      inner.onStart(node);
    },
    onSend: (node, message, to) => {
      if (message.type !== "ping" && message.type !== "pong") {
        const names = to.map(({ name }) => name).join(" ");
        line(`${node.name} sends ${message.type} to ${names}`);
      }
      inner.onSend(node, message, to);
    },
    onReceive: (node, from, message) => inner.onReceive(node, from, message),
    onEffect: (node, effect) => {
      if (effect.kind === "log" && effect.level !== "debug") line(`${node.name}: ${effect.text}`);
      inner.onEffect(node, effect);
    },
  };
}
