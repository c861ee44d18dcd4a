// A process of `embedding.ts`: brings a cluster up, says how long it took and what it holds, and is
// ended by whoever started it.

import { startCluster } from "slotlog";
import type { EmbeddedReport } from "./embedding.js";
import { residentBytes } from "./machine.js";

const isolation = process.argv[2] === "worker" ? "worker" : "local";
const began = performance.now();
const cluster = await startCluster({ primaries: 3, replicasPerPrimary: 1, isolation });
const report: EmbeddedReport = {
  readyMs: performance.now() - began,
  residentBytes: residentBytes(process.pid) ?? Number.NaN,
};
process.send?.(report);
process.on("SIGTERM", () => void cluster.stop().then(() => process.exit(0)));
