/**
 * The names in one simulated directory: as seen now, and as a power loss would leave them. Changes
 * reach the disk in their order, so a crash keeps some first ones of those not synced.
 */

import type { SimFileContent } from "./sim-file.js";

/** What of the changes not made durable a power loss leaves; the default is nothing. */
export interface SimCrashOptions {
  /** Of `unsynced` bytes at the end of a file, how many survive. */
  readonly keepBytes?: (path: string, unsynced: number) => number;
  /** Of `pending` changes of names in a directory, how many survive (the first ones). */
  readonly keepNames?: (directory: string, pending: number) => number;
}

export type NameChange = { readonly name: string; readonly content: SimFileContent | undefined };

export interface SimDirectory {
  readonly durable: Map<string, SimFileContent>;
  readonly visible: Map<string, SimFileContent>;
  /** In order; a rename is two of them that survive together. */
  pending: (readonly NameChange[])[];
}

export function crashDirectory(
  path: string,
  directory: SimDirectory,
  options: SimCrashOptions,
): void {
  const { durable, visible, pending } = directory;
  const kept = Math.min(options.keepNames?.(path, pending.length) ?? 0, pending.length);
  for (const changes of pending.slice(0, kept)) applyNames(durable, changes);
  directory.pending = [];
  visible.clear();
  const crashed = new Set<SimFileContent>();
  for (const [name, content] of durable) {
    visible.set(name, content);
    if (crashed.has(content)) continue;
    crashed.add(content);
    const unsynced = Math.max(0, content.length - content.durableLength);
    const keep = options.keepBytes?.(`${path}/${name}`, unsynced) ?? 0;
    content.crash(Math.max(0, Math.min(keep, unsynced)));
  }
}

export function applyNames(
  names: Map<string, SimFileContent>,
  changes: readonly NameChange[],
): void {
  for (const { name, content } of changes) {
    if (content === undefined) names.delete(name);
    else names.set(name, content);
  }
}
