/**
 * A node's metrics, for Prometheus: what `INFO` tells, under the names of redis_exporter, and what
 * no exporter can see from outside (`slotlog_…`). All of it is read when it is asked for; only the
 * times of the disk are collected before.
 */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import type { ClusterBridge } from "../cluster/bridge.js";
import type { Node } from "../node.js";
import { buildInfo } from "../observe/info.js";
import type { DiskTimes } from "./timed-disk.js";
import { infoSamples } from "./info-samples.js";
import { counter, gauge, type Sample } from "./sample.js";

/** From a write to the page cache to a disk that is in trouble. */
const diskBuckets = [
  0.00001, 0.0001, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30,
];

/** What the disk has not made durable; see `TimedDisk`. */
export interface Unsynced {
  readonly unsyncedBytes: number;
  readonly unsyncedSeconds: number;
}

export class NodeMetrics implements DiskTimes {
  readonly #registry = new Registry();
  readonly #known = new Map<string, Gauge | Counter>();
  readonly #writes: Histogram;
  readonly #syncs: Histogram;
  #scrapes = 0;

  constructor() {
    const registers = [this.#registry];
    collectDefaultMetrics({ register: this.#registry });
    this.#writes = new Histogram({
      name: "slotlog_aof_write_seconds",
      help: "Time of each write to the append-only file",
      buckets: diskBuckets,
      registers,
    });
    this.#syncs = new Histogram({
      name: "slotlog_aof_fsync_seconds",
      help: "Time of each fsync of the append-only file",
      buckets: diskBuckets,
      registers,
    });
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  wrote(seconds: number): void {
    this.#writes.observe(seconds);
  }

  synced(seconds: number): void {
    this.#syncs.observe(seconds);
  }

  /** The page that Prometheus reads. */
  async text(node: Node, disk: Unsynced): Promise<string> {
    const began = performance.now();
    this.#scrapes += 1;
    for (const metric of this.#known.values()) metric.reset();
    const info = buildInfo(node.info, ["all"]);
    const samples = infoSamples(info, node.cluster?.bus.core.infoText());
    samples.push(...configSamples(node), ...logSamples(node), ...ownSamples(node, disk));
    const seconds = (performance.now() - began) / 1000;
    samples.push(
      counter("redis_exporter_scrapes_total", "Times this page was read", this.#scrapes),
      gauge("redis_exporter_last_scrape_error", "Always 0", 0),
      gauge("redis_exporter_last_scrape_duration_seconds", "Time to collect this page", seconds),
    );
    for (const sample of samples) this.#set(sample);
    return this.#registry.metrics();
  }

  close(): void {
    this.#registry.clear();
  }

  #set({ name, kind, help, labels, value }: Sample): void {
    let metric = this.#known.get(name);
    if (metric === undefined) {
      const options = {
        name,
        help,
        labelNames: Object.keys(labels),
        registers: [this.#registry],
      };
      metric = kind === "gauge" ? new Gauge(options) : new Counter(options);
      this.#known.set(name, metric);
    }
    // Counters are kept by their owners; here they are set to what those say.
    if (Number.isFinite(value) && (kind === "gauge" || value >= 0)) metric.inc(labels, value);
  }
}

function configSamples({ config }: Node): Sample[] {
  const samples = [
    gauge("redis_config_maxclients", "maxclients", config.maxclients),
    gauge("redis_config_maxmemory", "maxmemory", config.maxmemory),
  ];
  const { normal, replica: slave, pubsub } = config.clientOutputBufferLimit;
  for (const [name, limit] of Object.entries({ normal, slave, pubsub })) {
    const { hardBytes: hard, softBytes: soft, softSeconds } = limit;
    const bytes = "redis_config_client_output_buffer_limit_bytes";
    const seconds = "redis_config_client_output_buffer_limit_overcome_seconds";
    const help = "client-output-buffer-limit";
    samples.push(
      gauge(bytes, help, hard, { class: name, limit: "hard" }),
      gauge(bytes, help, soft, { class: name, limit: "soft" }),
      gauge(seconds, help, softSeconds, { class: name, limit: "soft" }),
    );
  }
  return samples;
}

function logSamples({ latency, registry, slowLog }: Node): Sample[] {
  const [last] = slowLog.latest(1);
  const samples = [
    gauge("redis_slowlog_length", "Entries of the slow log", slowLog.length),
    gauge("redis_slowlog_last_id", "Number of the last entry", last?.id ?? 0),
    gauge(
      "redis_last_slow_execution_duration_seconds",
      "Time of the last slow command",
      (last?.microseconds ?? 0) / 1e6,
    ),
  ];
  for (const { event, ms, unixSeconds } of latency.latest()) {
    const labels = { event_name: event };
    samples.push(
      gauge("redis_latency_spike_last", "When it was last slow", unixSeconds, labels),
      gauge("redis_latency_spike_duration_seconds", "How slow it was", ms / 1000, labels),
    );
  }
  for (const command of registry.all()) {
    if (command.latency === undefined || command.latency.count === 0) continue;
    const cmd = command.fullName;
    const help = "Calls by their time";
    const name = "redis_commands_latencies_usec";
    for (const [microseconds, calls] of command.latency.cumulative()) {
      samples.push(counter(`${name}_bucket`, help, calls, { cmd, le: String(microseconds) }));
    }
    samples.push(
      counter(`${name}_bucket`, help, command.latency.count, { cmd, le: "+Inf" }),
      counter(`${name}_sum`, help, command.microseconds, { cmd }),
      counter(`${name}_count`, help, command.latency.count, { cmd }),
    );
  }
  return samples;
}

function ownSamples(node: Node, disk: Unsynced): Sample[] {
  const { cluster, gate, persistence, stats } = node;
  const walk = persistence.snapshots.active;
  const progress = walk === undefined ? 1 : walk.keysWritten / Math.max(1, walk.keysTotal);
  const buffered = persistence.writer?.bufferedBytes ?? 0;
  return [
    gauge(
      "slotlog_aof_unsynced_bytes",
      "Accepted and not yet known to survive a power loss",
      buffered + disk.unsyncedBytes,
    ),
    gauge(
      "slotlog_aof_unsynced_seconds",
      "Age of the oldest write that is not synced",
      disk.unsyncedSeconds,
    ),
    gauge(
      "slotlog_aof_writable",
      "0: writes are refused",
      persistence.writer?.writable === false ? 0 : 1,
    ),
    gauge("slotlog_held_reply_bytes", "Replies that wait for the disk or replicas", gate.heldBytes),
    gauge(
      "slotlog_snapshot_progress_ratio",
      "Of a rewrite, save or full sync; 1: none runs",
      progress,
    ),
    gauge(
      "slotlog_longest_turn_seconds",
      "Longest turn of the event loop",
      stats.longestTurnMs / 1000,
    ),
    counter(
      "slotlog_unconfirmed_writes_total",
      "Writes answered UNCONFIRMED",
      stats.unconfirmedWrites,
    ),
    counter("slotlog_salvages_total", "Diverged tails kept aside", stats.salvages),
    counter(
      "slotlog_salvaged_records_total",
      "Records in diverged tails kept aside",
      stats.salvagedRecords,
    ),
    counter("slotlog_redirects_total", "MOVED and ASK replies", stats.redirects),
    counter("slotlog_promotions_total", "Times this node became primary", stats.promotions),
    ...(cluster === undefined ? [] : clusterSamples(cluster)),
  ];
}

function clusterSamples(cluster: ClusterBridge): Sample[] {
  const { core } = cluster.bus;
  return [
    gauge("slotlog_cluster_links", "Links of the bus", core.linksView().length),
    gauge(
      "slotlog_cluster_write_lease_seconds",
      "How long writes are taken if no primary answers any more",
      cluster.writeLeaseMs / 1000,
    ),
    gauge(
      "slotlog_cluster_fenced",
      "1: writes are refused until a majority of the primaries answers",
      Number(cluster.isFenced),
    ),
    counter(
      "slotlog_cluster_fenced_total",
      "Times writes were refused because no majority of the primaries answered",
      core.writeLeaseLapses,
    ),
  ];
}
