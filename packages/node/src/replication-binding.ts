/**
 * Binds replication to a node: what it reads from the configuration, where a received data set
 * goes, how the primary's stream is executed, and what a snapshot is made of.
 */
import type { Argument, CommandDecoder } from "@slotlog/resp";
import type { NodeConfig } from "./config/config.js";
import { ReplacementDataset } from "./dataset/load.js";
import { snapshotChunks } from "./dataset/snapshot.js";
import type { RdbEvent, RdbHeader } from "./rdb/index.js";
import type {
  LoadTarget,
  ReplicationHost,
  ReplicationSettings,
  SnapshotRequest,
  SnapshotSource,
} from "./replication/settings.js";
import type { DatabaseSet } from "./store/database-set.js";
import { redisVersion } from "./version.js";

export interface ReplicationBindingParts {
  readonly config: NodeConfig;
  readonly databases: DatabaseSet;
  now(): number;
  usedMemory(): number;
  port(): number;
  functionSources(): readonly string[];
  loadFunction(code: string): void;
  applyFromPrimary(database: number, argv: readonly Argument[], decoder: CommandDecoder): void;
  scheduleTurn(): void;
  forgetStreamDatabase(): void;
  /** All data were replaced: watches break, the AOF must be made anew. */
  onDatasetReplaced(): void;
  onReplicasChanged(): void;
  onPrimaryLinkChanged(up: boolean): void;
  onHistoryChanged(): void;
  durableOffset(): number | undefined;
}

class IncomingDataset implements LoadTarget {
  readonly #parts: ReplicationBindingParts;
  #incoming: ReplacementDataset | undefined;

  constructor(parts: ReplicationBindingParts) {
    this.#parts = parts;
  }

  begin(): void {
    const { databases, loadFunction } = this.#parts;
    this.#incoming = new ReplacementDataset({ databases, dropExpiredAt: undefined, loadFunction });
  }

  apply(event: RdbEvent): void {
    this.#incoming?.loader.apply(event);
  }

  commit(): void {
    this.#incoming?.commit();
    this.#incoming = undefined;
    this.#parts.onDatasetReplaced();
  }

  abort(): void {
    this.#incoming = undefined;
  }
}

class WholeSnapshot implements SnapshotSource {
  readonly #parts: ReplicationBindingParts;

  constructor(parts: ReplicationBindingParts) {
    this.#parts = parts;
  }

  begin(request: SnapshotRequest): AsyncIterable<Buffer> {
    const { config, databases, functionSources } = this.#parts;
    const { id, offset } = request.position;
    // Encoded here and now, so that it is the state at the position.
    const chunks = snapshotChunks({
      databases,
      header: snapshotHeader(this.#parts, { id, offset, streamDb: 0 }),
      encoder: { compress: config.rdbcompression, checksum: config.rdbchecksum },
      functions: request.includeFunctions ? functionSources() : [],
      includeData: request.includeData,
    });
    return inOrder(chunks);
  }
}

async function* inOrder(chunks: readonly Buffer[]): AsyncGenerator<Buffer> {
  yield* chunks;
}

function snapshotHeader(
  parts: ReplicationBindingParts,
  replication: NonNullable<RdbHeader["replication"]>,
): RdbHeader {
  return {
    redisVersion,
    createdAt: Math.floor(parts.now() / 1000),
    usedMemoryBytes: parts.usedMemory(),
    replication,
    isAofBase: false,
  };
}

export function bindReplication(parts: ReplicationBindingParts): ReplicationHost {
  return {
    settings: settingsOf(parts),
    snapshots: new WholeSnapshot(parts),
    load: new IncomingDataset(parts),
    stream: { apply: (database, argv, decoder) => parts.applyFromPrimary(database, argv, decoder) },
    scheduleTurn: () => parts.scheduleTurn(),
    forgetStreamDatabase: () => parts.forgetStreamDatabase(),
    onReplicasChanged: () => parts.onReplicasChanged(),
    onPrimaryLinkChanged: (up) => parts.onPrimaryLinkChanged(up),
    onHistoryChanged: () => parts.onHistoryChanged(),
    durableOffset: () => parts.durableOffset(),
  };
}

/** The directives, read at each use so that CONFIG SET takes effect. */
function settingsOf(parts: ReplicationBindingParts): ReplicationSettings {
  const { config } = parts;
  const orUndefined = (text: string): string | undefined => (text === "" ? undefined : text);
  return {
    get backlogBytes() {
      return config.replBacklogSize;
    },
    get backlogTtlSeconds() {
      return config.replBacklogTtl;
    },
    get pingPeriodSeconds() {
      return config.replPingReplicaPeriod;
    },
    get timeoutSeconds() {
      return config.replTimeout;
    },
    get fullSyncDelaySeconds() {
      return config.replDisklessSync ? config.replDisklessSyncDelay : 0;
    },
    get outputHardBytes() {
      return config.clientOutputBufferLimit.replica.hardBytes;
    },
    get outputSoftBytes() {
      return config.clientOutputBufferLimit.replica.softBytes;
    },
    get outputSoftSeconds() {
      return config.clientOutputBufferLimit.replica.softSeconds;
    },
    get announcedPort() {
      return config.replicaAnnouncePort || parts.port();
    },
    get announcedAddress() {
      return orUndefined(config.replicaAnnounceIp);
    },
    get primaryUser() {
      return orUndefined(config.masteruser);
    },
    get primaryPassword() {
      return orUndefined(config.masterauth);
    },
  };
}
