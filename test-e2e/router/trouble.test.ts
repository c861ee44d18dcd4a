// What a router makes of a cluster that is not there, half there, silent, or mad, and of clients
// that misbehave: a clear error for those it concerns, in bounded time, and nothing for the others.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { TestCluster } from "../harness/cluster.js";
import { freePort } from "../harness/ports.js";
import { encodeCommand, type RawClient } from "../harness/raw-client.js";
import { eventually, realRedis, Server, subject } from "../harness/server.js";
import { FakeNode } from "./fake-node.js";
import { RouterProcess } from "./router-process.js";

const timeoutMs = 700;
/** A busy machine answers later than it should. */
const slackMs = 3_000;
const quick = ["--timeout-ms", String(timeoutMs)];

async function timed(
  client: RawClient,
  ...words: string[]
): Promise<{ reply: string; ms: number }> {
  const begin = performance.now();
  const reply = (await client.call(...words)).toString("latin1");
  return { reply, ms: performance.now() - begin };
}

function bounded(ms: number): void {
  assert.ok(ms < timeoutMs + slackMs, `answered after ${Math.round(ms)} ms`);
}

test("no cluster reachable: an error that says so, and service as soon as there is one", async () => {
  const port = await freePort();
  await using router = await RouterProcess.start({ nodes: [port], args: quick });
  using client = await router.client();
  for (const words of [
    ["GET", "k"],
    ["MGET", "a", "b"],
    ["DBSIZE"],
    ["MULTI"],
    ["BLPOP", "q", "1"],
  ]) {
    const { reply, ms } = await timed(client, ...words);
    bounded(ms);
    if (words[0] === "MULTI") {
      assert.match((await timed(client, "SET", "k", "v")).reply, /^-CLUSTERDOWN/);
      assert.match((await timed(client, "DISCARD")).reply, /^\+OK/);
    } else assert.match(reply, /^-CLUSTERDOWN .*/, words.join(" "));
  }
  assert.match(router.log, new RegExp(`no node of the cluster can be asked.*127.0.0.1:${port}`));
  await using node = await Server.start({
    program: subject(),
    port,
    directives: ["--cluster-enabled", "yes"],
  });
  using admin = await node.client();
  await admin.call("CLUSTER", "ADDSLOTSRANGE", "0", "16383");
  await eventually("the router serves", async () => {
    const reply = (await client.call("SET", "k", "v")).toString();
    return reply === "+OK\r\n" ? undefined : reply;
  });
});

test("a node hangs, then dies: its slots are answered with an error in time, others at once", async () => {
  await using cluster = await TestCluster.start({
    programs: [realRedis(), realRedis(), realRedis()],
    primaries: 3,
    directives: ["--cluster-require-full-coverage", "no"],
  });
  const nodes = cluster.servers.map(({ port }) => port);
  await using router = await RouterProcess.start({ nodes, args: quick });
  using lucky = await router.client();
  using unlucky = await router.client();
  // Slots 12182 and 5061: on the third and on the first node.
  assert.match((await lucky.call("SET", "foo", "1")).toString(), /^\+OK/);
  assert.match((await unlucky.call("SET", "bar", "1")).toString(), /^\+OK/);
  const victim = cluster.servers[0] as Server;
  process.kill(victim.pid, "SIGSTOP");
  try {
    await sufferingOf(unlucky, lucky);
  } finally {
    process.kill(victim.pid, "SIGCONT");
  }
  await eventually("the slots are served again", async () => {
    const { reply } = await timed(unlucky, "GET", "bar");
    return reply.startsWith("$") ? undefined : reply;
  });
  await victim.kill9();
  await sufferingOf(unlucky, lucky);
});

async function sufferingOf(unlucky: RawClient, lucky: RawClient): Promise<void> {
  const waiting = [timed(unlucky, "GET", "bar"), timed(unlucky, "SET", "bar", "2")];
  for (let round = 0; round < 50; round++) {
    const { reply, ms } = await timed(lucky, "GET", "foo");
    assert.equal(reply, "$1\r\n1\r\n");
    assert.ok(ms < 500, `another node's client waited ${ms} ms`);
  }
  for (const { reply, ms } of await Promise.all(waiting)) {
    bounded(ms);
    assert.match(reply, /^-(CLUSTERDOWN|UNCONFIRMED) /);
  }
  assert.match(await errorOf(unlucky, "MGET", "foo", "bar"), /^-CLUSTERDOWN/);
  assert.match((await timed(unlucky, "GET", "foo")).reply, /^\$1/);
}

async function errorOf(client: RawClient, ...words: string[]): Promise<string> {
  const { reply, ms } = await timed(client, ...words);
  bounded(ms);
  return reply;
}

test("a node that talks nonsense costs those who asked it, and only those", async () => {
  const nonsense = [
    "hello\r\n",
    "$99999999999\r\n",
    ":1\r\n:2\r\n:3\r\n",
    "*2\r\n$1\r\na\r\n?\r\n",
  ];
  for (const text of nonsense) {
    await using node = await FakeNode.start(() => text);
    await using router = await RouterProcess.start({ nodes: [node.port], args: quick });
    using client = await router.client();
    const { reply, ms } = await timed(client, "SET", "k", "v");
    bounded(ms);
    // The surplus of a reply cannot be told from a reply, until it answers nothing.
    if (!text.startsWith(":1")) assert.match(reply, /^-UNCONFIRMED .*127\.0\.0\.1:\d+/);
    node.misbehave = () => "+FINE\r\n";
    await eventually("it recovers with the node", async () => {
      const next = (await timed(client, "SET", "k", "v")).reply;
      return next === "+FINE\r\n" ? undefined : next;
    });
  }
});

test("nodes that send a command to each other, and a topology that flaps", async () => {
  await using first = await FakeNode.start(() => "");
  await using second = await FakeNode.start(() => `-MOVED 12182 127.0.0.1:${first.port}\r\n`);
  first.misbehave = () => `-MOVED 12182 127.0.0.1:${second.port}\r\n`;
  await using router = await RouterProcess.start({ nodes: [first.port], args: quick });
  using client = await router.client();
  const flapping = setInterval(() => {
    first.owner = first.owner === first.port ? second.port : first.port;
    second.owner = first.owner;
  }, 20);
  try {
    const { reply, ms } = await timed(client, "SET", "foo", "v");
    bounded(ms);
    assert.match(reply, /^-CLUSTERDOWN slotlog router: the nodes send this command to each other/);
  } finally {
    clearInterval(flapping);
  }
});

test("what has to wait is repeated in order, and not at all once it was overtaken", async () => {
  const seen: string[] = [];
  const tries = new Map<string, number>();
  const refuseFirst = new Set(["1"]);
  await using node = await FakeNode.start((words) => {
    const value = words[2] ?? "";
    seen.push(value);
    const before = tries.get(value) ?? 0;
    tries.set(value, before + 1);
    return before === 0 && refuseFirst.has(value) ? "-TRYAGAIN later\r\n" : "+OK\r\n";
  });
  await using router = await RouterProcess.start({ nodes: [node.port], args: quick });
  using client = await router.client();
  const send = async (...values: string[]): Promise<string[]> => {
    client.write(Buffer.concat(values.map((value) => encodeCommand(["SET", "k", value]))));
    const replies: string[] = [];
    for (const _ of values) replies.push((await client.read()).toString().trim());
    return replies;
  };
  // 2 was done before 1 could be repeated: to repeat it would leave the older value.
  assert.deepEqual(await send("1", "2"), ["-TRYAGAIN later", "+OK"]);
  assert.deepEqual(seen, ["1", "2"]);
  for (const value of ["3", "4", "5"]) refuseFirst.add(value);
  assert.deepEqual(await send("3", "4", "5"), ["+OK", "+OK", "+OK"]);
  assert.deepEqual(seen.slice(2), ["3", "4", "5", "3", "4", "5"]);
});

test("what a client pipelines keeps its order, whatever connections it takes", async () => {
  const seen: string[] = [];
  let answer = (): void => {};
  await using node = await FakeNode.start((words, socket) => {
    seen.push(words[0] ?? "");
    if (words[0] !== "SET") return words[0] === "BLPOP" ? "*0\r\n" : "+OK\r\n";
    answer = () => void socket.write("+SET\r\n");
    return undefined;
  });
  await using router = await RouterProcess.start({ nodes: [node.port] });
  for (const behind of [["MULTI", "INCR n"], ["WATCH n"], ["BLPOP n 0"], ["HELLO 3"], ["AUTH x"]]) {
    seen.length = 0;
    using client = await router.client();
    client.write(
      Buffer.concat(["SET n 1", ...behind].map((line) => encodeCommand(line.split(" ")))),
    );
    await eventually("the node has the first", async () => (seen.length > 0 ? undefined : "no"));
    // Whatever overtakes would be on its way by now: the loop has gone round for somebody else.
    using other = await router.client();
    await other.call("GET");
    assert.deepEqual(seen, ["SET"], behind.join());
    answer();
    assert.equal((await client.read()).toString(), "+SET\r\n");
    for (const _ of behind) await client.read();
  }
});

test("a write of unknown fate is not repeated, a read is", async () => {
  const seen: string[] = [];
  await using node = await FakeNode.start((words, socket) => {
    seen.push(words[0] ?? "");
    if (seen.length === 1 || words[0] === "INCR") socket.destroy();
    return "$1\r\nv\r\n";
  });
  await using router = await RouterProcess.start({ nodes: [node.port], args: quick });
  using client = await router.client();
  assert.equal((await timed(client, "GET", "k")).reply, "$1\r\nv\r\n");
  assert.deepEqual(seen, ["GET", "GET"]);
  const { reply } = await timed(client, "INCR", "k");
  assert.match(reply, /^-UNCONFIRMED slotlog router: .*not known, and it was not repeated/);
  assert.deepEqual(seen, ["GET", "GET", "INCR"]);
});

test("a client that never reads is bounded, and nobody else waits for it", async () => {
  await using node = await Server.start({
    program: realRedis(),
    directives: ["--cluster-enabled", "yes"],
  });
  using admin = await node.client();
  await admin.call("CLUSTER", "ADDSLOTSRANGE", "0", "16383");
  await eventually("the node serves", async () => {
    const reply = (await admin.call("SET", "big", "x".repeat(1_000_000))).toString();
    return reply === "+OK\r\n" ? undefined : reply;
  });
  await using router = await RouterProcess.start({
    nodes: [node.port],
    args: ["--client-output-mb", "64"],
  });
  using deaf = await router.client();
  using other = await router.client();
  await other.call("GET", "big");
  const before = residentMb(router.pid);
  deaf.pause();
  deaf.write(Buffer.concat(Array.from({ length: 3_000 }, () => encodeCommand(["GET", "big"]))));
  for (let round = 0; round < 200; round++) {
    assert.equal((await timed(other, "EXISTS", "big")).reply, ":1\r\n");
  }
  const grown = residentMb(router.pid) - before;
  assert.ok(grown < 200, `3 GB of replies to a deaf client took ${grown} MB`);
});

function residentMb(pid: number): number {
  const match = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "latin1"));
  return Number(match?.[1]) / 1024;
}

test("clients' mistakes are theirs alone, and a drain answers what is under way", async () => {
  await using node = await FakeNode.start((words) =>
    words[0] === "SLOW" ? undefined : "+FINE\r\n",
  );
  await using router = await RouterProcess.start({ nodes: [node.port] });
  using good = await router.client();
  for (const bytes of ["*1\r\n$-5\r\n", "*-5x\r\n", '"unbalanced\r\n', "*2147483648\r\n"]) {
    using bad = await router.client();
    bad.write(bytes);
    assert.match((await bad.closed).toString("latin1"), /^-ERR Protocol error: /, bytes);
    assert.equal((await timed(good, "SET", "k", "v")).reply, "+FINE\r\n");
  }
  let answer: (() => void) | undefined;
  node.misbehave = (_, socket) => {
    answer = () => void socket.write("+LATE\r\n");
    return undefined;
  };
  const late = good.call("SET", "k", "v");
  await eventually("the node has the command", async () =>
    answer === undefined ? "no" : undefined,
  );
  router.terminate();
  await eventually("no new clients", async () => {
    try {
      (await router.client()).close();
      return "a client was accepted";
    } catch {
      return undefined;
    }
  });
  answer?.();
  assert.equal((await late).toString(), "+LATE\r\n");
  assert.equal(await router.ended, "exit code 0");
});
