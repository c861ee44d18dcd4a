/**
 * The composition root of one node: makes its parts, binds them to the ports, starts and stops
 * them in order. It decides nothing that a part can decide.
 */
import { type Argument, type CommandDecoder, NameCache, ReplyWriter } from "@slotlog/resp";
import { AccessControl } from "./acl/access-control.js";
import { loadUsers } from "./acl/startup.js";
import { families } from "./commands/index.js";
import { clientLine } from "./commands/connection/client/line.js";
import { keyPositions } from "./commands/key-positions.js";
import { applyDirectives } from "./config/apply-directives.js";
import { type Command, CommandRegistry, Flag } from "./commands/registry.js";
import { ClusterBridge } from "./cluster/bridge.js";
import { pathIn, textOfBytes } from "./config/byte-string.js";
import type { Configuration, NodeConfig } from "./config/config.js";
import { BlockedClients } from "./dispatch/blocked.js";
import type { EventClass } from "./dispatch/context.js";
import { Dispatcher } from "./dispatch/dispatcher.js";
import type {
  DebugSwitches,
  NodeServices,
  ReloadOptions,
  ReplicationRole,
  ShutdownOptions,
  StopOptions,
} from "./dispatch/services.js";
import { ClientPause } from "./dispatch/pause.js";
import { NodeStats } from "./dispatch/stats.js";
import { Turn } from "./dispatch/turn.js";
import { WatchTable } from "./dispatch/watch.js";
import { LogStream } from "./log/stream.js";
import { Client, type ClientLink } from "./net/client.js";
import { ClientTable } from "./net/client-table.js";
import { Connection, type ConnectionHost } from "./net/connection.js";
import { Listeners } from "./net/listeners.js";
import { OutputGate } from "./net/output-gate.js";
import { LatencyMonitor } from "./observe/latency-monitor.js";
import { Monitors } from "./observe/monitors.js";
import { NodeInfo } from "./observe/node-info.js";
import { NodeRates } from "./observe/node-rates.js";
import { redacted } from "./observe/redact.js";
import { SlowLog } from "./observe/slow-log.js";
import { startLines } from "./observe/start-lines.js";
import { Persistence } from "./persistence.js";
import type { DirectoryLock, Ports, Socket, Timer } from "./ports.js";
import type { ProcessInfo } from "./process-info.js";
import { bindReplication } from "./replication-binding.js";
import { Replication } from "./replication/replication.js";
import type { ReplicationHost } from "./replication/settings.js";
import { PubSubHub } from "./pubsub/hub.js";
import { publishKeyspaceEvent } from "./pubsub/notifications.js";
import { AccessClock } from "./store/access.js";
import type { Database, ExpiredKeys, StoreHooks } from "./store/database.js";
import { Tracking } from "./tracking/tracking.js";
import { DatabaseSet } from "./store/database-set.js";
import { KeyHasher } from "./store/key-hash.js";
import { FastRandom } from "./store/random.js";
import { CollectionEnvironment } from "./store/types/environment.js";

/** Redis' 16384 slots. */
const slotCount = 16384;
/** Share of the loop that active expiry may take per cron run: Redis' 25% of 1000/hz ms. */
const expireShare = 0.25;

export interface NodeOptions {
  readonly ports: Ports;
  readonly configuration: Configuration;
  readonly process: ProcessInfo;
  /** After SHUTDOWN, when the node has stopped: the process may end. */
  readonly onShutdown?: () => void;
}

/** Replies of commands that nobody asked for by a connection: the AOF's, the primary's. */
const nowhere: ClientLink = {
  remoteAddress: "?:0",
  localAddress: "?:0",
  queryBufferBytes: 0,
  outputBufferBytes: 0,
  outputChunks: 0,
  chunk: () => {},
  push: () => {},
  closeAfterReplies: () => {},
  closeNow: () => {},
  resume: () => {},
};

export class Node implements NodeServices, ConnectionHost, StoreHooks {
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
  readonly info: NodeInfo;
  readonly #rates = new NodeRates();
  readonly #onShutdown: (() => void) | undefined;
  readonly names: NameCache;
  readonly acl: AccessControl;
  readonly dispatcher: Dispatcher;
  readonly turn: Turn;
  readonly listeners: Listeners;
  readonly persistence: Persistence;
  readonly replication: Replication;
  readonly startedAt: number;
  readonly runId: string;

  cluster: ClusterBridge | undefined;
  loading = false;
  readsWait = false;
  /** Whether what runs now comes from the primary or the AOF, to which nothing has expired. */
  #applying = false;
  noTouch = false;
  /** Log offset of the last change in each slot; kept while `readsWait`. */
  readonly #slotOffsets = new Float64Array(slotCount);
  readonly #applier: Client;
  readonly #primaryClient: Client;
  #lock: DirectoryLock | undefined;
  #timers: Timer[] = [];
  #cronTimer: Timer | undefined;
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
    this.tracking = new Tracking({
      hasher: new KeyHasher(ports.random.uint32()),
      client: (id) => this.clients.get(id),
      running: () => this.dispatcher.running,
      keysMax: () => this.config.trackingTableMaxKeys,
      onDelivery: this.#holdPush,
    });
    this.info = new NodeInfo(this, this.#rates);
    this.runId = Buffer.from(ports.random.bytes(20)).toString("hex");
    this.registry = new CommandRegistry(families);
    for (const [from, to] of configuration.renamedCommands) this.registry.rename(from, to);
    this.names = new NameCache(this.registry.spellings());
    const random = new FastRandom(ports.random.uint32());
    this.access = new AccessClock(random);
    this.access.setNow(this.startedAt);
    this.databases = new DatabaseSet(this.config.clusterEnabled ? 1 : this.config.databases, {
      hooks: this,
      hasher: new KeyHasher(ports.random.uint32()),
      access: this.access,
      random,
      collections: new CollectionEnvironment({
        limits: this.config,
        seed: ports.random.uint32(),
        random,
      }),
      perSlot: this.config.clusterEnabled,
    });
    this.acl = new AccessControl({
      config: this.config,
      registry: this.registry,
      now: () => this.ports.clock.now(),
      clients: () => this.clients.all(),
      disconnect: (client) => this.#disconnect(client),
      describeClient: (client) => clientLine(client, this.ports.clock.now()),
    });
    this.#applier = new Client({
      id: 0,
      kind: "loader",
      link: nowhere,
      now: this.startedAt,
      database: this.databases.first,
    });
    this.#applier.authenticated = true;
    this.#primaryClient = new Client({
      id: 0,
      kind: "primary",
      link: nowhere,
      now: this.startedAt,
      database: this.databases.first,
    });
    this.#primaryClient.authenticated = true;
    this.dispatcher = new Dispatcher(this, this.reply, this.#applier);
    this.dispatcher.now = this.startedAt;
    this.reply.onError = (text) => this.stats.countError(text);
    this.blocked = new BlockedClients({
      clock: ports.clock,
      dispatcher: this.dispatcher,
      stats: this.stats,
      scheduleTurn: () => this.turn.schedule(),
    });
    this.turn = new Turn({
      clock: ports.clock,
      reply: this.reply,
      beforeLog: () => {
        this.blocked.endTurn();
        this.tracking.endTurn();
      },
      writeLog: () => this.#writeLog(),
    });
    this.persistence = new Persistence({
      ports,
      config: this.config,
      databases: this.databases,
      stats: this.stats,
      stream: this.stream,
      gate: this.gate,
      processId: this.process.pid,
      execute: (argv, database) => this.#applyLoaded(argv, database),
      usedMemory: () => this.process.usedMemory(),
      flushLog: () => this.#flushLog(),
      position: () => ({
        id: this.replication.history.id,
        offset: this.replication.history.offset,
        streamDatabase: this.replication.streamDatabase,
      }),
      functionSources: () => [],
      loadFunction: () => {},
      isReplica: () => this.#startsAsReplica || this.replication.isReplica,
      onWriterChanged: () => this.#onWriterChanged(),
      onRoom: () => this.#resumeWriters(),
      onSnapshotEnd: () => this.turn.schedule(),
      onDurable: () => {},
      onSyncLatency: (elapsedMs) => {
        this.latency.add("aof-fsync-always", elapsedMs, this.ports.clock.now());
      },
    });
    this.listeners = new Listeners({
      net: ports.net,
      log: ports.log,
      config: this.config,
      clientCount: () => this.clients.count,
      defaultUserIsOpen: () => this.acl.defaultUserHasNoPassword,
      onRejected: () => {
        this.stats.rejectedConnections += 1;
      },
      accept: (socket) => this.#accept(socket),
    });
    this.replication = new Replication({
      host: this.#bindReplication(),
      clock: ports.clock,
      random: ports.random,
      net: ports.net,
      log: ports.log,
    });
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
    await this.listeners.listen();
    log.notice("Server initialized");
    await this.#load();
    this.restartCron();
    if (this.config.clusterEnabled) await this.#joinCluster();
    this.replication.start();
    const { replicaof } = this.config;
    if (replicaof !== undefined) this.replication.follow(replicaof);
    log.notice("Ready to accept connections tcp");
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
    this.loading = false;
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
    this.#cronTimer?.cancel();
    this.pause.stop();
    await this.listeners.close();
    await this.cluster?.stop();
    this.replication.stop();
    this.#writeLog();
    // What writes in the background may have been put in the place of a save that came later.
    const mustSave = save === "default" || this.persistence.rdb.isRunning || this.stats.dirty > 0;
    await this.persistence.rdb.cancel("the node stops");
    const saves = save === "default" ? this.config.save.length > 0 : save === "if-changed";
    if (saves && mustSave) this.#saveFinally();
    await this.persistence.close();
    for (const client of this.clients.all()) client.link.closeAfterReplies();
    await this.#lock?.release();
  }

  get port(): number {
    return this.listeners.port;
  }

  // What commands ask (`NodeServices`).

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
    if (this.readsWait) this.#notified.push(client);
  };
  #notified: Client[] = [];

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
      this.stream.appendForReplicas([sharded ? "SPUBLISH" : "PUBLISH", channel, payload]);
    }
  }

  makeRoom(): boolean {
    return this.process.usedMemory() <= this.config.maxmemory;
  }

  /** Under `appendfsync always`: what was read may not be shown before it is durable. */
  holdRead(client: Client, command: Command, argv: readonly string[]): void {
    if (client.kind !== "normal") return;
    const positions = keyPositions(command, argv);
    let offset = client.replyOffset;
    if (positions === undefined || positions.length === 0) {
      if (command.spec.docs.group === "connection") return;
      offset = this.stream.offset;
    }
    for (const { index } of positions ?? []) {
      const slot = client.database.slotOf(argv[index] as string);
      const changedAt = this.#slotOffsets[slot] as number;
      offset = Math.max(offset, Math.min(changedAt, this.stream.offset));
    }
    client.replyOffset = offset;
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

  resetStatistics(): void {
    this.stats.reset();
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
        (error: unknown) => log.warning(`Shutdown failed: ${String(error)}`),
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
    if (error === undefined) this.#breakWatches();
    return error;
  }

  /** All keys may have changed. */
  #breakWatches(): void {
    for (const { index } of this.databases.databases) this.watches.touchDatabase(index, () => true);
  }

  // What the store asks (`StoreHooks`).

  now(): number {
    return this.dispatcher.now;
  }

  get expiredKeys(): ExpiredKeys {
    if (this.#applying) return "show";
    return this.role.isReplica ? "hide" : "delete";
  }

  expired(database: Database, key: string): void {
    this.stats.expiredKeys += 1;
    this.propagate(database.index, [this.config.lazyfreeLazyExpire ? "UNLINK" : "DEL", key]);
    this.notifyKeyspaceEvent("x", "expired", key, database.index);
    this.modified(database, key);
  }

  modified(database: Database, key: string): void {
    this.watches.touch(database.index, key);
    if (this.tracking.active) this.tracking.changed(key);
    if (this.readsWait) {
      // The record of this change ends behind the present offset; what is read before the turn's
      // end waits for the whole turn, which is the same write.
      this.#slotOffsets[database.slotOf(key)] = this.stream.offset + 1;
    }
  }

  missed(database: Database, key: string): void {
    this.notifyKeyspaceEvent("m", "keymiss", key, database.index);
  }

  created(database: Database, key: string): void {
    if (!this.loading) this.notifyKeyspaceEvent("n", "new", key, database.index);
  }


  collectionAdded(database: Database, key: string): void {
    this.blocked.keyReady(database, key);
  }

  gone(database: Database, key: string): void {
    this.blocked.keyGone(database, key);
  }

  contentsReplaced(database: Database): void {
    this.blocked.databaseReplaced(database);
  }

  // What connections ask (`ConnectionHost`).

  get logIsWritten(): boolean {
    return this.stream.batchBytes === 0;
  }

  sealLog(): void {
    this.stream.seal();
  }

  countInput(bytes: number): void {
    this.stats.netInputBytes += bytes;
    this.stats.readsProcessed += 1;
  }

  countOutput(bytes: number): void {
    this.stats.netOutputBytes += bytes;
    this.stats.writesProcessed += 1;
  }

  exceedsOutputLimit(client: Client, bytes: number): boolean {
    const limits = this.config.clientOutputBufferLimit;
    const limit = client.subscriptions > 0 ? limits.pubsub : limits.normal;
    if (limit.hardBytes === 0 || bytes <= limit.hardBytes) return false;
    this.stats.outputBufferDisconnections += 1;
    return true;
  }

  get queryBufferBytesMax(): number {
    return this.config.clientQueryBufferLimit;
  }

  get bulkBytesMax(): number {
    return this.config.protoMaxBulkLen;
  }

  get writersStopped(): boolean {
    return this.persistence.overLimit;
  }

  onSuspectedAttack(client: Client): void {
    this.ports.log.warning(
      "Possible SECURITY ATTACK detected. It looks like somebody is sending POST or Host: commands " +
        "to Redis. This is likely due to an attacker attempting to use Cross Protocol Scripting " +
        `to compromise your Redis instance. Connection from ${client.link.remoteAddress} aborted.`,
    );
    client.link.closeNow("cross protocol scripting");
  }

  onProtocolError(client: Client, message: string): void {
    this.ports.log.verbose(`Protocol error (${message}) from client ${client.link.remoteAddress}`);
  }

  onTakenOver({ client }: Connection): void {
    client.isReplica = true;
    this.watches.removeAll(client);
  }

  onClose(connection: Connection): void {
    const { client } = connection;
    this.#stoppedReading.delete(connection);
    this.pubsub.unsubscribeAll(client);
    client.blocked?.cancel("closed");
    this.monitors.remove(client);
    this.tracking.disable(client);
    this.watches.removeAll(client);
    this.clients.remove(client);
  }

  /** The client that runs a command now still gets its reply. */
  #disconnect(client: Client): void {
    if (client === this.dispatcher.running) client.link.closeAfterReplies();
    else client.link.closeNow("its user may do less than before");
  }

  #accept(socket: Socket): void {
    const connection = new Connection(this, socket);
    const client = new Client({
      id: this.clients.nextId(),
      kind: "normal",
      link: connection,
      now: this.ports.clock.now(),
      database: this.databases.first,
    });
    this.acl.assumeDefault(client);
    this.clients.add(client);
    this.stats.connectionsReceived += 1;
    connection.start(client);
  }

  readonly #stoppedReading = new Set<Connection>();

  onReadingStopped(connection: Connection): void {
    this.#stoppedReading.add(connection);
  }

  #resumeWriters(): void {
    const stopped = [...this.#stoppedReading];
    this.#stoppedReading.clear();
    for (const connection of stopped) connection.resumeReading();
  }

  get role(): ReplicationRole {
    return this.#role;
  }

  readonly #role: ReplicationRole = replicationRole(this);

  #bindReplication(): ReplicationHost {
    return bindReplication({
      config: this.config,
      databases: this.databases,
      snapshots: this.persistence.syncSource,
      port: () => this.port,
      loadFunction: () => {},
      applyFromPrimary: (database, argv, decoder) => {
        this.#applyFromPrimary(database, argv, decoder);
      },
      scheduleTurn: () => this.turn.schedule(),
      forgetStreamDatabase: () => this.stream.forgetDatabase(),
      onDatasetReplaced: () => this.#onDatasetReplaced(),
      onReplicasChanged: () => {},
      onPrimaryLinkChanged: () => {},
      onHistoryChanged: () => this.#activateStream(),
      durableOffset: () => undefined,
    });
  }

  /** Records are made while somebody reads them. */
  #activateStream(): void {
    const hadReaders = this.stream.active;
    this.stream.active =
      this.persistence.writer !== undefined || this.replication.history.backlog !== undefined;
    if (!hadReaders) this.stream.forgetDatabase();
  }

  async #joinCluster(): Promise<void> {
    const { disk } = this.ports;
    const directory = textOfBytes(this.config.dir);
    const text = await disk.readFile(pathIn(this.config.dir, this.config.clusterConfigFile));
    this.cluster = new ClusterBridge(
      {
        ports: this.ports,
        configuration: this.configuration,
        databases: this.databases,
        replication: this.replication,
        directory,
        port: this.port,
        deleteSlotKeys: (slots) => this.#deleteSlotKeys(slots),
        onPublish: ({ sharded, channel, payload }) => {
          const name = Buffer.from(channel).toString("latin1");
          const message = Buffer.from(payload).toString("latin1");
          if (sharded) this.pubsub.publishToShard(name, message);
          else this.pubsub.publish(name, message);
        },
        onSlotsChanged: (slots) => this.#onSlotsChanged(slots),
        pauseWrites: () => {},
        unpauseWrites: () => {},
        flushData: () => this.#flushData(),
        onFatal: () => void this.stop(),
      },
      text?.toString("latin1"),
    );
    await this.cluster.start();
  }

  #onSlotsChanged(slots: readonly number[]): void {
    if (this.pubsub.shardChannelCount === 0) return;
    const changed = new Set(slots);
    const core = this.cluster?.bus.core;
    const shard = core === undefined ? undefined : (core.primary?.id ?? core.myId);
    this.pubsub.dropShardChannels((channel) => {
      const slot = this.databases.first.slotOf(channel);
      return changed.has(slot) && core?.ownerOf(slot)?.id !== shard;
    });
  }

  /** Another node owns these slots now: what is left of them here goes, in the log as well. */
  #deleteSlotKeys(slots: readonly number[]): void {
    const database = this.databases.first;
    for (const slot of slots) {
      for (const key of database.keysInSlot(slot, database.slotSize(slot))) {
        database.delete(key);
        this.propagate(database.index, ["DEL", key]);
        this.modified(database, key);
      }
    }
    this.turn.schedule();
  }

  #flushData(): void {
    for (const { index } of this.databases.databases) this.watches.touchDatabase(index, () => true);
    this.databases.clear();
    this.tracking.flushed();
    this.propagate(0, ["FLUSHALL"]);
    this.turn.schedule();
  }

  #onDatasetReplaced(): void {
    this.tracking.flushed();
    // What the AOF holds is another history's: only a new base makes it true again.
    this.persistence.onDatasetReplaced();
    this.#breakWatches();
  }

  /** One command of the primary's stream. */
  #applyFromPrimary(index: number, argv: readonly Argument[], decoder: CommandDecoder): void {
    const client = this.#primaryClient;
    client.database = this.databases.get(index) ?? this.databases.first;
    this.#apply(client, argv, decoder.hasLargeArgument, decoder);
    this.stream.seal();
  }

  /** Runs what must not be refused, expires nothing, and answers nobody. */
  #apply(client: Client, argv: readonly Argument[], hasLarge: boolean, raw?: CommandDecoder): void {
    this.#applying = true;
    this.dispatcher.startBatch();
    this.reply.attach(nowhere, 2);
    try {
      this.dispatcher.process(client, argv, hasLarge, raw);
    } finally {
      this.#applying = false;
      this.reply.rollback(0);
      this.reply.detach();
    }
  }

  /** One record of the AOF that is being loaded. */
  #applyLoaded(argv: readonly Argument[], index: number): boolean {
    const database = this.databases.get(index);
    if (database === undefined) return false;
    const client = this.#applier;
    client.database = database;
    if (this.registry.find(argv[0] as string) === undefined) return false;
    this.#apply(
      client,
      argv,
      argv.some((word) => typeof word !== "string"),
    );
    return true;
  }

  /** Between the commands of a turn: false inside a transaction, whose records belong together. */
  #flushLog(): boolean {
    if (this.stream.unitHasRecords) return false;
    this.#writeLog();
    return true;
  }

  #writeLog(): void {
    const { stream } = this;
    if (this.#notified.length > 0) {
      for (const client of this.#notified) client.replyOffset = stream.offset;
      this.#notified = [];
    }
    const batch = stream.batch();
    this.persistence.write(batch);
    stream.forEachReplicaPart((part) => this.replication.append(part));
    stream.reset();
    this.replication.endTurn();
  }

  /** The cron runs from the start on, at the pace that `hz` says. */
  restartCron(): void {
    if (this.#lock === undefined) return;
    this.#cronTimer?.cancel();
    this.#cronTimer = this.ports.clock.every(1000 / this.config.hz, () => this.#cron());
  }

  #cron(): void {
    const { clock } = this.ports;
    const now = clock.now();
    this.access.setNow(now);
    if (this.switches.cronPaused) return;
    this.#rates.sample(this.stats, clock.monotonic());
    this.dispatcher.startBatch();
    this.#expireCycle();
    this.persistence.cron();
    this.stats.peakMemory = Math.max(this.stats.peakMemory, this.process.usedMemory());
    if (this.stream.batchBytes > 0) this.turn.schedule();
  }

  #expireCycle(): void {
    if (!this.switches.activeExpire) return;
    const { clock } = this.ports;
    const budgetMs = (1000 / this.config.hz) * expireShare;
    const deadline = clock.monotonic() + budgetMs;
    for (const database of this.databases.databases) {
      const { finished } = database.expireCycle(() => clock.monotonic() > deadline);
      if (!finished) break;
    }
    this.stats.expireCycles += 1;
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
