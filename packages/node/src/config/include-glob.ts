/** Names of files that match a path with wildcards, as a shell would list them. */

import { join } from "node:path";
import { globMatch } from "../store/glob.js";

/** Sorted names in a directory, or `undefined` if there is none. */
export type ListDirectory = (path: string) => readonly string[] | undefined;

export function hasWildcard(path: string): boolean {
  return /[*?[]/.test(path);
}

/**
 * Existing paths that match the absolute `pattern`, sorted. A wildcard does not cross `/` and does
 * not match a dot at the beginning of a name.
 */
export function expandPath(pattern: string, list: ListDirectory): string[] {
  const parts = pattern.split("/").filter((part) => part !== "");
  let found = ["/"];
  for (const part of parts) {
    found = found.flatMap((parent) => {
      if (!hasWildcard(part)) return [join(parent, part)];
      const names = list(parent) ?? [];
      return names.filter((name) => matches(part, name)).map((name) => join(parent, name));
    });
  }
  const last = parts.at(-1) ?? "";
  // Without a wildcard in the last part nothing has said yet that the file exists.
  return hasWildcard(last)
    ? found
    : found.filter((path) => (list(join(path, "..")) ?? []).includes(last));
}

function matches(pattern: string, name: string): boolean {
  if (name.startsWith(".") && !pattern.startsWith(".")) return false;
  return globMatch(pattern, name);
}
