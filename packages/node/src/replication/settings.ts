/**
 * What replication reads from the node's configuration, and what it asks of the node. All of it is
 * read at each use, so that CONFIG SET takes effect; the names follow the directives.
 */

import type { Argument, CommandDecoder } from "@slotlog/resp";
import type { RdbEvent } from "../rdb/index.js";
import type { HistorySpan } from "./core/divergence.js";
import type { HistoryPosition } from "./core/history.js";
import type { SpoolPlace } from "./spool.js";

export interface ReplicationSettings {
  /** `repl-backlog-size` */
  readonly backlogBytes: number;
  /** `repl-backlog-ttl`; 0 keeps it for ever. */
  readonly backlogTtlSeconds: number;
  /** `replica-acks`: the stream is counted whether or not somebody follows. */
  readonly keepsBacklog: boolean;
  /** `replica-acks-fsync`: what replicas say of their disks matters. */
  readonly wantsDurable: boolean;
  /** `repl-ping-replica-period` */
  readonly pingPeriodSeconds: number;
  /** `repl-timeout` */
  readonly timeoutSeconds: number;
  /** `repl-diskless-sync`: without it, data sets go to replicas by way of a file. */
  readonly diskless: boolean;
  /** `repl-diskless-sync-delay`: a full synchronisation waits so long for more replicas. */
  readonly fullSyncDelaySeconds: number;
  /** `client-output-buffer-limit replica`; 0 is no limit. */
  readonly outputHardBytes: number;
  readonly outputSoftBytes: number;
  readonly outputSoftSeconds: number;
  /** `replica-announce-port`, or the port we listen on. */
  readonly announcedPort: number;
  /** `replica-announce-ip` */
  readonly announcedAddress: string | undefined;
  /** `masteruser` */
  readonly primaryUser: string | undefined;
  /** `masterauth` */
  readonly primaryPassword: string | undefined;
}

export interface SnapshotRequest {
  /** What the auxiliary fields of the RDB say. */
  readonly position: HistoryPosition;
  /** The database that the stream has selected there; 0 in our own, in which a SELECT follows. */
  readonly streamDatabase: number;
  readonly includeData: boolean;
  readonly includeFunctions: boolean;
}

/**
 * The data set as it was when the snapshot was begun. Between `begin` and the end of the iteration
 * the node goes on changing; none of that may show.
 */
export interface SnapshotSource {
  /** Another snapshot is under way; `scheduleTurn` is called when it has ended. */
  readonly busy: boolean;
  /** Called between turns, when all that was executed is part of `position`; never while busy. */
  begin(request: SnapshotRequest): AsyncIterable<Buffer>;
}

/** Where a received data set goes. The old data stay until `commit`. */
export interface LoadTarget {
  begin(position: HistoryPosition | undefined): void;
  apply(event: RdbEvent): void;
  /** All is there and verified: it replaces the old data. */
  commit(): void;
  /** The transfer failed: what was received is dropped, the old data stay. */
  abort(): void;
}

/** Executes what the primary sends. */
export interface StreamTarget {
  /**
   * One command of the stream, valid during the call; `decoder.rawStart` tells where its bytes
   * stand. PING, REPLCONF and SELECT were taken care of: `database` says which one is selected.
   * Only within a transaction SELECT is handed on, to be executed in its place.
   */
  apply(database: number, argv: readonly Argument[], decoder: CommandDecoder): void;
}

/** What replication tells and asks the node. */
export interface ReplicationHost {
  readonly settings: ReplicationSettings;
  readonly snapshots: SnapshotSource;
  readonly load: LoadTarget;
  readonly stream: StreamTarget;
  /**
   * Our data will be replaced by those of a primary with this history: keeps aside what only we
   * have. They stay until it settles, and if it rejects.
   */
  keepAside(theirs: HistorySpan | undefined): Promise<void>;
  /** Where a data set may lie until it is sent. */
  spool(): SpoolPlace;
  /** The end of this turn must come: there is something to send. */
  scheduleTurn(): void;
  /** The next record of the log stream must name its database: a reader begins there. */
  forgetStreamDatabase(): void;
  /** A replica confirmed an offset, came, or went: WAIT may be over. */
  onReplicasChanged(): void;
  /** We follow somebody else from now on, or nobody. */
  onRoleChanged(primary: { readonly host: string; readonly port: number } | undefined): void;
  /** The link to the primary came up or went down. */
  onPrimaryLinkChanged(up: boolean): void;
  /** The history changed its id or jumped: what was recorded about it must be recorded anew. */
  onHistoryChanged(): void;
  /** The offset up to which our own disk has the stream, or `undefined` without an AOF. */
  durableOffset(): number | undefined;
}
