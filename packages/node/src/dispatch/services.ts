/**
 * What commands may ask of the node that runs them. The composition root (`node.ts`) implements
 * it; a body reaches nothing else, so a command can be tested with a small stand-in.
 */
import type { Argument } from "@slotlog/resp";
import type { Command, CommandRegistry } from "../commands/registry.js";
import type { Configuration, NodeConfig } from "../config/config.js";
import type { PubSubHub } from "../pubsub/hub.js";
import type { AofWriter } from "../aof/writer.js";
import type { ClusterBridge } from "../cluster/bridge.js";
import type { LogStream } from "../log/stream.js";
import type { Client } from "../net/client.js";
import type { Snapshots } from "../dataset/snapshots.js";
import type { DatasetLoading } from "../persistence/dataset-loading.js";
import type { AppendOnly } from "../persistence/append-only.js";
import type { RdbSaver } from "../persistence/rdb-saver.js";
import type { ClientTable } from "../net/client-table.js";
import type { Ports } from "../ports.js";
import type { Replication } from "../replication/replication.js";
import type { ReplicationControl } from "../replication-control.js";
import type { InfoSource } from "../observe/info-sources.js";
import type { LatencyMonitor } from "../observe/latency-monitor.js";
import type { Monitors } from "../observe/monitors.js";
import type { SlowLog } from "../observe/slow-log.js";
import type { ProcessInfo } from "../process-info.js";
import type { AccessControl } from "../acl/access-control.js";
import type { DatabaseSet } from "../store/database-set.js";
import type { Dispatcher } from "./dispatcher.js";
import type { Migrations } from "../migration/migrations.js";
import type { BlockedClients } from "./blocked.js";
import type { EventClass } from "./context.js";
import type { LateReplies } from "./late-replies.js";
import type { NodeMemory } from "../node-memory.js";
import type { ReadHolds } from "./read-holds.js";
import type { NodeStats } from "./stats.js";
import type { Shutdown } from "./shutdown.js";
import type { Tracking } from "../tracking/tracking.js";
import type { ClientPause } from "./pause.js";
import type { WatchTable } from "./watch.js";

/** What routing asks of the cluster; absent in standalone mode. */
export interface ClusterGate {
  /** Per slot: 0 if commands on it are served here without another question. */
  readonly route: Uint8Array;
  /** False while the cluster is down: then no slot is served without another question. */
  readonly serving: boolean;
  /**
   * Before this, by the monotonic clock, writes on those slots need no further question either; a
   * process that has slept finds it passed before anything else has run.
   */
  readonly writesUntil: number;
  /** The error text of a redirect or refusal, or `undefined` if this node serves the command. */
  decide(request: RouteRequest): string | undefined;
}

export interface RouteRequest {
  readonly slot: number;
  readonly client: Client;
  /** MIGRATE, which works on slots that are moving. */
  readonly movesKeys: boolean;
  /** RESTORE-ASKING: as if ASKING had come before it. */
  readonly asksItself: boolean;
  /** The command cannot change data. */
  readonly readOnly: boolean;
  /** It is about shard channels, not keys. */
  readonly shardChannel: boolean;
  readonly keyCount: number;
  /** How many of the keys do not exist here. */
  readonly missingKeys: number;
}

/** What persistence tells the guards and `INFO`. */
export interface PersistenceHealth {
  /** Undefined without an AOF. */
  readonly writer: AofWriter | undefined;
  readonly appendOnly: AppendOnly;
  readonly rdb: RdbSaver;
  readonly snapshots: Snapshots;
  readonly loading: DatasetLoading;
  /** SAVE; the text of the error reply if it failed. */
  save(): string | undefined;
  /** BGSAVE: the reply with its type in front. */
  backgroundSave(options: { readonly schedule: boolean; readonly inTransaction: boolean }): string;
  /** BGREWRITEAOF: the reply with its type in front. */
  backgroundRewrite(inTransaction: boolean): string;
  /** Why writes must be refused, or `undefined`. */
  readonly misconfiguration: string | undefined;
}

/** How this node stands in replication. */
export interface ReplicationRole {
  readonly isReplica: boolean;
  /** False while a replica has no working link to its primary. */
  readonly linkUp: boolean;
  /** Replicas whose lag is within `min-replicas-max-lag`. */
  readonly goodReplicas: number;
}

export interface ShutdownOptions {
  /** Whether to save an RDB; by default if save points are configured. */
  readonly save: "yes" | "no" | "default";
  /** Shut down even if the save fails. */
  readonly force: boolean;
}

export interface StopOptions {
  /** As Redis on SIGTERM ("default"), not at all, or if something changed since the last save. */
  readonly save?: "no" | "default" | "if-changed";
}

/** What DEBUG RELOAD does. */
export interface ReloadOptions {
  readonly save: boolean;
  /** The present data go; else those of the file are added to them. */
  readonly flush: boolean;
  /** Keys that are there already are replaced; else they are an error. */
  readonly merge: boolean;
}

/** What DEBUG turns off, for tests. */
export interface DebugSwitches {
  activeExpire: boolean;
  cronPaused: boolean;
}

export interface NodeServices {
  readonly ports: Ports;
  readonly config: NodeConfig;
  readonly registry: CommandRegistry;
  readonly dispatcher: Dispatcher;
  readonly clients: ClientTable;
  readonly databases: DatabaseSet;
  readonly stream: LogStream;
  readonly stats: NodeStats;
  readonly watches: WatchTable;
  readonly blocked: BlockedClients;
  readonly cluster: ClusterBridge | undefined;
  readonly persistence: PersistenceHealth;
  readonly replication: Replication;
  /** WAIT, FAILOVER, and what else of replication concerns clients. */
  readonly replicationControl: ReplicationControl;
  readonly role: ReplicationRole;
  /** MIGRATE: keys on their way to another node. */
  readonly migrations: Migrations;
  /** Replies that come outside of their command. */
  readonly late: LateReplies;
  /** The end of this turn will come: the log has grown, or a reply was written. */
  scheduleTurn(): void;
  /** True while the data set is being loaded. */
  readonly loading: boolean;
  readonly memory: NodeMemory;
  /** Evicts keys until memory is within `maxmemory`; false if that cannot be done. */
  makeRoom(): boolean;
  readonly configuration: Configuration;
  readonly process: ProcessInfo;
  readonly acl: AccessControl;
  readonly startedAt: number;
  readonly runId: string;
  /** The port that clients reach, also where 0 was configured. */
  readonly port: number;
  /** Stops the node; the process ends when it resolved. */
  stop(options?: StopOptions): Promise<void>;
  /** SHUTDOWN: saves as asked, stops, and ends the process; or the text of the error reply. */
  shutdown(options: ShutdownOptions): string | undefined;
  readonly shutdowns: Shutdown;

  readonly info: InfoSource;
  readonly slowLog: SlowLog;
  readonly latency: LatencyMonitor;
  readonly monitors: Monitors;
  readonly tracking: Tracking;
  readonly pause: ClientPause;
  readonly switches: DebugSwitches;
  /** Lookups do not count as uses now: CLIENT NO-TOUCH of the client whose command runs. */
  readonly hooks: { noTouch: boolean; readonly replicaWrites: { readonly size: number } };
  /** Listens where `port` and `bind` say now; false, with `restore` called, if it cannot. */
  rebind(restore: () => void): Promise<boolean>;
  /** CONFIG RESETSTAT. */
  resetStatistics(): void;
  /** DEBUG RELOAD: saves and loads again; the text of the error reply if that failed. */
  reloadDataset(options: ReloadOptions): string | undefined;
  /** DEBUG LOADAOF: the data set as the AOF has it; others are told LOADING meanwhile. */
  reloadAppendOnly(): Promise<string | undefined>;

  /**
   * True while even a reply that changed nothing may have to wait, because it could show what a
   * power loss can take back (`appendfsync always`).
   */
  readonly readsWait: boolean;
  /** How far it then has to wait. */
  readonly holds: ReadHolds;
  /** A command that ran longer than this is told to `onSlowCommand`. */
  readonly slowCommandMs: number;
  onSlowCommand(client: Client, command: Command, argv: readonly string[], elapsedMs: number): void;

  /** A client talks HTTP: its connection is closed without an answer. */
  onSuspectedAttack(client: Client): void;
  /** Appends a record to the log stream. */
  propagate(database: number, argv: readonly Argument[]): void;
  readonly pubsub: PubSubHub;
  /** Sends a message to subscribers on other nodes: over the bus, or down to replicas. */
  publishElsewhere(message: {
    readonly sharded: boolean;
    readonly channel: string;
    readonly message: string;
  }): void;
  notifyKeyspaceEvent(eventClass: EventClass, event: string, key: string, database: number): void;
}
