/** How log, persistence and replication of a node are bound to each other. */
import path from "node:path";
import { textOfBytes } from "./config/byte-string.js";
import { ReplicationControl } from "./replication-control.js";
import { Turn } from "./dispatch/turn.js";
import type { Node } from "./node.js";
import { Persistence } from "./persistence.js";
import type { DatasetPosition } from "./persistence/snapshot-forms.js";
import { bindReplication, type ReplicationBindingParts } from "./replication-binding.js";
import { Salvage } from "./persistence/salvage.js";
import { Replication } from "./replication/replication.js";

/** What only the node itself can do for its parts. */
export interface NodeThreads {
  writeLog(): void;
  flushLog(): boolean;
  /** Before any role is taken: the role that the configuration gives. */
  startsAsReplica(): boolean;
  onWriterChanged(): void;
  onRoom(): void;
  activateStream(): void;
  onRoleChanged: ReplicationBindingParts["onRoleChanged"];
}

export function makeTurn(node: Node, threads: NodeThreads): Turn {
  return new Turn({
    clock: node.ports.clock,
    reply: node.reply,
    beforeLog: () => {
      node.replicationControl.endTurn();
      node.blocked.endTurn();
      node.tracking.endTurn();
    },
    writeLog: () => threads.writeLog(),
    onEnd: (elapsedMs) => node.stats.countTurn(elapsedMs),
  });
}

export function makePersistence(node: Node, threads: NodeThreads): Persistence {
  return new Persistence({
    ports: node.ports,
    config: node.config,
    databases: node.databases,
    stats: node.stats,
    stream: node.stream,
    gate: node.gate,
    processId: node.process.pid,
    execute: (argv, database) => node.applier.applyLoaded(argv, database),
    usedMemory: () => node.memory.gauge.usedBytes,
    flushLog: () => threads.flushLog(),
    position: () => position(node),
    countedPosition: () =>
      node.replication.history.backlog === undefined ? undefined : position(node),
    functionSources: () => [],
    loadFunction: (code) => tellOfFunction(node, code),
    isReplica: () => (node.loading ? threads.startsAsReplica() : node.replication.isReplica),
    inTransaction: () => node.dispatcher.isNested,
    onWriterChanged: () => threads.onWriterChanged(),
    onRoom: () => threads.onRoom(),
    onSnapshotEnd: () => node.turn.schedule(),
    onDurable: () => node.replicationControl.onDurable(),
    onSyncLatency: (elapsedMs) => {
      node.latency.add("aof-fsync-always", elapsedMs, node.ports.clock.now());
    },
  });
}

function position(node: Node): DatasetPosition {
  const { history, isReplica, streamDatabase } = node.replication;
  return {
    id: history.id,
    offset: history.offset,
    // Our own stream stands where its last record was.
    streamDatabase: isReplica ? streamDatabase : node.stream.database,
  };
}

function spoolPath({ config, process }: Node): string {
  return path.join(textOfBytes(config.dir), `temp-sync-${process.pid}.rdb`);
}

/** There is nothing here that could run it, and nothing that would write it back. */
function tellOfFunction({ ports }: Node, code: string): void {
  const name = /\bname=(\S+)/.exec(code.slice(0, code.indexOf("\n")))?.[1] ?? "without a name";
  ports.log.warning(
    `The function library ${name} of the data set is NOT kept: this server has no functions yet.`,
  );
}

function makeSalvage(node: Node, threads: NodeThreads): Salvage {
  const { appendOnly } = node.persistence;
  return new Salvage({
    ports: node.ports,
    config: node.config,
    stats: node.stats,
    directory: appendOnly.directory,
    hasAof: () => appendOnly.writer !== undefined,
    aofWritten: () => {
      threads.flushLog();
      return appendOnly.written();
    },
    history: () => node.replication.history,
    streamDatabase: () => node.replication.streamDatabase,
    holdsKeys: () => node.databases.databases.some(({ size }) => size > 0),
  });
}

export function makeReplication(node: Node, threads: NodeThreads): Replication {
  const { clock, random, net, log } = node.ports;
  const salvage = makeSalvage(node, threads);
  const host = bindReplication({
    config: node.config,
    databases: node.databases,
    snapshots: node.persistence.syncSource,
    port: () => node.port,
    spool: () => ({ disk: node.ports.disk, path: spoolPath(node) }),
    keepAside: (theirs) => salvage.keep(theirs),
    loadFunction: (code) => tellOfFunction(node, code),
    applyFromPrimary: (database, argv, decoder) => {
      node.applier.applyFromPrimary(database, argv, decoder);
    },
    scheduleTurn: () => node.turn.schedule(),
    forgetStreamDatabase: () => node.stream.forgetDatabase(),
    onDatasetReplaced: () => {
      node.tracking.flushed();
      // What the AOF holds is another history's: only a new base makes it true again.
      node.hooks.replicaWrites.forget();
      node.persistence.onDatasetReplaced();
      node.breakWatches();
    },
    onReplicasChanged: () => node.replicationControl.onReplicasChanged(),
    onRoleChanged: threads.onRoleChanged,
    onPrimaryLinkChanged: () => node.cluster?.bus.hostChanged(),
    onHistoryChanged: () => {
      threads.activateStream();
      node.replicationControl.onHistoryChanged();
    },
    durableOffset: () => node.replicationControl.durableOffset(),
  });
  return new Replication({ host, clock, random, net, log });
}

export function makeReplicationControl(node: Node, threads: NodeThreads): ReplicationControl {
  return new ReplicationControl({
    ports: node.ports,
    config: node.config,
    stats: node.stats,
    stream: node.stream,
    pause: node.pause,
    replication: node.replication,
    appendOnly: node.persistence.appendOnly,
    late: node.late,
    gate: node.gate,
    scheduleTurn: () => node.turn.schedule(),
    onRoom: () => threads.onRoom(),
  });
}
