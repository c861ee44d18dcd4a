/** The stream family. */
import type { CommandSpec } from "../spec.js";
import { changing } from "./add.js";
import { claiming } from "./claim.js";
import { xgroup } from "./group.js";
import { xinfo } from "./info.js";
import { acknowledging } from "./pending.js";
import { ranging } from "./range.js";
import { reading } from "./read.js";

export const streamFamily: readonly CommandSpec[] = [
  ...changing,
  ...ranging,
  ...reading,
  xgroup,
  ...acknowledging,
  ...claiming,
  xinfo,
];
