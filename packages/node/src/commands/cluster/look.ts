/** Subcommands of CLUSTER that only look. */
import type { Shard, ShardNode, SlotsNode } from "@slotlog/cluster-bus";
import type { ReplyWriter } from "@slotlog/resp";
import type { NodeAddress } from "../../cluster/address-map.js";
import type { CommandContext } from "../../dispatch/context.js";
import { fail } from "../errors.js";
import type { CommandSpec } from "../spec.js";
import { helpLines } from "./help.js";
import {
  busOf,
  integerArgument,
  look,
  lookEvenLoading,
  runOnBus,
  slotCount,
  subcommand,
  varies,
} from "./subcommand.js";

/** What this client is told of a node in place of its announced address, if anything. */
type Translate = (id: string) => NodeAddress | undefined;

function translator(context: CommandContext): Translate {
  const { client, node } = context;
  const { core } = busOf(context);
  const map = node.cluster?.addressMap;
  return (id) => {
    const known = core.node(id);
    return known && map?.addressFor(client.link.localAddress, known);
  };
}

/** Lines of CLUSTER NODES: `id ip:port@busport,hostname ...`. */
function translated(lines: string, translate: Translate): string {
  return lines.replace(/^([0-9a-f]{40}) [^ @]*@/gm, (line, id: string) => {
    const address = translate(id);
    return address === undefined ? line : `${id} ${address.host}:${address.port}@`;
  });
}

function forThisClient(slotsNode: SlotsNode, translate: Translate): SlotsNode {
  const address = translate(slotsNode.id);
  if (address === undefined) return slotsNode;
  // The addresses that it has among nodes would lead this client nowhere.
  return { id: slotsNode.id, endpoint: address.host, port: address.port, metadata: [] };
}

function writeSlotsNode(reply: ReplyWriter, { endpoint, port, id, metadata }: SlotsNode): void {
  reply.array(4);
  if (endpoint === null) reply.nil();
  else reply.bulk(endpoint);
  reply.integer(port);
  reply.bulk(id);
  reply.map(metadata.length);
  for (const [name, value] of metadata) {
    reply.bulk(name);
    reply.bulk(value);
  }
}

function slots(context: CommandContext): void {
  const { reply } = context;
  const entries = busOf(context).core.slotsView();
  const translate = translator(context);
  reply.array(entries.length);
  for (const { start, end, nodes } of entries) {
    reply.array(2 + nodes.length);
    reply.integer(start);
    reply.integer(end);
    for (const node of nodes) writeSlotsNode(reply, forThisClient(node, translate));
  }
}

/** The fields of a node in CLUSTER SHARDS; those that are not set are left out. */
function shardFields(
  node: ShardNode,
  translate: Translate,
): readonly (readonly [string, string | number])[] {
  const fields: (readonly [string, string | number])[] = [["id", node.id]];
  const address = translate(node.id);
  const port = address?.port ?? node.port;
  if (port !== 0) fields.push(["port", port]);
  if (node.tlsPort !== 0) fields.push(["tls-port", node.tlsPort]);
  fields.push(["ip", address?.host ?? node.ip], ["endpoint", address?.host ?? node.endpoint]);
  if (node.hostname !== "") fields.push(["hostname", node.hostname]);
  fields.push(
    ["role", node.role],
    ["replication-offset", node.replicationOffset],
    ["health", node.health],
  );
  return fields;
}

function writeShard(reply: ReplyWriter, { ranges, nodes }: Shard, translate: Translate): void {
  reply.map(2);
  reply.bulk("slots");
  reply.array(ranges.length * 2);
  for (const { start, end } of ranges) {
    reply.integer(start);
    reply.integer(end);
  }
  reply.bulk("nodes");
  reply.array(nodes.length);
  for (const node of nodes) {
    const fields = shardFields(node, translate);
    reply.map(fields.length);
    for (const [name, value] of fields) {
      reply.bulk(name);
      if (typeof value === "number") reply.integer(value);
      else reply.bulk(value);
    }
  }
}

function shards(context: CommandContext): void {
  const { reply } = context;
  const view = busOf(context).core.shardsView();
  reply.array(view.length);
  const translate = translator(context);
  for (const shard of view) writeShard(reply, shard, translate);
}

function links(context: CommandContext): void {
  const { reply } = context;
  const reports = busOf(context).linkReports();
  reply.array(reports.length);
  for (const link of reports) {
    reply.map(6);
    reply.bulk("direction");
    reply.bulk(link.direction);
    reply.bulk("node");
    reply.bulk(link.node);
    reply.bulk("create-time");
    reply.integer(link.createdAt);
    reply.bulk("events");
    reply.bulk(link.events);
    reply.bulk("send-buffer-allocated");
    reply.integer(link.sendBufferAllocated);
    reply.bulk("send-buffer-used");
    reply.integer(link.sendBufferUsed);
  }
}

function replicas(context: CommandContext, argv: readonly string[]): void {
  const { reply } = context;
  const found = busOf(context).core.replicasOf(argv[2] as string);
  if ("error" in found) fail(found.error);
  reply.array(found.lines.length);
  const translate = translator(context);
  for (const line of found.lines) reply.bulk(translated(line, translate));
}

function countKeysInSlot(context: CommandContext, argv: readonly string[]): void {
  const slot = integerArgument(argv[2] as string);
  if (slot < 0 || slot >= slotCount) fail("ERR Invalid slot");
  context.reply.integer(context.node.databases.first.slotSize(slot));
}

function getKeysInSlot(context: CommandContext, argv: readonly string[]): void {
  const slot = integerArgument(argv[2] as string);
  const count = integerArgument(argv[3] as string);
  if (slot < 0 || slot >= slotCount || count < 0) fail("ERR Invalid slot or number of keys");
  const keys = context.node.databases.first.keysInSlot(slot, count);
  context.reply.array(keys.length);
  for (const key of keys) context.reply.bulk(key);
}

const node = "node-id:string";

export const looks: readonly CommandSpec[] = [
  subcommand({
    name: "count-failure-reports",
    arity: 3,
    flags: ["admin", "stale"],
    tips: varies,
    summary: "How many nodes have reported a node as failing to this node.",
    complexity: "O(N), N being the number of reports",
    syntax: node,
    run: (context, argv) => {
      runOnBus(context, { kind: "count-failure-reports", node: argv[2] as string });
    },
  }),
  subcommand({
    name: "countkeysinslot",
    arity: 3,
    flags: look,
    summary: "How many keys of a slot are on this node.",
    syntax: "slot:integer",
    run: countKeysInSlot,
  }),
  subcommand({
    name: "getkeysinslot",
    arity: 4,
    flags: look,
    tips: varies,
    summary: "Keys of a slot that are on this node.",
    complexity: "O(N), N being the number of keys asked for",
    syntax: "slot:integer count:integer",
    run: getKeysInSlot,
  }),
  subcommand({
    name: "help",
    arity: 2,
    flags: lookEvenLoading,
    since: "5.0.0",
    summary: "Lists the subcommands.",
    run: ({ reply }) => {
      reply.array(helpLines.length);
      for (const line of helpLines) reply.simple(line);
    },
  }),
  subcommand({
    name: "info",
    arity: 2,
    flags: look,
    tips: varies,
    summary: "The state of the cluster as this node sees it.",
    run: (context) => context.reply.verbatim("txt", busOf(context).core.infoText()),
  }),
  subcommand({
    name: "keyslot",
    arity: 3,
    flags: look,
    summary: "The slot of a key.",
    complexity: "O(N), N being the length of the key",
    syntax: "key:string",
    run: ({ db, reply }, argv) => reply.integer(db.slotOf(argv[2] as string)),
  }),
  subcommand({
    name: "links",
    arity: 2,
    flags: look,
    tips: varies,
    since: "7.0.0",
    summary: "All connections of the bus between this node and others.",
    complexity: "O(N), N being the number of nodes",
    run: links,
  }),
  subcommand({
    name: "myid",
    arity: 2,
    flags: look,
    summary: "The id of this node.",
    run: (context) => context.reply.bulk(busOf(context).core.myId),
  }),
  subcommand({
    name: "myshardid",
    arity: 2,
    flags: look,
    tips: varies,
    since: "7.2.0",
    summary: "The id of this node's shard.",
    run: (context) => context.reply.bulk(busOf(context).core.myShardId),
  }),
  subcommand({
    name: "nodes",
    arity: 2,
    flags: look,
    tips: varies,
    summary: "The nodes as this node sees them, in the form of nodes.conf.",
    complexity: "O(N), N being the number of nodes",
    run: (context) => {
      const text = busOf(context).core.nodesText();
      context.reply.verbatim("txt", translated(text, translator(context)));
    },
  }),
  subcommand({
    name: "replicas",
    arity: 3,
    flags: ["admin", "stale"],
    tips: varies,
    since: "5.0.0",
    summary: "The replicas of a primary.",
    complexity: "O(N), N being the number of replicas",
    syntax: node,
    run: replicas,
  }),
  subcommand({
    name: "shards",
    arity: 2,
    flags: lookEvenLoading,
    tips: varies,
    since: "7.0.0",
    summary: "Which shard serves which slots, and its nodes.",
    complexity: "O(N), N being the number of nodes",
    run: shards,
  }),
  subcommand({
    name: "slaves",
    arity: 3,
    flags: ["admin", "stale"],
    tips: varies,
    summary: "CLUSTER REPLICAS under its old name.",
    complexity: "O(N), N being the number of replicas",
    syntax: node,
    deprecatedSince: "5.0.0",
    replacedBy: "`CLUSTER REPLICAS`",
    run: replicas,
  }),
  subcommand({
    name: "slots",
    arity: 2,
    flags: lookEvenLoading,
    tips: varies,
    summary: "Which nodes serve which slots.",
    complexity: "O(N), N being the number of nodes",
    deprecatedSince: "7.0.0",
    replacedBy: "`CLUSTER SHARDS`",
    history: [
      ["4.0.0", "Added node IDs."],
      ["7.0.0", "Added additional networking metadata field."],
    ],
    run: slots,
  }),
];
