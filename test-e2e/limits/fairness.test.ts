// A pipeline of slow requests is one client's affair: others are served between its requests.

import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeCommand, type RawClient } from "../harness/raw-client.js";
import { textOf } from "../harness/reply.js";
import { Server, subject } from "../harness/server.js";

const isNull = "$-1";
const directives = ["--enable-debug-command", "yes"];

/** Everything in one write, so that one read of the server's finds most of it. */
function sendAll(client: RawClient, commands: readonly (readonly string[])[]): void {
  client.write(Buffer.concat(commands.map((command) => encodeCommand(command))));
}

test("a long pipeline of slow requests lets others in between, and keeps its order", async () => {
  await using server = await Server.start({ program: subject(), directives });
  using slow = await server.client();
  using quick = await server.client();
  const pairs = 400;
  const commands = Array.from({ length: pairs }, () => [
    ["DEBUG", "SLEEP", "0.002"],
    ["INCR", "counter"],
  ]).flat();
  sendAll(slow, commands);
  const replies: string[] = [];
  const finished = (async () => {
    for (let left = commands.length; left > 0; left -= 1) replies.push(textOf(await slow.read()));
  })();
  let served = 0;
  for (let seen = 0; seen < pairs; served += 1) {
    const value = textOf(await quick.call("GET", "counter"));
    if (value !== isNull) seen = Number(value);
  }
  await finished;
  const expected = commands.map((command, at) =>
    command[0] === "INCR" ? String((at + 1) / 2) : "OK",
  );
  assert.deepEqual(replies, expected);
  assert.ok(served > 10, `${served} requests of another client were served meanwhile`);
});

test("a transaction stays whole, and a client may be killed between its requests", async () => {
  await using server = await Server.start({ program: subject(), directives });
  using slow = await server.client();
  using quick = await server.client();
  const id = textOf(await slow.call("CLIENT", "ID"));
  const sleep = ["DEBUG", "SLEEP", "0.002"];
  const increments = Array.from({ length: 40 }, () => ["INCR", "counter"]);
  const transaction = [["MULTI"], ...increments, sleep, ...increments, ["EXEC"]];
  sendAll(slow, [...transaction, ...Array.from({ length: 400 }, () => sleep), ["SET", "end", "1"]]);
  let seen = isNull;
  while (seen === isNull) seen = textOf(await quick.call("GET", "counter"));
  assert.equal(seen, "80", "nobody is let in between the commands of a transaction");
  assert.equal(textOf(await quick.call("CLIENT", "KILL", "ID", id)), "1");
  await slow.closed;
  assert.equal(textOf(await quick.call("GET", "end")), isNull, "the rest is not executed");
});
