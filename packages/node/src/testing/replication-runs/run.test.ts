/** Replication under seeded schedules of faults, and that its checks see what they are for. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { runReplication } from "./run.js";

/** One after the other, so that the seed of a failure replays: see `npm run soak -- replication`. */
const seeds = 100;
const firstSeed = Number(process.env.SLOTLOG_SEED ?? "1");

test("after any schedule of cuts, crashes and restarts replicas equal their primary", async () => {
  const sums = new Map<string, number>();
  for (let seed = firstSeed; seed < firstSeed + seeds; seed += 1) {
    const result = await runReplication({ seed, steps: 10 });
    for (const [name, count] of Object.entries(result)) {
      sums.set(name, (sums.get(name) ?? 0) + Number(count));
    }
  }
  console.log(`${seeds} seeds from ${firstSeed} on:`, Object.fromEntries(sums));
  for (const [name, count] of sums) assert.ok(count > 0, `no ${name} in ${seeds} seeds`);
});

test("a key that one replica alone has is found", async () => {
  const stray = runReplication({
    seed: 1,
    steps: 2,
    onSettled: (last) => {
      const database = last.node.databases.databases[0];
      assert.ok(database);
      database.set("stray", "1");
    },
  });
  await assert.rejects(stray, (error: Error) => String(error.cause).includes("differs from"));
});
