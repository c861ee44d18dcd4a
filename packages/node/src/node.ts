/**
 * The composition root of one node: makes its parts, binds them to the ports, starts and stops
 * them in order. It decides nothing that a part can decide.
 */
import { type Argument, NameCache, ReplyWriter } from "@slotlog/resp";
import { loadUsers } from "./acl/startup.js";
import { families } from "./commands/index.js";
import type { AccessControl } from "./acl/access-control.js";
import { KeyspaceHooks } from "./keyspace-hooks.js";
import {
  makePersistence,
  makeReplication,
  makeReplicationControl,
  makeTurn,
  type NodeThreads,
} from "./node-wiring.js";
import { Cron } from "./cron.js";
import {
  makeAccessControl,
  makeDatabases,
  makeListeners,
  makeShutdown,
  makeTracking,
  hangUp,
  makeApplier,
  makeBlocked,
  makeLateReplies,
} from "./node-parts.js";
import { applyDirectives } from "./config/apply-directives.js";
import { type Command, CommandRegistry, Flag } from "./commands/registry.js";
import type { ClusterBridge } from "./cluster/bridge.js";
import { joinCluster } from "./cluster/membership.js";
import { pathIn, textOfBytes } from "./config/byte-string.js";
import type { Configuration, NodeConfig } from "./config/config.js";
import { BlockedClients } from "./dispatch/blocked.js";
import type { EventClass } from "./dispatch/context.js";
import { Dispatcher } from "./dispatch/dispatcher.js";
import { LateReplies } from "./dispatch/late-replies.js";
import type {
  DebugSwitches,
  NodeServices,
  ReloadOptions,
  ReplicationRole,
  ShutdownOptions,
  StopOptions,
} from "./dispatch/services.js";
import { ReadHolds } from "./dispatch/read-holds.js";
import { internalClient, StreamApplier } from "./dispatch/stream-applier.js";
import type { Shutdown } from "./dispatch/shutdown.js";
import { ClientPause } from "./dispatch/pause.js";
import { NodeStats } from "./dispatch/stats.js";
import { Turn } from "./dispatch/turn.js";
import { WatchTable } from "./dispatch/watch.js";
import { LogStream } from "./log/stream.js";
import type { Client } from "./net/client.js";
import { ClientTable } from "./net/client-table.js";
import { ConnectionServices } from "./net/connection-services.js";
import type { Listeners } from "./net/listeners.js";
import { OutputGate } from "./net/output-gate.js";
import { LatencyMonitor } from "./observe/latency-monitor.js";
import { Monitors } from "./observe/monitors.js";
import { NodeInfo } from "./observe/node-info.js";
import { NodeRates } from "./observe/node-rates.js";
import { redacted } from "./observe/redact.js";
import { SlowLog } from "./observe/slow-log.js";
import { startLines } from "./observe/start-lines.js";
import { NodeMemory } from "./node-memory.js";
import { Persistence } from "./persistence.js";
import type { DirectoryLock, Ports, Timer } from "./ports.js";
import type { ProcessInfo } from "./process-info.js";
import { Migrations } from "./migration/migrations.js";
import { ReplicationControl } from "./replication-control.js";
import type { PrimaryAddress } from "./replication/primary-link.js";
import { Replication } from "./replication/replication.js";
import { PubSubHub } from "./pubsub/hub.js";
import { publishKeyspaceEvent } from "./pubsub/notifications.js";
import { AccessClock } from "./store/access.js";
import type { Tracking } from "./tracking/tracking.js";
import type { DatabaseSet } from "./store/database-set.js";
import { FastRandom } from "./store/random.js";

export interface NodeOptions {
  readonly ports: Ports;
  readonly configuration: Configuration;
  readonly process: ProcessInfo;
  /** After SHUTDOWN, when the node has stopped: the process may end. */
  readonly onShutdown?: () => void;
}

export class Node implements NodeServices {
  readonly ports: Ports;
  readonly configuration: Configuration;
  readonly config: NodeConfig;
  readonly process: ProcessInfo;
  readonly registry: CommandRegistry;
  readonly databases: DatabaseSet;
  readonly access: AccessClock;
  readonly stream = new LogStream();
  readonly stats = new NodeStats();
  readonly watches = new WatchTable();
  readonly clients = new ClientTable();
  readonly pubsub = new PubSubHub();
  readonly reply = new ReplyWriter();
  readonly gate = new OutputGate();
  readonly slowLog = new SlowLog();
  readonly latency = new LatencyMonitor();
  readonly monitors = new Monitors();
  readonly switches: DebugSwitches = { activeExpire: true, cronPaused: false };
  readonly pause: ClientPause;
  readonly blocked: BlockedClients;
  readonly tracking: Tracking;
  readonly shutdowns: Shutdown;
  readonly info: NodeInfo;
  readonly memory: NodeMemory;
  readonly #cron: Cron;
  readonly #onShutdown: (() => void) | undefined;
  readonly names: NameCache;
  readonly acl: AccessControl;
  readonly dispatcher: Dispatcher;
  readonly turn: Turn;
  readonly listeners: Listeners;
  readonly persistence: Persistence;
  readonly replication: Replication;
  readonly replicationControl: ReplicationControl;
  readonly late: LateReplies;
  readonly migrations: Migrations;
  readonly startedAt: number;
  readonly runId: string;

  cluster: ClusterBridge | undefined;
  loading = false;
  readsWait = false;
  readonly hooks = new KeyspaceHooks(this);
  readonly holds = new ReadHolds(this.stream, () => this.config.dirtyReads);
  readonly applier: StreamApplier;
  readonly #connections: ConnectionServices;
  #lock: DirectoryLock | undefined;
  #timers: Timer[] = [];
  #stopping: Promise<void> | undefined;

  constructor(options: NodeOptions) {
    const { ports, configuration } = options;
    this.ports = ports;
    this.configuration = configuration;
    this.config = configuration.values;
    this.process = options.process;
    this.#onShutdown = options.onShutdown;
    this.startedAt = ports.clock.now();
    this.pause = new ClientPause({
      clock: ports.clock,
      runDeferred: (client, argv) => client.link.runDeferred?.(argv),
    });
    this.shutdowns = makeShutdown(this);
    this.tracking = makeTracking(this, this.#holdPush);
    const rates = new NodeRates();
    this.info = new NodeInfo(this, rates);
    this.#cron = new Cron(this, rates);
    this.runId = Buffer.from(ports.random.bytes(20)).toString("hex");
    this.registry = new CommandRegistry(families);
    for (const [from, to] of configuration.renamedCommands) this.registry.rename(from, to);
    this.names = new NameCache(this.registry.spellings());
    const random = new FastRandom(ports.random.uint32());
    this.access = new AccessClock(random);
    this.access.setNow(this.startedAt);
    this.databases = makeDatabases(this, random, this.access);
    this.memory = new NodeMemory(this);
    this.acl = makeAccessControl(this);
    const loader = internalClient("loader", this);
    this.dispatcher = new Dispatcher(this, this.reply, loader);
    this.dispatcher.now = this.startedAt;
    this.applier = makeApplier(this, loader);
    this.reply.onError = (text) => this.stats.countError(text);
    this.blocked = makeBlocked(this);
    this.late = makeLateReplies(this);
    const threads = this.#threads();
    this.turn = makeTurn(this, threads);
    this.persistence = makePersistence(this, threads);
    this.#connections = new ConnectionServices(this);
    this.listeners = makeListeners(this, (socket) => this.#connections.accept(socket));
    this.replication = makeReplication(this, threads);
    this.replicationControl = makeReplicationControl(this, threads);
    this.migrations = new Migrations(this);
    applyDirectives(this);
    this.watches.setExistence((index, key) => !this.databases.get(index)?.exists(key));
  }

  /** Loads the data and begins to serve. Throws if it cannot; then nothing is left open. */
  async start(): Promise<void> {
    const { disk, log } = this.ports;
    this.#lock = await disk.lockDirectory(textOfBytes(this.config.dir));
    await loadUsers(this.acl, this.configuration, disk);
    const { clusterEnabled, port } = this.config;
    for (const line of startLines({ clusterEnabled, port, processId: this.process.pid })) {
      log.notice(line);
    }
    this.memory.start();
    await this.listeners.listen();
    await this.listeners.listenUnix();
    log.notice("Server initialized");
    await this.#load();
    this.#cron.start();
    if (this.config.clusterEnabled) {
      this.cluster = await joinCluster(this);
      await this.cluster.start();
    }
    // Not before: until the bus knows who owns which slot, any key would be served.
    this.loading = false;
    this.replication.start();
    const { replicaof } = this.config;
    if (replicaof !== undefined) this.replication.follow(replicaof);
    this.listeners.announce();
  }

  async #load(): Promise<void> {
    this.loading = true;
    this.#startsAsReplica = await this.#isReplicaByConfig();
    const { expired, position } = await this.persistence.load();
    if (this.config.appendonly) await this.persistence.open();
    if (position !== undefined) {
      this.replication.restore(position, this.#startsAsReplica ? "replica" : "primary");
      if (!this.#startsAsReplica) {
        // Replicas that have the data set up to there go on, and hear of what was not kept.
        this.replication.openBacklog();
        this.#activateStream();
        for (const { database, key } of expired) this.propagate(database, ["DEL", key]);
        if (expired.length > 0) this.turn.schedule();
      }
    }
  }

  /** Before any role is taken: what the configuration, or the file of the cluster, says of it. */
  async #isReplicaByConfig(): Promise<boolean> {
    if (!this.config.clusterEnabled) return this.config.replicaof !== undefined;
    const file = pathIn(this.config.dir, this.config.clusterConfigFile);
    const text = await this.ports.disk.readFile(file);
    return text !== undefined && /\bmyself,slave\b/.test(text.toString("latin1"));
  }
  #startsAsReplica = false;

  /** The AOF was opened or closed. */
  #onWriterChanged(): void {
    this.readsWait = this.persistence.writer !== undefined && this.config.appendfsync === "always";
    this.#activateStream();
  }

  /** Ends in order: no new clients, the log on the disk, then the connections. */
  stop(options: StopOptions = {}): Promise<void> {
    this.#stopping ??= this.#stop(options.save ?? "no");
    return this.#stopping;
  }

  async #stop(save: "no" | "default" | "if-changed"): Promise<void> {
    for (const timer of this.#timers) timer.cancel();
    this.#cron.stop();
    this.memory.stop();
    this.shutdowns.stop();
    this.pause.stop();
    this.replicationControl.stop();
    this.migrations.stop();
    await this.listeners.close();
    await this.cluster?.stop();
    this.replication.stop();
    this.#writeLog();
    // What writes in the background may have been put in the place of a save that came later.
    const mustSave = save === "default" || this.persistence.rdb.isRunning || this.stats.dirty > 0;
    await this.persistence.rdb.cancel("the node stops");
    const saves = save === "default" ? this.config.save.length > 0 : save === "if-changed";
    if (saves && mustSave) this.#saveFinally();
    try {
      await this.persistence.close();
    } finally {
      for (const client of this.clients.all()) client.link.closeAfterReplies();
      await this.#lock?.release();
    }
  }

  get port(): number {
    return this.listeners.port;
  }

  // What commands ask (`NodeServices`).

  scheduleTurn(): void {
    this.turn.schedule();
  }

  propagate(database: number, argv: readonly Argument[]): void {
    if (this.stream.active) this.stream.append(database, argv);
  }

  notifyKeyspaceEvent(eventClass: EventClass, event: string, key: string, database: number): void {
    const flags = this.config.notifyKeyspaceEvents;
    if (flags === 0) return;
    publishKeyspaceEvent(this.pubsub, flags, { eventClass, event, key, database }, this.#holdPush);
  }

  /** Under `appendfsync always` a notification waits for the change that it tells of. */
  readonly #holdPush = (client: Client): void => {
    if (this.readsWait) this.holds.holdPush(client);
  };

  publishElsewhere(message: {
    readonly sharded: boolean;
    readonly channel: string;
    readonly message: string;
  }): void {
    const { sharded, channel, message: payload } = message;
    if (this.cluster !== undefined) {
      this.cluster.bus.publish({
        sharded,
        channel: Buffer.from(channel, "latin1"),
        payload: Buffer.from(payload, "latin1"),
      });
    } else if (this.replication.history.backlog !== undefined && !this.replication.isReplica) {
      const database = this.dispatcher.running?.database.index ?? 0;
      this.stream.appendForReplicas(database, [sharded ? "SPUBLISH" : "PUBLISH", channel, payload]);
    }
  }

  makeRoom(): boolean {
    return this.memory.makeRoom();
  }

  /** The lower one of what the slow log and the latency monitor want to hear of. */
  slowCommandMs = Number.POSITIVE_INFINITY;

  onSlowCommand(
    client: Client,
    command: Command,
    argv: readonly string[],
    elapsedMs: number,
  ): void {
    const now = this.ports.clock.now();
    this.latency.add(command.has(Flag.fast) ? "fast-command" : "command", elapsedMs, now);
    if (elapsedMs < this.slowLog.thresholdMs || command.has(Flag.skipSlowlog)) return;
    this.slowLog.add({
      unixSeconds: Math.floor(now / 1000),
      microseconds: elapsedMs * 1000,
      argv: redacted(command.fullName, argv),
      clientAddress: client.link.remoteAddress,
      clientName: client.name,
    });
  }

  rebind(restore: () => void): Promise<boolean> {
    return this.listeners.rebind(restore);
  }

  resetStatistics(): void {
    this.stats.reset();
    this.memory.resetStatistics();
    this.registry.resetCounters();
    this.acl.log.resetCounters();
    for (const database of this.databases.databases) {
      database.hits = 0;
      database.misses = 0;
    }
  }

  shutdown({ force, save }: ShutdownOptions): string | undefined {
    const { log } = this.ports;
    log.notice("User requested shutdown...");
    const saves = save === "yes" || (save === "default" && this.config.save.length > 0);
    if (saves && !this.#saveFinally() && !force) {
      return "ERR Errors trying to SHUTDOWN. Check logs.";
    }
    // Behind this turn, so that what was read before is answered.
    this.ports.clock.defer(() => {
      this.stop({ save: saves ? "if-changed" : "no" }).then(
        () => this.#onShutdown?.(),
        (error: unknown) => {
          // Nobody is served any more: to stay would help nobody.
          log.warning(`What was accepted last may not be on disk: ${String(error)}`);
          this.#onShutdown?.();
        },
      );
    });
    return undefined;
  }

  #saveFinally(): boolean {
    const { log } = this.ports;
    log.notice("Saving the final RDB snapshot before exiting.");
    const saved = this.persistence.rdb.saveFinally();
    if (!saved) log.warning("Error trying to save the DB, can't exit.");
    return saved;
  }

  reloadDataset(options: ReloadOptions): string | undefined {
    const error = this.persistence.reload(options);
    this.hooks.replicaWrites.forget();
    if (error === undefined) this.breakWatches();
    return error;
  }

  async reloadAppendOnly(): Promise<string | undefined> {
    this.loading = true;
    try {
      this.#flushLog();
      await this.persistence.appendOnly.written();
      // What is loaded is in the AOF already.
      this.stream.active = false;
      this.databases.clear();
      await this.persistence.loadAppendOnly();
      return undefined;
    } catch (error) {
      this.ports.log.warning(`The AOF cannot be loaded: ${String(error)}`);
      return "ERR Error trying to load the AOF files, check server logs.";
    } finally {
      this.loading = false;
      this.stats.dirty = 0;
      this.#activateStream();
      this.breakWatches();
    }
  }

  /** All keys may have changed. */
  breakWatches(): void {
    for (const { index } of this.databases.databases) this.watches.touchDatabase(index, () => true);
  }

  onSuspectedAttack(client: Client): void {
    hangUp(this, client);
  }

  get role(): ReplicationRole {
    return this.#role;
  }

  readonly #role: ReplicationRole = replicationRole(this);

  #onRoleChanged(primary: PrimaryAddress | undefined): void {
    if (!this.config.clusterEnabled) this.configuration.assign("replicaof", primary);
    this.replicationControl.onRoleChanged(primary);
    // What they wait for will come from elsewhere, and nobody here may take it.
    if (primary !== undefined) this.blocked.disconnectAll();
    if (primary !== undefined) this.migrations.abandon();
  }

  #threads(): NodeThreads {
    return {
      writeLog: () => this.#writeLog(),
      flushLog: () => this.#flushLog(),
      startsAsReplica: () => this.#startsAsReplica,
      onWriterChanged: () => this.#onWriterChanged(),
      onRoom: () => this.#connections.resumeReading(),
      activateStream: () => this.#activateStream(),
      onRoleChanged: (primary) => this.#onRoleChanged(primary),
    };
  }

  /** Records are made while somebody reads them. */
  #activateStream(): void {
    const hadReaders = this.stream.active;
    this.stream.active =
      this.persistence.writer !== undefined || this.replication.history.backlog !== undefined;
    if (!hadReaders) this.stream.forgetDatabase();
  }

  /** Between the commands of a turn: false inside a transaction, whose records belong together. */
  #flushLog(): boolean {
    if (this.stream.unitHasRecords) return false;
    this.#writeLog();
    return true;
  }

  #writeLog(): void {
    const { stream } = this;
    this.holds.endTurn();
    const batch = stream.batch();
    // First, so that the AOF can say at which offset of the stream its batch ends.
    stream.forEachReplicaPart((part) => this.replication.append(part));
    this.persistence.write(batch);
    stream.reset();
    this.replicationControl.onLogWritten();
    this.replication.endTurn();
    if (this.cluster?.bus.core.awaitsOffset === true) this.cluster.bus.hostChanged();
  }

  restartCron(): void {
    if (this.#cron.isRunning) this.#cron.start();
  }
}

/** How the guards see the node's place in replication. */
function replicationRole(node: Node): ReplicationRole {
  return {
    get isReplica() {
      return node.replication.isReplica;
    },
    get linkUp() {
      return node.replication.primary?.isUp !== false;
    },
    get goodReplicas() {
      return node.replication.replicas.countGood(node.config.minReplicasMaxLag);
    },
  };
}
