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
  if (command.movable || command.keySpecs.length > 1) {
    return routeSlowly(cluster, client, command, argv);
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
  if (cluster.serving && cluster.route[slot] === 0) return undefined;
  return routeSlowly(cluster, client, command, argv);
}

function routeSlowly(
  cluster: ClusterGate,
  client: Client,
  command: Command,
  argv: readonly string[],
): string | undefined {
  const shardChannel = command.has(Flag.pubsub) && command.keySpecs.length > 0;
  const keys = shardChannel
    ? argv.slice(1, command.lastKey < 0 ? undefined : command.lastKey + 1)
    : (keyPositions(command, argv)?.map(({ index }) => argv[index] ?? "") ?? []);
  const [firstKey] = keys;
  if (firstKey === undefined) return undefined;
  const { database } = client;
  const slot = database.slotOf(firstKey);
  if (keys.some((key) => database.slotOf(key) !== slot)) return replyErrors.crossSlot;
  if (cluster.serving && cluster.route[slot] === 0) return undefined;
  const missingKeys = shardChannel
    ? 0
    : keys.reduce((count, key) => count + (database.peek(key) === undefined ? 1 : 0), 0);
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
