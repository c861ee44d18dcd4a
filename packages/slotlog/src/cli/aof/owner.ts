// Who may touch a directory: readers look for a live node, writers take its lock for as long as
// they work. And failures with a code, as one line for the operator.

import { createDisk, DirectoryLockedError, directoryOwner, errnoText } from "@slotlog/node/aof";
import { CliError, errnoOf, reasonOf } from "../errors.js";

/** A directory that cannot be looked into has no owner that we could tell. */
export async function ownerOf(directory: string): Promise<string | undefined> {
  try {
    return await directoryOwner(directory);
  } catch {
    return undefined;
  }
}

/** Runs `work` while no node can start on the directory; refuses, with `hint`, if one runs. */
export async function whileOwned<T>(
  directory: string,
  hint: string,
  work: () => Promise<T>,
): Promise<T> {
  const lock = await createDisk()
    .lockDirectory(directory)
    .catch((error: unknown) => {
      if (!(error instanceof DirectoryLockedError)) throw error;
      throw new CliError(`a live node runs on ${directory}`, { hint });
    });
  try {
    return await work();
  } finally {
    await lock.release();
  }
}

/** As `whileOwned`, for who only reads: where nobody can write, nothing need be locked. */
export async function whileUnchanged<T>(
  directory: string,
  hint: string,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await whileOwned(directory, hint, work);
  } catch (error) {
    if (errnoOf(error) !== "EROFS") throw error;
    return work();
  }
}

/**
 * Failures with a code (no such file, a directory in use) are the operator's; others are defects.
 */
export async function answered<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const code = errnoOf(error);
    if (code === undefined || error instanceof CliError) throw error;
    const own = code.startsWith("SLOTLOG_");
    throw new CliError(own ? reasonOf(error) : `${pathOf(error)}${errnoText(error)}`);
  }
}

function pathOf(error: unknown): string {
  const named = error instanceof Error && "path" in error && typeof error.path === "string";
  return named ? `${String(error.path)}: ` : "";
}
