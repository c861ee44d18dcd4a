/** What the rest of the node uses of replication. */

export { Failover, type FailoverRequest, type FailoverState, findReplica } from "./failover.js";
export { Backlog } from "./core/backlog.js";
export {
  type HistoryPosition,
  noReplicationId,
  ReplicationHistory,
  type ReplicationId,
} from "./core/history.js";
export type { PrimaryLinkState, ReplicaLinkState } from "./core/link-state.js";
export { type PrimaryAddress, PrimaryLink } from "./primary-link.js";
export { ReplicaLink } from "./replica-link.js";
export { type ReplconfAnswer, ReplicaPeer } from "./replica-peer.js";
export { Replicas, type SyncRequest } from "./replicas.js";
export { Replication, type ReplicationOptions } from "./replication.js";
export {
  type ReplicationReportOptions,
  replicationInfo,
  type RoleReport,
  roleReport,
} from "./report.js";
export type {
  LoadTarget,
  ReplicationHost,
  ReplicationSettings,
  SnapshotRequest,
  SnapshotSource,
  StreamTarget,
} from "./settings.js";
