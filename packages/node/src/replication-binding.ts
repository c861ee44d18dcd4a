/**
 * Binds replication to a node: what it reads from the configuration, where a received data set
 * goes, and how the primary's stream is executed.
 */
import type { Argument, CommandDecoder } from "@slotlog/resp";
import type { NodeConfig } from "./config/config.js";
import { ReplacementDataset } from "./dataset/load.js";
import type { RdbEvent } from "./rdb/index.js";
import type { HistorySpan } from "./replication/core/divergence.js";
import type {
  LoadTarget,
  ReplicationHost,
  ReplicationSettings,
  SnapshotSource,
} from "./replication/settings.js";
import type { SpoolPlace } from "./replication/spool.js";
import type { DatabaseSet } from "./store/database-set.js";

export interface ReplicationBindingParts {
  readonly config: NodeConfig;
  readonly databases: DatabaseSet;
  readonly snapshots: SnapshotSource;
  port(): number;
  spool(): SpoolPlace;
  keepAside(theirs: HistorySpan | undefined): Promise<void>;
  loadFunction(code: string): void;
  applyFromPrimary(database: number, argv: readonly Argument[], decoder: CommandDecoder): void;
  scheduleTurn(): void;
  forgetStreamDatabase(): void;
  /** All data were replaced: watches break, the AOF must be made anew. */
  onDatasetReplaced(): void;
  onReplicasChanged(): void;
  onRoleChanged(primary: { readonly host: string; readonly port: number } | undefined): void;
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
    this.#incoming?.abandon();
    this.#incoming = undefined;
  }
}

export function bindReplication(parts: ReplicationBindingParts): ReplicationHost {
  return {
    settings: settingsOf(parts),
    snapshots: parts.snapshots,
    load: new IncomingDataset(parts),
    stream: { apply: (database, argv, decoder) => parts.applyFromPrimary(database, argv, decoder) },
    keepAside: (theirs) => parts.keepAside(theirs),
    spool: () => parts.spool(),
    scheduleTurn: () => parts.scheduleTurn(),
    forgetStreamDatabase: () => parts.forgetStreamDatabase(),
    onReplicasChanged: () => parts.onReplicasChanged(),
    onRoleChanged: (primary) => parts.onRoleChanged(primary),
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
    get keepsBacklog() {
      return config.replicaAcks > 0;
    },
    get wantsDurable() {
      return config.replicaAcks > 0 && config.replicaAcksFsync;
    },
    get pingPeriodSeconds() {
      return config.replPingReplicaPeriod;
    },
    get timeoutSeconds() {
      return config.replTimeout;
    },
    get diskless() {
      return config.replDisklessSync;
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
