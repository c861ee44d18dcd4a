import assert from "node:assert/strict";
import { test } from "node:test";
import type { Client, ClientLink } from "../net/client.js";
import { CommandHarness, type HarnessOptions } from "../testing/command-harness.js";

interface Listener {
  readonly client: Client;
  /** What it was told since the last look, line ends as blanks. */
  told(): string;
}

function listener(harness: CommandHarness): Listener {
  const chunks: Buffer[] = [];
  const push = (bytes: Buffer): void => void chunks.push(bytes);
  const link: ClientLink = { ...harness.client.link, chunk: () => {}, push };
  const client = harness.newClient(link);
  client.protocol = 3;
  return {
    client,
    told: () => Buffer.concat(chunks.splice(0)).toString("latin1").replaceAll("\r\n", " ").trim(),
  };
}

function trackingPair(options: HarnessOptions = {}): CommandHarness & { listener: Listener } {
  const harness = new CommandHarness(options);
  return Object.assign(harness, { listener: listener(harness) });
}

/** Runs a command as another client than the harness' own. */
function as(harness: CommandHarness, client: Client, ...words: string[]): void {
  const { node } = harness;
  node.dispatcher.startBatch();
  node.reply.attach(client.link, client.protocol);
  node.dispatcher.process(client, words, false);
  node.reply.detach();
  node.reply.recycle();
}

test("a key that was read is announced once when it changes", () => {
  const harness = trackingPair();
  const { client, told } = harness.listener;
  as(harness, client, "client", "tracking", "on");
  as(harness, client, "get", "a");
  harness.run("set", "a", "1");
  assert.equal(told(), ">2 $10 invalidate *1 $1 a");
  harness.run("set", "a", "2");
  assert.equal(told(), "");
  assert.equal(harness.node.tracking.keyCount, 0);
});

test("expiry announces a key, and so does a flush, which announces everything", () => {
  const harness = trackingPair();
  const { client, told } = harness.listener;
  harness.run("set", "a", "1", "px", "50");
  as(harness, client, "client", "tracking", "on");
  as(harness, client, "get", "a");
  harness.now += 100;
  harness.run("get", "a");
  assert.equal(told(), ">2 $10 invalidate *1 $1 a");
  harness.run("flushall");
  assert.equal(told(), ">2 $10 invalidate _");
});

test("of its own changes a client hears behind the reply, or not at all with NOLOOP", () => {
  const harness = trackingPair();
  const { client, told } = harness.listener;
  as(harness, client, "client", "tracking", "on");
  as(harness, client, "get", "a");
  as(harness, client, "set", "a", "1");
  assert.equal(told(), ">2 $10 invalidate *1 $1 a");
  as(harness, client, "client", "tracking", "off");
  as(harness, client, "client", "tracking", "on", "noloop");
  as(harness, client, "get", "a");
  as(harness, client, "set", "a", "2");
  assert.equal(told(), "");
});

test("OPTIN remembers only what CLIENT CACHING YES announced, for one command", () => {
  const harness = trackingPair();
  const { client, told } = harness.listener;
  as(harness, client, "client", "tracking", "on", "optin");
  as(harness, client, "get", "a");
  as(harness, client, "client", "caching", "yes");
  as(harness, client, "get", "b");
  as(harness, client, "get", "c");
  harness.run("mset", "a", "1", "b", "1", "c", "1");
  assert.equal(told(), ">2 $10 invalidate *1 $1 b");
});

test("broadcast tells at the end of a turn, sorted, each key once", () => {
  const harness = trackingPair();
  const { client, told } = harness.listener;
  as(harness, client, "client", "tracking", "on", "bcast", "prefix", "u:");
  harness.run("set", "u:2", "1");
  harness.run("mset", "u:1", "1", "u:2", "1", "other", "1");
  assert.equal(told(), "");
  harness.node.tracking.endTurn();
  assert.equal(told(), ">2 $10 invalidate *2 $3 u:1 $3 u:2");
});

test("beyond the limit keys are forgotten by declaring them changed", () => {
  const harness = trackingPair({ config: { trackingTableMaxKeys: 10 } });
  const { client, told } = harness.listener;
  as(harness, client, "client", "tracking", "on");
  for (let i = 0; i < 15; i += 1) as(harness, client, "get", `key:${i}`);
  assert.equal(harness.node.tracking.keyCount, 10);
  assert.equal([...told().matchAll(/invalidate/g)].length, 5);
});

test("a redirect to a client that is gone is reported, and seen by TRACKINGINFO", () => {
  const harness = trackingPair();
  const { client, told } = harness.listener;
  const standIn = listener(harness);
  as(harness, client, "client", "tracking", "on", "redirect", String(standIn.client.id));
  as(harness, client, "get", "a");
  harness.run("set", "a", "1");
  assert.equal(standIn.told(), ">2 $10 invalidate *1 $1 a");
  harness.node.clients.remove(standIn.client);
  as(harness, client, "get", "a");
  harness.run("set", "a", "2");
  assert.equal(told(), `>2 $21 tracking-redir-broken :${standIn.client.id}`);
  assert.equal(client.tracking?.redirectBroken, true);
});

test("when the last tracking client leaves, nothing is remembered", () => {
  const harness = trackingPair();
  const { client } = harness.listener;
  as(harness, client, "client", "tracking", "on");
  as(harness, client, "mget", "a", "b");
  assert.equal(harness.node.tracking.itemCount, 2);
  as(harness, client, "reset");
  assert.deepEqual(
    [harness.node.tracking.active, harness.node.tracking.keyCount, harness.node.tracking.itemCount],
    [false, 0, 0],
  );
});
