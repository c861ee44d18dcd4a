/** The list family. */
import type { CommandSpec } from "../spec.js";
import { blocking } from "./blocking.js";
import { popping } from "./pop.js";
import { pushing } from "./push.js";
import { reading } from "./read.js";

export const listFamily: readonly CommandSpec[] = [...pushing, ...popping, ...blocking, ...reading];
