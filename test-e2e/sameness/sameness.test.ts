// One data set in many hands: after random writes of every kind, the primary, its replicas (ours
// and a real one), a node that replays the primary's append-only file, the same after a rewrite
// and a restart, and a real server on that file hold the same. SEED=... makes the same choices
// again; STEPS=... makes more of them.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cpSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { encodeCommand, type RawClient } from "../harness/raw-client.js";
import { textOf, type Tree, treeOf } from "../harness/reply.js";
import {
  eventually,
  realRedis,
  removeDirectory,
  Server,
  subject,
  temporaryDirectory,
} from "../harness/server.js";
import { Dice } from "../interop/dice.js";
import { follow, settled } from "./followers.js";
import { type Comparison, differences, type State, stateOf } from "./state.js";
import { Writes } from "./writes.js";

const steps = Number(process.env["STEPS"] ?? 24_000);
const seed = Number(process.env["SEED"] ?? Math.floor(Math.random() * 2 ** 31));
const batchSteps = 100;

const persistent = ["--appendonly", "yes", "--save", "", "--enable-debug-command", "yes"];
/** Small limits, so that keys change their encodings all the time. */
const limits = [
  ...["--hash-max-listpack-entries", "16", "--zset-max-listpack-entries", "16"],
  ...["--set-max-intset-entries", "32", "--list-max-listpack-size", "8"],
  ...["--stream-node-max-entries", "10", "--repl-diskless-sync-delay", "0"],
];
const directives = [...persistent, ...limits];

/** Writes of the data that are left out, and why. */
const leftOut: Readonly<Record<string, string>> = {
  migrate: "needs a second server to write to",
  "restore-asking": "RESTORE under another name, for slots that are imported",
  pfselftest: "changes nothing",
  "function|load": "code, not data",
  "function|delete": "code, not data",
  "function|flush": "code, not data",
  "function|restore": "code, not data",
};

test(`the same data everywhere, seed ${seed}`, async () => {
  const is70 = /v=7\.0\./.test(execFileSync(realRedis().command, ["--version"]).toString());
  await using primary = await Server.start({ program: subject(), directives });
  await using replica = await Server.start({ program: subject(), directives });
  await using realReplica = await Server.start({ program: realRedis(), directives });
  const workload = new Workload(primary, new Dice(seed));
  await workload.run(steps / 4);
  for (const follower of [replica, realReplica]) await follow(follower, primary);
  await workload.run(steps / 4);
  await rewrite(primary, () => workload.run(steps / 4));
  await workload.run(steps / 4);
  await settled(primary, [replica, realReplica]);

  const state = await stateOf(primary);
  console.log(`seed ${seed}: ${workload.report()}, ${state.keys} keys left`);
  assert.ok(state.keys > 20, `only ${state.keys} keys: nothing to compare`);
  assert.ok(state.streams.size > 2, `only ${state.streams.size} streams`);
  assert.equal(state.computed["as read"], state.digest, "our digest is that of what clients read");
  await workload.assertComplete();
  await assertSame("replica", state, replica);
  await assertSame("real replica", state, realReplica, { otherIs70: is70 });
  await assertFiles(state, primary, is70);
});

/** The files as they are: what is kept must not depend on an orderly end. */
async function assertFiles(state: State, primary: Server, is70: boolean): Promise<void> {
  const copies = [temporaryDirectory(), temporaryDirectory()] as const;
  after(() => copies.forEach(removeDirectory));
  const [forOurs, forReal] = copies;
  for (const copy of copies) {
    const files = "appendonlydir";
    cpSync(join(primary.directory, files), join(copy, files), { recursive: true });
  }
  const replayed = await replay(state, forOurs);
  await using real = await Server.start({ program: realRedis(), directory: forReal, directives });
  await assertSame("real server on the file", state, real, { otherIs70: is70 });
  await using again = await Server.start({ program: subject(), directory: forOurs, directives });
  await assertSame("rewrite and restart", replayed, again, { bySnapshot: true });
  await again.stop();
  await using realAgain = await Server.start({
    program: realRedis(),
    directory: forOurs,
    directives,
  });
  const how = { otherIs70: is70, bySnapshot: true };
  await assertSame("real server on the rewritten file", replayed, realAgain, how);
}

/** Replays the file, rewrites it, and ends; what it held from the replay alone. */
async function replay(wanted: State, directory: string): Promise<State> {
  await using server = await Server.start({ program: subject(), directory, directives });
  await assertSame("replay of the file", wanted, server);
  const state = await stateOf(server);
  await rewrite(server, () => Promise.resolve());
  assert.match(await server.stop(), /exit code 0/);
  return state;
}

async function assertSame(
  who: string,
  wanted: State,
  server: Server,
  how: Partial<Comparison> = {},
): Promise<void> {
  const state = await stateOf(server);
  const found = differences(wanted, state, { otherIs70: false, bySnapshot: false, ...how });
  assert.deepEqual(found.slice(0, 5), [], `${who}, SEED=${seed}`);
}

class Workload {
  readonly #primary: Server;
  readonly #writes: Writes;
  #commands = 0;

  constructor(primary: Server, dice: Dice) {
    this.#primary = primary;
    this.#writes = new Writes(dice);
  }

  report(): string {
    return `${this.#commands} commands`;
  }

  /** One client says most of it, some wait for what comes, one restores dumps of what is there. */
  async run(count: number): Promise<void> {
    using main = await this.#primary.client();
    using restorer = await this.#primary.client();
    const waiters = [await this.#primary.client(), await this.#primary.client()];
    try {
      for (let done = 0; done < count; done += batchSteps) {
        const waiting = waiters.map((client) => client.call(...this.#writes.blocking()));
        const batch = this.#writes.batch(batchSteps);
        main.write(Buffer.concat(batch.map((words) => encodeCommand(words))));
        for (const _ of batch) await main.read();
        await this.#restore(restorer);
        await Promise.all(waiting);
        this.#commands += batch.length + waiters.length + 1;
      }
    } finally {
      for (const client of waiters) client.close();
    }
  }

  async #restore(client: RawClient): Promise<void> {
    const { from, words } = this.#writes.restoring();
    const dump = await client.call("DUMP", from);
    if (dump.toString("latin1", 0, 2) === "$-") return;
    const payload = dump.subarray(dump.indexOf("\n") + 1, -2);
    const answer = textOf(await client.call(...words(payload)));
    assert.equal(answer, "OK", `RESTORE of ${from}`);
  }

  /** Every write that the server has was said, and did not only fail. */
  async assertComplete(): Promise<void> {
    using client = await this.#primary.client();
    const stats = textOf(await client.call("INFO", "commandstats"));
    const missing: string[] = [];
    for (const name of writesOf(treeOf(await client.call("COMMAND")))) {
      if (name in leftOut) continue;
      const line = new RegExp(
        `cmdstat_${name.replace("|", "\\|")}:calls=(\\d+).*failed_calls=(\\d+)`,
      );
      const [, calls = "0", failed = "0"] = line.exec(stats) ?? [];
      if (Number(calls) - Number(failed) < 1) missing.push(`${name} (${calls} calls)`);
    }
    assert.deepEqual(missing, [], "writes that were not tried");
  }
}

/** Names of the commands with the flag `write`, subcommands in the form that INFO has. */
function writesOf(commands: Tree): string[] {
  const items = "items" in commands ? commands.items : [];
  return items.flatMap((command) => {
    if (!("items" in command)) return [];
    const [name, , flags, , , , , , , subcommands] = command.items;
    const isWrite = flags !== undefined && "items" in flags && flags.items.some(isText("write"));
    const own = isWrite && name !== undefined && "text" in name ? [name.text] : [];
    const below = subcommands === undefined ? [] : writesOf(subcommands);
    return [...own, ...below];
  });
}

function isText(text: string): (tree: Tree) => boolean {
  return (tree) => "text" in tree && tree.text === text;
}

/** A rewrite, with `meanwhile` going on at the same time. */
async function rewrite(server: Server, meanwhile: () => Promise<void>): Promise<void> {
  using client = await server.client();
  const said = textOf(await client.call("BGREWRITEAOF"));
  assert.match(said, /Background append only file rewriting/);
  await meanwhile();
  await eventually("the rewrite is done", async () => {
    const info = textOf(await client.call("INFO", "persistence"));
    if (/aof_rewrite_in_progress:1|aof_rewrite_scheduled:1/.test(info)) return "still running";
    assert.match(info, /aof_last_bgrewrite_status:ok/);
    return undefined;
  });
}
