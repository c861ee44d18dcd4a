import assert from "node:assert/strict";
import { test } from "node:test";
import type { Client } from "../net/client.js";
import { LogLines } from "../testing/aof-world.js";
import { CommandHarness } from "../testing/command-harness.js";
import { SimClock } from "../testing/sim-clock.js";
import { ClientPause } from "./pause.js";
import { Shutdown } from "./shutdown.js";

class World {
  readonly clock = new SimClock(1_000_000);
  readonly pause = new ClientPause({ clock: this.clock, runDeferred: () => {} });
  lateReplicas = 1;
  ended = 0;
  failure: string | undefined;
  readonly told: string[] = [];
  readonly client: Client;
  readonly shutdown: Shutdown;

  constructor() {
    const { client } = new CommandHarness();
    client.link = {
      ...client.link,
      push: (bytes) => void this.told.push(bytes.toString("latin1")),
      resume: () => void this.told.push("resumed"),
    };
    this.client = client;
    this.shutdown = new Shutdown({
      clock: this.clock,
      log: new LogLines(),
      pause: this.pause,
      timeoutSeconds: () => 10,
      lateReplicas: () => this.lateReplicas,
      requestAcks: () => {},
      end: () => {
        this.ended += 1;
        return this.failure;
      },
    });
  }

  request(now = false): string | undefined {
    return this.shutdown.request(this.client, { save: "default", force: false }, now);
  }
}

test("without late replicas, or with NOW, the node ends at once", () => {
  const world = new World();
  assert.equal(world.request(true), undefined);
  world.lateReplicas = 0;
  world.request();
  assert.equal(world.ended, 2);
  assert.equal(world.pause.mode, undefined);
});

test("late replicas are waited for, with writes paused, until they have everything", async () => {
  const world = new World();
  world.request();
  await world.clock.advance(5000);
  assert.deepEqual(
    [world.ended, world.pause.mode, world.client.blocked?.reason],
    [0, "write", "shutdown"],
  );
  assert.equal(world.shutdown.millisecondsLeft, 5000);
  world.lateReplicas = 0;
  await world.clock.advance(100);
  assert.deepEqual([world.ended, world.pause.mode], [1, undefined]);
  assert.deepEqual(world.told, []);
});

test("after the timeout the node ends without them", async () => {
  const world = new World();
  world.request();
  await world.clock.advance(10_100);
  assert.equal(world.ended, 1);
});

test("ABORT calls it off: who asked gets an error, and writes go on", async () => {
  const world = new World();
  assert.equal(world.shutdown.abort(), false);
  world.request();
  assert.equal(world.shutdown.abort(), true);
  await world.clock.advance(20_000);
  assert.deepEqual(
    [world.ended, world.pause.mode, world.client.blocked],
    [0, undefined, undefined],
  );
  assert.deepEqual(world.told, ["-ERR Errors trying to SHUTDOWN. Check logs.\r\n", "resumed"]);
});

test("a save that fails in the end is told to who asked", async () => {
  const world = new World();
  world.failure = "ERR Errors trying to SHUTDOWN. Check logs.";
  world.request();
  world.lateReplicas = 0;
  await world.clock.advance(100);
  assert.deepEqual([world.ended, world.shutdown.inProgress], [1, false]);
  assert.match(world.told[0] ?? "", /^-ERR Errors trying/);
});

test("a client that leaves meanwhile is not answered, and the shutdown goes on", async () => {
  const world = new World();
  world.request();
  world.client.blocked?.cancel("closed");
  world.lateReplicas = 0;
  await world.clock.advance(100);
  assert.deepEqual([world.ended, world.told.length], [1, 0]);
});
