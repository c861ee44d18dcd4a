/** The server family: configuration, statistics, debugging. */
import type { CommandSpec } from "../spec.js";
import { command } from "./command/index.js";
import { config } from "./config.js";
import { debug } from "./debug/index.js";
import { info, lolwut, time } from "./info.js";
import { latency } from "./latency.js";
import { memory } from "./memory.js";
import { module } from "./module.js";
import { monitor } from "./monitor.js";
import { shutdown } from "./shutdown.js";
import { slowlog } from "./slowlog.js";

export const server: readonly CommandSpec[] = [
  command,
  config,
  debug,
  info,
  latency,
  lolwut,
  memory,
  module,
  monitor,
  shutdown,
  slowlog,
  time,
];
