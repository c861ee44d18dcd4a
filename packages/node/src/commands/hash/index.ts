/** The hash family. */
import type { CommandSpec } from "../spec.js";
import { counting } from "./count.js";
import { choosing } from "./random.js";
import { reading } from "./read.js";
import { writing } from "./write.js";

export const hashFamily: readonly CommandSpec[] = [
  ...writing,
  ...reading,
  ...counting,
  ...choosing,
];
