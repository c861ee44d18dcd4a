// `slotlog cluster status` and `check`: one screen about a cluster, and what is wrong with it.

import { setTimeout as delay } from "node:timers/promises";
import Table from "cli-table3";
import pico from "picocolors";
import { sizeText } from "../aof/progress-bar.js";
import { type ExitCode, exitCodes } from "../errors.js";
import { type Address, addressText } from "./address.js";
import { type Finding, findingsOf, lagBytes } from "./findings.js";
import { rangesText, slotsOf } from "./slots.js";
import { ClusterView, type SeenNode } from "./view.js";

export interface NodeStatus {
  readonly id: string;
  readonly address: string;
  readonly role: "primary" | "replica";
  readonly primary: string | undefined;
  readonly state: "up" | "down" | "loading";
  readonly server: string;
  readonly slots: string;
  readonly slotCount: number;
  readonly keys: number;
  readonly memoryBytes: number;
  readonly maxmemoryBytes: number;
  readonly clients: number;
  readonly operationsPerSecond: number;
  readonly aof: string;
  readonly offset: number;
  readonly lagBytes: number | undefined;
}

export interface ClusterStatus {
  readonly ok: boolean;
  readonly nodes: readonly NodeStatus[];
  readonly findings: readonly Finding[];
}

export async function readStatus(seed: Address): Promise<ClusterStatus> {
  const view = await ClusterView.open(seed);
  try {
    const findings = findingsOf(view);
    const nodes = ordered(view).map((seen) => statusOf(seen, view));
    return { ok: !findings.some(({ severity }) => severity === "error"), nodes, findings };
  } finally {
    view.close();
  }
}

/** Each primary, in the order of slots, with its replicas behind it. */
function ordered(view: ClusterView): SeenNode[] {
  const firstSlot = ({ node }: SeenNode): number => slotsOf(node.slots)[0] ?? Infinity;
  const primaries = [...view.primaries].sort((a, b) => firstSlot(a) - firstSlot(b));
  const listed = primaries.flatMap((primary) => [primary, ...view.replicasOf(primary.node.id)]);
  return [...listed, ...view.nodes.filter((seen) => !listed.includes(seen))];
}

function statusOf({ node, answer }: SeenNode, view: ClusterView): NodeStatus {
  const info = answer?.info ?? new Map<string, string>();
  const number = (field: string): number => Number(info.get(field) ?? 0);
  const primary = view.nodes.find(({ node: other }) => other.id === node.primaryId);
  const slots = slotsOf(node.slots);
  const version = info.get("slotlog_version") ?? info.get("redis_version") ?? "";
  return {
    id: node.id,
    address: addressText(node),
    role: node.primaryId === undefined ? "primary" : "replica",
    primary: primary === undefined ? undefined : addressText(primary.node),
    state: answer === undefined ? "down" : number("loading") === 1 ? "loading" : "up",
    server: version === "" ? "" : `${serverName(info)} ${version}`,
    slots: rangesText(slots),
    slotCount: slots.length,
    keys: Number(/keys=(\d+)/.exec(info.get("db0") ?? "")?.[1] ?? 0),
    memoryBytes: number("used_memory"),
    maxmemoryBytes: number("maxmemory"),
    clients: number("connected_clients"),
    operationsPerSecond: number("instantaneous_ops_per_sec"),
    aof: aofText(info),
    offset: number("master_repl_offset"),
    lagBytes: lagBytes(primary?.answer, answer),
  };
}

function serverName(info: ReadonlyMap<string, string>): string {
  if (info.has("slotlog_version")) return "slotlog";
  return info.get("server_name") ?? "redis";
}

function aofText(info: ReadonlyMap<string, string>): string {
  if (info.get("aof_enabled") === undefined) return "";
  if (info.get("aof_enabled") === "0") return "off";
  if (info.get("aof_last_write_status") === "err") return "write error";
  if (info.get("aof_rewrite_in_progress") === "1") return "rewriting";
  return sizeText(Number(info.get("aof_current_size") ?? 0));
}

export function statusText({ nodes, findings, ok }: ClusterStatus): string {
  const table = new Table({
    head: ["node", "role", "slots", "keys", "memory", "ops/s", "clients", "AOF", "lag", "server"],
    // The library's own colours would also go into files.
    style: { head: [], border: [] },
    chars: { mid: "", "left-mid": "", "mid-mid": "", "right-mid": "" },
  });
  for (const node of nodes) {
    const { lagBytes: lag, maxmemoryBytes: max, slots } = node;
    const name = node.role === "replica" ? `└ ${node.address}` : node.address;
    table.push([
      node.state === "up" ? name : pico.red(`${name} ${node.state}`),
      node.role,
      slots.length > 40 ? `${node.slotCount} slots` : slots,
      node.state === "down" ? "" : String(node.keys),
      sizeText(node.memoryBytes) + (max === 0 ? "" : ` of ${sizeText(max)}`),
      String(node.operationsPerSecond),
      String(node.clients),
      node.aof,
      lag === undefined ? "" : lag === 0 ? "0" : sizeText(lag),
      node.server,
    ]);
  }
  const primaries = nodes.filter(({ role }) => role === "primary").length;
  const summary = `${primaries} primaries, ${nodes.length - primaries} replicas`;
  const verdict = ok ? pico.green("serves all slots") : pico.red("is not well");
  return [table.toString(), `${summary}: the cluster ${verdict}.`, findingsText(findings)]
    .filter((part) => part !== "")
    .join("\n");
}

export function findingsText(findings: readonly Finding[]): string {
  return findings
    .map(({ severity, node, text, advice }) => {
      const mark = severity === "error" ? pico.red("error") : pico.yellow("warning");
      return `${mark}: ${node === undefined ? "" : `${node} `}${text}\n  ${advice}`;
    })
    .join("\n");
}

export interface StatusOptions {
  readonly json: boolean;
  readonly watch: boolean;
  readonly interval: number;
}

/** The screen that `--watch` draws over; ended by Ctrl-C. */
const clearScreen = "\x1b[H\x1b[2J";

export async function showStatus(seed: Address, options: StatusOptions): Promise<ExitCode> {
  for (;;) {
    const status = await readStatus(seed);
    const text = options.json ? JSON.stringify(status) : statusText(status);
    if (!options.watch) {
      console.log(text);
      return status.ok ? exitCodes.ok : exitCodes.failure;
    }
    const clear = process.stdout.isTTY && !options.json ? clearScreen : "";
    console.log(`${clear}${text}`);
    await delay(options.interval * 1000);
  }
}

export async function check(seed: Address, json: boolean): Promise<ExitCode> {
  const { findings, nodes, ok } = await readStatus(seed);
  if (json) console.log(JSON.stringify({ ok, findings }));
  else if (findings.length === 0) {
    console.log(`All ${nodes.length} nodes agree, and all slots are served.`);
  } else console.log(findingsText(findings));
  return ok ? exitCodes.ok : exitCodes.failure;
}
