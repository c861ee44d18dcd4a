/** `npm run sim -- scale`: a thousand simulated nodes, and what they cost. */

import { parseArgs } from "node:util";
import { runScale } from "./scale.js";

const help = `npm run sim -- scale [options]

Nodes meet, agree, live for a while at the default node timeout, and lose a primary.

  --nodes N      how many (1000), half of them replicas
  --seconds S    virtual seconds of steady life that are measured (60)
  --sample N     one of so many packets goes through the wire format for real (1000)
  --seed S       (1)`;

const mebibyte = 1024 * 1024;

function main(): number {
  const { values } = parseArgs({
    options: {
      nodes: { type: "string", default: "1000" },
      seconds: { type: "string", default: "60" },
      sample: { type: "string", default: "1000" },
      seed: { type: "string", default: "1" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    console.log(help);
    return 0;
  }
  // CPU time, not that of the wall: what else a machine does is no property of the protocol.
  const start = process.cpuUsage();
  let cpu = start;
  let steady = "";
  const report = runScale(
    {
      nodes: Number(values.nodes),
      seed: Number(values.seed),
      samplePackets: Number(values.sample),
      steadyMs: Number(values.seconds) * 1000,
    },
    {
      onPhase: (text) => console.log(`${text} (${cpuSince(start)} of CPU so far)`),
      onSteady: (what, world) => {
        if (what === "begins") {
          cpu = process.cpuUsage();
          return;
        }
        const memory = process.memoryUsage().rss / mebibyte;
        steady =
          `${values.seconds} virtual s took ${cpuSince(cpu)} of CPU; ${memory.toFixed(0)} MiB resident, ` +
          `${((memory * 1024) / world.nodes.length).toFixed(0)} KiB per node`;
        console.log(steady);
      },
    },
  );
  console.log(report);
  return 0;
}

function cpuSince(begin: NodeJS.CpuUsage): string {
  const { user, system } = process.cpuUsage(begin);
  return `${((user + system) / 1e6).toFixed(1)} s`;
}

process.exitCode = main();
