/** The bitmap family. */
import type { CommandSpec } from "../spec.js";
import { singleBits } from "./bit.js";
import { fields } from "./bitfield.js";
import { counting } from "./count.js";
import { bitop } from "./operation.js";

export const bitmaps: readonly CommandSpec[] = [...singleBits, ...counting, bitop, ...fields];
