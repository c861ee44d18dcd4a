/** The sorted set family. */
import type { CommandSpec } from "../spec.js";
import { adding } from "./add.js";
import { blocking } from "./blocking.js";
import { combining } from "./combinations.js";
import { popCommands } from "./pop.js";
import { choosing } from "./random.js";
import { ranging } from "./range.js";
import { asking } from "./read.js";
import { removal } from "./remove.js";
import { scanning } from "./scan.js";

export const sortedSetFamily: readonly CommandSpec[] = [
  ...adding,
  ...removal,
  ...asking,
  ...ranging,
  ...combining,
  ...popCommands,
  ...blocking,
  ...choosing,
  ...scanning,
];
