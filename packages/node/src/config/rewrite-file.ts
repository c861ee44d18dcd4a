/** CONFIG REWRITE's work on the file: read, compute, replace. It ends as one synchronous step. */

import { basename, dirname } from "node:path";
import { errnoText, errorCode } from "../adapters/disk-error.js";
import { replaceFileSync } from "../aof/replace-file.js";
import type { Disk } from "../ports.js";
import type { Configuration } from "./config.js";
import { configRewrite, type RewriteOptions } from "./rewrite.js";

/**
 * Replaces the node's configuration file; a file that is gone is written anew. Returns the error
 * reply (without its `-`), or `undefined`. It waits for the disk: it is a rare, manual command,
 * and its reply must mean that the file is there.
 */
export function rewriteConfigFile(
  config: Configuration,
  disk: Disk,
  options: RewriteOptions,
): string | undefined {
  const { file } = config;
  if (file === undefined) return "ERR The server is running without a config file";
  try {
    const old = disk.readFileSync(file)?.toString("latin1") ?? "";
    const content = Buffer.from(configRewrite(config, old, options), "latin1");
    replaceFileSync(disk, { directory: dirname(file), name: basename(file), content });
    return undefined;
  } catch (error) {
    if (errorCode(error) === undefined) throw error;
    return `ERR Rewriting config file: ${errnoText(error)}`;
  }
}
