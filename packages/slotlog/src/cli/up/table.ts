// What `slotlog up` prints when the cluster serves: the nodes as a table, and the lines that
// connect to them. Pure.

import Table from "cli-table3";
import type { KnownNode } from "../forming/cluster-nodes.js";
import type { NodeAddress } from "../forming/client.js";

export interface RunningNode {
  readonly node: KnownNode;
  readonly pid: number | undefined;
  readonly directory: string;
}

/** One node of `--json`. */
export interface NodeReport {
  readonly host: string;
  readonly port: number;
  readonly id: string;
  readonly role: "primary" | "replica";
  readonly slots: readonly string[];
  readonly primaryPort: number | undefined;
  readonly pid: number | undefined;
  readonly directory: string;
}

export function reportOf(running: readonly RunningNode[]): NodeReport[] {
  const ports = new Map(running.map(({ node }) => [node.id, node.port]));
  return running.map(({ node, pid, directory }) => ({
    host: node.host,
    port: node.port,
    id: node.id,
    role: node.primaryId === undefined ? "primary" : "replica",
    slots: node.slots,
    primaryPort: node.primaryId === undefined ? undefined : ports.get(node.primaryId),
    pid,
    directory,
  }));
}

export function nodeTable(reports: readonly NodeReport[]): string {
  const table = new Table({
    head: ["address", "role", "slots", "replica of", "pid", "directory"],
    // The library's own colours would also go into files.
    style: { head: [], border: [] },
    chars: { mid: "", "left-mid": "", "mid-mid": "", "right-mid": "" },
  });
  for (const node of reports) {
    table.push([
      `${node.host}:${node.port}`,
      node.role,
      node.slots.join(" "),
      node.primaryPort === undefined ? "" : String(node.primaryPort),
      node.pid === undefined ? "" : String(node.pid),
      node.directory,
    ]);
  }
  return table.toString();
}

/** The password itself is not printed: screens are shared and terminals keep what they showed. */
export function connectLines({ host, port, password }: NodeAddress): string {
  const secret = password !== undefined;
  const cli = `redis-cli -c -h ${host} -p ${port}${secret ? " --askpass" : ""}`;
  const python = `RedisCluster(host="${host}", port=${port}${secret ? ', password="..."' : ""})`;
  const options = secret ? ', { redisOptions: { password: "..." } }' : "";
  const ioredis = `new Redis.Cluster([{ host: "${host}", port: ${port} }]${options})`;
  return [`  redis-cli   ${cli}`, `  redis-py    ${python}`, `  ioredis     ${ioredis}`].join("\n");
}
