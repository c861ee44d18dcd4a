/** INFO, TIME, LASTSAVE, LOLWUT: what the server tells about itself. */
import type { CommandContext } from "../../dispatch/context.js";
import { buildInfo } from "../../observe/info.js";
import { redisVersion, slotlogVersion } from "../../version.js";
import type { CommandSpec } from "../spec.js";

function runInfo({ node, reply }: CommandContext, argv: readonly string[]): void {
  reply.verbatim("txt", buildInfo(node.info, argv.slice(1)));
}

function runTime({ node, reply }: CommandContext): void {
  const now = node.ports.clock.now();
  const seconds = Math.floor(now / 1000);
  reply.array(2);
  reply.bulkInteger(seconds);
  reply.bulkInteger(Math.floor((now - seconds * 1000) * 1000));
}

/** The slots as a strip, or, without slots, the databases: darker where there are more keys. */
const shades = " .:-=+*#%@";
const stripWidth = 32;
const slotCount = 16384;

function runLolwut({ node, reply }: CommandContext): void {
  const { databases, first } = node.databases;
  const slotsPerColumn = slotCount / stripWidth;
  const counts = Array.from({ length: stripWidth }, (_, column) => {
    if (!node.config.clusterEnabled) return databases[column]?.size ?? 0;
    let keys = 0;
    for (let i = 0; i < slotsPerColumn; i += 1) keys += first.slotSize(column * slotsPerColumn + i);
    return keys;
  });
  const most = Math.max(1, ...counts);
  const strip = counts
    .map((keys) => shades[Math.ceil((keys / most) * (shades.length - 1))])
    .join("");
  const line = `+${"-".repeat(stripWidth)}+`;
  reply.verbatim(
    "txt",
    `${line}\n|${strip}|\n${line}\n\nWhere the keys are, from left to right. ` +
      `slotlog ${slotlogVersion}\nRedis ver. ${redisVersion}\n`,
  );
}

export const info: CommandSpec = {
  name: "info",
  arity: -1,
  flags: ["loading", "stale"],
  categories: ["dangerous"],
  tips: ["nondeterministic_output", "request_policy:all_shards", "response_policy:special"],
  docs: {
    summary: "Tells about the server and counts what it does, section by section.",
    since: "1.0.0",
    group: "server",
    complexity: "O(1)",
    syntax: "[section...]",
  },
  run: runInfo,
};

export const time: CommandSpec = {
  name: "time",
  arity: 1,
  flags: ["loading", "stale", "fast"],
  categories: [],
  tips: ["nondeterministic_output"],
  docs: {
    summary: "Returns the server's clock: Unix seconds, and the microseconds of the present one.",
    since: "2.6.0",
    group: "server",
    complexity: "O(1)",
    syntax: "",
  },
  run: runTime,
};

export const lolwut: CommandSpec = {
  name: "lolwut",
  arity: -1,
  flags: ["readonly", "fast"],
  categories: [],
  docs: {
    summary: "Draws something, and tells the version.",
    since: "5.0.0",
    group: "server",
    complexity: "",
    syntax: "[VERSION version]",
  },
  run: runLolwut,
};
