/** The HyperLogLog family. */
import type { CommandSpec } from "../spec.js";
import { sketches } from "./count.js";
import { sketchTools } from "./debug.js";

export const hyperLogLogs: readonly CommandSpec[] = [...sketches, ...sketchTools];
