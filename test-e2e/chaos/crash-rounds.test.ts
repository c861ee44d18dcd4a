// kill -9 again and again, in one directory, under every fsync policy, also in the middle of
// rewrites. The long form is `npm run soak -- crash`.

import assert from "node:assert/strict";
import { test } from "node:test";
import { crashRounds } from "./rounds.js";

const rounds = 2;

for (const policy of ["always", "everysec", "no"] as const) {
  for (const rewrites of [false, true]) {
    const seed = Number(process.env["CRASH_SEED"] ?? Math.floor(Math.random() * 1e9));
    const what = rewrites ? "kills in the middle of rewrites lose" : "kills lose";
    test(`appendfsync ${policy}: ${what} nothing acknowledged (CRASH_SEED=${seed})`, async () => {
      const result = await crashRounds({ policy, rewrites, rounds, seed });
      assert.ok(result.acknowledged > 0);
    });
  }
}
