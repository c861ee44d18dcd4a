// The short form of `npm run soak -- acks`, and that its judge sees a loss.

import assert from "node:assert/strict";
import { test } from "node:test";
import { acksRounds } from "./acks-rounds.js";

const seed = Number(process.env["CHAOS_SEED"] ?? Math.floor(Math.random() * 2 ** 31));

test(`what replicas confirmed outlives the primary (CHAOS_SEED=${seed})`, async () => {
  const { confirmed, failovers, lost } = await acksRounds({ rounds: 2, replicas: 1, seed });
  assert.deepEqual(lost, []);
  assert.equal(failovers, 2);
  assert.ok(confirmed["replica-acks"] > 0 && confirmed.WAIT > 0);
});

test(`of two replicas the one that lags does not win (CHAOS_SEED=${seed})`, async () => {
  const { confirmed, failovers, lost } = await acksRounds({ rounds: 2, replicas: 2, seed });
  assert.deepEqual(lost, []);
  assert.equal(failovers, 2);
  assert.ok(confirmed["replica-acks"] > 0 && confirmed.WAIT > 0);
});

test("what nobody confirmed is missed", async () => {
  const { lost } = await acksRounds({ rounds: 1, replicas: 1, seed, unconfirmed: true });
  assert.ok(lost.length > 0, "no loss was seen");
});
