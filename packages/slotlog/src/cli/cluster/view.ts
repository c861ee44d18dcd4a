// What a cluster looks like from outside: every node asked, each with its own opinion of the
// others. It only reads.

import { lookup } from "node:dns/promises";
import { CliError, reasonOf } from "../errors.js";
import { NodeClient } from "../forming/client.js";
import { type KnownNode, parseClusterNodes, parseInfo } from "../forming/cluster-nodes.js";
import { passwordFromEnvironment } from "../environment.js";
import { type Address, addressText } from "./address.js";

/** A node that answered. */
export interface Answer {
  readonly info: ReadonlyMap<string, string>;
  readonly clusterInfo: ReadonlyMap<string, string>;
  /** All nodes, as this one sees them. */
  readonly known: readonly KnownNode[];
  /** `[7->-id]` and `[7-<-id]`, as this node prints its open slots. */
  readonly openSlots: readonly string[];
}

export interface SeenNode {
  /** As the node that was asked first sees it. */
  readonly node: KnownNode;
  readonly client: NodeClient | undefined;
  readonly answer: Answer | undefined;
  /** Why there is no answer. */
  readonly trouble: string | undefined;
}

export class ClusterView {
  readonly nodes: readonly SeenNode[];

  private constructor(nodes: readonly SeenNode[]) {
    this.nodes = nodes;
  }

  /** Asks one node for the others, and then all of them. */
  static async open(seed: Address): Promise<ClusterView> {
    const client = await connectTo(seed);
    let known: KnownNode[];
    try {
      known = parseClusterNodes(await client.call("CLUSTER", "NODES"));
    } catch (error) {
      const reason = reasonOf(error);
      if (!/cluster support disabled/.test(reason)) throw error;
      throw new CliError(`${addressText(seed)} is no node of a cluster`, {
        hint: "It runs without cluster-enabled: there is nothing to see beyond INFO.",
      });
    } finally {
      client.close();
    }
    const members = known.filter(({ flags }) => !flags.includes("handshake"));
    return new ClusterView(await Promise.all(members.map((node) => ask(node, seed))));
  }

  get primaries(): readonly SeenNode[] {
    return this.nodes.filter(({ node }) => node.flags.includes("master"));
  }

  replicasOf(id: string): readonly SeenNode[] {
    return this.nodes.filter(({ node }) => node.primaryId === id);
  }

  /** The node that a user means by its address or the beginning of its id. */
  find(text: string): SeenNode {
    const found = this.nodes.filter(
      ({ node }) => addressText(node) === text || (text.length >= 4 && node.id.startsWith(text)),
    );
    const [only] = found;
    if (only !== undefined && found.length === 1) return only;
    const names = this.nodes.map(({ node }) => addressText(node)).join(", ");
    throw new CliError(
      found.length > 1 ? `${text} may be several nodes` : `${text} is no node of this cluster`,
      { hint: `Its nodes are ${names}; an address or the beginning of an id names one.` },
    );
  }

  /** Those that answer; an error if one does not, for what must not be done without it. */
  demandAll(): readonly NodeClient[] {
    const silent = this.nodes.find(({ client }) => client === undefined);
    if (silent !== undefined) {
      throw new CliError(`${addressText(silent.node)} does not answer: ${silent.trouble}`, {
        hint: "Start it, or take it out: slotlog cluster remove-node.",
      });
    }
    return this.nodes.flatMap(({ client }) => client ?? []);
  }

  close(): void {
    for (const { client } of this.nodes) client?.close();
  }
}

export async function connectTo({ host, port }: Address): Promise<NodeClient> {
  try {
    const { address } = await lookup(host);
    return await NodeClient.connect({ host: address, port, password: passwordFromEnvironment() });
  } catch (error) {
    throw new CliError(`${addressText({ host, port })} does not answer: ${reasonOf(error)}`);
  }
}

/** A node that does not know its own address yet is where it was asked. */
async function ask(node: KnownNode, seed: Address): Promise<SeenNode> {
  const isSelf = node.flags.includes("myself");
  const address = isSelf || node.host === "" ? seed : { host: node.host, port: node.port };
  const placed = { ...node, host: address.host, port: address.port };
  let client: NodeClient | undefined;
  try {
    client = await connectTo(address);
    const text = await client.call("CLUSTER", "NODES");
    const answer = {
      info: parseInfo(await client.call("INFO", "everything")),
      clusterInfo: parseInfo(await client.call("CLUSTER", "INFO")),
      known: parseClusterNodes(text),
      openSlots: text.match(/\[\d+-[<>]-[0-9a-f]+\]/g) ?? [],
    };
    const self = answer.known.find(({ flags }) => flags.includes("myself"));
    if (self?.id !== node.id) {
      client.close();
      const trouble = "another node than the cluster knows answers at this address";
      return { node: placed, client: undefined, answer: undefined, trouble };
    }
    return { node: placed, client, answer, trouble: undefined };
  } catch (error) {
    client?.close();
    return { node: placed, client: undefined, answer: undefined, trouble: reasonOf(error) };
  }
}
