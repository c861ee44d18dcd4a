/** Directives about replication and the cluster. */

import { choice, numeric, text, toggle } from "../directive.js";
import { INT_MAX } from "../numbers.js";
import { replicaof } from "../special.js";

const PORT_MAX = 65535n;
const BACKLOG_BYTES_MIN = 16n * 1024n;
const HOST_CHARACTERS_MAX = 256;

export const replicationDirectives = [
  replicaof,
  text("masteruser", "", { unset: true, sensitive: true }),
  text("masterauth", "", { unset: true, anyBytes: true, sensitive: true }),
  toggle("replica-serve-stale-data", true, { alias: "slave-serve-stale-data" }),
  toggle("replica-read-only", true, { alias: "slave-read-only" }),
  toggle("replica-lazy-flush", false, { alias: "slave-lazy-flush" }),
  toggle("replica-ignore-maxmemory", true, { alias: "slave-ignore-maxmemory" }),
  toggle("replica-ignore-disk-write-errors", false),
  toggle("replica-announced", true),
  numeric("replica-priority", { initial: 100, max: INT_MAX, alias: "slave-priority" }),
  text("replica-announce-ip", "", { unset: true, alias: "slave-announce-ip" }),
  numeric("replica-announce-port", { initial: 0, max: PORT_MAX, alias: "slave-announce-port" }),
  toggle("repl-diskless-sync", true),
  numeric("repl-diskless-sync-delay", { initial: 5, max: INT_MAX }),
  numeric("repl-diskless-sync-max-replicas", { initial: 0, max: INT_MAX }),
  choice("repl-diskless-load", ["disabled", "on-empty-db", "swapdb"], "disabled", {
    denyLoading: true,
  }),
  toggle("repl-disable-tcp-nodelay", false),
  numeric("repl-ping-replica-period", {
    initial: 10,
    min: 1n,
    max: INT_MAX,
    alias: "repl-ping-slave-period",
  }),
  numeric("repl-timeout", { initial: 60, min: 1n, max: INT_MAX }),
  numeric("repl-backlog-size", {
    initial: 1024 * 1024,
    min: 1n,
    notation: "memory",
    clamp: (value) => (value < BACKLOG_BYTES_MIN ? BACKLOG_BYTES_MIN : value),
  }),
  numeric("repl-backlog-ttl", { initial: 3600 }),
  numeric("min-replicas-to-write", { initial: 0, max: INT_MAX, alias: "min-slaves-to-write" }),
  numeric("min-replicas-max-lag", { initial: 10, max: INT_MAX, alias: "min-slaves-max-lag" }),
  choice("propagation-error-behavior", ["ignore", "panic", "panic-on-replicas"], "ignore"),
] as const;

export const clusterDirectives = [
  toggle("cluster-enabled", false, { immutable: true }),
  text("cluster-config-file", "nodes.conf", { immutable: true }),
  numeric("cluster-node-timeout", { initial: 15000 }),
  numeric("cluster-ping-interval", { initial: 0, hidden: true }),
  numeric("cluster-port", { initial: 0, max: PORT_MAX, immutable: true }),
  numeric("cluster-replica-validity-factor", {
    initial: 10,
    max: INT_MAX,
    alias: "cluster-slave-validity-factor",
  }),
  toggle("cluster-replica-no-failover", false, { alias: "cluster-slave-no-failover" }),
  numeric("cluster-migration-barrier", { initial: 1, max: INT_MAX }),
  toggle("cluster-allow-replica-migration", true),
  toggle("cluster-require-full-coverage", true),
  toggle("cluster-allow-reads-when-down", false),
  toggle("cluster-allow-pubsubshard-when-down", true),
  numeric("cluster-link-sendbuf-limit", { initial: 0, unsigned: true, notation: "memory" }),
  text("cluster-announce-ip", "", { unset: true }),
  numeric("cluster-announce-port", { initial: 0, max: PORT_MAX }),
  numeric("cluster-announce-tls-port", { initial: 0, max: PORT_MAX }),
  numeric("cluster-announce-bus-port", { initial: 0, max: PORT_MAX }),
  text("cluster-announce-hostname", "", { unset: true, rule: hostnameReason }),
  text("cluster-announce-human-nodename", "", {
    unset: true,
    // The characters that nodes.conf and the bus use as separators, and those of glob patterns.
    rule: (value) =>
      /[!#$%&()*+:;<>?@[\]^{|}~]/.test(value)
        ? "Announced human node name contained invalid character"
        : undefined,
  }),
  choice("cluster-preferred-endpoint-type", ["ip", "hostname", "unknown-endpoint"], "ip"),
] as const;

function hostnameReason(value: string): string | undefined {
  if (value.length >= HOST_CHARACTERS_MAX) {
    return `Hostnames must be less than ${HOST_CHARACTERS_MAX} characters`;
  }
  return /^[A-Za-z0-9.-]*$/.test(value)
    ? undefined
    : "Hostnames may only contain alphanumeric characters, hyphens or dots";
}
