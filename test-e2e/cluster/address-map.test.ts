// client-address-map: one cluster, told differently to those who come in by different doors. A
// client that knows nothing of it follows what it is told, on each side.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Cluster } from "ioredis";
import { freePorts } from "../harness/ports.js";
import { RawClient } from "../harness/raw-client.js";
import { textOf } from "../harness/reply.js";
import { eventually, Server, subject } from "../harness/server.js";

const slotCount = 16_384;

test("who comes in by the outer port is told outer addresses, and only such", async () => {
  const [first = 0, second = 0, firstOuter = 0, secondOuter = 0] = await freePorts(4);
  const servers = await Promise.all(
    [
      [first, firstOuter],
      [second, secondOuter],
    ].map(([port = 0, outer = 0]) =>
      Server.start({
        program: subject(),
        port,
        directives: [
          ...["--cluster-enabled", "yes", "--appendonly", "no", "--save", ""],
          ...["--client-address-map", `${outer}=localhost:{port+1}`],
        ],
      }),
    ),
  );
  try {
    await form(servers);
    using inside = await RawClient.connect(first);
    using outside = await RawClient.connect(firstOuter);
    // Slot 12182 is the second node's.
    assert.equal(textOf(await inside.call("GET", "foo")), `MOVED 12182 127.0.0.1:${second}`);
    assert.equal(textOf(await outside.call("GET", "foo")), `MOVED 12182 localhost:${second + 1}`);
    for (const words of [["SLOTS"], ["SHARDS"], ["NODES"]]) {
      const told = (await outside.call("CLUSTER", ...words)).toString("latin1");
      assert.ok(told.includes("localhost"), `${words[0]}: ${told}`);
      assert.ok(!told.includes("127.0.0.1"), `${words[0]}: ${told}`);
      const own = (await inside.call("CLUSTER", ...words)).toString("latin1");
      assert.ok(!own.includes("localhost"), words[0]);
    }
  } finally {
    await Promise.all(servers.map((server) => server[Symbol.asyncDispose]()));
  }
});

test("a cluster client works from outside by what it is told", async () => {
  const ports = await freePorts(2);
  // Ports that differ by the same amount: found by trying, since ports are the system's to give.
  const offset = await commonOffset(ports);
  const servers = await Promise.all(
    ports.map((port) =>
      Server.start({
        program: subject(),
        port,
        directives: [
          ...["--cluster-enabled", "yes", "--appendonly", "no", "--save", ""],
          ...["--client-address-map", `${port + offset}=127.0.0.1:{port+${offset}}`],
        ],
      }),
    ),
  );
  try {
    await form(servers);
    const cluster = new Cluster([{ host: "127.0.0.1", port: (ports[0] ?? 0) + offset }]);
    try {
      for (let n = 0; n < 20; n++) assert.equal(await cluster.set(`key${n}`, String(n)), "OK");
      const used = new Set(cluster.nodes("master").map(({ options }) => options.port));
      assert.deepEqual(used, new Set(ports.map((port) => port + offset)));
    } finally {
      cluster.disconnect();
    }
  } finally {
    await Promise.all(servers.map((server) => server[Symbol.asyncDispose]()));
  }
});

async function form(servers: readonly Server[]): Promise<void> {
  const half = slotCount / servers.length;
  for (const [index, server] of servers.entries()) {
    using client = await server.client();
    const range = [String(index * half), String((index + 1) * half - 1)];
    await client.call("CLUSTER", "ADDSLOTSRANGE", ...range);
    await client.call("CLUSTER", "SET-CONFIG-EPOCH", String(index + 1));
    const other = servers[(index + 1) % servers.length];
    await client.call("CLUSTER", "MEET", "127.0.0.1", String(other?.port));
  }
  for (const server of servers) {
    await eventually("the cluster serves", async () => {
      using client = await server.client();
      const info = textOf(await client.call("CLUSTER", "INFO"));
      return info.includes("cluster_state:ok") ? undefined : info;
    });
  }
}

async function commonOffset(ports: readonly number[]): Promise<number> {
  for (let attempt = 0; attempt < 50; attempt++) {
    const [candidate = 0] = await freePorts(1);
    const offset = candidate - (ports[0] ?? 0);
    if (offset <= 0) continue;
    const shifted = ports.map((port) => port + offset);
    if (shifted.every((port) => port < 65_536) && (await allFree(shifted))) return offset;
  }
  throw new Error("no two pairs of ports with the same distance are free");
}

async function allFree(ports: readonly number[]): Promise<boolean> {
  for (const port of ports) {
    try {
      (await RawClient.connect(port)).close();
      return false;
    } catch {
      // Nobody listens.
    }
  }
  return true;
}
