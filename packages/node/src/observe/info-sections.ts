/** The lines of each section of `INFO`. Zeros stand where Redis counts something we do not have. */

import type {
  ClientsInfo,
  CommandInfo,
  CpuInfo,
  DatabaseInfo,
  DebugInfo,
  InfoSource,
  Lines,
  MemoryInfo,
  PersistenceInfo,
  ReplicationInfo,
  ServerInfo,
} from "./info-sources.js";

export { statsSection } from "./info-stats.js";

export function serverSection(server: ServerInfo, source: InfoSource): Lines {
  const uptimeSeconds = Math.floor(server.uptimeMs / 1000);
  return [
    ["redis_version", server.redisVersion],
    ["redis_git_sha1", "00000000"],
    ["redis_git_dirty", 0],
    ["redis_build_id", "0000000000000000"],
    ["redis_mode", source.clusterEnabled ? "cluster" : "standalone"],
    ["os", server.os],
    ["arch_bits", 64],
    ["monotonic_clock", "POSIX clock_gettime"],
    ["multiplexing_api", "libuv"],
    ["atomicvar_api", "none"],
    ["gcc_version", "0.0.0"],
    ["process_id", server.processId],
    ["process_supervised", "no"],
    ["run_id", server.runId],
    ["tcp_port", server.port],
    ["server_time_usec", Math.floor(server.nowMs * 1000)],
    ["uptime_in_seconds", uptimeSeconds],
    ["uptime_in_days", Math.floor(uptimeSeconds / 86400)],
    ["hz", server.hz],
    ["configured_hz", server.hz],
    ["lru_clock", server.lruClock],
    ["executable", server.executable],
    ["config_file", server.configFile],
    ["io_threads_active", 0],
    ...when(server.shutdownInMs, (ms) => [["shutdown_in_milliseconds", Math.floor(ms)]]),
    ...server.listeners.map((listener, i): Lines[number] => [
      `listener${i}`,
      [
        `name=${listener.name}`,
        ...listener.addresses.map((address) => `bind=${address}`),
        ...(listener.port === 0 ? [] : [`port=${listener.port}`]),
      ].join(","),
    ]),
    ["slotlog_version", server.slotlogVersion],
  ];
}

export function clientsSection(clients: ClientsInfo): Lines {
  return [
    ["connected_clients", clients.connected],
    ["cluster_connections", clients.clusterConnections],
    ["maxclients", clients.max],
    ["client_recent_max_input_buffer", clients.recentMaxInputBytes],
    ["client_recent_max_output_buffer", clients.recentMaxOutputBytes],
    ["blocked_clients", clients.blocked],
    ["tracking_clients", clients.tracking],
    ["clients_in_timeout_table", clients.inTimeoutTable],
    ["total_blocking_keys", clients.blockingKeys],
    ["total_blocking_keys_on_nokey", clients.blockingKeysOnNoKey],
  ];
}

export function memorySection(memory: MemoryInfo): Lines {
  const used = memory.usedBytes;
  const peak = Math.max(memory.peakBytes, used);
  const rss = memory.rssBytes;
  const heap = memory.heapTotalBytes;
  const dataset = Math.max(0, used - memory.overheadBytes);
  const net = used - memory.startupBytes;
  const vm = memory.luaBytes + memory.functionVmBytes;
  const scripts = memory.scriptCacheBytes + memory.functionBytes;
  return [
    ...withHuman("used_memory", used),
    ...withHuman("used_memory_rss", rss),
    ...withHuman("used_memory_peak", peak),
    ["used_memory_peak_perc", `${((used * 100) / peak || 0).toFixed(2)}%`],
    ["used_memory_overhead", memory.overheadBytes],
    ["used_memory_startup", memory.startupBytes],
    ["used_memory_dataset", dataset],
    ["used_memory_dataset_perc", `${(net > 0 ? (dataset * 100) / net : 0).toFixed(2)}%`],
    ["allocator_allocated", used],
    ["allocator_active", heap],
    ["allocator_resident", rss],
    ...withHuman("total_system_memory", memory.systemBytes),
    ["used_memory_lua", memory.luaBytes],
    ["used_memory_vm_eval", memory.luaBytes],
    ["used_memory_lua_human", humanBytes(memory.luaBytes)],
    ["used_memory_scripts_eval", memory.scriptCacheBytes],
    ["number_of_cached_scripts", memory.cachedScripts],
    ["number_of_functions", memory.functions],
    ["number_of_libraries", memory.libraries],
    ["used_memory_vm_functions", memory.functionVmBytes],
    ...withHuman("used_memory_vm_total", vm),
    ["used_memory_functions", memory.functionBytes],
    ...withHuman("used_memory_scripts", scripts),
    ...withHuman("maxmemory", memory.maxmemory),
    ["maxmemory_policy", memory.policy],
    ["allocator_frag_ratio", ratio(heap, used)],
    ["allocator_frag_bytes", heap - used],
    ["allocator_rss_ratio", ratio(rss, heap)],
    ["allocator_rss_bytes", rss - heap],
    ["rss_overhead_ratio", "1.00"],
    ["rss_overhead_bytes", 0],
    ["mem_fragmentation_ratio", ratio(rss, used)],
    ["mem_fragmentation_bytes", rss - used],
    ["mem_not_counted_for_evict", memory.notCountedForEvictBytes],
    ["mem_replication_backlog", memory.backlogBytes],
    ["mem_total_replication_buffers", memory.replicationBufferBytes],
    ["mem_clients_slaves", memory.replicaClientBytes],
    ["mem_clients_normal", memory.normalClientBytes],
    ["mem_cluster_links", memory.clusterLinkBytes],
    ["mem_aof_buffer", memory.aofBufferBytes],
    ["mem_allocator", "v8"],
    ["active_defrag_running", 0],
    ["lazyfree_pending_objects", memory.lazyfreePending],
    ["lazyfreed_objects", memory.lazyfreed],
  ];
}

export function persistenceSection(now: PersistenceInfo): Lines {
  const perc = now.saveKeysTotal > 0 ? (now.saveKeysProcessed * 100) / now.saveKeysTotal : 0;
  return [
    ["loading", Number(now.loading && !now.asyncLoading)],
    ["async_loading", Number(now.asyncLoading)],
    ["current_cow_peak", 0],
    ["current_cow_size", 0],
    ["current_cow_size_age", 0],
    ["current_fork_perc", perc.toFixed(2)],
    ["current_save_keys_processed", now.saveKeysProcessed],
    ["current_save_keys_total", now.saveKeysTotal],
    ["rdb_changes_since_last_save", now.changesSinceSave],
    ["rdb_bgsave_in_progress", Number(now.currentSaveDuration >= 0)],
    ["rdb_last_save_time", now.lastSaveSeconds],
    ["rdb_last_bgsave_status", okOrErr(now.lastSaveOk)],
    ["rdb_last_bgsave_time_sec", now.lastSaveDuration],
    ["rdb_current_bgsave_time_sec", now.currentSaveDuration],
    ["rdb_saves", now.saves],
    ["rdb_last_cow_size", 0],
    ["rdb_last_load_keys_expired", now.keysExpiredAtLoad],
    ["rdb_last_load_keys_loaded", now.keysLoaded],
    ["aof_enabled", Number(now.aofEnabled)],
    ["aof_rewrite_in_progress", Number(now.currentRewriteDuration >= 0)],
    ["aof_rewrite_scheduled", Number(now.rewriteScheduled)],
    ["aof_last_rewrite_time_sec", now.lastRewriteDuration],
    ["aof_current_rewrite_time_sec", now.currentRewriteDuration],
    ["aof_last_bgrewrite_status", okOrErr(now.lastRewriteOk)],
    ["aof_rewrites", now.rewrites],
    ["aof_rewrites_consecutive_failures", now.rewriteFailuresInRow],
    ["aof_last_write_status", okOrErr(now.lastWriteOk)],
    ["aof_last_cow_size", 0],
    ["module_fork_in_progress", 0],
    ["module_fork_last_cow_size", 0],
    ...(now.aofEnabled ? aofLines(now) : []),
    ...(now.progress === undefined ? [] : progressLines(now.progress)),
  ];
}

function aofLines({ aof, rewriteScheduled }: PersistenceInfo): Lines {
  return [
    ["aof_current_size", aof.currentBytes],
    ["aof_base_size", aof.baseBytes],
    ["aof_pending_rewrite", Number(rewriteScheduled)],
    ["aof_buffer_length", aof.bufferBytes],
    ["aof_pending_bio_fsync", aof.pendingSyncs],
    ["aof_delayed_fsync", aof.delayedSyncs],
  ];
}

function progressLines(progress: NonNullable<PersistenceInfo["progress"]>): Lines {
  const { totalBytes, loadedBytes, elapsedSeconds } = progress;
  const perc = totalBytes > 0 ? (loadedBytes * 100) / totalBytes : 0;
  const left = Math.max(totalBytes - loadedBytes, 1);
  const elapsed = Math.floor(elapsedSeconds);
  return [
    ["loading_start_time", progress.startSeconds],
    ["loading_total_bytes", totalBytes],
    ["loading_rdb_used_mem", 0],
    ["loading_loaded_bytes", loadedBytes],
    ["loading_loaded_perc", perc.toFixed(2)],
    ["loading_eta_seconds", elapsed === 0 ? 1 : Math.floor((elapsed * left) / (loadedBytes + 1))],
  ];
}

export function replicationSection(replication: ReplicationInfo): Lines {
  const { primary, replicas } = replication;
  return [
    ["role", primary === undefined ? "master" : "slave"],
    ...when(primary, primaryLines),
    ["connected_slaves", replicas.length],
    ...when(replication.goodReplicas, (count) => [["min_slaves_good_slaves", count]]),
    ...replicas.map((replica, i): Lines[number] => [
      `slave${i}`,
      `ip=${replica.ip},port=${replica.port},state=${replica.state},offset=${replica.offset},` +
        `lag=${replica.lagSeconds}`,
    ]),
    ["master_failover_state", replication.failoverState],
    ["master_replid", replication.id],
    ["master_replid2", replication.secondId],
    ["master_repl_offset", replication.offset],
    ["second_repl_offset", replication.secondOffset],
    ["repl_backlog_active", Number(replication.backlogActive)],
    ["repl_backlog_size", replication.backlogBytesMax],
    ["repl_backlog_first_byte_offset", replication.backlogFirstOffset],
    ["repl_backlog_histlen", replication.backlogBytes],
  ];
}

function primaryLines(primary: NonNullable<ReplicationInfo["primary"]>): Lines {
  const { sync } = primary;
  const left = sync === undefined ? 0 : sync.totalBytes - sync.readBytes;
  const perc = sync === undefined ? 0 : (sync.readBytes * 100) / sync.totalBytes || 0;
  return [
    ["master_host", primary.host],
    ["master_port", primary.port],
    ["master_link_status", primary.up ? "up" : "down"],
    ["master_last_io_seconds_ago", primary.lastIoSecondsAgo],
    ["master_sync_in_progress", Number(sync !== undefined)],
    ["slave_read_repl_offset", primary.readOffset],
    ["slave_repl_offset", primary.offset],
    ...when(sync, (transfer) => [
      ["master_sync_total_bytes", transfer.totalBytes],
      ["master_sync_read_bytes", transfer.readBytes],
      ["master_sync_left_bytes", left],
      ["master_sync_perc", perc.toFixed(2)],
      ["master_sync_last_io_seconds_ago", transfer.lastIoSecondsAgo],
    ]),
    ...(primary.up
      ? []
      : ([["master_link_down_since_seconds", primary.downSinceSeconds]] as const)),
    ["slave_priority", primary.priority],
    ["slave_read_only", Number(primary.readOnly)],
    ["replica_announced", Number(primary.announced)],
  ];
}

export function cpuSection(cpu: CpuInfo): Lines {
  return [
    ["used_cpu_sys", cpu.system.toFixed(6)],
    ["used_cpu_user", cpu.user.toFixed(6)],
    ["used_cpu_sys_children", "0.000000"],
    ["used_cpu_user_children", "0.000000"],
    ["used_cpu_sys_main_thread", cpu.systemMainThread.toFixed(6)],
    ["used_cpu_user_main_thread", cpu.userMainThread.toFixed(6)],
  ];
}

export function commandStatsSection(commands: Iterable<CommandInfo>): Lines {
  const lines: Lines[number][] = [];
  for (const command of commands) {
    const { calls, rejectedCalls, failedCalls } = command;
    if (calls === 0 && rejectedCalls === 0 && failedCalls === 0) continue;
    const microseconds = Math.floor(command.microseconds);
    const each = calls === 0 ? 0 : microseconds / calls;
    lines.push([
      `cmdstat_${safeName(command.fullName)}`,
      `calls=${calls},usec=${microseconds},usec_per_call=${each.toFixed(2)},` +
        `rejected_calls=${rejectedCalls},failed_calls=${failedCalls}`,
    ]);
  }
  return lines;
}

export function errorStatsSection(errors: ReadonlyMap<string, number>): Lines {
  return [...errors]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([prefix, count]) => [`errorstat_${safeName(prefix)}`, `count=${count}`]);
}

export function latencyStatsSection(source: InfoSource): Lines {
  if (!source.latencyTracking) return [];
  const lines: Lines[number][] = [];
  for (const { fullName, latency } of source.commands()) {
    if (latency === undefined || latency.count === 0) continue;
    const values = source.percentiles.map((percentile) => {
      const microseconds = latency.nanosecondsAt(percentile) / 1000;
      return `p${percentile.toFixed(6).replace(/\.?0+$/, "")}=${microseconds.toFixed(3)}`;
    });
    lines.push([`latency_percentiles_usec_${safeName(fullName)}`, values.join(",")]);
  }
  return lines;
}

export function keyspaceSection(databases: Iterable<DatabaseInfo>): Lines {
  const lines: Lines[number][] = [];
  for (const { index, keys, expires, averageTtlMs } of databases) {
    if (keys === 0 && expires === 0) continue;
    const ttl = Math.floor(averageTtlMs);
    lines.push([`db${index}`, `keys=${keys},expires=${expires},avg_ttl=${ttl}`]);
  }
  return lines;
}

export function debugSection(debug: DebugInfo): Lines {
  return [
    ["eventloop_duration_aof_sum", Math.floor(debug.aofMicroseconds)],
    ["eventloop_duration_cron_sum", Math.floor(debug.cronMicroseconds)],
    ["eventloop_duration_max", Math.floor(debug.longestTurnMicroseconds)],
    ["eventloop_cmd_per_cycle_max", debug.commandsPerTurnMax],
  ];
}

/** `1.50K` and so on, in powers of 1024 with two decimals; bytes below 1024. */
export function humanBytes(bytes: number): string {
  let value = bytes;
  for (const unit of ["B", "K", "M", "G", "T", "P"]) {
    if (value < 1024) return unit === "B" ? `${value}B` : `${value.toFixed(2)}${unit}`;
    value /= 1024;
  }
  return `${bytes}B`;
}

function withHuman(name: string, bytes: number): Lines {
  return [
    [name, bytes],
    [`${name}_human`, humanBytes(bytes)],
  ];
}

/** Characters that would break a line of `INFO` apart. */
function safeName(name: string): string {
  return name.replaceAll(/[#:\n\r]/g, "_");
}

function ratio(whole: number, part: number): string {
  return (part === 0 ? 0 : whole / part).toFixed(2);
}

function okOrErr(ok: boolean): string {
  return ok ? "ok" : "err";
}

function when<Value>(value: Value | undefined, lines: (value: Value) => Lines): Lines {
  return value === undefined ? [] : lines(value);
}
