/** Replication under seeded schedules of faults, and that its checks see what they are for. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { SimServer } from "../sim-server.js";
import { runReplication, runSeeds } from "./run.js";

const seeds = 100;
const steps = 10;
const firstSeed = Number(process.env.SLOTLOG_SEED ?? "1");

test("after any schedule of cuts, crashes and restarts replicas equal their primary", async () => {
  const sums = await runSeeds({ first: firstSeed, last: firstSeed + seeds - 1, steps });
  console.log(`${seeds} seeds from ${firstSeed} on:`, sums);
  for (const [name, count] of Object.entries(sums)) {
    assert.ok(count > 0, `no ${name} in ${seeds} seeds`);
  }
});

/** What a run says in which the last member of the chain was tampered with before the end. */
async function verdict(tamper: (last: SimServer) => void): Promise<string> {
  const run = runReplication({ seed: 1, steps: 2, onSettled: tamper });
  const error = await run.then(
    () => new Error("the run found nothing"),
    (reason: Error) => reason,
  );
  assert.match(error.message, /replay: npm run soak -- replication --seeds 1 --steps 2$/);
  return String(error.cause);
}

function firstDatabase({ node }: SimServer): SimServer["node"]["databases"]["databases"][number] {
  const [database] = node.databases.databases;
  assert.ok(database);
  return database;
}

test("a key that one replica alone has is found", async () => {
  const said = await verdict((last) => firstDatabase(last).set("stray", "1"));
  assert.match(said, /differs from/);
});

test("a key that one replica lacks is found", async () => {
  const said = await verdict((last) => {
    const database = firstDatabase(last);
    assert.ok(database.size > 0);
    database.clear();
  });
  assert.match(said, /differs from/);
});

test("a byte that no primary wrote is found in a replica's stream", async () => {
  const said = await verdict(({ node }) => node.replication.history.append(Buffer.from("x"), 0, 1));
  assert.match(said, /which its primary did not write/);
});
