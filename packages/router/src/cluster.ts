/**
 * Which node serves which slot, as last heard: from the topology when it is asked for, from a MOVED
 * in between. A value to look things up in; who asks the nodes is `topology.ts`.
 */
import { slotCount } from "@slotlog/cluster-bus";
import { UpstreamNode } from "./upstream.js";

export interface ShardNode {
  readonly host: string;
  readonly port: number;
  readonly id: string;
}

/** A line of CLUSTER SLOTS. */
export interface SlotRange {
  readonly first: number;
  readonly last: number;
  readonly primary: ShardNode;
  readonly replicas: readonly ShardNode[];
}

export interface Shard {
  readonly primary: UpstreamNode;
  readonly replicas: readonly UpstreamNode[];
  readonly firstSlot: number;
}

export type ReadFrom = "primary" | "replica" | "nearest";

export class ClusterView {
  readonly #nodes = new Map<string, UpstreamNode>();
  /** Left the cluster, and still owe answers. */
  readonly #retired = new Set<UpstreamNode>();
  readonly #primaries: (UpstreamNode | undefined)[] = Array.from(
    { length: slotCount },
    () => undefined,
  );
  #shards: readonly Shard[] = [];
  #shardOf = new Map<UpstreamNode, Shard>();
  readonly #connections: number;
  ranges: readonly SlotRange[] = [];
  /** Counts changes, for status and tests. */
  version = 0;
  /** Slots without a node. */
  missingSlots = slotCount;

  constructor(connections: number) {
    this.#connections = connections;
  }

  /** The primary that serves a slot. */
  primaryOf(slot: number): UpstreamNode | undefined {
    return this.#primaries[slot];
  }

  get shards(): readonly Shard[] {
    return this.#shards;
  }

  /** Those that left included, as long as they have connections. */
  *everyNode(): Iterable<UpstreamNode> {
    yield* this.#nodes.values();
    for (const node of this.#retired) {
      const [link] = node.links();
      if (link === undefined) this.#retired.delete(node);
      else yield node;
    }
  }

  has(node: UpstreamNode): boolean {
    return this.#nodes.get(`${node.host}|${node.port}`) === node;
  }

  get nodes(): Iterable<UpstreamNode> {
    return this.#nodes.values();
  }

  shardOf(primary: UpstreamNode): Shard | undefined {
    return this.#shardOf.get(primary);
  }

  /** The node of that address, which is made if nobody has spoken of it. */
  node(host: string, port: number): UpstreamNode {
    const key = `${host}|${port}`;
    const known = this.#nodes.get(key);
    if (known !== undefined) return known;
    const node = new UpstreamNode(host, port, this.#connections);
    this.#nodes.set(key, node);
    return node;
  }

  /** What a MOVED says. */
  move(slot: number, node: UpstreamNode): void {
    if (this.#primaries[slot] === node) return;
    this.#primaries[slot] = node;
    this.version++;
  }

  /** True if anything is different. */
  replace(ranges: readonly SlotRange[]): boolean {
    const before = this.#primaries.slice();
    const used = new Set<UpstreamNode>();
    const shards = new Map<UpstreamNode, Shard>();
    this.#primaries.fill(undefined);
    for (const { first, last, primary, replicas } of ranges) {
      const node = this.#named(primary, false);
      used.add(node);
      this.#primaries.fill(node, first, last + 1);
      const others = replicas.map((each) => this.#named(each, true));
      for (const each of others) used.add(each);
      if (!shards.has(node))
        shards.set(node, { primary: node, replicas: others, firstSlot: first });
    }
    this.#shards = [...shards.values()].sort((left, right) => left.firstSlot - right.firstSlot);
    this.#shardOf = shards;
    this.ranges = ranges;
    this.missingSlots = this.#primaries.reduce((sum, node) => sum + (node ? 0 : 1), 0);
    for (const [key, node] of this.#nodes) {
      if (used.has(node)) continue;
      this.#nodes.delete(key);
      node.retire();
      this.#retired.add(node);
    }
    const changed = before.some((node, slot) => node !== this.#primaries[slot]);
    if (changed) this.version++;
    return changed;
  }

  #named({ host, port, id }: ShardNode, isReplica: boolean): UpstreamNode {
    const node = this.node(host, port);
    node.id = id;
    node.isReplica = isReplica;
    // The cluster believes in it: the next one to use it will see.
    node.isReachable = true;
    return node;
  }
}
