// Rounds of one server in one directory: writers, kill -9 at a random moment, a new start on what
// is left, and a look at what it has: everything acknowledged, nothing twice, nothing that nobody
// sent. Lists and counters are the witnesses, alone and in transactions, while rewrites run or not.

import assert from "node:assert/strict";
import { cpSync } from "node:fs";
import { join } from "node:path";
import { encodeCommand, type RawClient } from "../harness/raw-client.js";
import { textOf, textsOf } from "../harness/reply.js";
import {
  type Program,
  realRedis,
  removeDirectory,
  Server,
  subject,
  temporaryDirectory,
} from "../harness/server.js";
import { seeded } from "../harness/seeded.js";

export interface RoundsOptions {
  readonly policy: "always" | "everysec" | "no";
  /** Rewrites run one after the other all the time. */
  readonly rewrites: boolean;
  readonly rounds: number;
  readonly seed: number;
}

export interface RoundsResult {
  readonly acknowledged: number;
  /** Kills that met a rewrite under way. */
  readonly killedInRewrite: number;
}

const lanes = 8;
const stepsPerBatch = 10;
/** So much is there that a rewrite takes its time. */
const fillerKeys = 20_000;

/** What one connection sent in one round, and how much of it was acknowledged. */
interface Lane {
  readonly suffix: string;
  sent: number;
  acknowledged: number;
}

export async function crashRounds(options: RoundsOptions): Promise<RoundsResult> {
  const directory = temporaryDirectory();
  const random = seeded(options.seed);
  let acknowledged = 0;
  let killedInRewrite = 0;
  let before: readonly Lane[] = [];
  try {
    for (let round = 0; round < options.rounds; round += 1) {
      await using server = await start(directory, options.policy);
      await check(server, before, `round ${round}`);
      if (round === 0) await fill(server);
      before = await untilKilled(server, options, { round, random });
      acknowledged += before.reduce((sum, lane) => sum + lane.acknowledged, 0);
      if (count(server.log, /rewriting started/g) > count(server.log, /rewrite terminated/g)) {
        killedInRewrite += 1;
      }
    }
    await checkCopy(subject(), directory, before);
    await checkCopy(realRedis(), directory, before);
  } finally {
    removeDirectory(directory);
  }
  return { acknowledged, killedInRewrite };
}

function start(directory: string, policy: string): Promise<Server> {
  const directives = ["--appendonly", "yes", "--appendfsync", policy, "--save", ""];
  return Server.start({ program: subject(), directory, directives });
}

async function fill(server: Server): Promise<void> {
  using client = await server.client();
  for (let key = 0; key < fillerKeys; key += 1000) {
    const words = ["MSET"];
    for (let each = key; each < key + 1000; each += 1) words.push(`filler${each}`, "f".repeat(200));
    assert.equal(textOf(await client.call(...words)), "OK");
  }
}

/** Writes until a random number of steps is acknowledged, and then kills in full flight. */
async function untilKilled(
  server: Server,
  options: RoundsOptions,
  { round, random }: { readonly round: number; readonly random: (below: number) => number },
): Promise<readonly Lane[]> {
  const all: Lane[] = [];
  const clients: RawClient[] = [];
  const enough = 1 + random(4000);
  let killed: Promise<void> | undefined;
  const onStep = (): void => {
    const sum = all.reduce((total, lane) => total + lane.acknowledged, 0);
    if (sum >= enough) killed ??= server.kill9();
  };
  for (let number = 0; number < lanes; number += 1) {
    all.push({ suffix: `${round}:${number}`, sent: 0, acknowledged: 0 });
    clients.push(await server.client());
  }
  if (options.rewrites) {
    const client = await server.client();
    clients.push(client);
    rewriteForever(client).catch(() => {});
  }
  for (const [number, lane] of all.entries()) {
    // Ends with the connection, which is how a crash looks from here.
    write(clients[number] as RawClient, lane, onStep).catch(() => {});
  }
  await Promise.all(clients.map((client) => client.closed));
  assert.ok(killed !== undefined, `the server ended by itself: ${server.log.slice(-2000)}`);
  await killed;
  return all;
}

async function rewriteForever(client: RawClient): Promise<void> {
  for (;;) await client.call("BGREWRITEAOF");
}

/** Every second lane writes transactions. */
async function write(client: RawClient, lane: Lane, onStep: () => void): Promise<void> {
  const { suffix } = lane;
  const isTransaction = Number(suffix.at(-1)) % 2 === 1;
  for (;;) {
    const parts: Buffer[] = [];
    for (let step = 0; step < stepsPerBatch; step += 1) {
      lane.sent += 1;
      const commands = [
        ["RPUSH", `list:${suffix}`, String(lane.sent)],
        ["INCR", `count:${suffix}`],
      ];
      if (isTransaction) commands.splice(0, 2, ["MULTI"], ...commands, ["EXEC"]);
      parts.push(...commands.map((words) => encodeCommand(words)));
    }
    client.write(Buffer.concat(parts));
    for (let step = 0; step < stepsPerBatch; step += 1) {
      for (let replies = isTransaction ? 4 : 2; replies > 0; replies -= 1) {
        const reply = await client.read();
        assert.notEqual(reply[0], 0x2d, reply.toString("latin1"));
      }
      lane.acknowledged += 1;
      onStep();
    }
  }
}

async function check(server: Server, before: readonly Lane[], what: string): Promise<void> {
  using client = await server.client();
  for (const { suffix, sent, acknowledged } of before) {
    const list = textsOf(await client.call("LRANGE", `list:${suffix}`, "0", "-1")).map(Number);
    const counter = Number(textOf(await client.call("GET", `count:${suffix}`)).replace("$-1", "0"));
    const which = `${what}, lane ${suffix}: ${acknowledged} acknowledged, ${sent} sent`;
    assert.ok(
      list.every((value, index) => value === index + 1),
      `${which}, the list is ${list.slice(0, 20).join(" ")} …`,
    );
    assert.ok(
      list.length >= acknowledged && list.length <= sent,
      `${which}, ${list.length} listed`,
    );
    assert.ok(counter >= acknowledged && counter <= list.length, `${which}, ${counter} counted`);
    if (Number(suffix.at(-1)) % 2 === 1) assert.equal(counter, list.length, which);
    await client.call("UNLINK", `list:${suffix}`, `count:${suffix}`);
  }
}

/** What another program finds in the directory, or ours without being the one that goes on. */
async function checkCopy(
  program: Program,
  directory: string,
  before: readonly Lane[],
): Promise<void> {
  const copy = temporaryDirectory();
  try {
    cpSync(join(directory, "appendonlydir"), join(copy, "appendonlydir"), { recursive: true });
    await using server = await Server.start({
      program,
      directory: copy,
      directives: ["--appendonly", "yes", "--save", ""],
    });
    await check(server, before, program.name);
    using client = await server.client();
    assert.equal(textOf(await client.call("EXISTS", "filler0", "filler19999")), "2");
  } finally {
    removeDirectory(copy);
  }
}

function count(text: string, pattern: RegExp): number {
  return [...text.matchAll(pattern)].length;
}
