/** The string family. */
import type { CommandSpec } from "../spec.js";
import { counters } from "./counter.js";
import { reading } from "./get.js";
import { lcs } from "./lcs.js";
import { many } from "./many.js";
import { ranges } from "./range.js";
import { setting } from "./set.js";

export const strings: readonly CommandSpec[] = [
  ...setting,
  ...reading,
  ...many,
  ...ranges,
  ...counters,
  lcs,
];
