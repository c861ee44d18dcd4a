// `cluster.json` in the directory of `slotlog up`: which cluster lives there, so that a later run
// resumes it instead of making another one. It holds no secret: the password is in the nodes'
// config files.

import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CliError, errnoOf, reasonOf } from "../errors.js";
import type { ClusterShape } from "./plan.js";

export interface ClusterFile {
  readonly host: string;
  readonly shape: ClusterShape;
  /** False until the cluster was formed once: a run that was cut short is taken up again. */
  readonly formed: boolean;
}

const fileName = "cluster.json";

export function readClusterFile(directory: string): ClusterFile | undefined {
  const path = join(directory, fileName);
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return undefined;
    throw new CliError(`cannot read ${path}: ${reasonOf(error)}`);
  }
  const parsed = parseClusterFile(text);
  if (parsed === undefined) {
    throw new CliError(`${path} is not what slotlog up wrote`, {
      hint: "Restore the file, or choose another directory with --dir.",
    });
  }
  return parsed;
}

export function writeClusterFile(directory: string, file: ClusterFile): void {
  const path = join(directory, fileName);
  try {
    mkdirSync(directory, { recursive: true });
    writeFileSync(`${path}.tmp`, `${JSON.stringify({ version: 1, ...file }, undefined, 2)}\n`);
    renameSync(`${path}.tmp`, path);
  } catch (error) {
    throw unwritable(directory, error);
  }
}

export function unwritable(directory: string, error: unknown): CliError {
  return new CliError(`cannot write to ${directory}: ${reasonOf(error)}`, {
    hint: "Choose another directory with --dir.",
  });
}

export function parseClusterFile(text: string): ClusterFile | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isRecord(value) || value["version"] !== 1 || !isRecord(value["shape"])) return undefined;
  const { primaries, replicas, port } = value["shape"];
  const { host, formed } = value;
  const numbers = [primaries, replicas, port].every((each) => Number.isInteger(each));
  if (!numbers || typeof host !== "string" || typeof formed !== "boolean") return undefined;
  const shape = { primaries: Number(primaries), replicas: Number(replicas), port: Number(port) };
  return { host, shape, formed };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
