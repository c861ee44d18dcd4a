/**
 * What `INFO` asks of the node, section by section, in plain numbers. The node fills these in when
 * a client asks; lines that have no meaning here (forks, allocators, I/O threads) are not asked
 * for.
 */

import type { LatencyHistogram } from "./latency-histogram.js";

/** The lines of a section, in order. */
export type Lines = readonly (readonly [name: string, value: string | number])[];

export interface InfoSource {
  server(): ServerInfo;
  clients(): ClientsInfo;
  memory(): MemoryInfo;
  persistence(): PersistenceInfo;
  stats(): StatsInfo;
  replication(): ReplicationInfo;
  cpu(): CpuInfo;
  /** Commands and subcommands, in the order in which they are to be listed. */
  commands(): Iterable<CommandInfo>;
  /** Error replies by their prefix. */
  errors(): ReadonlyMap<string, number>;
  /** Databases that hold keys. */
  keyspace(): Iterable<DatabaseInfo>;
  /** Longest and summed times, for `INFO debug`. */
  debug(): DebugInfo;
  readonly clusterEnabled: boolean;
  /** Writes are refused until a majority of the primaries answers; undefined without a cluster. */
  readonly isFenced: boolean | undefined;
  readonly latencyTracking: boolean;
  readonly percentiles: readonly number[];
}

export interface ServerInfo {
  /** The version of Redis whose behaviour this is. */
  readonly redisVersion: string;
  readonly slotlogVersion: string;
  readonly os: string;
  readonly processId: number;
  readonly runId: string;
  readonly port: number;
  readonly nowMs: number;
  readonly uptimeMs: number;
  readonly hz: number;
  readonly lruClock: number;
  readonly executable: string;
  readonly configFile: string;
  /** Set while a shutdown waits for replicas. */
  readonly shutdownInMs?: number;
  readonly listeners: readonly ListenerInfo[];
}

export interface ListenerInfo {
  readonly name: "tcp" | "unix";
  readonly addresses: readonly string[];
  readonly port: number;
}

export interface ClientsInfo {
  /** Without replicas. */
  readonly connected: number;
  readonly clusterConnections: number;
  readonly max: number;
  readonly recentMaxInputBytes: number;
  readonly recentMaxOutputBytes: number;
  readonly blocked: number;
  readonly tracking: number;
  readonly inTimeoutTable: number;
  readonly blockingKeys: number;
  readonly blockingKeysOnNoKey: number;
}

export interface MemoryInfo {
  readonly usedBytes: number;
  readonly rssBytes: number;
  readonly peakBytes: number;
  readonly startupBytes: number;
  /** Everything but the data: buffers, tables, links. */
  readonly overheadBytes: number;
  /** What V8 has taken for its heap, used or not. */
  readonly heapTotalBytes: number;
  readonly systemBytes: number;
  readonly luaBytes: number;
  readonly scriptCacheBytes: number;
  readonly cachedScripts: number;
  readonly functions: number;
  readonly libraries: number;
  readonly functionVmBytes: number;
  readonly functionBytes: number;
  readonly maxmemory: number;
  readonly policy: string;
  readonly notCountedForEvictBytes: number;
  readonly backlogBytes: number;
  readonly replicationBufferBytes: number;
  readonly replicaClientBytes: number;
  readonly normalClientBytes: number;
  readonly clusterLinkBytes: number;
  readonly aofBufferBytes: number;
  readonly lazyfreePending: number;
  readonly lazyfreed: number;
}

export interface PersistenceInfo {
  readonly loading: boolean;
  readonly asyncLoading: boolean;
  readonly saveKeysProcessed: number;
  readonly saveKeysTotal: number;
  readonly changesSinceSave: number;
  readonly lastSaveSeconds: number;
  readonly lastSaveOk: boolean;
  /** Seconds; -1 if there was none. */
  readonly lastSaveDuration: number;
  /** Seconds; -1 if none is in progress. */
  readonly currentSaveDuration: number;
  readonly saves: number;
  readonly keysExpiredAtLoad: number;
  readonly keysLoaded: number;
  readonly aofEnabled: boolean;
  readonly rewriteScheduled: boolean;
  readonly lastRewriteDuration: number;
  readonly currentRewriteDuration: number;
  readonly lastRewriteOk: boolean;
  readonly rewrites: number;
  readonly rewriteFailuresInRow: number;
  readonly lastWriteOk: boolean;
  /** Asked for only if the AOF is on. */
  readonly aof: AofInfo;
  /** Set while the data set is loaded. */
  readonly progress?: LoadProgress;
}

export interface AofInfo {
  readonly currentBytes: number;
  readonly baseBytes: number;
  readonly bufferBytes: number;
  readonly pendingSyncs: number;
  readonly delayedSyncs: number;
}

export interface LoadProgress {
  readonly startSeconds: number;
  readonly totalBytes: number;
  readonly loadedBytes: number;
  readonly elapsedSeconds: number;
}

export interface StatsInfo {
  readonly connectionsReceived: number;
  readonly commandsProcessed: number;
  readonly opsPerSecond: number;
  readonly netInputBytes: number;
  readonly netOutputBytes: number;
  readonly netReplInputBytes: number;
  readonly netReplOutputBytes: number;
  readonly inputBytesPerSecond: number;
  readonly outputBytesPerSecond: number;
  readonly replInputBytesPerSecond: number;
  readonly replOutputBytesPerSecond: number;
  readonly rejectedConnections: number;
  readonly syncFull: number;
  readonly syncPartialOk: number;
  readonly syncPartialErr: number;
  readonly expiredKeys: number;
  readonly expiredStalePercent: number;
  readonly expireTimeCapReached: number;
  readonly expireCycleMs: number;
  readonly evictedKeys: number;
  readonly evictedClients: number;
  readonly evictionExceededMs: number;
  readonly currentEvictionExceededMs: number;
  readonly keyspaceHits: number;
  readonly keyspaceMisses: number;
  readonly pubsubChannels: number;
  readonly pubsubPatterns: number;
  readonly shardChannels: number;
  readonly migrateCachedSockets: number;
  readonly snapshotsBegun: number;
  readonly replicaExpires: number;
  readonly trackingKeys: number;
  readonly trackingItems: number;
  readonly trackingPrefixes: number;
  readonly unexpectedErrorReplies: number;
  readonly errorReplies: number;
  readonly dumpSanitizations: number;
  readonly readsProcessed: number;
  readonly writesProcessed: number;
  readonly turns: number;
  readonly turnMicroseconds: number;
  readonly commandMicroseconds: number;
  readonly turnsPerSecond: number;
  readonly microsecondsPerTurn: number;
  readonly aclDeniedAuth: number;
  readonly aclDeniedCommand: number;
  readonly aclDeniedKey: number;
  readonly aclDeniedChannel: number;
  readonly unconfirmedWrites: number;
  readonly salvages: number;
  readonly salvagedRecords: number;
}

export interface ReplicationInfo {
  /** Set on a replica. */
  readonly primary?: PrimaryLinkInfo;
  /** Set if `min-replicas-to-write` is in force. */
  readonly goodReplicas?: number;
  readonly replicas: readonly ReplicaInfo[];
  readonly failoverState: "no-failover" | "failover-in-progress" | "waiting-for-sync";
  readonly id: string;
  readonly secondId: string;
  readonly offset: number;
  readonly secondOffset: number;
  readonly backlogActive: boolean;
  readonly backlogBytesMax: number;
  readonly backlogFirstOffset: number;
  readonly backlogBytes: number;
}

export interface PrimaryLinkInfo {
  readonly host: string;
  readonly port: number;
  readonly up: boolean;
  /** -1 without a link. */
  readonly lastIoSecondsAgo: number;
  readonly readOffset: number;
  readonly offset: number;
  /** Set while a full synchronisation is received. */
  readonly sync?: {
    readonly totalBytes: number;
    readonly readBytes: number;
    readonly lastIoSecondsAgo: number;
  };
  /** -1 if it has never been up. */
  readonly downSinceSeconds: number;
  readonly priority: number;
  readonly readOnly: boolean;
  readonly announced: boolean;
}

export interface ReplicaInfo {
  readonly ip: string;
  readonly port: number;
  readonly state: "wait_bgsave" | "send_bulk" | "online";
  readonly offset: number;
  readonly lagSeconds: number;
}

/** Seconds of CPU time, with fraction. */
export interface CpuInfo {
  readonly system: number;
  readonly user: number;
  readonly systemMainThread: number;
  readonly userMainThread: number;
}

export interface CommandInfo {
  /** `get`, or `client|list`. */
  readonly fullName: string;
  readonly calls: number;
  readonly microseconds: number;
  readonly rejectedCalls: number;
  readonly failedCalls: number;
  readonly latency?: LatencyHistogram | undefined;
}

export interface DatabaseInfo {
  readonly index: number;
  readonly keys: number;
  readonly expires: number;
  readonly averageTtlMs: number;
}

export interface DebugInfo {
  readonly aofMicroseconds: number;
  readonly cronMicroseconds: number;
  readonly longestTurnMicroseconds: number;
  readonly commandsPerTurnMax: number;
}
