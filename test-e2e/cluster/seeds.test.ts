// cluster-seeds: nodes that all come back at other addresses find each other, and nobody else.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { freePorts } from "../harness/ports.js";
import { textOf } from "../harness/reply.js";
import {
  eventually,
  removeDirectory,
  Server,
  subject,
  temporaryDirectory,
} from "../harness/server.js";

const directories: string[] = [];
after(() => directories.forEach(removeDirectory));

function newDirectory(): string {
  const directory = temporaryDirectory();
  directories.push(directory);
  return directory;
}

function start(directory: string, port: number, seeds: readonly number[]): Promise<Server> {
  const names = seeds.map((seed) => `localhost:${seed}`);
  return Server.start({
    program: subject(),
    port,
    directory,
    directives: [
      ...["--cluster-enabled", "yes", "--appendonly", "yes", "--save", ""],
      ...["--cluster-rejoin-delay-ms", "0", "--cluster-seeds", ...names],
    ],
  });
}

async function ask(server: Server, ...words: string[]): Promise<string> {
  using client = await server.client();
  return textOf(await client.call(...words));
}

/** All slots at the first. */
async function form(servers: readonly Server[]): Promise<void> {
  const [first] = servers;
  assert.ok(first !== undefined);
  await ask(first, "CLUSTER", "ADDSLOTSRANGE", "0", "16383");
  for (const { port } of servers.slice(1)) {
    await ask(first, "CLUSTER", "MEET", "127.0.0.1", String(port));
  }
  for (const server of servers) await untilKnown(server, servers.length);
}

async function untilKnown(server: Server, count: number): Promise<void> {
  await eventually(`${count} nodes are known and linked`, async () => {
    const nodes = (await ask(server, "CLUSTER", "NODES")).trim().split("\n");
    const linked = nodes.filter((line) => / connected( |$)/.test(line)).length;
    const settled = nodes.every((line) => !line.includes("handshake"));
    return linked === count && nodes.length === count && settled ? undefined : nodes.join("\n");
  });
  await eventually("the cluster serves", async () => {
    const info = await ask(server, "CLUSTER", "INFO");
    return info.includes("cluster_state:ok") ? undefined : info;
  });
}

test("three nodes that come back on other ports are one cluster again", async () => {
  const ports = await freePorts(6);
  const [before, now] = [ports.slice(0, 3), ports.slice(3)];
  const homes = before.map(newDirectory);
  const at = (row: readonly number[], seeds: readonly number[]): Promise<Server[]> =>
    Promise.all(homes.map((home, index) => start(home, row[index] ?? 0, seeds)));
  const first = await at(before, []);
  try {
    await form(first);
    await ask(first[0] as Server, "SET", "key", "kept");
  } finally {
    await Promise.all(first.map((server) => server.stop()));
  }
  const second = await at(now, now);
  try {
    for (const server of second) await untilKnown(server, 3);
    assert.equal(await ask(second[0] as Server, "GET", "key"), "kept");
    const told = await ask(second[2] as Server, "GET", "key");
    assert.match(told, new RegExp(`^MOVED 12539 127\\.0\\.0\\.1:${now[0]}$`));
  } finally {
    await Promise.all(second.map((server) => server[Symbol.asyncDispose]()));
  }
});

test("a node of another cluster that answers at a seed's address is left alone", async () => {
  const ports = await freePorts(4);
  const [one = 0, two = 0, foreign = 0, moved = 0] = ports;
  const homes = [newDirectory(), newDirectory()] as const;
  const cluster = await Promise.all([start(homes[0], one, []), start(homes[1], two, [])]);
  await form(cluster);
  await Promise.all(cluster.map((server) => server.stop()));
  await using stranger = await start(newDirectory(), foreign, []);
  await ask(stranger, "CLUSTER", "ADDSLOTSRANGE", "0", "16383");
  // The second node does not come back; another cluster's node is where it is looked for.
  await using left = await start(homes[0], moved, [foreign]);
  await eventually("the stranger is named", () =>
    Promise.resolve(/which this cluster does not know/.test(left.log) ? undefined : left.log),
  );
  const known = async (server: Server): Promise<number> =>
    (await ask(server, "CLUSTER", "NODES")).trim().split("\n").length;
  assert.equal(await known(stranger), 1);
  assert.ok((await known(left)) <= 3, "at most the node looked at, in handshake");
  assert.match(left.log, /CLUSTER MEET/);
});
