/**
 * The composition root of one node: makes its parts, binds them to the ports, starts and stops
 * them in order. It decides nothing that a part can decide.
 */
import { type Argument, type CommandDecoder, NameCache, ReplyWriter } from "@slotlog/resp";
import { Authenticator } from "./acl/authenticator.js";
import { families } from "./commands/index.js";
import { keyPositions } from "./commands/key-positions.js";
import { applyDirectives } from "./config/apply-directives.js";
import { type Command, CommandRegistry, Flag } from "./commands/registry.js";
import { ClusterBridge } from "./cluster/bridge.js";
import { pathIn, textOfBytes } from "./config/byte-string.js";
import type { Configuration, NodeConfig } from "./config/config.js";
import type { KeyWait } from "./dispatch/blocked.js";
import type { EventClass } from "./dispatch/context.js";
import { Dispatcher } from "./dispatch/dispatcher.js";
import type {
  DebugSwitches,
  NodeServices,
  ReplicationRole,
  ShutdownOptions,
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
import { Persistence } from "./persistence.js";
import type { DirectoryLock, DiskFile, Ports, Socket, Timer } from "./ports.js";
import type { ProcessInfo } from "./process-info.js";
import { bindReplication } from "./replication-binding.js";
import { RdbDecoder } from "./rdb/index.js";
import { snapshotChunks } from "./dataset/snapshot.js";
import { redisVersion } from "./version.js";
import { DatasetLoader, ReplacementDataset } from "./dataset/load.js";
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
/** An RDB is read from the disk in pieces of this size. */
const rdbReadBytes = 1024 * 1024;
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
  readonly tracking: Tracking;
  readonly info: NodeInfo;
  readonly #rates = new NodeRates();
  readonly #onShutdown: (() => void) | undefined;
  readonly names: NameCache;
  readonly authenticator: Authenticator;
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
    this.authenticator = new Authenticator(this.config);
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
    this.turn = new Turn({
      clock: ports.clock,
      reply: this.reply,
      beforeLog: () => this.tracking.endTurn(),
      writeLog: () => this.#writeLog(),
    });
    this.persistence = new Persistence({
      ports,
      config: this.config,
      stream: this.stream,
      gate: this.gate,
      execute: (argv, database) => this.#applyLoaded(argv, database),
      loadRdb: (file, onProgress) => this.#loadRdb(file, onProgress),
      usedMemory: () => this.process.usedMemory(),
      flushLog: () => this.#writeLog(),
      snapshot: () => this.#baseSnapshot(),
      onRoom: () => this.#resumeWriters(),
    });
    this.listeners = new Listeners({
      net: ports.net,
      log: ports.log,
      config: this.config,
      clientCount: () => this.clients.count,
      defaultUserIsOpen: () => this.authenticator.defaultUserIsOpen,
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
    const { disk, log, clock } = this.ports;
    this.#lock = await disk.lockDirectory(textOfBytes(this.config.dir));
    log.notice("Server initialized");
    await this.listeners.listen();
    if (this.config.appendonly) {
      this.loading = true;
      const began = clock.monotonic();
      const { records } = await this.persistence.load();
      if (records > 0) {
        const seconds = ((clock.monotonic() - began) / 1000).toFixed(3);
        log.notice(`DB loaded from append only file: ${seconds} seconds`);
      }
      await this.persistence.open();
      this.loading = false;
    }
    this.readsWait = this.config.appendonly && this.config.appendfsync === "always";
    this.restartCron();
    if (this.config.clusterEnabled) await this.#joinCluster();
    this.replication.start();
    const { replicaof } = this.config;
    if (replicaof !== undefined) this.replication.follow(replicaof);
    log.notice("Ready to accept connections tcp");
  }

  /** Ends in order: no new clients, the log on the disk, then the connections. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #stop(): Promise<void> {
    for (const timer of this.#timers) timer.cancel();
    this.#cronTimer?.cancel();
    this.pause.stop();
    await this.listeners.close();
    await this.cluster?.stop();
    this.replication.stop();
    this.#writeLog();
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

  notifyKeyspaceEvent(
    eventClass: EventClass,
    event: string,
    key: string,
    database: number,
  ): void {
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
    for (const database of this.databases.databases) {
      database.hits = 0;
      database.misses = 0;
    }
  }

  shutdown(_options: ShutdownOptions): void {
    this.ports.log.warning("User requested shutdown...");
    // Behind this turn, so that what was read before is answered.
    this.ports.clock.defer(() => {
      this.stop().then(
        () => this.#onShutdown?.(),
        (error: unknown) => this.ports.log.warning(`Shutdown failed: ${String(error)}`),
      );
    });
  }

  reloadDataset(): void {
    const replacement = new ReplacementDataset({
      databases: this.databases,
      dropExpiredAt: undefined,
      loadFunction: () => {},
    });
    const decoder = new RdbDecoder({ databaseCount: this.databases.count });
    for (const chunk of this.#baseSnapshot()) {
      decoder.push(chunk);
      for (let event = decoder.next(); event !== undefined; event = decoder.next()) {
        replacement.loader.apply(event);
      }
    }
    replacement.commit();
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

  missed(): void {}
  collectionAdded(): void {}
  keyReady(_database: Database, _key: string): void {}
  waitForKeys(_client: Client, _wait: KeyWait): void {}

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

  onProtocolError(client: Client, message: string): void {
    this.ports.log.verbose(`Protocol error (${message}) from client ${client.link.remoteAddress}`);
  }

  onTakenOver({ client }: Connection): void {
    client.isReplica = true;
    this.watches.removeAll(client);
  }

  onClose({ client }: Connection): void {
    this.pubsub.unsubscribeAll(client);
    client.blocked?.cancel("closed");
    this.monitors.remove(client);
    this.tracking.disable(client);
    this.watches.removeAll(client);
    this.clients.remove(client);
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
    client.authenticated = this.authenticator.defaultUserIsOpen;
    this.clients.add(client);
    this.stats.connectionsReceived += 1;
    connection.start(client);
  }

  #resumeWriters(): void {}

  get role(): ReplicationRole {
    return this.#role;
  }

  readonly #role: ReplicationRole = replicationRole(this);

  #bindReplication(): ReplicationHost {
    return bindReplication({
      config: this.config,
      databases: this.databases,
      now: () => this.ports.clock.now(),
      usedMemory: () => this.process.usedMemory(),
      port: () => this.port,
      functionSources: () => [],
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

  #baseSnapshot(): Buffer[] {
    const { id, offset } = this.replication.history;
    return snapshotChunks({
      databases: this.databases,
      header: {
        redisVersion,
        createdAt: Math.floor(this.ports.clock.now() / 1000),
        usedMemoryBytes: this.process.usedMemory(),
        replication: { id, offset, streamDb: this.replication.streamDatabase },
        isAofBase: true,
      },
      encoder: { compress: this.config.rdbcompression, checksum: this.config.rdbchecksum },
      functions: [],
      includeData: true,
    });
  }

  #onDatasetReplaced(): void {
    this.tracking.flushed();
    // What the AOF holds is another history's: only a new base makes it true again.
    this.persistence.rewrite();
    for (const { index } of this.databases.databases) this.watches.touchDatabase(index, () => true);
  }

  async #loadRdb(file: DiskFile, onProgress: (bytes: number) => void): Promise<number> {
    const decoder = new RdbDecoder({ databaseCount: this.databases.count });
    const loader = new DatasetLoader({
      databases: this.databases,
      dropExpiredAt: undefined,
      loadFunction: () => {},
    });
    for (let position = 0; !decoder.finished; ) {
      const chunk = await file.read(position, rdbReadBytes);
      if (chunk.length === 0) throw new Error(`the RDB in ${file.path} ends too early`);
      position += chunk.length;
      decoder.push(chunk);
      for (let event = decoder.next(); event !== undefined; event = decoder.next()) {
        loader.apply(event);
      }
      onProgress(decoder.consumedBytes);
    }
    return decoder.consumedBytes;
  }

  /** One command of the primary's stream. */
  #applyFromPrimary(index: number, argv: readonly Argument[], decoder: CommandDecoder): void {
    const client = this.#primaryClient;
    client.database = this.databases.get(index) ?? this.databases.first;
    this.#apply(client, argv, decoder.hasLargeArgument, decoder);
    this.stream.seal();
  }

  /** Runs what must not be refused, expires nothing, and answers nobody. */
  #apply(
    client: Client,
    argv: readonly Argument[],
    hasLarge: boolean,
    raw?: CommandDecoder,
  ): void {
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
    this.#apply(client, argv, argv.some((word) => typeof word !== "string"));
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
