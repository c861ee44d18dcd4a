// `npm run soak -- properties`: the comparisons with a real server that tests run for a second,
// each until it has made a million steps per type. It owns the order, the seeds and the counting;
// what a step is and what must be equal is told by the tests themselves, which run as they are, in
// processes of their own, so that neither they nor the real server grow from round to round.

import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { installedRedisServer, redisServerVersion } from "./redis-server.js";

interface Family {
  readonly name: string;
  /** Relative to `packages/node/src`. */
  readonly file: string;
  /** The tests of the file that belong to the family. */
  readonly tests: string;
  /** How many of them take that number of steps each, in one round. */
  readonly runs: number;
  readonly stepsPerRun: number;
}

const collections = { file: "commands/collections.compare.test.ts", stepsPerRun: 5_000 };

const families: readonly Family[] = [
  {
    name: "string",
    file: "commands/string/string.comparison.test.ts",
    tests: "^string commands",
    runs: 2,
    stepsPerRun: 25_000,
  },
  {
    name: "generic",
    file: "commands/string/string.comparison.test.ts",
    tests: "^generic commands",
    runs: 1,
    stepsPerRun: 50_000,
  },
  {
    name: "bitmap",
    file: "commands/bitmap/bitmap.comparison.test.ts",
    tests: "^bitmap",
    runs: 2,
    stepsPerRun: 10_000,
  },
  {
    name: "hyperloglog",
    file: "commands/hyperloglog/hyperloglog.comparison.test.ts",
    tests: "^HyperLogLog",
    runs: 2,
    stepsPerRun: 10_000,
  },
  { name: "list", ...collections, tests: "^list, ", runs: 6 },
  { name: "set", ...collections, tests: "^set, ", runs: 4 },
  { name: "hash", ...collections, tests: "^hash, ", runs: 4 },
  { name: "sort", ...collections, tests: "^sort, ", runs: 2 },
  {
    name: "sorted set",
    file: "commands/sorted-set/sorted-set.comparison.test.ts",
    tests: "^sorted sets",
    runs: 4,
    stepsPerRun: 10_000,
  },
  {
    name: "geo",
    file: "commands/geo/geo.comparison.test.ts",
    tests: "^geo",
    runs: 2,
    stepsPerRun: 10_000,
  },
  {
    name: "stream",
    file: "commands/stream/compare.test.ts",
    tests: "^RESP",
    runs: 8,
    stepsPerRun: 5_000,
  },
  {
    name: "blocking",
    file: "dispatch/blocked.compare.test.ts",
    tests: "^RESP",
    runs: 2,
    stepsPerRun: 20_000,
  },
];

const help = `npm run soak -- properties [options]

Random commands of each type beside a real server, a million steps per type.
REDIS_SERVER names the server; 7.2 compares more than 7.0.

  --steps N    steps per type (1000000)
  --seed N     the first round's seed; each round takes the next (1)
  --only L     types, separated by commas: ${families.map(({ name }) => name).join(", ")}`;

interface Outcome {
  readonly name: string;
  readonly steps: number;
  readonly firstSeed: number;
  readonly lastSeed: number;
  readonly seconds: number;
  readonly failed: boolean;
}

const sources = fileURLToPath(new URL("..", import.meta.url));

/** One round: the output if a test failed, else `undefined`. */
function round(family: Family, seed: number): Promise<string | undefined> {
  const steps = String(family.stepsPerRun);
  const args = ["--conditions=@slotlog/source", "--import", "tsx", "--test"];
  const child = spawn(
    process.execPath,
    [...args, `--test-name-pattern=${family.tests}`, `${sources}${family.file}`],
    {
      // The two names that the tests have for the same thing.
      env: {
        ...process.env,
        COMPARISON_STEPS: steps,
        COMPARISON_SEED: String(seed),
        COMPARE_STEPS: steps,
        COMPARE_SEED: String(seed),
        CI: "1",
      },
      stdio: ["ignore", "pipe", "pipe"],
    },
  );
  let output = "";
  const keep = (chunk: Buffer): void => void (output += chunk.toString());
  child.stdout.on("data", keep);
  child.stderr.on("data", keep);
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve(hasPassed(family, code, output) ? undefined : output));
  });
}

/** A pattern that meets no test would pass as well: what passed is counted. */
function hasPassed(family: Family, code: number | null, output: string): boolean {
  const passed = output.match(/^\s*ok \d+ - (?!.*# SKIP).*$/gm) ?? [];
  const pattern = new RegExp(family.tests.slice(1));
  return code === 0 && passed.filter((line) => pattern.test(line)).length === family.runs;
}

async function runFamily(family: Family, steps: number, firstSeed: number): Promise<Outcome> {
  const started = performance.now();
  const { name } = family;
  let seed = firstSeed;
  let done = 0;
  for (; done < steps; done += family.runs * family.stepsPerRun, seed++) {
    const output = await round(family, seed);
    if (output === undefined) continue;
    console.error(`${name}, seed ${seed}, ${family.stepsPerRun} steps, in ${family.file}:`);
    console.error(output);
    break;
  }
  const seconds = Math.round((performance.now() - started) / 1000);
  const failed = done < steps;
  const outcome = { name, steps: done, firstSeed, lastSeed: seed - 1, seconds, failed };
  console.log(line(outcome));
  return outcome;
}

function line({ name, steps, firstSeed, lastSeed, seconds, failed }: Outcome): string {
  const how = failed ? "DIFFERS" : "same";
  return `| ${name} | ${steps} | ${firstSeed}-${lastSeed} | ${how} | ${seconds} s |`;
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      steps: { type: "string", default: "1000000" },
      seed: { type: "string", default: "1" },
      only: { type: "string" },
      help: { type: "boolean", default: false },
    },
  });
  const only = values.only?.split(",").map((name) => name.trim());
  const unknown = only?.filter((name) => !families.some((family) => family.name === name)) ?? [];
  if (values.help || unknown.length > 0) {
    if (unknown.length > 0) console.error(`no such type: ${unknown.join(", ")}\n`);
    console.error(help);
    return values.help ? 0 : 2;
  }
  const binary = installedRedisServer();
  if (binary === undefined) {
    console.error("no redis-server is installed; REDIS_SERVER names one");
    return 2;
  }
  console.log(`beside ${binary}, version ${redisServerVersion(binary) / 100}\n`);
  console.log("| type | steps | seeds | | took |\n|---|---|---|---|---|");
  let failures = 0;
  for (const family of families) {
    if (only !== undefined && !only.includes(family.name)) continue;
    const outcome = await runFamily(family, Number(values.steps), Number(values.seed));
    if (outcome.failed) failures += 1;
  }
  return failures === 0 ? 0 : 1;
}

process.exitCode = await main();
