/** All command families, in the order in which the documentation lists them. */
import type { CommandSpec } from "./spec.js";
import { ping } from "./connection/ping.js";
import { get } from "./string/get.js";
import { set } from "./string/set.js";

export const families: readonly (readonly CommandSpec[])[] = [[ping], [get, set]];
