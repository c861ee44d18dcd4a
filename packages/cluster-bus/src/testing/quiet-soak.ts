/** `npm run soak -- lease`: hours of clusters in which nothing happens, and no write lease ends. */

import { parseArgs } from "node:util";
import { stayQuiet } from "./quiet.js";
import { SeededRandom } from "./sim-world.js";

const help = `Quiet clusters in virtual time: no write lease may run out.

  --seed N    the first one (default: 1)
  --hours N   virtual hours in all (default: 24)`;

const { values } = parseArgs({
  options: {
    seed: { type: "string", default: "1" },
    hours: { type: "string", default: "24" },
    help: { type: "boolean", default: false },
  },
});

const hourMs = 3_600_000;
const shareMs = hourMs / 4;

async function main(): Promise<number> {
  let leftMin = 1;
  const endMs = Number(values.hours) * hourMs;
  for (let seed = Number(values.seed), ms = 0; ms < endMs; seed++, ms += shareMs) {
    const dice = new SeededRandom(seed);
    const primaries = 2 + dice.below(9);
    const shape = {
      seed,
      primaries,
      replicas: dice.below(primaries + 1),
      nodeTimeoutMs: dice.pick([500, 1000, 2000, 5000, 15_000]),
      // Two that lose packets for good have only each other, and TCP loses none.
      lostPerMille: primaries === 2 ? 0 : dice.below(3),
      latencyMsMax: 1 + dice.below(40),
      virtualMs: shareMs,
    };
    const { lapses, leftMin: left } = await stayQuiet(shape);
    if (lapses > 0) {
      console.error(`a lease ran out: ${JSON.stringify(shape)}`);
      return 1;
    }
    if (shape.lostPerMille === 0) leftMin = Math.min(leftMin, left);
  }
  const least = `${(leftMin * 100).toFixed(0)} %`;
  console.log(`${values.hours} virtual hours, no lease ran out; without loss ${least} were left`);
  return 0;
}

if (values.help) console.log(help);
else process.exitCode = await main();
