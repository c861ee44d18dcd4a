// redis-py's RedisCluster, unmodified, against six processes: the README's example, then a longer
// script that uses what programs use.

import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { pairs, TestCluster } from "../harness/cluster.js";
import { mustRun } from "../harness/exec.js";
import { pythonWithRedis } from "../harness/python.js";
import { readmeExample } from "../harness/readme.js";
import { removeDirectory, subject, temporaryDirectory } from "../harness/server.js";

const password = "s3cret pass";
const directory = temporaryDirectory();
let servers: TestCluster;
let open: TestCluster;

before(async () => {
  const directives = ["--repl-diskless-sync-delay", "0"];
  const shape = { programs: pairs(subject(), 3), primaries: 3, directives };
  servers = await TestCluster.start({ ...shape, password });
  open = await TestCluster.start({ programs: pairs(subject(), 3).slice(0, 3), primaries: 3 });
});

after(async () => {
  await servers?.[Symbol.asyncDispose]();
  await open?.[Symbol.asyncDispose]();
  removeDirectory(directory);
});

async function runScript(name: string, text: string): Promise<string> {
  const path = join(directory, name);
  writeFileSync(path, text);
  return mustRun(pythonWithRedis(), [path]);
}

test("the README's example runs as it stands", async () => {
  const port = open.primaries[0]?.port ?? 0;
  const out = await runScript("readme.py", readmeExample("python", port));
  assert.match(out, /world/);
});

for (const protocol of [2, 3]) {
  test(`everyday use over RESP${protocol}, with a password`, async () => {
    const port = servers.primaries[0]?.port ?? 0;
    const script = everyday
      .replace("PORT", String(port))
      .replace("PASSWORD", JSON.stringify(password))
      .replace("PROTOCOL", String(protocol));
    assert.match(await runScript(`everyday${protocol}.py`, script), /^done$/m);
  });
}

const everyday = `
import time

from redis.cluster import RedisCluster
from redis.exceptions import RedisError

r = RedisCluster(host="127.0.0.1", port=PORT, password=PASSWORD, protocol=PROTOCOL)
r.flushall(target_nodes=RedisCluster.PRIMARIES)
for i in range(200):
    assert r.set(f"py:{i}", i) is True
for i in range(200):
    assert r.get(f"py:{i}") == str(i).encode()
assert r.get("py:missing") is None
assert r.set("py:0", "x", nx=True) is None
assert r.set("py:0", "y", get=True) == b"0"
assert r.set("py:ttl", "v", ex=100) is True
assert 0 < r.ttl("py:ttl") <= 100
assert r.incrby("py:n", 5) == 5
assert r.incrbyfloat("py:f", 0.1) == 0.1
assert r.mset({"{u}a": 1, "{u}b": 2}) is True
assert r.mget("{u}a", "{u}b", "{u}c") == [b"1", b"2", None]
assert r.mset_nonatomic({"one": 1, "two": 2, "three": 3})
assert r.mget_nonatomic("one", "two", "three") == [b"1", b"2", b"3"]
assert r.delete("one", "two", "three") == 3
assert r.exists("{u}a", "{u}b") == 2
blob = bytes(range(256)) * 500
r.set("py:blob", blob)
assert r.get("py:blob") == blob
pipe = r.pipeline()
for i in range(100):
    pipe.set(f"pipe:{i}", i)
    pipe.get(f"pipe:{i}")
results = pipe.execute()
assert results[0] is True and results[1] == b"0" and len(results) == 200
for bad in ("SET", "py:0"), ("nosuchcommand", "py:0"), ("INCR", "py:blob"):
    try:
        r.execute_command(*bad)
        raise SystemExit(f"{bad} was accepted")
    except RedisError:
        pass
assert len(r.get_primaries()) == 3
# CLUSTER SLOTS names a replica once gossip has told its replication offset.
deadline = time.monotonic() + 30
while len(r.get_replicas()) < 3 and time.monotonic() < deadline:
    time.sleep(0.1)
    r.nodes_manager.initialize()
assert len(r.get_replicas()) == 3, r.get_replicas()
assert r.cluster_keyslot("foo") == 12182
assert sum(1 for _ in r.scan_iter("pipe:*", count=50)) == 100
sizes = [r.dbsize(target_nodes=node) for node in r.get_primaries()]
assert len(sizes) == 3 and sum(sizes) == 306, sizes
info = r.info("server", target_nodes=r.get_primaries()[0])
assert info["redis_mode"] == "cluster"
assert r.ping(target_nodes=RedisCluster.ALL_NODES) is True
print("done")
`;
