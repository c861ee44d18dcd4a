/**
 * INFO of a cluster as one server's: the first node's lines, with what adds up added up. What one
 * node says of itself is asked of it with ROUTER ON. Pure.
 */
import { type Argument, replyText } from "@slotlog/resp";
import { bulkOf, valueOf } from "./merge.js";
import { isError } from "./render.js";

/** Numbers that are the cluster's when they are summed. */
const summed =
  /^(?:used_memory(?:_rss|_dataset|_overhead|_startup|_lua|_scripts|_vm_\w+|_functions)?|mem_\w+|maxmemory|connected_slaves|total_\w+|instantaneous_(?:ops|input|output)\w*|keyspace_(?:hits|misses)|expired_\w*keys|evicted_\w+|rejected_connections|sync_\w+|pubsub_\w+|aof_(?:current|base)_size|rdb_changes_since_last_save|blocked_clients|tracking_\w+|unexpected_error_replies|acl_access_denied_\w+|used_cpu_\w+|expires?_\w+|number_of_\w+)$/;

/** A cluster looks like one server. */
const asOneServer: Readonly<Record<string, string>> = {
  redis_mode: "standalone",
  cluster_enabled: "0",
  role: "master",
};

export function mergeInfo(
  protocol: 2 | 3,
  argv: readonly Argument[],
  replies: readonly Buffer[],
  router: { routerInfo(): string; readonly speaksAsCluster: boolean },
): Buffer {
  const error = replies.find(isError);
  if (error !== undefined) return error;
  const texts = replies.map((reply) => replyText(valueOf(reply)) ?? "");
  const wanted = argv.slice(1).map((each) => String(each).toLowerCase());
  const isGeneral =
    wanted.length === 0 || wanted.some((each) => /^(all|default|everything|router)$/.test(each));
  const merged = mergedTexts(texts, router.speaksAsCluster ? {} : asOneServer);
  const text = isGeneral ? `${merged}${merged === "" ? "" : "\r\n"}${router.routerInfo()}` : merged;
  return protocol === 2 ? bulkOf(text) : verbatim(text);
}

function verbatim(text: string): Buffer {
  return Buffer.from(`=${text.length + 4}\r\ntxt:${text}\r\n`, "latin1");
}

/** The lines of all texts, in the order in which they come first. */
export function mergedTexts(
  texts: readonly string[],
  replaced: Readonly<Record<string, string>>,
): string {
  const sections = new Map<string, Map<string, string[]>>();
  for (const text of texts) {
    let section = "";
    for (const line of text.split("\r\n")) {
      if (line.startsWith("# ")) section = line.slice(2);
      const colon = line.indexOf(":");
      const fields = sections.get(section) ?? new Map<string, string[]>();
      sections.set(section, fields);
      if (line.startsWith("#") || colon === -1) continue;
      const name = line.slice(0, colon);
      const values = fields.get(name) ?? [];
      values.push(line.slice(colon + 1));
      fields.set(name, values);
    }
  }
  return [...sections]
    .filter(([section]) => section !== "")
    .map(([section, fields]) => {
      const lines = [...fields].map(
        ([name, values]) => `${name}:${replaced[name] ?? mergedField(name, values)}\r\n`,
      );
      return `# ${section}\r\n${lines.join("")}`;
    })
    .join("\r\n");
}

function mergedField(name: string, values: readonly string[]): string {
  const [first = ""] = values;
  if (first.includes("=")) return mergedList(values);
  if (!summed.test(name) || !values.every((value) => /^-?\d+(\.\d+)?$/.test(value))) return first;
  const sum = values.reduce((total, value) => total + Number(value), 0);
  return first.includes(".") ? sum.toFixed(first.length - first.indexOf(".") - 1) : String(sum);
}

/** `keys=1,expires=0,avg_ttl=0`: counts are added, averages and rates are not. */
function mergedList(values: readonly string[]): string {
  const lists = values.map((value) => new Map(value.split(",").map(pairOf)));
  const names = [...new Set(lists.flatMap((list) => [...list.keys()]))];
  return names
    .map((name) => {
      const own = lists.flatMap((list) => list.get(name) ?? []);
      const [first = ""] = own;
      const adds = /^(keys|expires|subexpiry|calls|usec|rejected_calls|failed_calls|count)$/.test(
        name,
      );
      if (!adds) return `${name}=${first}`;
      return `${name}=${own.reduce((sum, value) => sum + Number(value), 0)}`;
    })
    .join(",");
}

function pairOf(pair: string): [string, string] {
  const at = pair.indexOf("=");
  return [pair.slice(0, at), pair.slice(at + 1)];
}
