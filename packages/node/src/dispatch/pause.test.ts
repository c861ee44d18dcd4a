import assert from "node:assert/strict";
import { test } from "node:test";
import type { Client } from "../net/client.js";
import { CommandHarness } from "../testing/command-harness.js";
import { SimClock } from "../testing/sim-clock.js";
import { ClientPause } from "./pause.js";

interface World {
  readonly clock: SimClock;
  readonly pause: ClientPause;
  readonly ran: string[];
  readonly client: Client;
}

function world(): World {
  const clock = new SimClock(1_000_000);
  const ran: string[] = [];
  const pause = new ClientPause({
    clock,
    runDeferred: (_, argv) => ran.push(argv.join(" ")),
  });
  return { clock, pause, ran, client: new CommandHarness().client };
}

test("what was deferred runs when the pause ends, and not before", async () => {
  const { clock, pause, ran, client } = world();
  pause.pauseClients(clock.now() + 100, "write");
  assert.equal(pause.mode, "write");
  pause.defer(client, ["set", "a", "1"]);
  assert.equal(client.blocked?.reason, "pause");
  await clock.advance(99);
  assert.deepEqual(ran, []);
  await clock.advance(2);
  assert.equal(pause.mode, undefined);
  assert.deepEqual(ran, ["set a 1"]);
  assert.equal(client.blocked, undefined);
});

test("of two pauses the stronger mode and the later end count, each with its own reason", async () => {
  const { clock, pause } = world();
  pause.pauseClients(clock.now() + 1000, "write", "failover");
  pause.pauseClients(clock.now() + 100, "all");
  assert.equal(pause.mode, "all");
  await clock.advance(101);
  assert.equal(pause.mode, "write");
  pause.unpauseClients();
  assert.equal(pause.mode, "write");
  pause.unpauseClients("failover");
  assert.equal(pause.mode, undefined);
});

test("a second, shorter CLIENT PAUSE does not shorten the first", async () => {
  const { clock, pause } = world();
  pause.pauseClients(clock.now() + 1000, "all");
  pause.pauseClients(clock.now() + 10, "write");
  await clock.advance(500);
  assert.equal(pause.mode, "all");
});

test("a client that leaves takes its deferred command with it", async () => {
  const { clock, pause, ran, client } = world();
  pause.pauseClients(clock.now() + 10, "all");
  pause.defer(client, ["get", "a"]);
  client.blocked?.cancel("closed");
  await clock.advance(20);
  assert.deepEqual(ran, []);
  assert.equal(pause.waitingCount, 0);
});

test("dispatch defers writes, transactions with writes, and nothing of a replica", () => {
  const harness = new CommandHarness();
  const { client, node } = harness;
  node.pause.pauseClients(harness.now + 1000, "write");
  assert.equal(harness.text("get", "a"), "$-1\r\n");
  assert.equal(harness.text("set", "a", "1"), "");
  assert.equal(client.blocked?.reason, "pause");
  client.blocked.cancel("closed");
  client.isReplica = true;
  assert.equal(harness.text("set", "a", "1"), "+OK\r\n");
});
