// What Prometheus reads of a node: the queries of redis_exporter's public dashboards and alerts
// each find their metric, and readiness tells what clients would see.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { pairs, TestCluster } from "../harness/cluster.js";
import { freePort, freePorts } from "../harness/ports.js";
import { projectRoot } from "../harness/project-root.js";
import { Server, subject } from "../harness/server.js";

/**
 * The expressions of contrib/grafana_prometheus_redis_dashboard.json, of the redis-mixin's overview
 * and of its alerts, all from github.com/oliver006/redis_exporter; without their selectors.
 */
const queries = [
  "max(max_over_time(redis_uptime_in_seconds[1m]))",
  "sum(redis_connected_clients)",
  "sum(100 * (redis_memory_used_bytes / redis_memory_max_bytes))",
  "sum(rate(redis_commands_total [1m])) by (cmd)",
  "irate(redis_keyspace_hits_total[5m])",
  "irate(redis_keyspace_misses_total[5m])",
  "sum(rate(redis_net_input_bytes_total[5m]))",
  "sum(rate(redis_net_output_bytes_total[5m]))",
  "sum (redis_db_keys) by (db, instance)",
  "sum (redis_db_keys) by (instance) - sum (redis_db_keys_expiring) by (instance)",
  "sum(rate(redis_expired_keys_total[5m])) by (instance)",
  "sum(rate(redis_evicted_keys_total[5m])) by (instance)",
  "sum(redis_blocked_clients)",
  "sum(irate(redis_commands_duration_seconds_total[1m])) by (cmd)",
  "sum(redis_memory_used_rss_bytes)",
  "redis_memory_fragmentation_ratio",
  "sum(redis_connected_slaves) by (instance)",
  "redis_master_last_io_seconds_ago",
  "redis_up == 0",
  "redis_memory_used_bytes / redis_total_system_memory_bytes * 100 > 90",
  "redis_cluster_slots_fail > 0",
  "redis_cluster_slots_pfail > 0",
  "redis_cluster_state == 0",
  // Alerts and panels that are widely copied from the same project's README and issues.
  "redis_connected_slave_lag_seconds",
  "redis_connected_slave_offset_bytes",
  "redis_master_link_up",
  "redis_rdb_last_bgsave_status",
  "redis_aof_last_write_status",
  "redis_rejected_connections_total",
  "redis_start_time_seconds",
  "redis_instance_info",
  "redis_slowlog_length",
  "redis_config_maxclients",
  "redis_cpu_sys_seconds_total",
  "redis_errors_total",
  "redis_exporter_last_scrape_error",
];

/** What only the node itself can tell. */
const own = [
  "slotlog_aof_write_seconds_bucket",
  "slotlog_aof_fsync_seconds_bucket",
  "slotlog_aof_unsynced_bytes",
  "slotlog_aof_unsynced_seconds",
  "slotlog_snapshot_progress_ratio",
  "slotlog_replica_lag_bytes",
  "slotlog_promotions_total",
  "slotlog_cluster_write_lease_seconds",
  "slotlog_cluster_fenced",
  "slotlog_cluster_fenced_total",
  "nodejs_eventloop_lag_p99_seconds",
  "redis_cluster_stats_messages_ping_sent",
];

/** The dashboard and the alerts that come with docker-compose.yml, whole: each name counts. */
function provisioned(): string[] {
  const files = ["alerts.yml", "grafana/dashboards/slotlog.json"];
  return files.map((file) =>
    readFileSync(join(projectRoot(), "packages/slotlog/monitoring", file), "utf8").replaceAll(
      "redis_exporter",
      "",
    ),
  );
}

async function get(port: number, path: string): Promise<{ status: number; text: string }> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`);
  return { status: response.status, text: await response.text() };
}

/** Names of the samples on a page, which is checked for its form. */
function samplesOf(page: string): Map<string, number> {
  const samples = new Map<string, number>();
  for (const line of page.split("\n")) {
    if (line === "" || line.startsWith("# HELP ") || line.startsWith("# TYPE ")) continue;
    const match = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(\{(?:[a-z_]+="(?:[^"\\]|\\.)*",?)*\})? (\S+)$/.exec(
      line,
    );
    assert.ok(match !== null, `not a sample: ${line}`);
    assert.ok(!Number.isNaN(Number(match[3]?.replace("Inf", "Infinity"))), line);
    samples.set(match[1] ?? "", Number(match[3]));
  }
  return samples;
}

describe("metrics", () => {
  it("has every metric of the public dashboards, on a primary and its replica", async () => {
    const ports = await freePorts(4);
    await using cluster = await TestCluster.start({
      primaries: 2,
      programs: pairs(subject(), 2).map((program, index) => ({
        ...program,
        args: [...program.args, "--metrics-port", String(ports[index])],
      })),
      directives: ["--appendonly", "yes", "--save", ""],
    });
    const [primary] = cluster.primaries;
    assert.ok(primary !== undefined);
    const client = await primary.client();
    await client.call("NO_SUCH_COMMAND");
    client.close();
    const pages = await Promise.all(ports.map(async (port) => (await get(port, "/metrics")).text));
    const found = new Map(pages.flatMap((page) => [...samplesOf(page)]));
    for (const query of [...queries, ...own, ...provisioned()]) {
      for (const name of query.match(/\b(?:redis|slotlog|nodejs)_\w+/g) ?? []) {
        assert.ok(found.has(name), `${name} of ${query}`);
      }
    }
    assert.equal(found.get("redis_cluster_state"), 1);
  });

  it("tells the truth in numbers", async () => {
    const metricsPort = await freePort();
    await using server = await Server.start({
      program: subject(),
      directives: ["--metrics-port", String(metricsPort), "--appendonly", "yes", "--save", ""],
    });
    const client = await server.client();
    for (let n = 0; n < 10; n++) await client.call("SET", `key${n}`, "value");
    await client.call("EXPIRE", "key1", "100");
    const first = (await get(metricsPort, "/metrics")).text;
    const lines = first.split("\n");
    assert.ok(lines.includes('redis_db_keys{db="db0"} 10'), first);
    assert.ok(lines.includes('redis_db_keys_expiring{db="db0"} 1'));
    assert.ok(lines.includes('redis_commands_total{cmd="set"} 10'));
    assert.ok(lines.includes("redis_aof_enabled 1"));
    await client.call("SET", "key", "value");
    const second = (await get(metricsPort, "/metrics")).text.split("\n");
    assert.ok(second.includes('redis_commands_total{cmd="set"} 11'), "counters are set, not added");
    assert.ok((samplesOf(first).get("slotlog_aof_write_seconds_count") ?? 0) > 0);
    client.close();
  });

  it("is ready when it serves, and says why not", async () => {
    const [metricsPort, dead] = [await freePort(), await freePort()];
    await using server = await Server.start({
      program: subject(),
      directives: ["--metrics-port", String(metricsPort), "--save", ""],
    });
    assert.deepEqual(await get(metricsPort, "/healthz"), { status: 200, text: "ok\n" });
    assert.deepEqual(await get(metricsPort, "/readyz"), { status: 200, text: "ok\n" });
    const client = await server.client();
    await client.call("REPLICAOF", "127.0.0.1", String(dead));
    const { status, text } = await get(metricsPort, "/readyz");
    assert.equal(status, 503);
    assert.match(text, /link to the primary is down/);
    assert.equal((await get(metricsPort, "/healthz")).status, 200);
    assert.equal((await get(metricsPort, "/nothing")).status, 404);
    client.close();
  });

  it("refuses to start without its port, and names it", async () => {
    const metricsPort = await freePort();
    await using server = await Server.start({
      program: subject(),
      directives: ["--metrics-port", String(metricsPort), "--save", ""],
    });
    assert.ok(server.running);
    await assert.rejects(
      Server.start({
        program: subject(),
        directives: ["--metrics-port", String(metricsPort), "--save", ""],
      }),
      new RegExp(`cannot serve metrics on .*:${metricsPort}: Address already in use`),
    );
  });
});
