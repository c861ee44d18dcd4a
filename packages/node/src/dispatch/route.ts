/**
 * Routing by slot: may this node run the command, or where must the client go? The hot path (one
 * range of keys, all in a slot that is served here) allocates nothing.
 */
import { replyErrors } from "@slotlog/resp";
import { keyPositions } from "../commands/key-positions.js";
import type { Command } from "../commands/registry.js";
import type { Client } from "../net/client.js";
import { Flag } from "../commands/registry.js";
import type { ClusterGate, NodeServices } from "./services.js";

/** The error text of a redirect or refusal, or `undefined` if the command may run here. */
export function route(
  node: NodeServices,
  client: Client,
  command: Command,
  argv: readonly string[],
): string | undefined {
  const { cluster } = node;
  if (cluster === undefined) return undefined;
  if (command.runsQueue)
    return client.inTransaction ? routeQueue(node, cluster, client) : undefined;
  if (command.movable || command.keySpecs.length > 1) {
    return routeSlowly(node, cluster, client, command, argv);
  }
  const first = command.firstKey;
  if (first === 0) return undefined;
  const database = client.database;
  const slot = database.slotOf(argv[first] as string);
  if (command.lastKey !== first) {
    const last = command.lastKey < 0 ? argv.length + command.lastKey : command.lastKey;
    for (let i = first + command.keyStep; i <= last; i += command.keyStep) {
      if (database.slotOf(argv[i] as string) !== slot) return replyErrors.crossSlot;
    }
  }
  if (isServed(node, cluster, slot, command.flags)) return undefined;
  return routeSlowly(node, cluster, client, command, argv);
}

/** Without another question: while the write lease is held, it costs one comparison. */
function isServed(
  { dispatcher }: NodeServices,
  cluster: ClusterGate,
  slot: number,
  flags: number,
): boolean {
  if (!cluster.serving || cluster.route[slot] !== 0) return false;
  return dispatcher.batchBeganAt < cluster.writesUntil || (flags & Flag.write) === 0;
}

/** The keys of a command, in the order of its words. */
export function namedKeys(command: Command, argv: readonly string[]): readonly string[] {
  return keyPositions(command, argv)?.map(({ index }) => argv[index] ?? "") ?? [];
}

/** The keys of all commands of a transaction. */
export function queuedKeys({ queue }: Client): readonly string[] {
  return queue.flatMap(({ argv, command }) => namedKeys(command, argv));
}

/** EXEC: the slot may have gone since its commands were queued. */
function routeQueue(node: NodeServices, cluster: ClusterGate, client: Client): string | undefined {
  const keys = queuedKeys(client);
  const [firstKey] = keys;
  if (firstKey === undefined) return undefined;
  const { database } = client;
  const slot = database.slotOf(firstKey);
  if (keys.some((key) => database.slotOf(key) !== slot)) return replyErrors.crossSlot;
  if (isServed(node, cluster, slot, client.queuedFlags)) return undefined;
  return cluster.decide({
    slot,
    client,
    movesKeys: false,
    asksItself: false,
    readOnly: (client.queuedFlags & Flag.write) === 0,
    shardChannel: false,
    keyCount: keys.length,
    missingKeys: countMissing(database, keys),
  });
}

function countMissing(database: Client["database"], keys: readonly string[]): number {
  return keys.reduce((count, key) => count + (database.peek(key) === undefined ? 1 : 0), 0);
}

function routeSlowly(
  node: NodeServices,
  cluster: ClusterGate,
  client: Client,
  command: Command,
  argv: readonly string[],
): string | undefined {
  const shardChannel = command.has(Flag.pubsub) && command.keySpecs.length > 0;
  const keys = shardChannel
    ? argv.slice(1, command.lastKey < 0 ? undefined : command.lastKey + 1)
    : namedKeys(command, argv);
  const [firstKey] = keys;
  if (firstKey === undefined) return undefined;
  const { database } = client;
  const slot = database.slotOf(firstKey);
  if (keys.some((key) => database.slotOf(key) !== slot)) return replyErrors.crossSlot;
  if (isServed(node, cluster, slot, command.flags)) return undefined;
  const missingKeys = shardChannel ? 0 : countMissing(database, keys);
  return cluster.decide({
    slot,
    client,
    movesKeys: command.spec.movesKeys === true,
    asksItself: command.has(Flag.asking),
    readOnly: !command.has(Flag.write),
    shardChannel,
    keyCount: keys.length,
    missingKeys,
  });
}
