// The password of a cluster that exists already: it is in its nodes' config files.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { CliError, reasonOf } from "../errors.js";
import { configFileName, configuredPassword } from "./node-config.js";

export function passwordOf(nodeDirectory: string): string | undefined {
  const path = join(nodeDirectory, configFileName);
  try {
    return configuredPassword(readFileSync(path, "utf8"));
  } catch (error) {
    throw new CliError(`cannot read ${path}: ${reasonOf(error)}`);
  }
}
