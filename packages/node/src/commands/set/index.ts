/** The set family. */
import type { CommandSpec } from "../spec.js";
import { combining } from "./combine.js";
import { membership } from "./members.js";
import { choosing } from "./random.js";

export const setFamily: readonly CommandSpec[] = [...membership, ...combining, ...choosing];
