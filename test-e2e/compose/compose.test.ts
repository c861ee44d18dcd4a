// The container image and docker-compose.yml, as users start them: from this machine and from a
// container, with and without a password, killed, cut off, taken down and up again.

import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { Cluster, Redis } from "ioredis";
import { ClusterClient } from "../harness/cluster-client.js";
import { mustRun, run } from "../harness/exec.js";
import { projectRoot } from "../harness/project-root.js";
import { pythonWithRedis } from "../harness/python.js";
import { RawClient } from "../harness/raw-client.js";
import { textOf } from "../harness/reply.js";
import { eventually, removeDirectory, temporaryDirectory } from "../harness/server.js";
import { Traffic } from "../harness/traffic.js";
import { watchCut } from "./cut-watch.js";
import { ComposeProject, image, nodeTimeoutMs, services } from "./project.js";

const directory = temporaryDirectory();
const passwordFile = join(directory, "password.txt");
// Published ports begin with these digits: 12 to 19 and two of our own.
const portPrefix = 1200 + (process.pid % 350) * 2;
const open = new ComposeProject({ name: `slotlogopen${process.pid}`, portPrefix });
const locked = new ComposeProject({
  name: `slotloglocked${process.pid}`,
  portPrefix: portPrefix + 1,
  password: "s3cret word",
  passwordFile,
});

before(async () => {
  writeFileSync(passwordFile, `${locked.password}\n`);
  // BuildKit would ask a registry for the base image even where it is on this machine.
  const build = `DOCKER_BUILDKIT=0 docker build --network host -t ${image} .`;
  await mustRun("sh", ["-c", `cd "${projectRoot()}" && ${build}`]);
});

after(async () => {
  await open.down("-v");
  await locked.down("-v");
  removeDirectory(directory);
});

/** Slot 3300, the first primary's. */
const key = "b";

function redisPy(host: string, port: number): string {
  return `
import redis
r = redis.RedisCluster(host='${host}', port=${port})
for n in range(30):
    r.set(f'py{n}', n)
assert [int(r.get(f'py{n}')) for n in range(30)] == list(range(30))
print('done', sorted({node.host for node in r.get_primaries()}))
`;
}

const inContainer = `
const { Cluster } = require("ioredis");
const cluster = new Cluster([{ host: "node-4", port: 7003 }]);
(async () => {
  for (let n = 0; n < 30; n++) await cluster.set("js" + n, n);
  console.log("done", cluster.nodes("master").map(({ options }) => options.host).join(" "));
  cluster.disconnect();
})();
`;

test("compose up: a cluster for this machine and for containers alike", async () => {
  await open.compose("up", "-d", "--no-build");
  await open.untilServing();
  assert.equal(await open.inspect("node-1", "{{.State.Health.Status}}"), "healthy");
  assert.equal(await open.inspect("node-1", "{{.HostConfig.ReadonlyRootfs}}"), "true");
  const first = await open.container("node-1");
  const inside = async (...words: readonly string[]): Promise<string> =>
    (await mustRun("docker", ["exec", first, ...words])).trim();
  // The node itself is pid 1, and has put its name there.
  assert.match(await inside("cat", "/proc/1/comm"), /^slotlog/);
  assert.equal(await inside("id", "-un"), "node");
  for (const line of (await mustRun("docker", ["logs", first])).trim().split("\n")) {
    assert.ok("message" in (JSON.parse(line) as object), line);
  }

  // From this machine every address is this machine's.
  const fromHost = new Cluster([{ host: "127.0.0.1", port: open.port("node-2") }]);
  try {
    for (let n = 0; n < 30; n++) assert.equal(await fromHost.set(`host${n}`, n), "OK");
  } finally {
    fromHost.disconnect();
  }
  const fromPython = await mustRun(pythonWithRedis(), [
    "-c",
    redisPy("127.0.0.1", open.port("node-1")),
  ]);
  assert.equal(fromPython.trim(), "done ['127.0.0.1']");

  // A client that knows nothing of clusters has the router.
  const plain = new Redis(open.routerPort, "127.0.0.1");
  try {
    assert.deepEqual(await plain.mget("host1", "host2", "py3"), ["1", "2", "3"]);
  } finally {
    plain.disconnect();
  }

  // From a container none is.
  const container = ["run", "--rm", "--network", open.network];
  const node = ["-w", "/app/packages/slotlog", "--entrypoint", "node", image, "-e", inContainer];
  const fromContainer = await mustRun("docker", [...container, ...node]);
  assert.match(fromContainer, /^done (?:\d+\.\d+\.\d+\.\d+ ?){3}$/m);
  assert.ok(!fromContainer.includes("127.0.0.1"));
  // This machine's Python, in the container's network: no image with one is at hand everywhere.
  const script = redisPy(await open.address("node-1"), 7000);
  const chroot = ["-v", "/:/host:ro", "--user", "0", "--entrypoint", "chroot", image, "/host"];
  const python = [...container, ...chroot, pythonWithRedis(), "-c", script];
  assert.match(await mustRun("docker", python), /^done \['\d+\.\d+\.\d+\.\d+', /m);
});

/** Writers from this machine, which replicas confirm; what they were promised must be there. */
async function underWriters(strike: () => Promise<void>): Promise<void> {
  for (const service of services) {
    assert.equal(await open.ask(service, "CONFIG", "SET", "replica-acks", "1"), "OK");
  }
  const seeds = services.map((service) => open.port(service));
  const traffic = new Traffic({ seeds });
  const client = new ClusterClient(seeds);
  for (const each of traffic.keys) await client.call(each, "DEL", each);
  client.close();
  traffic.start();
  const written = (count: number): Promise<void> =>
    eventually(`${count} writes are acknowledged`, () =>
      Promise.resolve(traffic.acknowledged >= count ? undefined : String(traffic.acknowledged)),
    );
  try {
    await written(300);
    await strike();
    await written(traffic.acknowledged + 200);
  } finally {
    await traffic.stop();
  }
  assert.deepEqual(await traffic.verdict(), []);
  console.log(`${traffic.acknowledged} acknowledged writes, none lost`);
}

test("a killed primary is replaced, and comes back as a replica", async () => {
  await underWriters(killAndStart);
});

async function killAndStart(): Promise<void> {
  assert.equal(await open.ask("node-1", "SET", key, "kept"), "OK");
  assert.equal(await open.ask("node-1", "WAIT", "1", "5000"), "1");
  await mustRun("docker", ["kill", await open.container("node-1")]);
  await eventually("its replica serves", async () => {
    const told = await open.ask("node-2", "GET", key);
    return told.includes(`127.0.0.1:${open.port("node-1")}`) ? told : undefined;
  });
  const cluster = new Cluster([{ host: "127.0.0.1", port: open.port("node-2") }]);
  try {
    assert.equal(await cluster.get(key), "kept");
  } finally {
    cluster.disconnect();
  }
  await mustRun("docker", ["start", await open.container("node-1")]);
  await open.untilServing();
  assert.match(await open.ask("node-1", "INFO", "replication"), /role:slave/);
}

test("down and up: other addresses, the same data", async () => {
  const addresses = async (): Promise<string[]> =>
    Promise.all(services.map((s) => open.address(s)));
  const before = await addresses();
  await open.down();
  // In another order they get other addresses.
  for (const service of [...services].reverse()) {
    await open.compose("up", "-d", "--no-build", "--no-deps", service);
  }
  await open.untilServing();
  assert.notDeepEqual(await addresses(), before);
  const cluster = new Cluster([{ host: "127.0.0.1", port: open.port("node-3") }]);
  try {
    assert.equal(await cluster.get(key), "kept");
    for (let n = 0; n < 30; n++) assert.equal(await cluster.get(`host${n}`), String(n));
  } finally {
    cluster.disconnect();
  }
});

test("a primary that is cut off stops taking writes, the others go on, and it heals", async () => {
  await underWriters(cutAndConnect);
  await open.down("-v");
});

async function cutAndConnect(): Promise<void> {
  const [service = ""] = (await primaries()).filter((name) => name !== "node-2");
  const container = await open.container(service);
  const own = await keyAt(service);
  const { report } = await watchCut(open, service, own);
  const calledAt = Date.now();
  await mustRun("docker", ["network", "disconnect", open.network, container]);
  const doneAt = Date.now();
  const cluster = new Cluster([{ host: "127.0.0.1", port: open.port("node-2") }], {
    clusterRetryStrategy: () => 200,
    retryDelayOnClusterDown: 200,
    redisOptions: { maxRetriesPerRequest: 200, connectTimeout: 1_000 },
  });
  try {
    await eventually("the majority goes on", async () => {
      try {
        return (await cluster.set(own, "majority")) === "OK" ? undefined : "no OK";
      } catch (error) {
        // Done; nobody is left to confirm it.
        return String(error).includes("UNCONFIRMED") ? undefined : String(error);
      }
    });
  } finally {
    cluster.disconnect();
  }
  // From the call on, less what docker took until the interface was gone, which the container saw.
  const { vanishedAt, lastTakenAt, firstRefusedAt, refusal, taken } = await report;
  console.log(
    `the cut came ${vanishedAt - calledAt} ms after docker was called (which took ` +
      `${doneAt - calledAt} ms), the last of ${taken} writes that were taken was sent ` +
      `${lastTakenAt - vanishedAt} ms after the cut, the first that was refused ` +
      `${firstRefusedAt - vanishedAt} ms after it`,
  );
  assert.ok(calledAt <= vanishedAt && vanishedAt <= doneAt + 100, "the container saw the cut");
  assert.ok(lastTakenAt - vanishedAt < nodeTimeoutMs, "it stops within the node timeout");
  assert.ok(firstRefusedAt > vanishedAt, "it took writes until it was cut off");
  assert.equal(refusal, "-CLUSTERDOWN The cluster is down");
  await mustRun("docker", ["network", "connect", "--alias", service, open.network, container]);
  await open.untilServing();
  assert.match(await open.ask(service, "INFO", "replication"), /role:slave/);
}

async function primaries(): Promise<string[]> {
  const found: string[] = [];
  for (const service of services) {
    const text = await open.ask(service, "INFO", "replication");
    if (text.includes("role:master")) found.push(service);
  }
  return found;
}

/** A key that lies at this node. */
async function keyAt(service: string): Promise<string> {
  for (let n = 0; ; n++) {
    if ((await open.ask(service, "SET", `k${n}`, "before")) === "OK") return `k${n}`;
  }
}

test("with a password, which nobody can read off the containers", async () => {
  await locked.compose("up", "-d", "--no-build");
  await locked.untilServing();
  assert.equal(await locked.ask("node-1", "SET", key, "kept"), "OK");
  using client = await RawClient.connect(locked.port("node-1"));
  assert.match(textOf(await client.call("GET", key)), /^NOAUTH/);
  const container = await locked.container("node-1");
  assert.ok(!(await mustRun("docker", ["inspect", container])).includes(locked.password));
  assert.ok(!(await mustRun("docker", ["top", container])).includes(locked.password));
  await locked.compose("restart");
  await locked.untilServing();
  // A replica may have taken over while its primary restarted.
  const { password } = locked;
  const seeds = [{ host: "127.0.0.1", port: locked.port("node-1") }];
  const cluster = new Cluster(seeds, { redisOptions: { password } });
  try {
    assert.equal(await cluster.get(key), "kept");
  } finally {
    cluster.disconnect();
  }
  await locked.down("-v");
});

test("a second container on the same volume is refused, and a dead one's volume is taken", async () => {
  const volume = `${open.name}-shared`;
  const name = (which: string): string => `${open.name}-${which}`;
  const start = async (which: string): Promise<void> => {
    const options = ["run", "-d", "--name", name(which), "-v", `${volume}:/data`, image];
    await mustRun("docker", options);
  };
  const addressOf = async (which: string): Promise<string> => {
    const format = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}";
    return (await mustRun("docker", ["inspect", "-f", format, name(which)])).trim();
  };
  try {
    await start("first");
    const first = await addressOf("first");
    await eventually("the first one answers", () => pings(first));
    await start("second");
    const code = await mustRun("docker", ["wait", name("second")]);
    assert.equal(code.trim(), "1");
    const said = await mustRun("docker", ["logs", name("second")]);
    assert.match(said, /\/data.*(lock|use|own)/i);
    assert.equal(await pings(first), undefined);
    await mustRun("docker", ["kill", name("first")]);
    await start("third");
    const third = await addressOf("third");
    await eventually("the third one answers", () => pings(third));
  } finally {
    await run("docker", ["rm", "-f", ...["first", "second", "third"].map(name)]);
    await run("docker", ["volume", "rm", volume]);
  }
});

async function pings(address: string): Promise<string | undefined> {
  try {
    using client = await RawClient.connect(6379, address);
    const reply = textOf(await client.call("PING"));
    return reply === "PONG" ? undefined : reply;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
