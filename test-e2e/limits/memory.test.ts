// Memory that runs full: a node evicts or refuses in time, and lives.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Redis } from "ioredis";
import { isOurs, Server, subject } from "../harness/server.js";

const mebibyte = 1024 ** 2;
const value = "x".repeat(1000);
const perRound = 1000;

interface Outcome {
  readonly accepted: number;
  readonly refused: number;
}

/** Sets so many mebibytes of values, each under its own key; any error but OOM is thrown. */
async function feed(client: Redis, mebibytes: number, prefix: string): Promise<Outcome> {
  const rounds = Math.ceil((mebibytes * mebibyte) / (value.length * perRound));
  let refused = 0;
  for (let round = 0; round < rounds; round += 1) {
    const pipeline = client.pipeline();
    for (let n = 0; n < perRound; n += 1) pipeline.set(`${prefix}:${round}:${n}`, value);
    for (const [error] of (await pipeline.exec()) ?? []) {
      if (error === null) continue;
      assert.match(error.message, /^OOM command not allowed when used memory > 'maxmemory'/);
      refused += 1;
    }
  }
  return { accepted: rounds * perRound - refused, refused };
}

async function used(client: Redis): Promise<number> {
  return Number(/^used_memory:(\d+)/m.exec(await client.info("memory"))?.[1]);
}

test("a node with maxmemory evicts, and stays within it, however much comes", async () => {
  await using server = await Server.start({
    program: subject(),
    directives: ["--maxmemory", "50mb", "--maxmemory-policy", "allkeys-lru", "--save", ""],
  });
  const client = new Redis(server.port);
  try {
    const { refused } = await feed(client, 150, "key");
    assert.equal(refused, 0);
    const bytes = await used(client);
    assert.ok(bytes > 40 * mebibyte && bytes < 51 * mebibyte, `${bytes} bytes in use`);
    const keys = await client.dbsize();
    assert.ok(keys > 30_000 && keys < 55_000, `${keys} keys are left`);
  } finally {
    client.disconnect();
  }
});

test("a node without maxmemory refuses before its heap is full, and takes more when it may", {
  skip: isOurs() ? false : "only our server has a heap limit",
}, async () => {
  await using server = await Server.start({
    program: subject({ nodeFlags: ["--max-old-space-size=100"] }),
    directives: ["--save", ""],
  });
  const client = new Redis(server.port);
  try {
    assert.deepEqual(await client.config("GET", "maxmemory"), ["maxmemory", "0"]);
    const { accepted, refused } = await feed(client, 200, "key");
    assert.ok(accepted > 20_000, `only ${accepted} were accepted`);
    assert.ok(refused > 20_000, `only ${refused} were refused`);
    assert.equal(server.running, true);
    assert.equal(server.log.match(/Memory is full: .*--max-old-space-size/g)?.length, 1);
    assert.equal(await client.get("key:0:0"), value);

    await client.flushall();
    assert.equal((await feed(client, 10, "again")).refused, 0);

    await client.config("SET", "maxmemory-policy", "allkeys-lru");
    assert.equal((await feed(client, 200, "key")).refused, 0);
    assert.equal(server.running, true);
  } finally {
    client.disconnect();
  }
});
