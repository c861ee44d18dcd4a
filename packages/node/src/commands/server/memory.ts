/** MEMORY: what keys and the server take. Sizes are estimates: V8 does not tell exact ones. */
import { replyErrors } from "@slotlog/resp";
import type { CommandContext } from "../../dispatch/context.js";
import { entryBytes, stringBytes, valueBytes } from "../../store/memory-tally.js";
import { longArgument } from "../arguments.js";
import { helpSubcommand } from "../help.js";
import { type CommandSpec, keyAt } from "../spec.js";

const defaultSamples = 5;

function runUsage({ db, reply }: CommandContext, argv: readonly string[]): void {
  let samples = defaultSamples;
  for (let i = 3; i < argv.length; i += 2) {
    const count = argv[i + 1];
    if ((argv[i] as string).toLowerCase() !== "samples" || count === undefined) {
      reply.error(replyErrors.syntax);
      return;
    }
    samples = longArgument(count);
    if (samples < 0) {
      reply.error(replyErrors.syntax);
      return;
    }
  }
  const key = argv[2] as string;
  const value = db.peek(key);
  if (value === undefined) reply.nil();
  else {
    // What samples tell of a collection is an average, and may be a fraction.
    const bytes = entryBytes + stringBytes(key.length) + valueBytes(value, samples);
    reply.integer(Math.floor(bytes));
  }
}

function runStats({ node, reply }: CommandContext): void {
  const memory = node.info.memory();
  const { usedBytes, rssBytes, heapTotalBytes, overheadBytes, startupBytes } = memory;
  const keys = node.databases.size;
  const dataset = Math.max(0, usedBytes - overheadBytes);
  const net = Math.max(1, usedBytes - startupBytes);
  const peak = Math.max(memory.peakBytes, usedBytes);
  const used = node.databases.databases.filter(({ size }) => size > 0);
  reply.map(27 + used.length);
  const integer = (name: string, value: number): void => {
    reply.bulk(name);
    reply.integer(Math.floor(value));
  };
  const double = (name: string, value: number): void => {
    reply.bulk(name);
    reply.double(value);
  };
  integer("peak.allocated", peak);
  integer("total.allocated", usedBytes);
  integer("startup.allocated", startupBytes);
  integer("replication.backlog", memory.backlogBytes);
  integer("clients.slaves", memory.replicaClientBytes);
  integer("clients.normal", memory.normalClientBytes);
  integer("cluster.links", memory.clusterLinkBytes);
  integer("aof.buffer", memory.aofBufferBytes);
  integer("lua.caches", memory.scriptCacheBytes);
  integer("functions.caches", memory.functionBytes);
  for (const { index, size, volatileSize } of used) {
    reply.bulk(`db.${index}`);
    reply.map(3);
    integer("overhead.hashtable.main", size * entryBytes);
    integer("overhead.hashtable.expires", volatileSize * 8);
    integer("overhead.hashtable.slot-to-keys", 0);
  }
  integer("overhead.total", overheadBytes);
  integer("keys.count", keys);
  integer("keys.bytes-per-key", keys === 0 ? 0 : net / keys);
  integer("dataset.bytes", dataset);
  double("dataset.percentage", (dataset * 100) / net);
  double("peak.percentage", (usedBytes * 100) / peak);
  integer("allocator.allocated", usedBytes);
  integer("allocator.active", heapTotalBytes);
  integer("allocator.resident", rssBytes);
  double("allocator-fragmentation.ratio", heapTotalBytes / Math.max(1, usedBytes));
  integer("allocator-fragmentation.bytes", heapTotalBytes - usedBytes);
  double("allocator-rss.ratio", rssBytes / Math.max(1, heapTotalBytes));
  integer("allocator-rss.bytes", rssBytes - heapTotalBytes);
  double("rss-overhead.ratio", 1);
  integer("rss-overhead.bytes", 0);
  double("fragmentation", rssBytes / Math.max(1, usedBytes));
  integer("fragmentation.bytes", rssBytes - usedBytes);
}

/** Below this much data nothing can be told. */
const tellingBytes = 5 * 1024 * 1024;

function runDoctor({ node, reply }: CommandContext): void {
  const { usedBytes, peakBytes, maxmemory } = node.info.memory();
  const { heapLimit } = node.process;
  const findings: string[] = [];
  if (usedBytes > heapLimit * 0.85) {
    findings.push(
      "The heap is nearly full. Start the process with a larger --max-old-space-size, or set " +
        "maxmemory with an eviction policy.",
    );
  }
  if (maxmemory > heapLimit) {
    findings.push(
      "maxmemory is more than the heap may grow to: the process would end before it evicts.",
    );
  }
  if (peakBytes > usedBytes * 1.5 && usedBytes > tellingBytes) {
    findings.push("There was a time when much more memory was used than now; V8 may keep some.");
  }
  const text =
    findings.length === 0
      ? "Nothing unusual about this server's memory.\n"
      : `${findings.map((finding) => `* ${finding}`).join("\n")}\n`;
  reply.verbatim("txt", text);
}

const help = helpSubcommand({
  container: "memory",
  since: "4.0.0",
  group: "server",
  lines: [
    "DOCTOR",
    "    Return memory problems reports.",
    "MALLOC-STATS",
    "    Return internal statistics report from the memory allocator.",
    "PURGE",
    "    Attempt to purge dirty pages for reclamation by the allocator.",
    "STATS",
    "    Return information about the memory usage of the server.",
    "USAGE <key> [SAMPLES <count>]",
    "    Return memory in bytes used by <key> and its value. Nested values are",
    "    sampled up to <count> times (default: 5, 0 means sample all).",
  ],
});

const subcommands: readonly CommandSpec[] = [
  {
    name: "doctor",
    arity: 2,
    flags: [],
    categories: [],
    tips: ["nondeterministic_output", "request_policy:all_shards", "response_policy:special"],
    docs: {
      summary: "Reports in words what is unusual about the memory in use.",
      since: "4.0.0",
      group: "server",
      complexity: "O(1)",
      syntax: "",
    },
    run: runDoctor,
  },
  {
    name: "malloc-stats",
    arity: 2,
    flags: [],
    categories: [],
    tips: ["nondeterministic_output", "request_policy:all_shards", "response_policy:special"],
    docs: {
      summary: "Returns the allocator's own statistics, which V8 does not have.",
      since: "4.0.0",
      group: "server",
      complexity: "Depends on how much memory is allocated, could be slow",
      syntax: "",
    },
    run: ({ reply }) => reply.bulk("Stats not supported for the current allocator"),
  },
  {
    name: "purge",
    arity: 2,
    flags: [],
    categories: [],
    tips: ["request_policy:all_shards", "response_policy:all_succeeded"],
    docs: {
      summary: "Would make the allocator give memory back; V8 does so by itself.",
      since: "4.0.0",
      group: "server",
      complexity: "Depends on how much memory is allocated, could be slow",
      syntax: "",
    },
    run: ({ reply }) => reply.ok(),
  },
  {
    name: "stats",
    arity: 2,
    flags: [],
    categories: [],
    tips: ["nondeterministic_output", "request_policy:all_shards", "response_policy:special"],
    docs: {
      summary: "Returns what the memory is used for.",
      since: "4.0.0",
      group: "server",
      complexity: "O(1)",
      syntax: "",
    },
    run: runStats,
  },
  {
    name: "usage",
    arity: -3,
    flags: ["readonly"],
    categories: [],
    keys: [keyAt(2, "RO")],
    docs: {
      summary: "Estimates the bytes that a key and its value take.",
      since: "4.0.0",
      group: "server",
      complexity: "O(N), N being the number of samples",
      syntax: "key [SAMPLES count]",
    },
    run: runUsage,
  },
  help,
];

export const memory: CommandSpec = {
  name: "memory",
  arity: -2,
  flags: [],
  categories: [],
  docs: {
    summary: "Tells what memory is used for.",
    since: "4.0.0",
    group: "server",
    complexity: "Depends on the subcommand",
    syntax: "",
  },
  subcommands,
};
