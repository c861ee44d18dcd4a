// Replication with a real server, as its replica and as its primary: a full synchronisation under
// writes, the stream, and a partial one after the link was cut.

import assert from "node:assert/strict";
import { test } from "node:test";
import { contentsOf, differences } from "../harness/contents.js";
import { encodeCommand } from "../harness/raw-client.js";
import { textOf } from "../harness/reply.js";
import { eventually, type Program, realRedis, Server, subject } from "../harness/server.js";

const directives = ["--save", "", "--repl-diskless-sync-delay", "0"];

const ways = [
  { name: "ours follows a real primary", primary: realRedis, replica: subject },
  { name: "a real replica follows ours", primary: subject, replica: realRedis },
] as const;

for (const { name, primary, replica } of ways) {
  for (const password of [undefined, "s3cret"]) {
    const how = password === undefined ? "" : ", with a password";
    test(`${name}${how}`, () => follow(primary(), replica(), password));
  }
}

async function follow(
  primaryProgram: Program,
  replicaProgram: Program,
  password: string | undefined,
): Promise<void> {
  const secret =
    password === undefined ? [] : ["--requirepass", password, "--masterauth", password];
  const options = {
    directives: [...directives, ...secret],
    ...(password === undefined ? {} : { password }),
  };
  await using primary = await Server.start({ program: primaryProgram, ...options });
  await using replica = await Server.start({ program: replicaProgram, ...options });
  using onPrimary = await primary.client();
  using onReplica = await replica.client();
  const writes = new Writes(primary);
  await writes.some(2_000);
  await onReplica.call("SET", "only-here", "v");
  const writing = writes.some(5_000);
  const answer = textOf(await onReplica.call("REPLICAOF", "127.0.0.1", String(primary.port)));
  assert.match(answer, /^OK/);
  await linked(replica);
  await writing;
  await converged(primary, replica);
  assert.match(textOf(await onReplica.call("SET", "k", "v")), /^READONLY/);

  // With the link cut and nothing lost from the backlog, it goes on where it stopped.
  const before = await syncs(primary);
  await onPrimary.call("CLIENT", "KILL", "TYPE", "replica");
  await writes.some(500);
  await linked(replica);
  await converged(primary, replica);
  const after = await syncs(primary);
  assert.equal(after.full, before.full, "no second full synchronisation");
  assert.ok(after.partial > before.partial, "a partial one instead");

  assert.match(textOf(await onReplica.call("REPLICAOF", "NO", "ONE")), /^OK/);
  assert.equal(textOf(await onReplica.call("SET", "k", "v")), "OK");
}

class Writes {
  readonly #server: Server;
  #next = 0;

  constructor(server: Server) {
    this.#server = server;
  }

  async some(count: number): Promise<void> {
    using client = await this.#server.client();
    for (let left = count; left > 0; left -= 100) {
      const batch = Array.from({ length: 100 }, () => this.#command());
      client.write(Buffer.concat(batch.map((command) => encodeCommand(command))));
      for (const _ of batch) await client.read();
    }
  }

  #command(): string[] {
    const index = this.#next++;
    switch (index % 6) {
      case 0:
        return ["INCR", "counter"];
      case 1:
        return ["APPEND", `log:${index % 7}`, "x"];
      case 2:
        return ["SET", `ttl:${index}`, "v", "EX", "100000"];
      case 3:
        return ["DEL", `key:${index - 60}`];
      default:
        return ["SET", `key:${index}`, "v".repeat(index % 500)];
    }
  }
}

async function linked(replica: Server): Promise<void> {
  using client = await replica.client();
  await eventually("the link is up", async () => {
    const info = textOf(await client.call("INFO", "replication"));
    return info.includes("master_link_status:up") ? undefined : info;
  });
}

async function converged(primary: Server, replica: Server): Promise<void> {
  await eventually("both hold the same", async () => {
    const found = differences(await contentsOf(primary), await contentsOf(replica));
    return found.length === 0 ? undefined : found.slice(0, 5).join("\n");
  });
}

async function syncs(primary: Server): Promise<{ full: number; partial: number }> {
  using client = await primary.client();
  const info = textOf(await client.call("INFO", "stats"));
  const number = (name: string): number => Number(new RegExp(`${name}:(\\d+)`).exec(info)?.[1]);
  return { full: number("sync_full"), partial: number("sync_partial_ok") };
}
