/** What changing a directive at run time does to the parts of a node. */
import type { AccessControl } from "../acl/access-control.js";
import type { LatencyMonitor } from "../observe/latency-monitor.js";
import type { SlowLog } from "../observe/slow-log.js";
import type { AppendOnly } from "../persistence/append-only.js";
import type { AccessClock } from "../store/access.js";
import type { Configuration } from "./config.js";

/** The parts that follow the configuration. */
export interface ConfiguredParts {
  readonly configuration: Configuration;
  readonly slowLog: SlowLog;
  readonly latency: LatencyMonitor;
  readonly access: AccessClock;
  readonly acl: AccessControl;
  readonly memory: { limitChanged(): void };
  readonly persistence: { readonly appendOnly: AppendOnly };
  readonly replicationControl: { readonly acks: { applyDirectives(): void } };
  slowCommandMs: number;
  readsWait: boolean;
  /** The cron's pace. */
  restartCron(): void;
}

/** Puts the values in force into effect, and whatever they become. */
export function applyDirectives(node: ConfiguredParts): void {
  const { configuration } = node;
  configuration.onChange("appendonly", () => {
    node.persistence.appendOnly.want(configuration.values.appendonly);
  });
  for (const [names, apply] of effects) {
    const run = (): void => apply(node);
    for (const name of names) configuration.onChange(name, run);
    run();
  }
  configuration.onChange("maxmemory", () => node.memory.limitChanged());
}

type Effect = readonly [
  names: readonly Parameters<Configuration["onChange"]>[0][],
  apply: (node: ConfiguredParts) => void,
];

const effects: readonly Effect[] = [
  [["slowlog-log-slower-than", "slowlog-max-len", "latency-monitor-threshold"], applyThresholds],
  [["maxmemory-policy", "lfu-log-factor", "lfu-decay-time"], applyAccess],
  [["appendfsync", "aof-buffer-max", "no-appendfsync-on-rewrite"], applyAppendOnly],
  [
    ["replica-acks", "replica-acks-timeout", "replica-acks-fsync"],
    (node) => node.replicationControl.acks.applyDirectives(),
  ],
  [["requirepass"], (node) => node.acl.setDefaultPassword(node.configuration.values.requirepass)],
  [["hz"], (node) => node.restartCron()],
];

function applyThresholds(node: ConfiguredParts): void {
  const { configuration, latency, slowLog } = node;
  const { slowlogLogSlowerThan, slowlogMaxLen, latencyMonitorThreshold } = configuration.values;
  slowLog.configure({ slowerThan: slowlogLogSlowerThan, lengthMax: slowlogMaxLen });
  latency.thresholdMs = latencyMonitorThreshold;
  const latencyMs =
    latencyMonitorThreshold === 0 ? Number.POSITIVE_INFINITY : latencyMonitorThreshold;
  node.slowCommandMs = Math.min(slowLog.thresholdMs, latencyMs);
}

function applyAccess({ access, configuration }: ConfiguredParts): void {
  const { maxmemoryPolicy, lfuLogFactor, lfuDecayTime } = configuration.values;
  access.lfu = maxmemoryPolicy.endsWith("-lfu");
  access.lfuLogFactor = lfuLogFactor;
  access.lfuDecayMinutes = lfuDecayTime;
}

function applyAppendOnly(node: ConfiguredParts): void {
  const { appendOnly } = node.persistence;
  appendOnly.applyDirectives();
  if (appendOnly.writer !== undefined) {
    node.readsWait = node.configuration.values.appendfsync === "always";
  }
}
