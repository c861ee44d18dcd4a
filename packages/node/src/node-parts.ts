/** How the parts of a node are made out of it: one function for each that needs many threads. */
import { AccessControl } from "./acl/access-control.js";
import { clientLine } from "./commands/connection/client/line.js";
import { Shutdown } from "./dispatch/shutdown.js";
import { BlockedClients } from "./dispatch/blocked.js";
import { LateReplies } from "./dispatch/late-replies.js";
import { internalClient, StreamApplier } from "./dispatch/stream-applier.js";
import type { Client } from "./net/client.js";
import { Listeners } from "./net/listeners.js";
import type { Socket } from "./ports.js";
import type { Node } from "./node.js";
import type { AccessClock } from "./store/access.js";
import { DatabaseSet } from "./store/database-set.js";
import { KeyHasher } from "./store/key-hash.js";
import { MemoryTally } from "./store/memory-tally.js";
import type { FastRandom } from "./store/random.js";
import { CollectionEnvironment } from "./store/types/environment.js";
import { Tracking } from "./tracking/tracking.js";

export function makeDatabases(node: Node, random: FastRandom, access: AccessClock): DatabaseSet {
  const { config, ports } = node;
  // Cluster mode knows one database, with a table for each slot.
  const perSlot = config.clusterEnabled;
  return new DatabaseSet(perSlot ? 1 : config.databases, {
    hooks: node.hooks,
    hasher: new KeyHasher(ports.random.uint32()),
    access,
    random,
    tally: new MemoryTally(),
    collections: new CollectionEnvironment({
      limits: config,
      seed: ports.random.uint32(),
      random,
    }),
    perSlot,
  });
}

export function makeAccessControl(node: Node): AccessControl {
  const { clock } = node.ports;
  return new AccessControl({
    config: node.config,
    registry: node.registry,
    now: () => clock.now(),
    clients: () => node.clients.all(),
    disconnect: (client) => disconnect(node, client),
    describeClient: (client) => clientLine(client, clock.now()),
  });
}

/** The client that runs a command now still gets its reply. */
function disconnect(node: Node, client: Client): void {
  if (client === node.dispatcher.running) client.link.closeAfterReplies();
  else client.link.closeNow("its user may do less than before");
}

export function makeTracking(node: Node, onDelivery: (client: Client) => void): Tracking {
  return new Tracking({
    hasher: new KeyHasher(node.ports.random.uint32()),
    client: (id) => node.clients.get(id),
    running: () => node.dispatcher.running,
    keysMax: () => node.config.trackingTableMaxKeys,
    scheduleTurn: () => node.turn.schedule(),
    onDelivery,
  });
}

export function makeShutdown(node: Node): Shutdown {
  return new Shutdown({
    clock: node.ports.clock,
    log: node.ports.log,
    pause: node.pause,
    timeoutSeconds: () => node.config.shutdownTimeout,
    lateReplicas: () => {
      const { history, replicas } = node.replication;
      return node.role.isReplica ? 0 : replicas.count - replicas.countAcknowledged(history.offset);
    },
    requestAcks: () => node.replication.replicas.requestAcks(),
    end: (asked) => node.shutdown(asked),
  });
}

export function makeListeners(node: Node, accept: (socket: Socket) => void): Listeners {
  return new Listeners({
    net: node.ports.net,
    log: node.ports.log,
    config: node.config,
    clientCount: () => node.clients.count,
    defaultUserIsOpen: () => node.acl.defaultUserHasNoPassword,
    onRejected: () => {
      node.stats.rejectedConnections += 1;
    },
    accept,
  });
}

export function makeBlocked(node: Node): BlockedClients {
  return new BlockedClients({
    clock: node.ports.clock,
    dispatcher: node.dispatcher,
    stats: node.stats,
    scheduleTurn: () => node.turn.schedule(),
  });
}

export function makeLateReplies(node: Node): LateReplies {
  return new LateReplies({ stats: node.stats, scheduleTurn: () => node.turn.schedule() });
}

export function makeApplier(node: Node, loader: Client): StreamApplier {
  return new StreamApplier({
    dispatcher: node.dispatcher,
    registry: node.registry,
    databases: node.databases,
    reply: node.reply,
    stream: node.stream,
    loader,
    primary: internalClient("primary", node),
  });
}

/** A client talks HTTP: its connection is closed, and the log says why. */
export function hangUp(node: Node, client: Client): void {
  node.ports.log.warning(
    "Possible SECURITY ATTACK detected. It looks like somebody is sending POST or Host: commands " +
      "to Redis. This is likely due to an attacker attempting to use Cross Protocol Scripting " +
      `to compromise your Redis instance. Connection from ${client.link.remoteAddress} aborted.`,
  );
  client.link.closeNow("cross protocol scripting");
}
