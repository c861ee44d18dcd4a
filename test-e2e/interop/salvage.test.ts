// A demoted primary keeps aside what its successor never had: exactly the acknowledged writes that
// the successor lacks, in a file that `slotlog aof dump` reads, whoever the successor is.

import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { mustRun } from "../harness/exec.js";
import { encodeCommand } from "../harness/raw-client.js";
import { textOf } from "../harness/reply.js";
import { eventually, isOurs, type Program, realRedis, Server, subject } from "../harness/server.js";

const directives = [
  ...["--save", "", "--repl-diskless-sync-delay", "0"],
  ...["--repl-ping-replica-period", "1"],
];
const ours = [...directives, "--appendonly", "yes", "--aof-timestamp-enabled", "yes"];

/** More than two sockets' buffers hold, so that a stopped replica lacks some of it for certain. */
const valueBytes = 16 * 1024;
const writesMax = 1_500;

const successors = [
  { name: "a slotlog node", program: subject, settings: ours },
  { name: "a redis-server", program: realRedis, settings: directives },
] as const;

const skip = isOurs() ? false : "only slotlog salvages";

for (const { name, program, settings } of successors) {
  test(`killed while ${name} lagged behind, which took over`, { skip }, () =>
    killed(program(), settings),
  );
  test(`alive while ${name} took over`, { skip }, () => alive(program(), settings));
}

async function killed(program: Program, settings: readonly string[]): Promise<void> {
  await using primary = await Server.start({ program: subject(), directives: ours });
  await using heir = await Server.start({ program, directives: settings });
  const { directory, port } = primary;
  const startedAt = Math.floor(Date.now() / 1000);
  await follow(heir, port);
  const acknowledged = await write(primary, "both", 10);
  await sameOffset(primary, heir);
  process.kill(heir.pid, "SIGSTOP");
  try {
    acknowledged.push(...(await write(primary, "late", writesMax)));
    await primary.kill9();
  } finally {
    process.kill(heir.pid, "SIGCONT");
  }
  await eventually("what the kernel still had has come", async () => {
    const info = await infoOf(heir, "replication");
    return info.includes("master_link_status:down") ? undefined : info;
  });
  await promote(heir);
  await write(heir, "new", 5);
  const had = await keysOf(heir);
  const missing = acknowledged.filter((key) => !had.has(key));
  assert.ok(missing.length > 0, "the replica lacks some");
  assert.ok(had.has("both:9"));
  await using demoted = await Server.start({
    ...{ program: subject(), directives: ours, directory, port },
  });
  await follow(demoted, heir.port);
  await judge(demoted, missing, startedAt);
}

async function alive(program: Program, settings: readonly string[]): Promise<void> {
  await using primary = await Server.start({ program: subject(), directives: ours });
  await using heir = await Server.start({ program, directives: settings });
  const startedAt = Math.floor(Date.now() / 1000);
  await follow(heir, primary.port);
  await write(primary, "both", 10);
  await sameOffset(primary, heir);
  await promote(heir);
  const missing = await write(primary, "late", 20);
  await write(heir, "new", 5);
  await follow(primary, heir.port);
  await judge(primary, missing, startedAt);
}

/** The file, the log, INFO and the data set say the same. */
async function judge(
  demoted: Server,
  missing: readonly string[],
  startedAt: number,
): Promise<void> {
  const salvage = join(demoted.directory, "salvage");
  assert.deepEqual(readdirSync(salvage), ["1.aof"]);
  const [node, ...args] = [subject().command, ...subject().args.slice(0, -1)];
  const out = await mustRun(node, [...args, "aof", "dump", join(salvage, "1.aof"), "--json"]);
  const found: string[] = [];
  for (const line of out.split("\n").filter((text) => text.startsWith("{"))) {
    const { argv, time } = JSON.parse(line) as { argv: string[]; time: number };
    if (argv[0]?.toUpperCase() !== "SET") continue;
    found.push(String(argv[1]));
    assert.ok(time >= startedAt && time <= Date.now() / 1000, `a time: ${time}`);
  }
  assert.deepEqual(found, missing, "in the order in which they were written");
  assert.match(demoted.log, /records of offsets \d+ to \d+ that the new primary never had/);
  const info = await infoOf(demoted, "stats");
  assert.match(info, /slotlog_salvages:1\r/);
  assert.match(info, new RegExp(`slotlog_salvaged_records:${missing.length}\r`));
  const left = await keysOf(demoted);
  assert.ok(left.has("new:4"));
  assert.deepEqual(
    missing.filter((key) => left.has(key)),
    [],
  );
}

/** Keys whose writes were acknowledged. */
async function write(server: Server, name: string, count: number): Promise<string[]> {
  using client = await server.client();
  const keys = Array.from({ length: count }, (_, index) => `${name}:${index}`);
  const value = "v".repeat(valueBytes);
  client.write(Buffer.concat(keys.map((key) => encodeCommand(["SET", key, value]))));
  for (const _ of keys) assert.equal(textOf(await client.read()), "OK");
  return keys;
}

async function keysOf(server: Server): Promise<Set<string>> {
  using client = await server.client();
  const text = (await client.call("KEYS", "*")).toString("latin1");
  return new Set(text.match(/\w+:\d+/g) ?? []);
}

async function infoOf(server: Server, section: string): Promise<string> {
  using client = await server.client();
  return textOf(await client.call("INFO", section));
}

async function promote(server: Server): Promise<void> {
  using client = await server.client();
  assert.match(textOf(await client.call("REPLICAOF", "NO", "ONE")), /^OK/);
}

async function follow(replica: Server, port: number): Promise<void> {
  using client = await replica.client();
  assert.match(textOf(await client.call("REPLICAOF", "127.0.0.1", String(port))), /^OK/);
  await eventually("the link is up", async () => {
    const info = await infoOf(replica, "replication");
    return info.includes("master_link_status:up") ? undefined : `${info}\n${replica.log}`;
  });
}

async function sameOffset(primary: Server, replica: Server): Promise<void> {
  await eventually("the replica has it all", async () => {
    const [there, here] = [
      await infoOf(primary, "replication"),
      await infoOf(replica, "replication"),
    ];
    const offset = (info: string): string => /master_repl_offset:(\d+)/.exec(info)?.[1] ?? "";
    return offset(there) === offset(here) ? undefined : `${there}\n${here}`;
  });
}
