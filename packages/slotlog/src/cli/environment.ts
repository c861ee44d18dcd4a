// What the command line takes from its environment: what a container image is configured with, and
// the password, since a command line can be read by every user of a machine.

import { readFileSync } from "node:fs";
import { CliError, reasonOf } from "./errors.js";

export const passwordVariable = "SLOTLOG_PASSWORD";
export const passwordFileVariable = "SLOTLOG_PASSWORD_FILE";
export const logFormatVariable = "SLOTLOG_LOG_FORMAT";

type Environment = Readonly<Record<string, string | undefined>>;

/** For the nodes that are talked to; none if neither variable is set, or what it gives is empty. */
export function passwordFromEnvironment(
  environment: Environment = process.env,
): string | undefined {
  const password = environment[passwordVariable];
  return password === undefined || password === "" ? passwordFromFile(environment) : password;
}

/** A secret's file: its first line. An empty one is no password, as with `--requirepass ""`. */
export function passwordFromFile(environment: Environment = process.env): string | undefined {
  const path = environment[passwordFileVariable];
  if (path === undefined || path === "") return undefined;
  try {
    const [line = ""] = readFileSync(path, "latin1").split(/\r?\n/, 1);
    return line === "" ? undefined : Buffer.from(line, "latin1").toString("utf8");
  } catch (error) {
    throw new CliError(`cannot read the password from ${path}: ${reasonOf(error)}`, {
      hint: `${passwordFileVariable} names that file.`,
    });
  }
}

/**
 * Directives that the environment gives a node. They win over a config file, and an argument wins
 * over them: whoever types one means it.
 */
export function directivesFromEnvironment(
  argv: readonly string[],
  environment: Environment = process.env,
): string[] {
  const directives: string[] = [];
  const unlessTyped = (name: string, value: string | undefined): void => {
    const isTyped = argv.some((argument) => argument.toLowerCase() === name);
    if (value !== undefined && value !== "" && !isTyped) directives.push(name, value);
  };
  const password = passwordFromFile(environment);
  unlessTyped("--requirepass", password);
  unlessTyped("--masterauth", password);
  unlessTyped("--log-format", environment[logFormatVariable]);
  return directives;
}
