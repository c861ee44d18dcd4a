// `npm run sim`: the cluster simulator, from source. Here is only which of its two programs was
// asked for; both are in packages/cluster-bus/src/testing, and described in docs/simulator.md.

import { fromSource, runNode } from "./workspace.mjs";

const programs = "packages/cluster-bus/src/testing";

async function main(): Promise<number> {
  const [first, ...rest] = process.argv.slice(2);
  // A young generation that holds what is under way: else it is copied again and again.
  const heap = ["--max-old-space-size=16384", "--max-semi-space-size=64"];
  if (first === "scale")
    return runNode([...heap, ...fromSource, `${programs}/scale-cli.ts`, ...rest]);
  return runNode([...fromSource, `${programs}/sim-cli.ts`, ...process.argv.slice(2)]);
}

process.exitCode = await main();
