/**
 * The texts of LATENCY GRAPH and LATENCY DOCTOR, in our own words: people read them, programs do
 * not.
 */

import type { LatencyMonitor, LatencySample } from "./latency-monitor.js";

const GRAPH_COLUMNS = 80;
const GRAPH_ROWS = 4;
const HEADING_RULE = "-".repeat(80);

/** A bar chart of an event's samples, the newest at the right, with their age below. */
export function latencyGraph(
  monitor: LatencyMonitor,
  event: string,
  nowMs: number,
): string | undefined {
  const samples = monitor.history(event);
  if (samples.length === 0) return undefined;
  const { lowest, highest } = extremes(samples);
  const heading =
    `${event} - high ${highest} ms, low ${lowest} ms ` +
    `(all time high ${monitor.maxMs(event)} ms)\n${HEADING_RULE}\n`;
  return heading + chart(samples.slice(-GRAPH_COLUMNS), Math.floor(nowMs / 1000));
}

/** What events tell of, and what helps; by Redis' event names. */
const ADVICE: readonly {
  readonly events: RegExp;
  readonly text: string;
}[] = [
  {
    events: /^command$/,
    text: "Commands themselves were slow: see SLOWLOG GET for which ones, and split work on large collections (SCAN, HSCAN, smaller ranges, UNLINK).",
  },
  {
    events: /^fast-command$/,
    text: "Commands that need only microseconds were slow: the process did not get the CPU. Look for other load on this machine and for long garbage collections.",
  },
  {
    events: /^aof-fsync-always$/,
    text: "Syncing the append-only file takes long. Writers wait for it under 'appendfsync always'; 'everysec' takes it off their way and may lose a second on power loss.",
  },
  {
    events: /^aof-(write|write-.*|fstat|rename)$/,
    text: "Writing the append-only file takes long: use a local disk, and keep other writers off it.",
  },
  {
    events: /^expire-/,
    text: "Expiring keys took long: many keys expire at the same time, or large ones. Spread their times, or set lazyfree-lazy-expire.",
  },
  {
    events: /^eviction-/,
    text: "Evicting keys took long: memory ran full faster than it could be freed. Raise maxmemory, or write in smaller pieces.",
  },
];

/** A report of what was slow, with advice for what can be told from the events. */
export function latencyDoctor(monitor: LatencyMonitor, nowMs: number): string {
  const { events } = monitor;
  if (events.length === 0) {
    return monitor.thresholdMs === 0
      ? "The latency monitor is off. Turn it on with CONFIG SET latency-monitor-threshold <milliseconds>.\n"
      : `No event took ${monitor.thresholdMs} ms or more since the monitor was turned on.\n`;
  }
  const lines = ["Events that took long:", ""];
  for (const [i, event] of events.entries()) {
    lines.push(`${i + 1}. ${eventLine(monitor, event, nowMs)}`);
  }
  const advice = ADVICE.filter(({ events: name }) => events.some((event) => name.test(event)));
  if (advice.length > 0) lines.push("", "What may help:", "");
  for (const { text } of advice) lines.push(`- ${text}`);
  return `${lines.join("\n")}\n`;
}

function eventLine(monitor: LatencyMonitor, event: string, nowMs: number): string {
  const samples = monitor.history(event);
  const mean = samples.reduce((sum, { ms }) => sum + ms, 0) / samples.length;
  const deviation = samples.reduce((sum, { ms }) => sum + Math.abs(ms - mean), 0) / samples.length;
  const seconds = Math.max(1, Math.floor(nowMs / 1000) - samples[0]!.unixSeconds);
  return (
    `${event}: ${samples.length} spikes, average ${Math.floor(mean)} ms, mean deviation ` +
    `${Math.floor(deviation)} ms, one each ${(seconds / samples.length).toFixed(2)} s, ` +
    `worst ever ${monitor.maxMs(event)} ms`
  );
}

function extremes(samples: readonly LatencySample[]): { lowest: number; highest: number } {
  const all = samples.map(({ ms }) => ms);
  return { lowest: Math.min(...all), highest: Math.max(...all) };
}

/** Each column is filled from the ground; a half-filled top is `_` (a third) or `o` (two). */
function chart(samples: readonly LatencySample[], nowSeconds: number): string {
  const { lowest, highest } = extremes(samples);
  const range = highest - lowest || 1;
  const steps = samples.map(({ ms }) =>
    Math.max(1, Math.ceil(((ms - lowest) / range) * GRAPH_ROWS * 3)),
  );
  const rows: string[] = [];
  for (let row = GRAPH_ROWS - 1; row >= 0; row--) {
    rows.push(
      steps
        .map((step) => cell(step - row * 3))
        .join("")
        .trimEnd(),
    );
  }
  const labels = samples.map(({ unixSeconds }) => age(nowSeconds - unixSeconds));
  const depth = Math.max(...labels.map((label) => label.length));
  for (let i = 0; i < depth; i++) {
    rows.push(
      labels
        .map((label) => label[i] ?? " ")
        .join("")
        .trimEnd(),
    );
  }
  return `${rows.join("\n")}\n`;
}

function cell(thirds: number): string {
  if (thirds <= 0) return " ";
  if (thirds >= 3) return "#";
  return thirds === 1 ? "_" : "o";
}

function age(seconds: number): string {
  if (seconds < 60) return `${seconds}s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)}h`;
  return `${Math.floor(seconds / 86400)}d`;
}
