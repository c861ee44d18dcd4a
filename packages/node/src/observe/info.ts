/**
 * `INFO`: which sections are asked for, and their order. Names, order and spelling of the lines are
 * those of Redis 7.2, because monitoring looks them up by name; they are in `info-sections.ts`.
 */

import {
  clientsSection,
  commandStatsSection,
  cpuSection,
  debugSection,
  errorStatsSection,
  keyspaceSection,
  latencyStatsSection,
  memorySection,
  persistenceSection,
  replicationSection,
  serverSection,
  statsSection,
} from "./info-sections.js";
import type { InfoSource, Lines } from "./info-sources.js";

interface Section {
  readonly name: string;
  readonly title: string;
  /** Listed by `INFO` without arguments; the others by `INFO all`; the last only by name. */
  readonly shown: "default" | "all" | "by-name";
  lines(source: InfoSource): Lines;
}

const SECTIONS: readonly Section[] = [
  { name: "server", title: "Server", shown: "default", lines: (s) => serverSection(s.server(), s) },
  {
    name: "clients",
    title: "Clients",
    shown: "default",
    lines: (s) => clientsSection(s.clients()),
  },
  { name: "memory", title: "Memory", shown: "default", lines: (s) => memorySection(s.memory()) },
  {
    name: "persistence",
    title: "Persistence",
    shown: "default",
    lines: (s) => persistenceSection(s.persistence()),
  },
  { name: "stats", title: "Stats", shown: "default", lines: (s) => statsSection(s.stats()) },
  {
    name: "replication",
    title: "Replication",
    shown: "default",
    lines: (s) => replicationSection(s.replication()),
  },
  { name: "cpu", title: "CPU", shown: "default", lines: (s) => cpuSection(s.cpu()) },
  // There are no modules; `module_list` is Redis' second name for this section.
  { name: "modules", title: "Modules", shown: "default", lines: () => [] },
  {
    name: "commandstats",
    title: "Commandstats",
    shown: "all",
    lines: (s) => commandStatsSection(s.commands()),
  },
  {
    name: "errorstats",
    title: "Errorstats",
    shown: "default",
    lines: (s) => errorStatsSection(s.errors()),
  },
  { name: "latencystats", title: "Latencystats", shown: "all", lines: latencyStatsSection },
  {
    name: "cluster",
    title: "Cluster",
    shown: "default",
    lines: (s) => [
      ["cluster_enabled", Number(s.clusterEnabled)],
      ...(s.isFenced === undefined ? [] : [["slotlog_fenced", Number(s.isFenced)] as const]),
    ],
  },
  {
    name: "keyspace",
    title: "Keyspace",
    shown: "default",
    lines: (s) => keyspaceSection(s.keyspace()),
  },
  { name: "debug", title: "Debug", shown: "by-name", lines: (s) => debugSection(s.debug()) },
];

/** The text of `INFO` with these arguments; a section nobody knows adds nothing. */
export function buildInfo(source: InfoSource, asked: readonly string[]): string {
  const names = new Set(asked.map((word) => word.toLowerCase()));
  if (names.has("module_list")) names.add("modules");
  const everything = names.has("all") || names.has("everything");
  const standard = asked.length === 0 || names.has("default");
  const parts: string[] = [];
  for (const section of SECTIONS) {
    const wanted =
      names.has(section.name) ||
      (everything && section.shown !== "by-name") ||
      (standard && section.shown === "default");
    if (!wanted) continue;
    let text = `# ${section.title}\r\n`;
    for (const [name, value] of section.lines(source)) text += `${name}:${value}\r\n`;
    parts.push(text);
  }
  return parts.join("\r\n");
}
