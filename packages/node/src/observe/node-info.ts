/** What `INFO` and `MEMORY` ask, read off a node's parts. */
import type { Command, CommandRegistry } from "../commands/registry.js";
import type { NodeServices } from "../dispatch/services.js";
import { emptyBytes } from "../memory-gauge.js";
import { replicaStateNames } from "../replication/core/link-state.js";
import { redisVersion, slotlogVersion } from "../version.js";
import type {
  ClientsInfo,
  CpuInfo,
  DatabaseInfo,
  DebugInfo,
  InfoSource,
  MemoryInfo,
  PersistenceInfo,
  PrimaryLinkInfo,
  ReplicaInfo,
  ReplicationInfo,
  ServerInfo,
  StatsInfo,
} from "./info-sources.js";
import type { NodeRates } from "./node-rates.js";

export class NodeInfo implements InfoSource {
  readonly #node: NodeServices;
  readonly #rates: NodeRates;

  constructor(node: NodeServices, rates: NodeRates) {
    this.#node = node;
    this.#rates = rates;
  }

  get clusterEnabled(): boolean {
    return this.#node.config.clusterEnabled;
  }

  get isFenced(): boolean | undefined {
    return this.#node.cluster?.isFenced;
  }

  get latencyTracking(): boolean {
    return this.#node.config.latencyTracking;
  }

  get percentiles(): readonly number[] {
    return this.#node.config.latencyTrackingInfoPercentiles;
  }

  server(): ServerInfo {
    const { config, configuration, ports, process, runId, startedAt, port } = this.#node;
    const now = ports.clock.now();
    const shutdownInMs = this.#node.shutdowns.millisecondsLeft;
    const bind = config.bind.map((address) =>
      address.startsWith("-") ? address.slice(1) : address,
    );
    return {
      redisVersion,
      slotlogVersion,
      os: process.os,
      processId: process.pid,
      runId,
      port,
      nowMs: now,
      uptimeMs: now - startedAt,
      hz: config.hz,
      lruClock: Math.floor(now / 1000) % 2 ** 24,
      executable: process.executable,
      configFile: configuration.file ?? "",
      ...(shutdownInMs === undefined ? {} : { shutdownInMs }),
      listeners: [{ name: "tcp", addresses: bind, port }],
    };
  }

  clients(): ClientsInfo {
    const { clients, cluster, config } = this.#node;
    let replicas = 0;
    let blocked = 0;
    let tracking = 0;
    let input = 0;
    let output = 0;
    for (const client of clients.all()) {
      if (client.isReplica) replicas += 1;
      if (client.blocked !== undefined) blocked += 1;
      if (client.tracking !== undefined) tracking += 1;
      input = Math.max(input, client.link.queryBufferBytes);
      output = Math.max(output, client.link.outputBufferBytes);
    }
    return {
      connected: clients.count - replicas,
      clusterConnections: cluster?.bus.core.linksView().length ?? 0,
      max: config.maxclients,
      recentMaxInputBytes: input,
      recentMaxOutputBytes: output,
      blocked,
      tracking,
      inTimeoutTable: 0,
      blockingKeys: this.#node.blocked.keyCount,
      blockingKeysOnNoKey: this.#node.blocked.goneKeyCount,
    };
  }

  memory(): MemoryInfo {
    const { config, process, stats } = this.#node;
    const { gauge } = this.#node.memory;
    gauge.refresh();
    const used = gauge.usedBytes;
    const { aof, backlog, normalClients, replicaClients } = gauge.buffers;
    const buffers = aof + backlog + normalClients + replicaClients;
    return {
      usedBytes: used,
      rssBytes: process.rss(),
      peakBytes: Math.max(stats.peakMemory, used),
      startupBytes: emptyBytes,
      overheadBytes: Math.min(used, emptyBytes + buffers),
      heapTotalBytes: process.heapTotal(),
      systemBytes: process.totalSystemMemory,
      luaBytes: 0,
      scriptCacheBytes: 0,
      cachedScripts: 0,
      functions: 0,
      libraries: 0,
      functionVmBytes: 0,
      functionBytes: 0,
      maxmemory: config.maxmemory,
      policy: config.maxmemoryPolicy,
      notCountedForEvictBytes: gauge.notCountedBytes,
      backlogBytes: backlog,
      replicationBufferBytes: backlog + replicaClients,
      replicaClientBytes: replicaClients,
      normalClientBytes: normalClients,
      clusterLinkBytes: this.#node.cluster?.bus.linkBytes ?? 0,
      aofBufferBytes: aof,
      lazyfreePending: 0,
      lazyfreed: 0,
    };
  }

  persistence(): PersistenceInfo {
    const { loading, persistence, ports, stats } = this.#node;
    const { appendOnly, rdb, snapshots, writer } = persistence;
    const loadState = persistence.loading.state;
    return {
      loading,
      asyncLoading: false,
      saveKeysProcessed: snapshots.active?.keysWritten ?? 0,
      saveKeysTotal: snapshots.active?.keysTotal ?? 0,
      changesSinceSave: stats.dirty,
      lastSaveSeconds: rdb.lastSaveAt,
      lastSaveOk: rdb.lastOk,
      lastSaveDuration: rdb.lastDuration,
      currentSaveDuration: rdb.currentSeconds,
      saves: rdb.saves,
      keysExpiredAtLoad: persistence.loading.keysExpired,
      keysLoaded: persistence.loading.keysLoaded,
      aofEnabled: appendOnly.enabled,
      rewriteScheduled: appendOnly.rewriteScheduled,
      lastRewriteDuration: appendOnly.runs.lastSeconds,
      currentRewriteDuration: appendOnly.runs.currentSeconds,
      lastRewriteOk: appendOnly.runs.lastOk,
      rewrites: appendOnly.runs.count,
      rewriteFailuresInRow: appendOnly.runs.failuresInRow,
      lastWriteOk: writer?.writable !== false,
      aof: {
        currentBytes: writer?.currentSize ?? 0,
        baseBytes: writer?.baseSize ?? 0,
        bufferBytes: writer?.bufferedBytes ?? 0,
        pendingSyncs: writer?.pendingSyncs ?? 0,
        delayedSyncs: writer?.delayedSyncs ?? 0,
      },
      ...(loadState === undefined
        ? {}
        : {
            progress: {
              startSeconds: Math.floor(loadState.startedAt / 1000),
              totalBytes: loadState.totalBytes,
              loadedBytes: loadState.loadedBytes,
              elapsedSeconds: (ports.clock.now() - loadState.startedAt) / 1000,
            },
          }),
    };
  }

  stats(): StatsInfo {
    const { acl, databases, pubsub, registry, replication, stats, tracking } = this.#node;
    let hits = stats.keyspaceHits;
    let misses = stats.keyspaceMisses;
    for (const database of databases.databases) {
      hits += database.hits;
      misses += database.misses;
    }
    const rates = this.#rates;
    return {
      connectionsReceived: stats.connectionsReceived,
      commandsProcessed: stats.commandsProcessed,
      opsPerSecond: rates.commands.perSecond,
      netInputBytes: stats.netInputBytes,
      netOutputBytes: stats.netOutputBytes,
      netReplInputBytes: stats.netReplInputBytes,
      netReplOutputBytes: stats.netReplOutputBytes,
      inputBytesPerSecond: rates.input.perSecond,
      outputBytesPerSecond: rates.output.perSecond,
      replInputBytesPerSecond: rates.replicationInput.perSecond,
      replOutputBytesPerSecond: rates.replicationOutput.perSecond,
      rejectedConnections: stats.rejectedConnections,
      syncFull: replication.replicas.counters.fullSyncs,
      syncPartialOk: replication.replicas.counters.partialSyncs,
      syncPartialErr: replication.replicas.counters.partialSyncsRefused,
      expiredKeys: stats.expiredKeys,
      expiredStalePercent: stats.expiredStalePercent,
      expireTimeCapReached: stats.expireTimeCapReached,
      expireCycleMs: stats.expireCycleMs,
      evictedKeys: stats.evictedKeys,
      evictedClients: stats.evictedClients,
      evictionExceededMs: this.#node.memory.exceededMs,
      currentEvictionExceededMs: this.#node.memory.currentlyExceededMs,
      keyspaceHits: hits,
      keyspaceMisses: misses,
      pubsubChannels: pubsub.channelCount,
      pubsubPatterns: pubsub.patternCount,
      shardChannels: pubsub.shardChannelCount,
      snapshotsBegun: this.#node.persistence.snapshots.begun,
      replicaExpires: this.#node.hooks.replicaWrites.size,
      migrateCachedSockets: this.#node.migrations.connectionCount,
      trackingKeys: tracking.keyCount,
      trackingItems: tracking.itemCount,
      trackingPrefixes: tracking.prefixCount,
      unexpectedErrorReplies: stats.unexpectedErrorReplies,
      errorReplies: stats.errorReplies,
      dumpSanitizations: 0,
      readsProcessed: stats.readsProcessed,
      writesProcessed: stats.writesProcessed,
      turns: stats.turns,
      turnMicroseconds: stats.turnMs * 1000,
      commandMicroseconds: commandMicroseconds(registry),
      turnsPerSecond: rates.turns.perSecond,
      microsecondsPerTurn:
        rates.turns.perSecond === 0 ? 0 : (rates.turnMs.perSecond / rates.turns.perSecond) * 1000,
      aclDeniedAuth: acl.log.denied.auth,
      aclDeniedCommand: acl.log.denied.command,
      aclDeniedKey: acl.log.denied.key,
      aclDeniedChannel: acl.log.denied.channel,
      unconfirmedWrites: stats.unconfirmedWrites,
      salvages: stats.salvages,
      salvagedRecords: stats.salvagedRecords,
    };
  }

  replication(): ReplicationInfo {
    const { config, ports, replication } = this.#node;
    const { history, replicas } = replication;
    const now = ports.clock.monotonic();
    const listed: ReplicaInfo[] = [];
    for (const link of replicas.links) {
      const state = replicaStateNames[link.state];
      if (state === "") continue;
      const lag = state === "online" ? Math.floor((now - link.acknowledgedAt) / 1000) : 0;
      listed.push({
        ip: link.address,
        port: link.peer.listeningPort,
        state: state as ReplicaInfo["state"],
        offset: link.acknowledgedOffset,
        lagSeconds: lag,
      });
    }
    const primary = this.#primary(now);
    const countsReplicas = config.minReplicasToWrite > 0 && config.minReplicasMaxLag > 0;
    return {
      ...(primary === undefined ? {} : { primary }),
      ...(countsReplicas ? { goodReplicas: replicas.countGood(config.minReplicasMaxLag) } : {}),
      replicas: listed,
      failoverState: this.#node.replicationControl.failover.state,
      id: history.id,
      secondId: history.secondId,
      offset: history.offset,
      secondOffset: history.secondOffset,
      backlogActive: history.backlog !== undefined,
      backlogBytesMax: config.replBacklogSize,
      backlogFirstOffset: history.backlog?.firstOffset ?? 0,
      backlogBytes: history.backlog?.length ?? 0,
    };
  }

  #primary(now: number): PrimaryLinkInfo | undefined {
    const { config, replication } = this.#node;
    const link = replication.primary;
    if (link === undefined) return undefined;
    const seconds = (since: number): number => Math.floor((now - since) / 1000);
    const { receiver } = link;
    return {
      host: link.address.host,
      port: link.address.port,
      up: link.isUp,
      lastIoSecondsAgo: link.isUp ? seconds(link.lastIoAt) : -1,
      readOffset: link.readOffset,
      offset: replication.history.offset,
      ...(receiver === undefined
        ? {}
        : {
            sync: {
              totalBytes: receiver.totalBytes,
              readBytes: receiver.receivedBytes,
              lastIoSecondsAgo: seconds(link.lastIoAt),
            },
          }),
      downSinceSeconds: link.downSince === undefined ? -1 : seconds(link.downSince),
      priority: config.replicaPriority,
      readOnly: config.replicaReadOnly,
      announced: config.replicaAnnounced,
    };
  }

  cpu(): CpuInfo {
    const { user, system } = this.#node.process.cpu();
    return { user, system, userMainThread: user, systemMainThread: system };
  }

  *commands(): Iterable<Command> {
    for (const command of this.#node.registry.all()) {
      yield command;
      if (command.subcommands !== undefined) yield* command.subcommands.values();
    }
  }

  errors(): ReadonlyMap<string, number> {
    return this.#node.stats.errorsByPrefix;
  }

  *keyspace(): Iterable<DatabaseInfo> {
    for (const database of this.#node.databases.databases) {
      const { index, size, volatileSize } = database;
      yield { index, keys: size, expires: volatileSize, averageTtlMs: 0 };
    }
  }

  debug(): DebugInfo {
    const { stats } = this.#node;
    return {
      aofMicroseconds: 0,
      cronMicroseconds: stats.cronMs * 1000,
      longestTurnMicroseconds: stats.longestTurnMs * 1000,
      commandsPerTurnMax: stats.commandsPerTurnMax,
    };
  }
}

/** What all commands took since the counters were reset. */
function commandMicroseconds(registry: CommandRegistry): number {
  let sum = 0;
  for (const command of registry.all()) {
    sum += command.microseconds;
    for (const sub of command.subcommands?.values() ?? []) sum += sub.microseconds;
  }
  return sum;
}
