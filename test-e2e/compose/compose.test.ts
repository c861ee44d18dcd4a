// The container image and docker-compose.yml, as users start them: a cluster with and without a
// password, restarts in which every node is pid 1 again, and two containers on one volume.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { mustRun, run } from "../harness/exec.js";
import { projectRoot } from "../harness/project-root.js";
import { RawClient } from "../harness/raw-client.js";
import { textOf } from "../harness/reply.js";
import { eventually } from "../harness/server.js";

const image = "slotlog:compose-test";
const project = `slotlogtest${process.pid}`;
/** Published ports begin with these digits: 12 and a digit or two of our own. */
const portPrefix = String(1200 + (process.pid % 700));

before(async () => {
  // BuildKit would ask a registry for the base image even where it is on this machine.
  const build = `DOCKER_BUILDKIT=0 docker build --network host -t ${image} .`;
  await mustRun("sh", ["-c", `cd "${projectRoot()}" && ${build}`]);
});

after(async () => {
  await compose("", "down", "-v", "--remove-orphans");
});

async function compose(password: string, ...args: readonly string[]): Promise<string> {
  const environment = [
    `SLOTLOG_IMAGE=${image}`,
    `SLOTLOG_PORTS=${portPrefix}`,
    `SLOTLOG_PASSWORD=${password}`,
  ];
  const file = `${projectRoot()}/docker-compose.yml`;
  const { code } = await run("sh", ["-c", "command -v docker-compose"]);
  const command = code === 0 ? ["docker-compose"] : ["docker", "compose"];
  return mustRun("env", [...environment, ...command, "-f", file, "-p", project, ...args]);
}

async function containerOf(service: string): Promise<string> {
  const filter = `label=com.docker.compose.service=${service}`;
  const own = `label=com.docker.compose.project=${project}`;
  return (await mustRun("docker", ["ps", "-aq", "--filter", filter, "--filter", own])).trim();
}

async function addressOf(container: string): Promise<string> {
  const format = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}";
  return (await mustRun("docker", ["inspect", "-f", format, container])).trim();
}

async function ask(service: string, password: string, ...command: string[]): Promise<string> {
  const port = 6999 + Number(service.slice("node-".length));
  using client = await RawClient.connect(port, await addressOf(await containerOf(service)));
  if (password !== "") await client.call("AUTH", password);
  return textOf(await client.call(...command));
}

const services = ["node-1", "node-2", "node-3", "node-4", "node-5", "node-6"];

async function untilServing(password: string): Promise<void> {
  await eventually(
    "every node serves",
    async () => {
      for (const service of services) {
        try {
          const info = await ask(service, password, "CLUSTER", "INFO");
          if (!info.includes("cluster_state:ok")) return `${service}: ${info}`;
          const replication = await ask(service, password, "INFO", "replication");
          if (/role:slave/.test(replication) && !/master_link_status:up/.test(replication)) {
            return `${service} is not linked`;
          }
        } catch (error) {
          return `${service}: ${error instanceof Error ? error.message : String(error)}`;
        }
      }
      return undefined;
    },
    90_000,
  );
}

for (const password of ["", "s3cret"]) {
  const how = password === "" ? "without a password" : "with a password";
  test(`docker-compose up forms a cluster ${how}, which survives a restart`, async () => {
    await compose(password, "up", "-d", "--no-build");
    await untilServing(password);
    // Slot 3300 is the first primary's.
    assert.equal(await ask("node-1", password, "SET", "b", "kept"), "OK");
    if (password !== "") assert.match(await ask("node-1", "", "GET", "b"), /^NOAUTH/);
    const first = await containerOf("node-1");
    assert.equal((await mustRun("docker", ["exec", first, "cat", "/proc/1/comm"])).trim(), "node");

    await compose(password, "restart");
    await untilServing(password);
    assert.equal(await ask("node-1", password, "GET", "b"), "kept");

    // Removed and made again: new containers, perhaps with new addresses, on the old volumes.
    await compose(password, "down");
    await compose(password, "up", "-d", "--no-build");
    await untilServing(password);
    assert.equal(await ask("node-1", password, "GET", "b"), "kept");
    await compose(password, "down", "-v");
  });
}

test("a second container on the same volume is refused, and a dead one's volume is taken", async () => {
  const volume = `${project}-shared`;
  const start = async (name: string): Promise<void> => {
    const options = ["run", "-d", "--name", `${project}-${name}`, "-v", `${volume}:/data`, image];
    await mustRun("docker", options);
  };
  const names = ["first", "second", "third"].map((name) => `${project}-${name}`);
  try {
    await start("first");
    const first = await addressOf(`${project}-first`);
    await eventually("the first one answers", () => pings(first));
    await start("second");
    const code = await mustRun("docker", ["wait", `${project}-second`]);
    assert.equal(code.trim(), "1");
    const said = await mustRun("docker", ["logs", `${project}-second`]);
    assert.match(said, /\/data.*(lock|use|own)/i);
    assert.equal(await pings(first), undefined);
    await mustRun("docker", ["kill", `${project}-first`]);
    await start("third");
    const third = await addressOf(`${project}-third`);
    await eventually("the third one answers", () => pings(third));
  } finally {
    await run("docker", ["rm", "-f", ...names]);
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
