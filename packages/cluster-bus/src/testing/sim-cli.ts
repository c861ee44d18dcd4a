/**
 * `npm run sim`: searches for histories in which the cluster breaks a promise, and replays one.
 * What is simulated and checked is described in docs/simulator.md.
 */

import { parseArgs } from "node:util";
import { runSeed } from "./run-seed.js";

const help = `npm run sim -- [options]        (npm run sim -- scale --help: a thousand nodes)

Runs simulated clusters: random faults with safety checkers on, then calm, in which all nodes
must come to agree. Everything follows from the seed.

  --seed S      one seed
  --seeds A-B   all from A to B (1-200)
  --nodes N     nodes in all; by default the seed decides (4 to 15)
  --trace       everything that happens, a line each, with its virtual second
  --minutes M   stop after so many minutes, whatever seeds are left

Exit code 1 if a promise was broken; the line to replay it is printed.`;

interface Range {
  readonly first: number;
  readonly last: number;
}

function seedRange(seed: string | undefined, seeds: string): Range | undefined {
  const match = /^(\d+)(?:-(\d+))?$/.exec(seed ?? seeds);
  if (match === null) return undefined;
  return { first: Number(match[1]), last: Number(match[2] ?? match[1]) };
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      seed: { type: "string" },
      seeds: { type: "string", default: "1-200" },
      nodes: { type: "string" },
      minutes: { type: "string", default: "Infinity" },
      trace: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  const range = seedRange(values.seed, values.seeds);
  if (values.help || range === undefined) {
    console.error(help);
    return values.help ? 0 : 2;
  }
  const nodes = values.nodes === undefined ? {} : { nodes: Number(values.nodes) };
  const trace = values.trace ? { trace: (line: string) => console.log(line) } : {};
  const until = Date.now() + Number(values.minutes) * 60_000;
  const began = Date.now();
  let passed = 0;
  let packets = 0;
  let elections = 0;
  let slowest = { seed: 0, ms: 0 };
  const failed: number[] = [];
  for (let seed = range.first; seed <= range.last && Date.now() < until; seed++) {
    try {
      const report = await runSeed({ seed, ...nodes, ...trace });
      passed++;
      packets += report.packets;
      elections += report.elections;
      if (report.agreedAfterMs > slowest.ms) slowest = { seed, ms: report.agreedAfterMs };
    } catch (error) {
      failed.push(seed);
      const given = values.nodes === undefined ? "" : ` --nodes ${values.nodes}`;
      console.error(`seed ${seed}: ${error instanceof Error ? error.stack : String(error)}`);
      console.error(`replay: npm run sim -- --seed ${seed}${given} --trace`);
    }
  }
  const seconds = ((Date.now() - began) / 1000).toFixed(1);
  console.log(
    `${passed} seeds passed, ${failed.length} failed (${failed.join(" ")}) in ${seconds} s; ` +
      `${packets} packets, ${elections} elections won; ` +
      `slowest to agree: ${slowest.ms} virtual ms (seed ${slowest.seed})`,
  );
  return failed.length > 0 ? 1 : 0;
}

process.exitCode = await main();
