// Programs that know nothing of clusters, unmodified, through a router: ioredis' and redis-py's
// plain clients, redis-cli without -c, redis-benchmark without --cluster; before a cluster of
// slotlog nodes and before one of real nodes.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { Redis } from "ioredis";
import { TestCluster } from "../harness/cluster.js";
import { mustRun } from "../harness/exec.js";
import { projectRoot } from "../harness/project-root.js";
import { realRedis, removeDirectory, subject, temporaryDirectory } from "../harness/server.js";
import { RouterProcess } from "./router-process.js";

const password = "s3cret pass";

for (const program of [subject(), realRedis()]) {
  describe(`before a cluster of ${program.name}`, () => {
    const directory = temporaryDirectory();
    let cluster: TestCluster;
    let router: RouterProcess;

    before(async () => {
      cluster = await TestCluster.start({
        programs: [program, program, program],
        primaries: 3,
        password,
      });
      const nodes = cluster.primaries.map(({ port }) => port);
      router = await RouterProcess.start({ nodes, env: { SLOTLOG_PASSWORD: password } });
    });

    after(async () => {
      await router?.[Symbol.asyncDispose]();
      await cluster?.[Symbol.asyncDispose]();
      removeDirectory(directory);
    });

    test("ioredis: everyday use", async () => {
      const client = new Redis({ host: "127.0.0.1", port: router.port, password });
      try {
        await everydayIoredis(client);
      } finally {
        client.disconnect();
      }
    });

    test("ioredis: subscriptions and blocking commands", async () => {
      const options = { host: "127.0.0.1", port: router.port, password };
      const [subscriber, publisher, waiter] = [1, 2, 3].map(() => new Redis(options));
      if (subscriber === undefined || publisher === undefined || waiter === undefined) return;
      try {
        await subscribing(subscriber, publisher);
        const popped = waiter.blpop("queue", 10);
        await publisher.rpush("queue", "job");
        assert.deepEqual(await popped, ["queue", "job"]);
        assert.equal(await waiter.blpop("queue", 0.05), null);
      } finally {
        for (const each of [subscriber, publisher, waiter]) each.disconnect();
      }
    });

    test("a client without the password is refused by the nodes", async () => {
      using client = await router.client();
      for (const words of [
        ["GET", "k"],
        ["PING"],
        ["DBSIZE"],
        ["ROUTER", "STATUS"],
        ["CLIENT", "LIST"],
      ]) {
        assert.match((await client.call(...words)).toString(), /^-NOAUTH/, words.join(" "));
      }
      assert.match((await client.call("AUTH", "wrong")).toString(), /^-WRONGPASS/);
      assert.match((await client.call("AUTH", password)).toString(), /^\+OK/);
      assert.match((await client.call("GET", "k")).toString(), /^\$-1/);
    });

    for (const protocol of [2, 3]) {
      test(`redis-py: everyday use over RESP${protocol}`, async () => {
        const path = join(directory, `everyday${protocol}.py`);
        writeFileSync(
          path,
          python
            .replace("PORT", String(router.port))
            .replace("PASSWORD", JSON.stringify(password))
            .replace("PROTOCOL", String(protocol)),
        );
        assert.match(await mustRun(pythonWithRedis(), [path]), /^done$/m);
      });
    }

    test("redis-cli without -c", async () => {
      const cli = (...words: string[]): Promise<string> =>
        mustRun("redis-cli", [
          "-p",
          String(router.port),
          "-a",
          password,
          "--no-auth-warning",
          ...words,
        ]);
      for (let index = 0; index < 10; index++) {
        assert.equal((await cli("SET", `cli:${index}`, "v")).trim(), "OK");
      }
      const found = (await cli("--scan", "--pattern", "cli:*")).trim().split("\n");
      assert.equal(new Set(found).size, 10);
      assert.equal(found.length, 10);
      assert.match(await cli("INFO", "keyspace"), /db0:keys=\d+/);
      assert.match(await cli("ROUTER", "STATUS"), /router_cluster_state:ok/);
      assert.match(await cli("RENAME", "cli:1", "cli:2"), /^CROSSSLOT .*slot \d+ has cli:1/);
    });

    test("redis-benchmark without --cluster", async () => {
      const options = ["-p", String(router.port), "-a", password, "-q", "-n", "2000", "-c", "20"];
      const out = await mustRun("redis-benchmark", [...options, "-P", "8", "-r", "10000"]);
      const tests = out.split(/[\r\n]+/).filter((line) => /requests per second/.test(line));
      assert.ok(tests.length >= 18, out);
      assert.doesNotMatch(out, /error/i);
    });
  });
}

async function everydayIoredis(client: Redis): Promise<void> {
  const keys = Array.from({ length: 300 }, (_, index) => `key:${index}`);
  await client.flushall();
  const answers = await Promise.all(keys.map((key, index) => client.set(key, String(index))));
  assert.ok(answers.every((answer) => answer === "OK"));
  assert.deepEqual(
    await client.mget(...keys),
    keys.map((_, index) => String(index)),
  );
  assert.equal(await client.dbsize(), 300);
  assert.deepEqual(new Set(await client.keys("key:*")), new Set(keys));
  const blob = Buffer.from(Array.from({ length: 200_000 }, (_, index) => index % 256));
  await client.set("blob", blob);
  assert.deepEqual(await client.getBuffer("blob"), blob);
  const piped = await client
    .pipeline()
    .incr("n")
    .get("n")
    .lpush("l", "a")
    .incr("l")
    .del("n")
    .exec();
  assert.deepEqual(
    piped?.map(([error, value]) => error?.message.split(" ")[0] ?? value),
    [1, "1", 1, "WRONGTYPE", 1],
  );
  const executed = await client.multi().set("{t}a", "1").incr("{t}a").get("{t}a").exec();
  assert.deepEqual(executed, [
    [null, "OK"],
    [null, 2],
    [null, "2"],
  ]);
  await client.watch("{t}a");
  const other = client.duplicate();
  await other.set("{t}a", "changed");
  other.disconnect();
  assert.equal(await client.multi().set("{t}a", "lost").exec(), null);
  assert.equal(await client.get("{t}a"), "changed");
  assert.equal(await client.del(...keys), 300);
}

async function subscribing(subscriber: Redis, publisher: Redis): Promise<void> {
  const seen: string[] = [];
  const both = new Promise<void>((resolve) => {
    const note = (text: string): void => {
      seen.push(text);
      if (seen.length === 2) resolve();
    };
    subscriber.on("message", (channel: string, text: string) => note(`${channel} ${text}`));
    subscriber.on("pmessage", (pattern: string, _: string, text: string) =>
      note(`${pattern} ${text}`),
    );
  });
  assert.equal(await subscriber.subscribe("news"), 1);
  assert.equal(await subscriber.psubscribe("n*"), 2);
  await publisher.publish("news", "hello");
  await both;
  assert.deepEqual(seen.sort(), ["n* hello", "news hello"]);
  assert.equal(await subscriber.unsubscribe("news"), 1);
  assert.equal(await subscriber.punsubscribe(), 0);
  assert.equal(await subscriber.set("after", "1"), "OK");
}

/** CI makes a virtual environment with the latest redis-py; elsewhere the system's will do. */
function pythonWithRedis(): string {
  const candidates = [join(projectRoot(), ".venv/bin/python"), "python3"];
  const found = candidates.find((each) => spawnSync(each, ["-c", "import redis"]).status === 0);
  if (found === undefined) throw new Error("no Python with redis-py: see docs/testing.md");
  return found;
}

const python = `
import redis

r = redis.Redis(host="127.0.0.1", port=PORT, password=PASSWORD, protocol=PROTOCOL)
r.flushall()
for i in range(200):
    assert r.set(f"py:{i}", i) is True
assert r.mget([f"py:{i}" for i in range(200)]) == [str(i).encode() for i in range(200)]
assert r.dbsize() == 200
assert sorted(r.scan_iter("py:*", count=30)) == sorted(f"py:{i}".encode() for i in range(200))
assert r.set("py:0", "x", nx=True) is None
assert r.incrbyfloat("py:f", 0.1) == 0.1
assert r.mset({"one": 1, "two": 2, "three": 3}) is True
assert r.exists("one", "two", "nine") == 2
assert r.delete("one", "two", "three") == 3
assert r.hset("h", mapping={"a": 1, "b": 2}) == 2 and r.hgetall("h") == {b"a": b"1", b"b": b"2"}
assert r.zadd("z", {"m": 1.5}) == 1
assert [(name, float(score)) for name, score in r.zrange("z", 0, -1, withscores=True)] == [(b"m", 1.5)]
pipe = r.pipeline(transaction=False)
for i in range(100):
    pipe.set(f"pipe:{i}", i)
    pipe.get(f"pipe:{i}")
assert pipe.execute()[1::2] == [str(i).encode() for i in range(100)]
with r.pipeline() as tx:
    tx.watch("{t}n")
    tx.multi()
    tx.incr("{t}n")
    tx.incr("{t}n")
    assert tx.execute() == [1, 2]
p = r.pubsub()
p.subscribe("news")
assert p.get_message(timeout=5)["type"] == "subscribe"
assert r.publish("news", "hello") >= 0
assert p.get_message(timeout=5)["data"] == b"hello"
p.close()
r.rpush("queue", "job")
assert tuple(r.blpop(["queue"], timeout=1)) == (b"queue", b"job")
assert r.client_setname("me") and r.client_getname() in ("me", b"me")
assert r.info("server")["redis_mode"] == "standalone"
try:
    r.rename("one", "two")
    raise SystemExit("rename across slots was accepted")
except redis.exceptions.RedisError as error:
    assert "slot" in str(error), error
print("done")
`;
