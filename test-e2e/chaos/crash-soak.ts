// `npm run soak -- crash`: many rounds of kill -9, under every policy, without rewrites and with.

import { parseArgs } from "node:util";
import { crashRounds, type RoundsOptions } from "./rounds.js";

const help = `npm run soak -- crash [options]

  --rounds N     kills per policy, and as many with rewrites running (100)
  --policy P     only this one: always, everysec or no
  --rewrites R   only with them (yes), or only without (no)
  --seed N       when to kill (random); it is printed`;

const policies: readonly RoundsOptions["policy"][] = ["always", "everysec", "no"];

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      rounds: { type: "string", default: "100" },
      policy: { type: "string" },
      rewrites: { type: "string" },
      seed: { type: "string", default: String(Math.floor(Math.random() * 1e9)) },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    console.log(help);
    return 0;
  }
  const rounds = Number(values.rounds);
  const seed = Number(values.seed);
  for (const policy of policies) {
    if (values.policy !== undefined && values.policy !== policy) continue;
    for (const rewrites of [false, true]) {
      if (values.rewrites !== undefined && (values.rewrites === "yes") !== rewrites) continue;
      const began = performance.now();
      const result = await crashRounds({ policy, rewrites, rounds, seed });
      const seconds = Math.round((performance.now() - began) / 1000);
      const kind = rewrites ? "with rewrites" : "without rewrites";
      console.log(
        `${policy}, ${kind}: ${rounds} kills (${result.killedInRewrite} in a rewrite), ` +
          `${result.acknowledged} acknowledged writes, none lost; ${seconds} s, seed ${seed}`,
      );
    }
  }
  return 0;
}

process.exitCode = await main();
