// Replication of every data type, with a real server above, below and between ours: full
// synchronisation under writes, the stream, cut links, and every member restarted, from the last
// to the first. After each step all hold the same: DEBUG DIGEST in the form of the server compared
// with, expiry times, and streams with their groups. SEED=... makes the same choices again.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { describe, test } from "node:test";
import { encodeCommand } from "../harness/raw-client.js";
import { textOf } from "../harness/reply.js";
import {
  eventually,
  type Program,
  realRedis,
  removeDirectory,
  Server,
  subject,
  temporaryDirectory,
} from "../harness/server.js";
import { follow, settled } from "../sameness/followers.js";
import { differences, stateOf } from "../sameness/state.js";
import { Writes } from "../sameness/writes.js";
import { Dice } from "./dice.js";

const seed = Number(process.env["SEED"] ?? Math.floor(Math.random() * 2 ** 31));
const stepsPerPart = 1_000;
const batchSteps = 100;

const directives = [
  ...["--appendonly", "yes", "--save", "", "--enable-debug-command", "yes"],
  ...["--repl-diskless-sync-delay", "0", "--hash-max-listpack-entries", "16"],
  ...["--stream-node-max-entries", "10", "--list-max-listpack-size", "8"],
  // What is written while a member is away must be in the backlog: some values are large.
  ...["--repl-backlog-size", "64mb"],
];

/** From the primary down; each follows the one before it. */
const chains: readonly (readonly ("ours" | "real")[])[] = [
  ["ours", "real"],
  ["real", "ours"],
  ["ours", "real", "ours"],
  ["real", "ours", "real"],
];

// At once, because they wait most of the time: for replicas' timers and for keys to expire.
describe(`every type through chains, seed ${seed}`, { concurrency: chains.length }, () => {
  for (const kinds of chains) test(kinds.join(" <- "), () => runChain(kinds));
});

async function runChain(kinds: readonly ("ours" | "real")[]): Promise<void> {
  const chain = new Chain(kinds);
  try {
    await chain.start();
    await chain.attach();
    await chain.cutLinks();
    for (let index = kinds.length - 1; index >= 0; index -= 1) await chain.restart(index);
    chain.assertCompared();
  } finally {
    await chain.end();
  }
}

interface Member {
  readonly kind: "ours" | "real";
  readonly program: Program;
  readonly directory: string;
  server: Server;
}

interface Syncs {
  readonly full: number;
  readonly partial: number;
}

class Chain {
  readonly #kinds: readonly ("ours" | "real")[];
  readonly #is70: boolean;
  readonly #writes = new Writes(new Dice(seed));
  readonly #members: Member[] = [];
  #keysCompared = 0;

  constructor(kinds: readonly ("ours" | "real")[]) {
    this.#kinds = kinds;
    this.#is70 = /v=7\.0\./.test(execFileSync(realRedis().command, ["--version"]).toString());
  }

  async start(): Promise<void> {
    for (const kind of this.#kinds) {
      const program = kind === "ours" ? subject() : realRedis();
      const directory = temporaryDirectory();
      const server = await Server.start({ program, directory, directives });
      this.#members.push({ kind, program, directory, server });
    }
    await this.#write();
  }

  assertCompared(): void {
    assert.ok(this.#keysCompared > 50, `only ${this.#keysCompared} keys: nothing to compare`);
  }

  async end(): Promise<void> {
    for (const { directory, server } of this.#members) {
      await server[Symbol.asyncDispose]();
      removeDirectory(directory);
    }
  }

  /** Full synchronisations, while the primary is written to. */
  async attach(): Promise<void> {
    const writing = this.#write();
    for (const [index, { server }] of this.#followers()) await follow(server, this.#at(index - 1));
    await writing;
    await this.#write();
    await this.#same("after full synchronisations");
    for (const [index] of this.#followers()) {
      const { full } = await syncsOf(this.#at(index - 1));
      assert.ok(full >= 1, `no full synchronisation of member ${index}`);
    }
  }

  /** Nothing is lost from the backlog, so everybody goes on where the link was cut. */
  async cutLinks(): Promise<void> {
    for (const [index] of this.#followers()) {
      const before = await syncsOf(this.#at(index - 1));
      const writing = this.#write();
      using client = await this.#at(index - 1).client();
      await client.call("CLIENT", "KILL", "TYPE", "replica");
      await writing;
      await this.#same(`after the link of member ${index} was cut`);
      const after = await syncsOf(this.#at(index - 1));
      assert.equal(after.full, before.full, `a full synchronisation of member ${index}`);
      assert.equal(after.partial, before.partial + 1, `no partial one of member ${index}`);
    }
  }

  /** Followers in order, and with writes meanwhile; the primary as a crash. */
  async restart(index: number): Promise<void> {
    const member = this.#members[index] as Member;
    const above = index === 0 ? undefined : this.#at(index - 1);
    const before = above === undefined ? undefined : await syncsOf(above);
    const { directory, program, server } = member;
    const { port } = server;
    if (above === undefined) await server.kill9();
    else {
      await server.stop();
      await this.#write();
    }
    const role = above === undefined ? [] : ["--replicaof", `127.0.0.1 ${above.port}`];
    member.server = await Server.start({
      ...{ program, directory, port },
      directives: [...directives, ...role],
    });
    await this.#write();
    await this.#same(`after the restart of member ${index}`);
    if (above === undefined || before === undefined) return;
    const after = await syncsOf(above);
    // A real server with an append-only file forgets where it was.
    const expected = member.kind === "ours" ? { full: 0, partial: 1 } : { full: 1, partial: 0 };
    const found = { full: after.full - before.full, partial: after.partial - before.partial };
    assert.deepEqual(found, expected, `synchronisations of member ${index} after its restart`);
  }

  #at(index: number): Server {
    return (this.#members[index] as Member).server;
  }

  #followers(): [number, Member][] {
    return [...this.#members.entries()].slice(1);
  }

  async #write(): Promise<void> {
    using client = await this.#at(0).client();
    for (let done = 0; done < stepsPerPart; done += batchSteps) {
      const batch = this.#writes.batch(batchSteps).filter((words) => this.#isReplicated(words));
      client.write(Buffer.concat(batch.map((words) => encodeCommand(words))));
      for (const _ of batch) await client.read();
    }
  }

  /** A real primary makes the key and its bytes when every operation fails, and tells nobody. */
  #isReplicated(words: readonly string[]): boolean {
    return this.#kinds[0] === "ours" || words[0] !== "BITFIELD" || !words.includes("FAIL");
  }

  async #same(when: string): Promise<void> {
    await allLinked(this.#followers().map(([, { server }]) => server));
    const [head, ...followers] = this.#members as [Member, ...Member[]];
    await settled(
      head.server,
      followers.map(({ server }) => server),
    );
    const first = await stateOf(head.server);
    // Now and then everything is flushed.
    this.#keysCompared = Math.max(this.#keysCompared, first.keys);
    for (const [index, { kind, server }] of followers.entries()) {
      const other = await stateOf(server);
      // A 7.0 writes scores into its digest in another form than ours and a 7.2.
      const how = { otherIs70: this.#is70 && kind !== head.kind, bySnapshot: false };
      const found: string[] =
        head.kind === "ours" ? differences(first, other, how) : differences(other, first, how);
      assert.deepEqual(found.slice(0, 5), [], `${when}, member ${index + 1}, SEED=${seed}`);
    }
  }
}

async function allLinked(followers: readonly Server[]): Promise<void> {
  for (const follower of followers) {
    using client = await follower.client();
    await eventually("the link is up", async () => {
      const info = textOf(await client.call("INFO", "replication"));
      return info.includes("master_link_status:up") ? undefined : info;
    });
  }
}

async function syncsOf(server: Server): Promise<Syncs> {
  using client = await server.client();
  const info = textOf(await client.call("INFO", "stats"));
  const number = (name: string): number => Number(new RegExp(`${name}:(\\d+)`).exec(info)?.[1]);
  return { full: number("sync_full"), partial: number("sync_partial_ok") };
}
