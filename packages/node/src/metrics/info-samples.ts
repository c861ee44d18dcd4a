/**
 * The text of `INFO all` and `CLUSTER INFO` as samples, under the names and labels of
 * redis_exporter, which reads the same text. Pure. No label comes from keys or clients: commands,
 * error prefixes and replicas are what varies, and all three are bounded.
 */
import { counterNames, gaugeNames } from "./info-names.js";
import { counter, gauge, redisPrefix, type Sample } from "./sample.js";

type Fields = ReadonlyMap<string, string>;

export function infoSamples(info: string, clusterInfo: string | undefined): Sample[] {
  const fields = fieldsOf(info);
  return [
    ...plainSamples(fields),
    ...(clusterInfo === undefined ? [] : plainSamples(fieldsOf(clusterInfo), "cluster_")),
    ...derivedSamples(fields),
    ...commandSamples(fields),
    ...keyspaceSamples(fields),
    ...replicationSamples(fields),
    instanceSample(fields),
  ];
}

function fieldsOf(text: string): Fields {
  const fields = new Map<string, string>();
  for (const line of text.split("\r\n")) {
    const colon = line.indexOf(":");
    if (colon > 0 && !line.startsWith("#")) fields.set(line.slice(0, colon), line.slice(colon + 1));
  }
  return fields;
}

/** `ok` and `fail` are 1 and 0; texts of other kinds are no metrics. */
function numberOf(text: string): number | undefined {
  if (text === "ok") return 1;
  if (text === "err" || text === "fail") return 0;
  const value = Number(text);
  return text === "" || Number.isNaN(value) ? undefined : value;
}

/** `others` is the prefix of fields that are metrics under their own name. */
function plainSamples(fields: Fields, others?: string): Sample[] {
  const samples: Sample[] = [];
  for (const [field, text] of fields) {
    const value = numberOf(text);
    if (value === undefined) continue;
    const help = `${field} of INFO`;
    const total = counterNames[field];
    const level = gaugeNames[field] ?? (others !== undefined && field.startsWith(others) && field);
    if (total !== undefined) samples.push(counter(redisPrefix + total, help, value));
    else if (level) samples.push(gauge(redisPrefix + level, help, value));
  }
  return samples;
}

/** Names of fields that older dashboards use, or that are computed. */
function derivedSamples(fields: Fields): Sample[] {
  const fork = Number(fields.get("latest_fork_usec") ?? 0) / 1e6;
  const uptime = Number(fields.get("uptime_in_seconds") ?? 0);
  const now = Number(fields.get("server_time_usec") ?? 0) / 1e6;
  const fragmentation = Number(fields.get("mem_fragmentation_ratio") ?? 0);
  return [
    gauge("redis_up", "1: the node answers", 1),
    gauge("redis_latest_fork_seconds", "Always 0: this server does not fork", fork),
    gauge("redis_start_time_seconds", "Unix time of the start", Math.floor(now) - uptime),
    gauge("redis_memory_fragmentation_ratio", "mem_fragmentation_ratio of INFO", fragmentation),
  ];
}

/** `a=1,b=2` as numbers. */
function pairsOf(text: string): Readonly<Record<string, string>> {
  return Object.fromEntries(
    text.split(",").map((pair) => {
      const at = pair.indexOf("=");
      return [pair.slice(0, at), pair.slice(at + 1)];
    }),
  );
}

function commandSamples(fields: Fields): Sample[] {
  const samples: Sample[] = [];
  for (const [field, text] of fields) {
    const [, kind, name = ""] =
      /^(cmdstat|errorstat|latency_percentiles_usec)_(.+)$/.exec(field) ?? [];
    if (kind === undefined) continue;
    const pairs = pairsOf(text);
    const number = (pair: string): number => Number(pairs[pair] ?? 0);
    if (kind === "errorstat") {
      const help = "Error replies by their prefix";
      samples.push(counter("redis_errors_total", help, number("count"), { err: name }));
    } else if (kind === "cmdstat") {
      const labels = { cmd: name };
      samples.push(
        counter("redis_commands_total", "Calls per command", number("calls"), labels),
        counter(
          "redis_commands_duration_seconds_total",
          "Time spent per command",
          number("usec") / 1e6,
          labels,
        ),
        counter(
          "redis_commands_rejected_calls_total",
          "Calls refused before they ran",
          number("rejected_calls"),
          labels,
        ),
        counter(
          "redis_commands_failed_calls_total",
          "Calls that answered an error",
          number("failed_calls"),
          labels,
        ),
      );
    } else {
      for (const [percentile, microseconds] of Object.entries(pairs)) {
        const quantile = String(Number(percentile.slice(1)) / 100);
        const help = "Time per call, by percentile";
        const labels = { cmd: name, quantile };
        samples.push(gauge("redis_latency_percentiles_usec", help, Number(microseconds), labels));
      }
    }
  }
  return samples;
}

function keyspaceSamples(fields: Fields): Sample[] {
  const samples: Sample[] = [];
  for (const [db, text] of fields) {
    if (!/^db\d+$/.test(db)) continue;
    const pairs = pairsOf(text);
    const number = (pair: string): number => Number(pairs[pair] ?? 0);
    samples.push(
      gauge("redis_db_keys", "Keys", number("keys"), { db }),
      gauge("redis_db_keys_expiring", "Keys with an expiry", number("expires"), { db }),
      gauge("redis_db_avg_ttl_seconds", "Average time to live", number("avg_ttl") / 1000, { db }),
    );
  }
  // Without keys INFO names no database; a graph should show 0 and not end.
  if (samples.length > 0) return samples;
  return [
    gauge("redis_db_keys", "Keys", 0, { db: "db0" }),
    gauge("redis_db_keys_expiring", "Keys with an expiry", 0, { db: "db0" }),
  ];
}

function replicationSamples(fields: Fields): Sample[] {
  const samples: Sample[] = [];
  const offset = Number(fields.get("master_repl_offset") ?? 0);
  for (const [field, text] of fields) {
    if (!/^slave\d+$/.test(field)) continue;
    const { ip = "", port = "", state = "", ...pairs } = pairsOf(text);
    const labels = { slave_ip: ip, slave_port: port, slave_state: state };
    const reached = Number(pairs["offset"] ?? 0);
    samples.push(
      gauge("redis_connected_slave_offset_bytes", "Offset the replica has", reached, labels),
      gauge(
        "redis_connected_slave_lag_seconds",
        "Since the replica spoke last",
        Number(pairs["lag"] ?? 0),
        labels,
      ),
      gauge("slotlog_replica_lag_bytes", "What the replica lacks", offset - reached, labels),
    );
  }
  const host = fields.get("master_host");
  if (host === undefined) return samples;
  const labels = { master_host: host, master_port: fields.get("master_port") ?? "" };
  const up = fields.get("master_link_status") === "up" ? 1 : 0;
  const read_only = fields.get("slave_read_only") ?? "";
  samples.push(
    gauge("redis_master_link_up", "1: connected to the primary", up, labels),
    gauge("redis_slave_info", "Always 1", 1, { ...labels, read_only }),
  );
  for (const [field, name] of [
    ["master_last_io_seconds_ago", "redis_master_last_io_seconds_ago"],
    ["master_sync_in_progress", "redis_master_sync_in_progress"],
    ["slave_repl_offset", "redis_slave_repl_offset"],
  ] as const) {
    samples.push(gauge(name, `${field} of INFO`, Number(fields.get(field) ?? 0), labels));
  }
  return samples;
}

function instanceSample(fields: Fields): Sample {
  const names = [
    "role",
    "redis_version",
    "redis_build_id",
    "redis_mode",
    "os",
    "maxmemory_policy",
    "tcp_port",
    "run_id",
    "process_id",
    "master_replid",
    "slotlog_version",
  ];
  const labels = Object.fromEntries(names.map((name) => [name, fields.get(name) ?? ""]));
  return gauge("redis_instance_info", "Always 1", 1, labels);
}
