/**
 * The simulator, seed after seed: all 200 on CI, some of them elsewhere. Others, and more:
 * `npm run sim -- --seeds 201-5000`.
 */

import { test } from "node:test";
import { runSeed } from "./run-seed.js";

const seeds = process.env.CI === undefined ? 24 : 200;
const seedsPerTest = 8;

for (let first = 1; first <= seeds; first += seedsPerTest) {
  const last = first + seedsPerTest - 1;
  test(`seeds ${first} to ${last} of ${seeds}`, async () => {
    for (let seed = first; seed <= last; seed++) {
      try {
        await runSeed({ seed });
      } catch (error) {
        throw new Error(`replay: npm run sim -- --seed ${seed} --trace`, { cause: error });
      }
    }
  });
}
