// `npm run soak -- NAME`: the long forms of tests that CI runs for seconds. Each is a program of
// its own beside what it tries; here are only their names, and how they are started.

import { fromSource, runNode } from "./workspace.mjs";

interface Soak {
  readonly file: string;
  readonly what: string;
}

/** Options behind the name go to the program; all know `--help`. */
const soaks: Readonly<Record<string, Soak>> = {
  "disk-faults": {
    file: "packages/node/src/testing/disk-faults/soak.ts",
    what: "nodes on simulated disks that fail, run full and crash, by seed",
  },
  acks: {
    file: "test-e2e/chaos/acks-soak.ts",
    what: "kill -9 of primaries right after confirmed writes, with failovers",
  },
  crash: {
    file: "test-e2e/chaos/crash-soak.ts",
    what: "kill -9 under load, every fsync policy, with and without rewrites",
  },
  replication: {
    file: "packages/node/src/testing/replication-runs/soak.ts",
    what: "primaries and replicas under cuts, crashes and restarts, by seed",
  },
  lease: {
    file: "packages/cluster-bus/src/testing/quiet-soak.ts",
    what: "hours of quiet clusters, in which no write lease may run out, by seed",
  },
  properties: {
    file: "packages/node/src/testing/properties-soak.ts",
    what: "random commands beside a real server, a million steps per type",
  },
};

async function main(): Promise<number> {
  const [name = "", ...options] = process.argv.slice(2);
  const soak = soaks[name];
  if (soak === undefined) {
    const lines = Object.entries(soaks).map(([each, { what }]) => `  ${each.padEnd(14)}${what}`);
    console.error(`npm run soak -- NAME [options; --help lists them]\n\n${lines.join("\n")}`);
    return name === "" || name === "--help" ? 0 : 2;
  }
  return runNode([...fromSource, soak.file, ...options]);
}

process.exitCode = await main();
