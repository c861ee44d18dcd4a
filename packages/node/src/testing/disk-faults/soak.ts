/** `npm run soak -- disk-faults`: one seed after the other until the time is over or one fails. */
import { parseArgs } from "node:util";
import { runDiskFaults } from "./run.js";

const help = `npm run soak -- disk-faults [options]

  --seed N      the first seed (random); it is printed
  --seconds S   how long (300)
  --steps N     steps of each run (60)`;

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      seed: { type: "string", default: String(Math.floor(Math.random() * 1e9)) },
      seconds: { type: "string", default: "300" },
      steps: { type: "string", default: "60" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    console.log(help);
    return 0;
  }
  const first = Number(values.seed);
  const end = Date.now() + 1000 * Number(values.seconds);
  const sums = new Map<string, number>();
  let seed = first;
  console.log(`disk faults from seed ${first} on`);
  for (; Date.now() < end; seed += 1) {
    const result = await runDiskFaults({ seed, steps: Number(values.steps) });
    for (const [name, count] of Object.entries(result)) {
      sums.set(name, (sums.get(name) ?? 0) + Number(count));
    }
  }
  const seen = [...sums].map(([name, count]) => `${name} ${count}`).join(", ");
  console.log(`${seed - first} seeds (${first} to ${seed - 1}) without a loss: ${seen}`);
  return 0;
}

process.exitCode = await main();
