/** Directives about logs, the slow log, latency and notifications. */

import { choice, numeric, text, toggle } from "../directive.js";
import { latencyTrackingInfoPercentiles, notifyKeyspaceEvents } from "../special.js";

export const observationDirectives = [
  choice("loglevel", ["debug", "verbose", "notice", "warning", "nothing"], "notice"),
  text("logfile", "", { immutable: true }),
  toggle("syslog-enabled", false, { immutable: true }),
  text("syslog-ident", "redis", { immutable: true }),
  choice(
    "syslog-facility",
    ["user", "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7"],
    "local0",
    { immutable: true },
  ),
  numeric("slowlog-log-slower-than", { initial: 10000, min: -1n }),
  numeric("slowlog-max-len", { initial: 128 }),
  numeric("latency-monitor-threshold", { initial: 0 }),
  toggle("latency-tracking", true),
  latencyTrackingInfoPercentiles,
  notifyKeyspaceEvents,
] as const;
