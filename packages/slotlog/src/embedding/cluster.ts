// A cluster for a test suite: real nodes on real ports, formed before they start (each finds a
// `nodes.conf` that knows all the others), so that it serves within a fraction of a second.

import { randomBytes } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import {
  formatNodesConf,
  keySlot,
  type NodeId,
  type NodeLine,
  slotCount,
} from "@slotlog/cluster-bus";
import { NodeClient } from "../cli/forming/client.js";
import { type KnownNode, parseClusterNodes, parseInfo } from "../cli/forming/cluster-nodes.js";
import {
  type Directives,
  directiveArguments,
  EmbeddedNode,
  type HostingOptions,
  hostMaker,
  workDirectory,
} from "./node.js";
import { reservePorts } from "./ports.js";
import type { Host } from "./host.js";

export interface ClusterOptions extends HostingOptions {
  /** Default: 3. */
  readonly primaries?: number;
  /** Default: 0. */
  readonly replicasPerPrimary?: number;
  /** Default: 127.0.0.1. */
  readonly host?: string;
  /** Kept at the end. Default: a temporary directory, which is removed. */
  readonly directory?: string;
  /** Further directives for every node, such as `{ appendfsync: "always" }`. */
  readonly config?: Directives;
}

export interface WaitOptions {
  /** Default: 30 seconds. */
  readonly timeoutMs?: number;
}

const primariesMax = 1000;
const pollIntervalMs = 5;
const timeoutMsDefault = 30_000;

/** What nodes are told unless `config` says otherwise: quick to notice and quick to follow. */
const directivesDefault: Directives = {
  "cluster-enabled": true,
  "cluster-node-timeout": 2000,
  // Redis' nodes take writes two seconds after their start; nobody here waits for old replies.
  "cluster-rejoin-delay-ms": 0,
  "repl-diskless-sync-delay": 0,
  appendonly: true,
  save: "",
  logfile: "node.log",
};

export class EmbeddedCluster implements AsyncDisposable {
  /** Primaries first, as they were when the cluster began. */
  readonly nodes: readonly EmbeddedNode[];
  readonly #password: string | undefined;
  readonly #remove: () => Promise<void>;

  constructor(options: {
    readonly nodes: readonly EmbeddedNode[];
    readonly password: string | undefined;
    readonly remove: () => Promise<void>;
  }) {
    this.nodes = options.nodes;
    this.#password = options.password;
    this.#remove = options.remove;
  }

  /** What clients take: `new Redis.Cluster(cluster.addresses)`. */
  get addresses(): { host: string; port: number }[] {
    return this.nodes.map(({ host, port }) => ({ host, port }));
  }

  /** The node that serves a key now, as the nodes themselves see it. */
  async primaryOf(key: string): Promise<EmbeddedNode> {
    const slot = keySlot(key);
    const known = await this.#known();
    const owner = known.find((node) => node.slots.some((range) => contains(range, slot)));
    const node = this.nodes.find(({ port }) => port === owner?.port);
    if (node === undefined) throw new Error(`no node serves slot ${slot} of key ${key}`);
    return node;
  }

  /** The replicas of a primary, as the nodes see it now. */
  async replicasOf(primary: EmbeddedNode): Promise<EmbeddedNode[]> {
    const known = await this.#known();
    const id = known.find(({ port }) => port === primary.port)?.id;
    const ports = known.filter((node) => node.primaryId === id).map(({ port }) => port);
    return this.nodes.filter(({ port }) => ports.includes(port));
  }

  /** Makes a replica the primary in order (CLUSTER FAILOVER); resolves when it is. */
  async failover(replica: EmbeddedNode, options: WaitOptions = {}): Promise<void> {
    const client = await this.#connect(replica);
    try {
      await client.call("CLUSTER", "FAILOVER");
      await until(options, async () => {
        const info = parseInfo(await client.call("INFO", "replication"));
        return info.get("role") === "master" ? undefined : `node ${replica.port} is a replica`;
      });
    } finally {
      client.close();
    }
  }

  /** Nothing passes between these nodes and all others, in either direction. */
  async partition(...side: readonly EmbeddedNode[]): Promise<void> {
    const inside = portsOf(side);
    const outside = portsOf(this.nodes.filter((node) => !side.includes(node)));
    for (const node of this.nodes) await node.cutOff(side.includes(node) ? outside : inside);
  }

  /** All nodes reach each other again. */
  async heal(): Promise<void> {
    for (const node of this.nodes) await node.cutOff([]);
  }

  /**
   * Resolves when every running node serves: all slots have a primary, replicas have their
   * primary's data, and the nodes agree on who is whose replica. Rejects with what is missing.
   */
  async ready(options: WaitOptions = {}): Promise<void> {
    const clients = new Map<EmbeddedNode, NodeClient>();
    try {
      await until(options, async () => {
        const views: KnownNode[][] = [];
        for (const node of this.nodes) {
          if (node.state !== "running") continue;
          const client = clients.get(node) ?? (await this.#connect(node));
          clients.set(node, client);
          const missing = await missingAt(client);
          if (missing !== undefined) return `node ${node.port} ${missing}`;
          views.push(parseClusterNodes(await client.call("CLUSTER", "NODES")));
        }
        return disagreement(views);
      });
    } finally {
      for (const client of clients.values()) client.close();
    }
  }

  /** Ends all nodes and removes the temporary directory. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.nodes.map((node) => node[Symbol.asyncDispose]()));
    await this.#remove();
  }

  /** As `Symbol.asyncDispose`, for programs without `await using`. */
  stop(): Promise<void> {
    return this[Symbol.asyncDispose]();
  }

  async #known(): Promise<KnownNode[]> {
    const running = this.nodes.find(({ state }) => state === "running");
    if (running === undefined) throw new Error("no node of the cluster runs");
    const client = await this.#connect(running);
    try {
      return parseClusterNodes(await client.call("CLUSTER", "NODES"));
    } finally {
      client.close();
    }
  }

  #connect({ host, port }: EmbeddedNode): Promise<NodeClient> {
    return NodeClient.connect({ host, port, password: this.#password });
  }
}

function portsOf(nodes: readonly EmbeddedNode[]): number[] {
  return nodes.flatMap(({ port, busPort }) => [port, busPort ?? 0]);
}

async function missingAt(client: NodeClient): Promise<string | undefined> {
  const replication = parseInfo(await client.call("INFO", "replication"));
  if (replication.get("role") === "slave" && replication.get("master_link_status") !== "up") {
    return "synchronises with its primary";
  }
  const cluster = parseInfo(await client.call("CLUSTER", "INFO"));
  return cluster.get("cluster_state") === "ok" ? undefined : "sees slots without a primary";
}

/** What one node says of itself and another one does not know yet. */
function disagreement(views: readonly (readonly KnownNode[])[]): string | undefined {
  for (const view of views) {
    const self = view.find(({ flags }) => flags.includes("myself"));
    if (self === undefined) continue;
    for (const other of views) {
      const seen = other.find(({ id }) => id === self.id);
      const isSame = seen?.primaryId === self.primaryId;
      const isUp = seen?.flags.every((flag) => flag !== "fail" && flag !== "fail?") ?? false;
      if (!isSame || !isUp) return `node ${self.port} is not yet known to all as it is`;
    }
  }
  return undefined;
}

/** Only asking again can tell; `look` says what is missing. */
async function until(
  { timeoutMs = timeoutMsDefault }: WaitOptions,
  look: () => Promise<string | undefined>,
): Promise<void> {
  const giveUpAt = performance.now() + timeoutMs;
  for (;;) {
    const missing = await look();
    if (missing === undefined) return;
    if (performance.now() > giveUpAt) throw new Error(`after ${timeoutMs} ms: ${missing}`);
    await delay(pollIntervalMs);
  }
}

function contains(range: string, slot: number): boolean {
  const [first, last = first] = range.split("-").map(Number);
  return slot >= Number(first) && slot <= Number(last);
}

/** Starts a cluster; resolves when all of it serves. */
export async function startCluster(options: ClusterOptions = {}): Promise<EmbeddedCluster> {
  const { primaries = 3, replicasPerPrimary = 0, host: address = "127.0.0.1" } = options;
  demandCount("primaries", primaries, 1);
  demandCount("replicasPerPrimary", replicasPerPrimary, 0);
  const directory = await workDirectory(options.directory);
  const hosts: Host[] = [];
  try {
    const members = await Promise.all(
      Array.from({ length: primaries * (1 + replicasPerPrimary) }, async (_, index) => {
        const listener = { onShutdown: (): void => {} };
        const host = hostMaker(options)(() => listener.onShutdown());
        hosts.push(host);
        const [port = 0, busPort = 0] = await reservePorts(host, address, 2);
        const path = join(directory.path, String(port));
        await mkdir(path);
        return { ...plan(index, primaries), host, listener, address, port, busPort, path };
      }),
    );
    const lines = members.map((member) => nodeLine(member, members, primaries));
    for (const member of members) {
      await writeFile(join(member.path, "nodes.conf"), nodesConf(lines, member.id, primaries));
    }
    const nodes = members.map((member) => {
      const { host, listener, port, busPort, path } = member;
      const own = {
        ...{ bind: address, port, "cluster-port": busPort, dir: path },
        // A thread that stands still, at a breakpoint for one, stops all of its nodes alike: none
        // was replaced meanwhile, and writes right behind it must not be refused.
        "cluster-write-lease": options.isolation === "worker",
      };
      return new EmbeddedNode({
        host: address,
        port,
        busPort,
        directory: path,
        args: directiveArguments({ ...directivesDefault, ...own, ...options.config }),
        makeHost: (onShutdown) => {
          listener.onShutdown = onShutdown;
          return host;
        },
      });
    });
    await Promise.all(nodes.map((node) => node.restart()));
    const password = options.config?.["requirepass"];
    const cluster = new EmbeddedCluster({
      nodes,
      password: password === undefined ? undefined : String(password),
      remove: () => directory.remove(),
    });
    await cluster.ready();
    return cluster;
  } catch (error) {
    await Promise.all(hosts.map((host) => host.dispose()));
    await directory.remove();
    throw error;
  }
}

function demandCount(name: string, value: number, min: number): void {
  if (Number.isInteger(value) && value >= min && value <= primariesMax) return;
  throw new RangeError(`${name} is ${value}: an integer from ${min} to ${primariesMax} is needed`);
}

interface Planned {
  readonly id: NodeId;
  readonly shardId: string;
  /** The primary among the planned nodes whose replica this is; its own index if it is one. */
  readonly primary: number;
  readonly index: number;
}

function plan(index: number, primaries: number): Planned {
  const id = randomBytes(20).toString("hex") as NodeId;
  return { id, shardId: randomBytes(20).toString("hex"), index, primary: index % primaries };
}

function nodeLine(
  member: Planned & { readonly address: string; readonly port: number; readonly busPort: number },
  members: readonly Planned[],
  primaries: number,
): NodeLine {
  const isPrimary = member.index < primaries;
  const primary = members[member.primary];
  const first = Math.ceil((member.index * slotCount) / primaries);
  const last = Math.ceil(((member.index + 1) * slotCount) / primaries) - 1;
  return {
    id: member.id,
    ip: member.address,
    port: member.port,
    tlsPort: 0,
    busPort: member.busPort,
    hostname: "",
    humanName: "",
    shardId: primary?.shardId,
    flags: [isPrimary ? "master" : "slave"],
    primaryId: isPrimary ? undefined : primary?.id,
    pingSent: 0,
    pongReceived: 0,
    configEpoch: member.primary + 1,
    connected: true,
    ranges: isPrimary ? [{ start: first, end: last }] : [],
    openSlots: [],
  };
}

function nodesConf(lines: readonly NodeLine[], myId: string, primaries: number): string {
  const nodes = lines.map((line) =>
    line.id === myId ? { ...line, flags: ["myself", ...line.flags] } : line,
  );
  return formatNodesConf({ nodes, currentEpoch: primaries, lastVoteEpoch: 0 });
}
