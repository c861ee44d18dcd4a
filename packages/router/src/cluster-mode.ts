/**
 * The router as one more node of the cluster, for clients that know clusters but cannot reach the
 * nodes at the addresses that these give themselves: it tells each client the addresses that are
 * right for it, in CLUSTER SLOTS, SHARDS and NODES and in MOVED, and serves no slot itself.
 */
import { type Argument, type ReplyWriter, replyText } from "@slotlog/resp";
import type { AddressRules, NodeAddress } from "./address-rules.js";
import type { ClusterView, ShardNode } from "./cluster.js";
import { bulkOf, integerReply, valueOf } from "./merge.js";
import { errorReply, isError, type Renderer } from "./render.js";
import type { Session } from "./session.js";
import { slotOf } from "./slots.js";

export interface ClusterModeOptions {
  readonly rules: AddressRules;
  readonly cluster: ClusterView;
  readonly renderer: Renderer;
  /** What some node says, with the addresses that it uses itself. */
  ask(session: Session, words: readonly string[], then: (reply: Buffer) => void): void;
}

export class ClusterMode {
  readonly #options: ClusterModeOptions;

  constructor(options: ClusterModeOptions) {
    this.#options = options;
  }

  /** The reply to a command on keys of that slot. */
  moved(session: Session, slot: number): Buffer {
    const node = this.#options.cluster.primaryOf(slot);
    if (node === undefined) return errorReply("CLUSTERDOWN Hash slot not served");
    const { host, port } = this.#told(session, node);
    return errorReply(`MOVED ${slot} ${host}:${port}`);
  }

  /** CLUSTER and its subcommands. */
  cluster(session: Session, argv: readonly Argument[], then: (reply: Buffer) => void): void {
    const words = argv.map(String);
    switch (words[1]?.toLowerCase()) {
      case "slots":
        then(this.#slots(session));
        return;
      case "shards":
        then(this.#shards(session));
        return;
      case "keyslot":
        then(integerReply(slotOf(argv[2] ?? "")));
        return;
      case "nodes":
        this.#options.ask(session, ["CLUSTER", "NODES"], (reply) => {
          then(isError(reply) ? reply : this.#nodes(session, replyText(valueOf(reply)) ?? ""));
        });
        return;
      case "info":
      case "help":
      case "links":
        this.#options.ask(session, words, then);
        return;
      default:
        then(
          errorReply(
            `ERR slotlog router: CLUSTER ${(words[1] ?? "").toUpperCase()} is for a node itself; ` +
              "here are SLOTS, SHARDS, NODES, INFO, LINKS and KEYSLOT",
          ),
        );
    }
  }

  #told(session: Session, node: NodeAddress): NodeAddress {
    return this.#options.rules.addressFor(session.socket.remoteAddress, node);
  }

  #slots(session: Session): Buffer {
    const { cluster, renderer } = this.#options;
    const node = (writer: ReplyWriter, each: ShardNode): void => {
      const { host, port } = this.#told(session, each);
      writer.array(4);
      writer.bulk(host);
      writer.integer(port);
      writer.bulk(each.id);
      writer.array(0);
    };
    return renderer.render(session.protocol, (writer) => {
      writer.array(cluster.ranges.length);
      for (const { first, last, primary, replicas } of cluster.ranges) {
        writer.array(3 + replicas.length);
        writer.integer(first);
        writer.integer(last);
        node(writer, primary);
        for (const replica of replicas) node(writer, replica);
      }
    });
  }

  #shards(session: Session): Buffer {
    const { cluster, renderer } = this.#options;
    const shards = new Map<string, { slots: number[]; nodes: readonly ShardNode[] }>();
    for (const { first, last, primary, replicas } of cluster.ranges) {
      const shard = shards.get(primary.id) ?? { slots: [], nodes: [primary, ...replicas] };
      shard.slots.push(first, last);
      shards.set(primary.id, shard);
    }
    return renderer.render(session.protocol, (writer) => {
      writer.array(shards.size);
      for (const { slots, nodes } of shards.values()) {
        writer.map(2);
        writer.bulk("slots");
        writer.array(slots.length);
        for (const slot of slots) writer.integer(slot);
        writer.bulk("nodes");
        writer.array(nodes.length);
        for (const [at, each] of nodes.entries()) this.#shardNode(session, writer, each, at === 0);
      }
    });
  }

  #shardNode(session: Session, writer: ReplyWriter, node: ShardNode, isPrimary: boolean): void {
    const { host, port } = this.#told(session, node);
    const texts = [
      ["id", node.id],
      ["ip", host],
      ["endpoint", host],
      ["role", isPrimary ? "master" : "replica"],
      ["health", "online"],
    ] as const;
    writer.map(texts.length + 2);
    for (const [name, value] of texts) {
      writer.bulk(name);
      writer.bulk(value);
    }
    writer.bulk("port");
    writer.integer(port);
    writer.bulk("replication-offset");
    writer.integer(0);
  }

  /** `id host:port@bus[,hostname] …`: the client's addresses, and no other name of the node. */
  #nodes(session: Session, text: string): Buffer {
    const lines = text.split("\n").map((line) =>
      line.replace(
        /^(\w+) (\S*):(\d+)@(\d+)\S* (?:myself,)?/,
        (_, id: string, host: string, port: string, bus: string) => {
          const told = this.#told(session, { host, port: Number(port) });
          return `${id} ${told.host}:${told.port}@${bus} `;
        },
      ),
    );
    const told = lines.join("\n");
    return session.protocol === 3
      ? Buffer.from(`=${told.length + 4}\r\ntxt:${told}\r\n`, "latin1")
      : bulkOf(told);
  }
}
