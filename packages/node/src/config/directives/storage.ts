/**
 * Directives about the data set: databases and encodings, memory and eviction, expiry, the RDB
 * file and the append-only file.
 */

import { choice, numeric, text, toggle } from "../directive.js";
import { INT_MAX, INT_MIN } from "../numbers.js";
import { dir, save } from "../special.js";

const MIB = 1024 * 1024;
const LONG_MAX = 2n ** 63n - 1n;

/** A count that C holds in a `size_t` bounded by `LONG_MAX`. */
const SIZE = { max: LONG_MAX, unsigned: true } as const;

export const datasetDirectives = [
  numeric("databases", { initial: 16, min: 1n, max: INT_MAX, immutable: true }),
  numeric("hash-max-listpack-entries", {
    initial: 512,
    alias: "hash-max-ziplist-entries",
    ...SIZE,
  }),
  numeric("hash-max-listpack-value", {
    initial: 64,
    alias: "hash-max-ziplist-value",
    notation: "memory",
    ...SIZE,
  }),
  numeric("list-max-listpack-size", {
    initial: -2,
    min: INT_MIN,
    max: INT_MAX,
    alias: "list-max-ziplist-size",
  }),
  numeric("list-compress-depth", { initial: 0, max: INT_MAX }),
  numeric("set-max-intset-entries", { initial: 512, ...SIZE }),
  numeric("set-max-listpack-entries", { initial: 128, ...SIZE }),
  numeric("set-max-listpack-value", { initial: 64, ...SIZE }),
  numeric("zset-max-listpack-entries", {
    initial: 128,
    alias: "zset-max-ziplist-entries",
    ...SIZE,
  }),
  numeric("zset-max-listpack-value", {
    initial: 64,
    alias: "zset-max-ziplist-value",
    notation: "memory",
    ...SIZE,
  }),
  numeric("hll-sparse-max-bytes", { initial: 3000, notation: "memory", ...SIZE }),
  numeric("stream-node-max-bytes", { initial: 4096, notation: "memory", ...SIZE }),
  numeric("stream-node-max-entries", { initial: 100 }),
  toggle("activerehashing", true),
  numeric("hz", {
    initial: 10,
    max: INT_MAX,
    clamp: (value) => (value < 1n ? 1n : value > 500n ? 500n : value),
  }),
  toggle("dynamic-hz", true),
  numeric("busy-reply-threshold", { initial: 5000, alias: "lua-time-limit" }),
] as const;

export const memoryDirectives = [
  numeric("maxmemory", { initial: 0, unsigned: true, notation: "memory" }),
  choice(
    "maxmemory-policy",
    [
      "volatile-lru",
      "volatile-lfu",
      "volatile-random",
      "volatile-ttl",
      "allkeys-lru",
      "allkeys-lfu",
      "allkeys-random",
      "noeviction",
    ],
    "noeviction",
  ),
  numeric("maxmemory-samples", { initial: 5, min: 1n, max: INT_MAX }),
  numeric("maxmemory-eviction-tenacity", { initial: 10, max: 100n }),
  numeric("maxmemory-clients", { initial: 0, min: -100n, notation: "memory-or-percent" }),
  numeric("lfu-log-factor", { initial: 10, max: INT_MAX }),
  numeric("lfu-decay-time", { initial: 1, max: INT_MAX }),
  numeric("active-expire-effort", { initial: 1, min: 1n, max: 10n }),
  toggle("lazyfree-lazy-eviction", false),
  toggle("lazyfree-lazy-expire", false),
  toggle("lazyfree-lazy-server-del", false),
  toggle("lazyfree-lazy-user-del", false),
  toggle("lazyfree-lazy-user-flush", false),
  toggle("activedefrag", false, {
    rule: (wanted) => (wanted ? NO_DEFRAGMENTATION : undefined),
  }),
  numeric("active-defrag-cycle-min", { initial: 1, min: 1n, max: 99n }),
  numeric("active-defrag-cycle-max", { initial: 25, min: 1n, max: 99n }),
  numeric("active-defrag-threshold-lower", { initial: 10, max: 1000n }),
  numeric("active-defrag-threshold-upper", { initial: 100, max: 1000n }),
  numeric("active-defrag-ignore-bytes", {
    initial: 100 * MIB,
    min: 1n,
    unsigned: true,
    max: LONG_MAX,
    notation: "memory",
  }),
  numeric("active-defrag-max-scan-fields", { initial: 1000, min: 1n }),
  toggle("jemalloc-bg-thread", true),
  numeric("tracking-table-max-keys", { initial: 1000000, ...SIZE }),
] as const;

export const persistenceDirectives = [
  dir,
  save,
  text("dbfilename", "dump.rdb", {
    guarded: true,
    rule: (value) =>
      isBaseName(value) ? undefined : "dbfilename can't be a path, just a filename",
  }),
  toggle("rdbcompression", true),
  toggle("rdbchecksum", true, { immutable: true }),
  toggle("rdb-del-sync-files", false),
  toggle("rdb-save-incremental-fsync", true),
  toggle("stop-writes-on-bgsave-error", true),
  choice("sanitize-dump-payload", ["no", "yes", "clients"], "no"),
  numeric("rdb-key-save-delay", { initial: 0, min: INT_MIN, max: INT_MAX, hidden: true }),
  numeric("key-load-delay", { initial: 0, min: INT_MIN, max: INT_MAX, hidden: true }),
  numeric("loading-process-events-interval-bytes", {
    initial: 2 * MIB,
    min: 1024n,
    max: INT_MAX,
    hidden: true,
  }),
  toggle("appendonly", false, { denyLoading: true }),
  text("appendfilename", "appendonly.aof", {
    immutable: true,
    rule: (value) => fileNameReason("appendfilename", "filename", value),
  }),
  text("appenddirname", "appendonlydir", {
    immutable: true,
    rule: (value) => fileNameReason("appenddirname", "dirname", value),
  }),
  choice("appendfsync", ["everysec", "always", "no"], "everysec"),
  toggle("no-appendfsync-on-rewrite", false),
  numeric("auto-aof-rewrite-percentage", { initial: 100, max: INT_MAX }),
  numeric("auto-aof-rewrite-min-size", { initial: 64 * MIB, notation: "memory" }),
  toggle("aof-load-truncated", true),
  toggle("aof-use-rdb-preamble", true),
  toggle("aof-timestamp-enabled", false),
  toggle("aof-rewrite-incremental-fsync", true),
  toggle("aof-disable-auto-gc", false, { hidden: true }),
] as const;

const NO_DEFRAGMENTATION =
  "Active defragmentation cannot be enabled: it requires a Redis server compiled with a modified " +
  "Jemalloc like the one shipped by default with the Redis source distribution";

function isBaseName(name: string): boolean {
  return !name.includes("/") && !name.includes("\\");
}

function fileNameReason(directive: string, what: string, value: string): string | undefined {
  if (value === "") return `${directive} can't be empty`;
  return isBaseName(value) ? undefined : `${directive} can't be a path, just a ${what}`;
}
