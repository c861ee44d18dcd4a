// Random commands, the same ones to the server under test and to a real one, on few keys so that
// they meet. Replies and what is left at the end must be equal. The seed is printed when they are
// not: SEED=... runs the same commands again.

import assert from "node:assert/strict";
import { test } from "node:test";
import { contentsOf, differences } from "../harness/contents.js";
import type { RawClient } from "../harness/raw-client.js";
import { realRedis, Server, subject } from "../harness/server.js";
import { equalReplies } from "./compare.js";
import { Dice } from "./dice.js";
import { randomCommand } from "./random-command.js";

const commandsPerRun = 4_000;
const directives = ["--save", "", "--appendonly", "no"];

for (const protocol of ["2", "3"]) {
  test(`random commands over RESP${protocol}`, async () => {
    const seed = Number(process.env["SEED"] ?? Math.floor(Math.random() * 2 ** 31));
    await using ours = await Server.start({ program: subject(), directives });
    await using theirs = await Server.start({ program: realRedis(), directives });
    using left = await ours.client();
    using right = await theirs.client();
    await left.call("HELLO", protocol);
    await right.call("HELLO", protocol);
    const dice = new Dice(seed);
    for (let round = 0; round < commandsPerRun; round++) {
      const { args, mode } = randomCommand(dice);
      const [our, their] = await Promise.all([send(left, args), send(right, args)]);
      const where = `SEED=${seed}, command ${round}: ${JSON.stringify(args)}`;
      const equal = equalReplies(mode, our, their);
      if (equal) continue;
      // Long replies of EXEC are alike for the most part: shown is where they part.
      const from = Math.max(0, firstDifference(our, their) - 100);
      const shown = `\n  ours   ${show(our, from)}\n  theirs ${show(their, from)}`;
      assert.fail(`${where}, from byte ${from}${shown}`);
    }
    await Promise.all([send(left, ["DISCARD"]), send(right, ["DISCARD"])]);
    const found = differences(await contentsOf(ours), await contentsOf(theirs));
    assert.deepEqual(found.slice(0, 5), [], `SEED=${seed}: what is left differs`);
  });
}

function send(client: RawClient, args: readonly string[]): Promise<Buffer> {
  return client.call(...args);
}

function firstDifference(left: Buffer, right: Buffer): number {
  let at = 0;
  while (at < left.length && left[at] === right[at]) at += 1;
  return at;
}

function show(reply: Buffer, from: number): string {
  return JSON.stringify(reply.toString("latin1").slice(from, from + 300));
}
