/** What INFO replication and ROLE tell, as data; how they are printed is the commands' business. */

import { replicaStateNames } from "./core/link-state.js";
import type { Replication } from "./replication.js";
import type { ReplicationSettings } from "./settings.js";

/** What INFO prints beyond replication itself. */
export interface ReplicationReportOptions {
  readonly settings: ReplicationSettings;
  /** Monotonic milliseconds. */
  readonly now: number;
  readonly replicaPriority: number;
  readonly replicaReadOnly: boolean;
  readonly replicaAnnounced: boolean;
  /** 0 leaves the line out. */
  readonly minReplicasToWrite: number;
  readonly minReplicasMaxLagSeconds: number;
  readonly failoverState: string;
}

/** The lines of `# Replication` in Redis' order, name and value. */
export function replicationInfo(
  replication: Replication,
  options: ReplicationReportOptions,
): (readonly [string, string | number])[] {
  const { history, replicas } = replication;
  const lines: (readonly [string, string | number])[] = [
    ["role", replication.isReplica ? "slave" : "master"],
    ...primaryLines(replication, options),
    ["connected_slaves", replicas.count],
  ];
  if (options.minReplicasToWrite > 0 && options.minReplicasMaxLagSeconds > 0) {
    lines.push(["min_slaves_good_slaves", replicas.countGood(options.minReplicasMaxLagSeconds)]);
  }
  let index = 0;
  for (const link of replicas.links) {
    const state = replicaStateNames[link.state];
    if (state === "") continue;
    const lag = state === "online" ? seconds(options.now - link.acknowledgedAt) : 0;
    lines.push([
      `slave${index}`,
      `ip=${link.address},port=${link.peer.listeningPort},state=${state},` +
        `offset=${link.acknowledgedOffset},lag=${lag}`,
    ]);
    index++;
  }
  const { backlog } = history;
  lines.push(
    ["master_failover_state", options.failoverState],
    ["master_replid", history.id],
    ["master_replid2", history.secondId],
    ["master_repl_offset", history.offset],
    ["second_repl_offset", history.secondOffset],
    ["repl_backlog_active", backlog === undefined ? 0 : 1],
    ["repl_backlog_size", options.settings.backlogBytes],
    ["repl_backlog_first_byte_offset", backlog?.firstOffset ?? 0],
    ["repl_backlog_histlen", backlog?.length ?? 0],
  );
  return lines;
}

function primaryLines(
  replication: Replication,
  options: ReplicationReportOptions,
): (readonly [string, string | number])[] {
  const link = replication.primary;
  if (link === undefined) return [];
  const { receiver } = link;
  const lastIo = seconds(options.now - link.lastIoAt);
  const lines: (readonly [string, string | number])[] = [
    ["master_host", link.address.host],
    ["master_port", link.address.port],
    ["master_link_status", link.isUp ? "up" : "down"],
    ["master_last_io_seconds_ago", link.isUp ? lastIo : -1],
    ["master_sync_in_progress", link.state === "sync" ? 1 : 0],
    ["slave_read_repl_offset", link.readOffset],
    ["slave_repl_offset", replication.history.offset],
  ];
  if (receiver !== undefined) {
    const { totalBytes, receivedBytes } = receiver;
    const percent = totalBytes === 0 ? 0 : (receivedBytes / totalBytes) * 100;
    lines.push(
      ["master_sync_total_bytes", totalBytes],
      ["master_sync_read_bytes", receivedBytes],
      ["master_sync_left_bytes", totalBytes - receivedBytes],
      ["master_sync_perc", percent.toFixed(2)],
      ["master_sync_last_io_seconds_ago", lastIo],
    );
  }
  if (!link.isUp) {
    const down = link.downSince === undefined ? -1 : seconds(options.now - link.downSince);
    lines.push(["master_link_down_since_seconds", down]);
  }
  lines.push(
    ["slave_priority", options.replicaPriority],
    ["slave_read_only", options.replicaReadOnly ? 1 : 0],
    ["replica_announced", options.replicaAnnounced ? 1 : 0],
  );
  return lines;
}

function seconds(milliseconds: number): number {
  return Math.floor(milliseconds / 1000);
}

export type RoleReport =
  | {
      readonly role: "master";
      readonly offset: number;
      readonly replicas: readonly {
        readonly address: string;
        readonly port: number;
        readonly offset: number;
      }[];
    }
  | {
      readonly role: "slave";
      readonly host: string;
      readonly port: number;
      readonly state: string;
      /** -1 while there is no link. */
      readonly offset: number;
    };

/** What ROLE answers. */
export function roleReport(replication: Replication): RoleReport {
  const link = replication.primary;
  if (link !== undefined) {
    const offset = link.isUp ? replication.history.offset : -1;
    return { role: "slave", ...link.address, state: link.state, offset };
  }
  const online = [...replication.replicas.links].filter(
    (replica) => replicaStateNames[replica.state] === "online",
  );
  return {
    role: "master",
    offset: replication.history.offset,
    replicas: online.map((replica) => ({
      address: replica.address,
      port: replica.peer.listeningPort,
      offset: replica.acknowledgedOffset,
    })),
  };
}
