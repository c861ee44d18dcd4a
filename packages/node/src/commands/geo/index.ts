/** The geo family: positions in sorted sets. */
import type { CommandSpec } from "../spec.js";
import { positions } from "./positions.js";
import { searching } from "./searching.js";

export const geoFamily: readonly CommandSpec[] = [...positions, ...searching];
