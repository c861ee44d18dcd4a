// A whole cluster of server processes, formed over the client protocol: of one kind, or mixed.

import { freePorts } from "./ports.js";
import { encodeCommand, type RawClient } from "./raw-client.js";
import { textOf } from "./reply.js";
import { eventually, type Program, Server } from "./server.js";

export interface ClusterOptions {
  /** One program per node: primaries first, then their replicas in the same order. */
  readonly programs: readonly Program[];
  readonly primaries: number;
  readonly directives?: readonly string[];
  readonly password?: string;
  /**
   * Slots from here on belong to nobody, and the directives have to say that the rest is served all
   * the same. All 16,384 are divided without it.
   */
  readonly slotsEnd?: number;
}

const slotCount = 16_384;

export class TestCluster implements AsyncDisposable {
  readonly servers: readonly Server[];
  readonly primaries: readonly Server[];

  private constructor(servers: readonly Server[], primaries: number) {
    this.servers = servers;
    this.primaries = servers.slice(0, primaries);
  }

  static async start(options: ClusterOptions): Promise<TestCluster> {
    const ports = await freePorts(options.programs.length);
    const { password } = options;
    const secret =
      password === undefined ? [] : ["--requirepass", password, "--masterauth", password];
    const starting = options.programs.map((program, index) =>
      Server.start({
        program,
        port: ports[index] ?? 0,
        directives: ["--cluster-enabled", "yes", ...secret, ...(options.directives ?? [])],
        ...(password === undefined ? {} : { password }),
      }),
    );
    const results = await Promise.allSettled(starting);
    const servers = results.flatMap((result) =>
      result.status === "fulfilled" ? [result.value] : [],
    );
    const cluster = new TestCluster(servers, options.primaries);
    try {
      for (const result of results) if (result.status === "rejected") throw result.reason;
      await cluster.#form(options.slotsEnd ?? slotCount);
      return cluster;
    } catch (error) {
      await cluster[Symbol.asyncDispose]();
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.servers.map((server) => server[Symbol.asyncDispose]()));
  }

  async #form(slotsEnd: number): Promise<void> {
    const clients = await Promise.all(this.servers.map((server) => server.client()));
    try {
      await this.#assign(clients, slotsEnd);
      await eventually("nodes know each other", () => strangers(clients));
      await this.#follow(clients);
      // A node whose slots came later than two seconds after its start refuses commands for up to
      // five more.
      const replicas = clients.length - this.primaries.length;
      await eventually("cluster serves", () => trouble(clients, replicas));
    } finally {
      for (const client of clients) client.close();
    }
  }

  async #assign(clients: readonly RawClient[], slotsEnd: number): Promise<void> {
    const count = this.primaries.length;
    for (const [index, client] of clients.entries()) {
      await expectOk(client, "CLUSTER", "SET-CONFIG-EPOCH", String(index + 1));
      if (index < count) {
        const first = Math.floor((slotsEnd * index) / count);
        const last = Math.floor((slotsEnd * (index + 1)) / count) - 1;
        await expectOk(client, "CLUSTER", "ADDSLOTSRANGE", String(first), String(last));
      }
    }
    for (const server of this.servers.slice(1)) {
      await expectOk(clients[0], "CLUSTER", "MEET", "127.0.0.1", String(server.port));
    }
  }

  async #follow(clients: readonly RawClient[]): Promise<void> {
    const count = this.primaries.length;
    for (const [index, client] of clients.entries()) {
      if (index < count) continue;
      const primary = clients[(index - count) % count];
      if (primary === undefined) throw new Error("a cluster without primaries");
      const id = textOf(await primary.call("CLUSTER", "MYID"));
      await expectOk(client, "CLUSTER", "REPLICATE", id);
    }
  }
}

/** `primaries` primaries and a replica of each, all of one program. */
export function pairs(program: Program, primaries: number): Program[] {
  return Array.from({ length: primaries * 2 }, () => program);
}

export async function expectOk(client: RawClient | undefined, ...args: string[]): Promise<void> {
  const reply = client === undefined ? "no such node" : textOf(await client.call(...args));
  if (reply !== "OK") throw new Error(`${args.join(" ")}: ${reply}`);
}

async function strangers(clients: readonly RawClient[]): Promise<string | undefined> {
  for (const client of clients) {
    const nodes = textOf(await client.call("CLUSTER", "NODES"));
    const lines = nodes.trim().split("\n");
    const settled = lines.filter((line) => !line.includes("handshake"));
    if (settled.length < clients.length) return nodes;
  }
  return undefined;
}

async function trouble(
  clients: readonly RawClient[],
  replicas: number,
): Promise<string | undefined> {
  for (const client of clients) {
    // A node tells a client of replicas only once gossip has told it.
    const nodes = textOf(await client.call("CLUSTER", "NODES"));
    if ((nodes.match(/slave/g) ?? []).length !== replicas) return nodes;
    const info = textOf(await client.call("CLUSTER", "INFO"));
    if (!info.includes("cluster_state:ok")) return info;
    const replication = textOf(await client.call("INFO", "replication"));
    if (/role:slave/.test(replication) && !/master_link_status:up/.test(replication)) {
      return replication;
    }
  }
  return undefined;
}

/** Several commands in one write, as a pipelining client sends them. */
export function pipelineOf(commands: readonly (readonly string[])[]): Buffer {
  return Buffer.concat(commands.map((command) => encodeCommand(command)));
}
