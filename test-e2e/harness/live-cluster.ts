// A cluster whose nodes die and come back: in the same directory, on the same port, as a supervisor
// restarts them. It knows who serves what by asking, not by remembering.

import { setTimeout as delay } from "node:timers/promises";
import { type ClusterOptions, TestCluster } from "./cluster.js";
import { run } from "./exec.js";
import { textOf } from "./reply.js";
import { eventually, type Program, Server } from "./server.js";

export interface Member {
  readonly program: Program;
  readonly id: string;
  readonly port: number;
  server: Server;
}

/** One line of CLUSTER NODES. */
export interface NodeLine {
  readonly id: string;
  readonly port: number;
  readonly flags: readonly string[];
  readonly primaryId: string;
  readonly linked: boolean;
  /** Ranges and open slots, as they are written. */
  readonly slots: readonly string[];
}

const pollMs = 20;

export class LiveCluster implements AsyncDisposable {
  readonly members: readonly Member[];
  readonly #cluster: TestCluster;
  readonly #directives: readonly string[];

  private constructor(
    cluster: TestCluster,
    members: readonly Member[],
    directives: readonly string[],
  ) {
    this.#cluster = cluster;
    this.members = members;
    this.#directives = directives;
  }

  static async start(options: ClusterOptions): Promise<LiveCluster> {
    const cluster = await TestCluster.start(options);
    const members: Member[] = [];
    for (const [index, server] of cluster.servers.entries()) {
      const id = await ask(server, "CLUSTER", "MYID");
      const program = options.programs[index] as Program;
      members.push({ program, id, port: server.port, server });
    }
    return new LiveCluster(cluster, members, options.directives ?? []);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.members.map(({ server }) => server[Symbol.asyncDispose]()));
    await this.#cluster[Symbol.asyncDispose]();
  }

  member(index: number): Member {
    const member = this.members[index];
    if (member === undefined) throw new Error(`there is no member ${index}`);
    return member;
  }

  /** Starts a member that died in its old directory, on its old port. */
  async revive(member: Member): Promise<void> {
    member.server = await Server.start({
      program: member.program,
      port: member.port,
      directory: member.server.directory,
      directives: ["--cluster-enabled", "yes", ...this.#directives],
    });
  }

  /** Until redis-cli finds nothing to complain about, through every member that runs. */
  async untilClean(): Promise<void> {
    for (const { port, server } of this.members) {
      if (!server.running) continue;
      await eventually(`redis-cli finds port ${port} clean`, () => clusterCheck(port));
    }
  }

  /** Until this member says of itself that it follows `primary`, and is in step with it. */
  async untilFollows(member: Member, primary: Member): Promise<void> {
    await eventually(`port ${member.port} follows port ${primary.port}`, async () => {
      const role = await ask(member.server, "INFO", "replication");
      const follows = role.includes("role:slave") && role.includes(`master_port:${primary.port}\r`);
      return follows && role.includes("master_link_status:up") ? undefined : role;
    });
  }

  /** How long it took until this member took a write on a slot of its own. */
  async untilServes(member: Member, key: string): Promise<number> {
    const begin = performance.now();
    using client = await member.server.client();
    for (;;) {
      const said = textOf(await client.call("SET", key, "after the failover"));
      if (said === "OK") return performance.now() - begin;
      if (performance.now() - begin > takeoverTimeoutMs) {
        throw new Error(`port ${member.port} does not take over: ${said}\n${member.server.log}`);
      }
      await delay(pollMs);
    }
  }
}

const takeoverTimeoutMs = 30_000;

export async function ask(server: Server, ...args: readonly string[]): Promise<string> {
  using client = await server.client();
  return textOf(await client.call(...args));
}

export async function nodesOf(server: Server): Promise<NodeLine[]> {
  const text = await ask(server, "CLUSTER", "NODES");
  return text
    .trim()
    .split("\n")
    .map((line) => {
      const [id = "", address = "", flags = "", primaryId = "", , , , link, ...slots] =
        line.split(" ");
      const port = Number(/:(\d+)@/.exec(address)?.[1]);
      return { id, port, flags: flags.split(","), primaryId, linked: link === "connected", slots };
    });
}

/** `redis-cli --cluster check`, as it is told to people: undefined if all is well. */
export async function clusterCheck(port: number): Promise<string | undefined> {
  const { code, out } = await run("redis-cli", ["--cluster", "check", `127.0.0.1:${port}`]);
  const clean = code === 0 && /All nodes agree about slots configuration/.test(out);
  const whole = /All 16384 slots covered/.test(out) && !/\[(?:ERR|WARNING)\]/.test(out);
  return clean && whole ? undefined : out;
}
