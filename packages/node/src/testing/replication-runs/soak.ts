// `npm run soak -- replication`: more seeds than CI runs, or one again.

import { parseArgs } from "node:util";
import { runSeeds } from "./run.js";

const help = `npm run soak -- replication [options]

Whole nodes in a virtual world, a primary and replicas in a star or a chain, under a schedule that
the seed decides: links cut and stopped, processes killed, power lost, restarts, promotions. All
along a replica's stream must be a prefix of its primary's, in the end they must hold the same.

  --seeds A-B   which seeds (1-1000); one number: that one alone
  --steps N     faults in each run (10, as in CI)

The first seed that fails ends it, with what happened and the line that repeats it.`;

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      seeds: { type: "string", default: "1-1000" },
      steps: { type: "string", default: "10" },
      help: { type: "boolean", default: false },
    },
  });
  const range = /^(\d+)(?:-(\d+))?$/.exec(values.seeds);
  if (values.help || range === null || !/^\d+$/.test(values.steps)) {
    console.error(help);
    return values.help ? 0 : 2;
  }
  const first = Number(range[1]);
  const last = Number(range[2] ?? range[1]);
  const begun = performance.now();
  const onRun = (seed: number): void => {
    if (seed % 100 === 0) console.log(`seed ${seed}`);
  };
  try {
    const sums = await runSeeds({ first, last, steps: Number(values.steps), onRun });
    const seconds = Math.round((performance.now() - begun) / 1000);
    console.log(`seeds ${first}-${last}: nothing wrong in ${seconds} s`, sums);
    return 0;
  } catch (error) {
    console.error(error instanceof Error ? `${error.message}\n${String(error.cause)}` : error);
    return 1;
  }
}

process.exitCode = await main();
