import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { buildInfo } from "./info.js";
import { humanBytes } from "./info-sections.js";
import type {
  InfoSource,
  MemoryInfo,
  PersistenceInfo,
  ReplicationInfo,
  ServerInfo,
} from "./info-sources.js";
import { LatencyHistogram } from "./latency-histogram.js";

const replication: ReplicationInfo = {
  replicas: [{ ip: "10.0.0.2", port: 7003, state: "online", offset: 14, lagSeconds: 1 }],
  failoverState: "no-failover",
  id: "a".repeat(40),
  secondId: "0".repeat(40),
  offset: 14,
  secondOffset: -1,
  backlogActive: true,
  backlogBytesMax: 1048576,
  backlogFirstOffset: 1,
  backlogBytes: 14,
};

const persistence: PersistenceInfo = {
  loading: false,
  asyncLoading: false,
  saveKeysProcessed: 0,
  saveKeysTotal: 0,
  changesSinceSave: 3,
  lastSaveSeconds: 1700000000,
  lastSaveOk: true,
  lastSaveDuration: -1,
  currentSaveDuration: -1,
  saves: 0,
  keysExpiredAtLoad: 0,
  keysLoaded: 0,
  aofEnabled: false,
  rewriteScheduled: false,
  lastRewriteDuration: -1,
  currentRewriteDuration: -1,
  lastRewriteOk: true,
  rewrites: 0,
  rewriteFailuresInRow: 0,
  lastWriteOk: true,
  aof: { currentBytes: 10, baseBytes: 5, bufferBytes: 1, pendingSyncs: 0, delayedSyncs: 2 },
};

/** Every number that is asked for is 7. */
function sevens<Section extends object>(known: Partial<Section> = {}): Section {
  return new Proxy(known as Section, {
    get: (target, name) => Reflect.get(target, name) ?? 7,
  });
}

function sourceWith(changes: Partial<InfoSource> = {}): InfoSource {
  const histogram = new LatencyHistogram();
  histogram.record(0.006);
  return {
    server: () =>
      sevens<ServerInfo>({
        redisVersion: "7.2.6",
        slotlogVersion: "0.1.0",
        os: "Linux 6.1 x86_64",
        runId: "f".repeat(40),
        executable: "/usr/bin/node",
        configFile: "",
        uptimeMs: 90_061_000,
        shutdownInMs: 5000,
        listeners: [{ name: "tcp", addresses: ["127.0.0.1", "::1"], port: 7000 }],
      }),
    clients: () => sevens(),
    memory: () => sevens<MemoryInfo>({ usedBytes: 2048, policy: "noeviction" }),
    persistence: () => persistence,
    stats: () => sevens(),
    replication: () => replication,
    cpu: () => sevens(),
    commands: () => [
      {
        fullName: "get",
        calls: 3,
        microseconds: 10.9,
        rejectedCalls: 1,
        failedCalls: 0,
        latency: histogram,
      },
      { fullName: "set", calls: 0, microseconds: 0, rejectedCalls: 0, failedCalls: 0 },
      { fullName: "config|set", calls: 0, microseconds: 0, rejectedCalls: 2, failedCalls: 0 },
    ],
    errors: () =>
      new Map([
        ["WRONGTYPE", 1],
        ["ERR", 4],
        ["A:B", 1],
      ]),
    keyspace: () => [
      { index: 0, keys: 5, expires: 1, averageTtlMs: 12.5 },
      { index: 1, keys: 0, expires: 0, averageTtlMs: 0 },
    ],
    debug: () => sevens(),
    clusterEnabled: true,
    isFenced: false,
    latencyTracking: true,
    percentiles: [50, 99.9],
    ...changes,
  };
}

function namesIn(text: string): string[] {
  return text.split("\r\n").map((line) => line.replace(/:.*/, ""));
}

test("sections and lines have the names and order that Redis 7.2.6 prints", () => {
  const expected = readFileSync(new URL("./redis-7.2-info-names.txt", import.meta.url), "utf8");
  const source = sourceWith({
    replication: () => ({ ...replication, replicas: [] }),
    server: () => ({ ...sourceWith().server(), shutdownInMs: 0 }),
    commands: () => [],
    errors: () => new Map(),
    keyspace: () => [],
  });
  const ours = namesIn(buildInfo(source, ["everything"])).filter(
    (name) => !name.startsWith("slotlog_") && name !== "shutdown_in_milliseconds",
  );
  assert.deepEqual(ours, expected.split("\n"));
});

test("the sections that are asked for, once each, in INFO's order and any case", () => {
  const titles = (...asked: string[]): string =>
    buildInfo(sourceWith(), asked)
      .split("\r\n")
      .filter((line) => line.startsWith("# "))
      .map((line) => line.slice(2))
      .join(" ");
  const standard =
    "Server Clients Memory Persistence Stats Replication CPU Modules Errorstats Cluster Keyspace";
  const all =
    "Server Clients Memory Persistence Stats Replication CPU Modules Commandstats Errorstats " +
    "Latencystats Cluster Keyspace";
  assert.equal(titles(), standard);
  assert.equal(titles("default"), standard);
  assert.equal(titles("all"), all);
  assert.equal(titles("everything"), all);
  assert.equal(titles("ALL", "debug"), `${all} Debug`);
  assert.equal(titles("keyspace", "CPU", "cpu"), "CPU Keyspace");
  assert.equal(titles("module_list"), "Modules");
  assert.equal(titles("default", "commandstats"), standard.replace("Err", "Commandstats Err"));
  assert.equal(buildInfo(sourceWith(), ["nope"]), "");
});

test("sections are parted by an empty line, and lines end as on the wire", () => {
  assert.equal(
    buildInfo(sourceWith(), ["cluster", "keyspace"]),
    "# Cluster\r\ncluster_enabled:1\r\nslotlog_fenced:0\r\n\r\n# Keyspace\r\ndb0:keys=5,expires=1,avg_ttl=12\r\n",
  );
});

test("commands, errors and percentiles", () => {
  assert.equal(
    buildInfo(sourceWith(), ["commandstats", "errorstats", "latencystats"]),
    [
      "# Commandstats",
      "cmdstat_get:calls=3,usec=10,usec_per_call=3.33,rejected_calls=1,failed_calls=0",
      "cmdstat_config|set:calls=0,usec=0,usec_per_call=0.00,rejected_calls=2,failed_calls=0",
      "",
      "# Errorstats",
      "errorstat_A_B:count=1",
      "errorstat_ERR:count=4",
      "errorstat_WRONGTYPE:count=1",
      "",
      "# Latencystats",
      "latency_percentiles_usec_get:p50=6.015,p99.9=6.015",
      "",
    ].join("\r\n"),
  );
  const off = buildInfo(sourceWith({ latencyTracking: false }), ["latencystats"]);
  assert.equal(off, "# Latencystats\r\n");
});

test("server: uptime, mode, listeners", () => {
  const text = buildInfo(sourceWith(), ["server"]);
  for (const line of [
    "redis_mode:cluster",
    "uptime_in_seconds:90061",
    "uptime_in_days:1",
    "shutdown_in_milliseconds:5000",
    "listener0:name=tcp,bind=127.0.0.1,bind=::1,port=7000",
  ]) {
    assert.ok(text.includes(`\r\n${line}\r\n`), line);
  }
});

test("a primary lists its replicas, a replica its link", () => {
  assert.match(
    buildInfo(sourceWith(), ["replication"]),
    /\r\nslave0:ip=10\.0\.0\.2,port=7003,state=online,offset=14,lag=1\r\n/,
  );
  const primary = {
    host: "10.0.0.1",
    port: 7000,
    up: false,
    lastIoSecondsAgo: -1,
    readOffset: 20,
    offset: 18,
    sync: { totalBytes: 200, readBytes: 50, lastIoSecondsAgo: 0 },
    downSinceSeconds: 4,
    priority: 100,
    readOnly: true,
    announced: true,
  };
  const text = buildInfo(
    sourceWith({ replication: () => ({ ...replication, replicas: [], primary, goodReplicas: 2 }) }),
    ["replication"],
  );
  assert.deepEqual(text.split("\r\n").slice(1, 20), [
    "role:slave",
    "master_host:10.0.0.1",
    "master_port:7000",
    "master_link_status:down",
    "master_last_io_seconds_ago:-1",
    "master_sync_in_progress:1",
    "slave_read_repl_offset:20",
    "slave_repl_offset:18",
    "master_sync_total_bytes:200",
    "master_sync_read_bytes:50",
    "master_sync_left_bytes:150",
    "master_sync_perc:25.00",
    "master_sync_last_io_seconds_ago:0",
    "master_link_down_since_seconds:4",
    "slave_priority:100",
    "slave_read_only:1",
    "replica_announced:1",
    "connected_slaves:0",
    "min_slaves_good_slaves:2",
  ]);
});

test("persistence tells of the AOF if there is one, and of loading while it lasts", () => {
  const progress = { startSeconds: 9, totalBytes: 100, loadedBytes: 24, elapsedSeconds: 5 };
  const text = buildInfo(
    sourceWith({
      persistence: () => ({ ...persistence, aofEnabled: true, loading: true, progress }),
    }),
    ["persistence"],
  );
  assert.ok(text.includes("\r\nloading:1\r\n"));
  assert.ok(text.includes("aof_current_size:10\r\naof_base_size:5\r\naof_pending_rewrite:0\r\n"));
  assert.ok(text.includes("loading_loaded_perc:24.00\r\nloading_eta_seconds:15\r\n"));
});

test("sizes for humans", () => {
  const cases = [
    [0, "0B"],
    [1023, "1023B"],
    [1024, "1.00K"],
    [906184, "884.95K"],
    [25274793984, "23.54G"],
    [1024 ** 4, "1.00T"],
  ] as const;
  for (const [bytes, text] of cases) assert.equal(humanBytes(bytes), text);
});
