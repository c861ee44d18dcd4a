/**
 * Replaces a small file so that a crash at any moment leaves the old or the new content, whole:
 * temporary file, write, fsync, rename, fsync of the directory. The manifest, nodes.conf and
 * rewritten configuration files all go through here.
 */

import path from "node:path";
import type { Disk } from "../ports.js";

export interface FileReplacement {
  readonly directory: string;
  readonly name: string;
  readonly content: Uint8Array;
  /** Defaults to Redis' habit, `temp-` in front of the name. */
  readonly temporaryName?: string;
}

/**
 * Replaces the file durably. When it rejects, the file holds either content: a failed rename leaves
 * the old one, a failed fsync of the directory may leave either after a power loss.
 */
export async function replaceFile(disk: Disk, replacement: FileReplacement): Promise<void> {
  const { directory, name, content } = replacement;
  const temporary = path.join(directory, replacement.temporaryName ?? `temp-${name}`);
  const file = await disk.open(temporary, "truncate");
  try {
    await file.write([content]);
    await file.sync();
  } finally {
    await file.close();
  }
  await disk.rename(temporary, path.join(directory, name));
  await disk.syncDirectory(directory);
}

/** As `replaceFile`, on the loop: for the few places that must not yield. */
export function replaceFileSync(disk: Disk, replacement: FileReplacement): void {
  const { directory, name, content } = replacement;
  const temporary = path.join(directory, replacement.temporaryName ?? `temp-${name}`);
  const file = disk.openSync(temporary, "truncate");
  try {
    file.writeSync([content]);
    file.syncSync();
  } finally {
    file.closeSync();
  }
  disk.renameSync(temporary, path.join(directory, name));
  disk.syncDirectorySync(directory);
}
